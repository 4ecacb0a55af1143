"""Climate series: written once, merged in time, left alone when nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Cadence, Series, calendar_days
from aiops.db.climate import Overruled, Written, fill_series, merge_series, read_series, write_series
from aiops.db.datasets import register_dataset
from aiops.ingest.variables import VARIABLES

CELL = 343456


@pytest.fixture
def dataset(connection):
    return register_dataset(
        connection, name="d", source="test", file_sha256="00", first_year=2000, last_year=2010, synthetic=True
    )


def series(values, *, variable="rx1day", scenario="historical", grid_id=CELL, first_year=2001):
    return Series(variable, scenario, grid_id, first_year, np.array(values, np.float32))


def stored(connection, variable="rx1day"):
    (one,) = read_series(connection, [variable], [CELL], ["historical"])
    return one.first_year, one.values.tolist()


def test_a_series_comes_back_as_it_was_written(connection, dataset):
    assert write_series(connection, [series([1, 2.5, 3])], dataset) == Written(1, 0, 0)
    assert stored(connection) == (2001, [1, 2.5, 3])


def test_the_same_again_touches_no_row(connection, dataset):
    write_series(connection, [series([1, np.nan, 3])], dataset)
    connection.commit()
    before = connection.execute("SELECT xmin, ctid FROM climate_data").fetchall()
    connection.commit()
    assert write_series(connection, [series([1, np.nan, 3])], dataset) == Written(0, 0, 1)
    connection.commit()
    assert connection.execute("SELECT xmin, ctid FROM climate_data").fetchall() == before


def test_years_are_joined_and_a_missing_new_value_does_not_erase_an_old_one(connection, dataset):
    write_series(connection, [series([1, 2, 3])], dataset)
    assert write_series(connection, [series([np.nan, 30, 40], first_year=2002)], dataset) == Written(0, 1, 0)
    assert stored(connection) == (2001, [1, 2, 30, 40])


@pytest.fixture
def real(connection):
    return register_dataset(
        connection, name="r", source="test", file_sha256="01", first_year=2000, last_year=2010, synthetic=False
    )


def origin(connection, variable="rx1day"):
    (name,) = connection.execute(
        "SELECT name FROM climate_data JOIN dataset USING (dataset_id) WHERE variable = %s", [variable]
    ).fetchone()
    return name


def test_real_values_replace_a_generators_series_whole_and_are_counted(connection, dataset, real):
    write_series(connection, [series([1, 2, 3]), series(np.zeros(365), variable="pr")], dataset)
    met = Overruled()
    assert write_series(connection, [series([9], first_year=2002)], real, overruled=met) == Written(0, 1, 0)
    assert (stored(connection), origin(connection)) == ((2002, [9]), "r")
    assert met == Overruled(replaced=1, years=3)
    assert met.notes() == ["real data replaced those of a generator (SYNTHETIC) in 1 series: 3 years of these are gone"]
    # From now on they are joined, as any others.
    assert write_series(connection, [series([8])], real, overruled=met) == Written(0, 1, 0)
    assert (stored(connection), met.replaced) == ((2001, [8, 9]), 1)
    write_series(connection, [series(np.zeros(365), variable="pr")], real, overruled=met)
    assert (met.replaced, met.years) == (2, 4)


def test_the_same_values_become_real(connection, dataset, real):
    write_series(connection, [series([1, 2])], dataset)
    assert write_series(connection, [series([1, 2])], real) == Written(0, 1, 0)
    assert origin(connection) == "r"
    assert write_series(connection, [series([1, 2])], real) == Written(0, 0, 1)


@pytest.mark.parametrize("merge", [True, False])
def test_a_generator_writes_over_nothing_that_is_real(connection, dataset, real, merge):
    write_series(connection, [series([1, 2])], real)
    met = Overruled()
    new = [series([7, 7, 7]), series([5], grid_id=CELL + 1)]
    assert write_series(connection, new, dataset, merge=merge, overruled=met) == Written(1, 0, 0)
    assert (stored(connection), met) == ((2001, [1, 2]), Overruled(left_out=1))
    assert met.notes() == ["1 series of a generator (SYNTHETIC) were left out: real ones are stored"]


def test_years_between_two_loads_are_missing(connection, dataset):
    write_series(connection, [series([1])], dataset)
    write_series(connection, [series([9], first_year=1999)], dataset)
    first_year, values = stored(connection)
    assert first_year == 1999
    assert np.array_equal(values, [9, np.nan, 1], equal_nan=True)


def test_replace_means_replace(connection, dataset):
    write_series(connection, [series([1, 2, 3])], dataset)
    write_series(connection, [series([7], first_year=2002)], dataset, merge=False)
    assert stored(connection) == (2002, [7])


def test_a_stored_series_is_filled_where_it_has_no_value_and_goes_on_naming_its_data_set(connection, dataset):
    write_series(connection, [series([1, np.nan, 3])], dataset)
    assert fill_series(connection, [series([7, 8, 9, 10])]) == Written(0, 1, 0)
    assert stored(connection) == (2001, [1, 8, 3, 10])
    assert connection.execute("SELECT DISTINCT dataset_id FROM climate_data").fetchall() == [(dataset,)]
    assert fill_series(connection, [series([5, 5], first_year=2002)]) == Written(0, 0, 1)


def test_nothing_is_filled_where_no_series_is_stored(connection):
    assert fill_series(connection, [series([1])]) == Written(0, 0, 0)
    assert connection.execute("SELECT count(*) FROM climate_data").fetchone() == (0,)


def test_daily_years_are_joined_on_true_days():
    old = series(np.arange(366), variable="pr", first_year=2004)
    new = series(np.full(365, -1), variable="pr", first_year=2005)
    union = merge_series(Cadence.DAILY, old, new)
    assert union.values.size == calendar_days(2004, 2).size == 731
    assert union.values[365] == 365
    assert union.values[366] == -1


def test_a_rolled_back_write_leaves_nothing(connection, dataset):
    connection.commit()
    write_series(connection, [series([1])], dataset)
    connection.rollback()
    assert read_series(connection, ["rx1day"], [CELL], ["historical"]) == []


def test_cells_with_climate_data_are_known_whichever_way_the_rows_came(connection):
    connection.execute(
        "INSERT INTO climate_data (variable, grid_id, scenario, first_year, values)"
        " VALUES ('rx1day', 7, 'historical', 2001, pack_series('{1,2}'))"
    )
    connection.execute("INSERT INTO location_grid (grid_id) VALUES (8)")
    rows = connection.execute("SELECT grid_id, has_climate, latitude, longitude FROM location_grid ORDER BY 1")
    assert rows.fetchall() == [(7, True, 33.0, 124.56), (8, False, 33.0, 124.57)]


def test_people_read_dates_and_values(connection, dataset):
    write_series(connection, [series([1, np.nan])], dataset)
    write_series(connection, [series(np.arange(366), variable="pr", first_year=2004)], dataset)
    yearly = connection.execute("SELECT date::text, value FROM climate_series(%s, 'rx1day', 'historical')", (CELL,))
    assert yearly.fetchall() == [("2001-01-01", 1.0), ("2002-01-01", None)]
    daily = connection.execute(
        "SELECT date::text, value FROM climate_series(%s, 'pr', 'historical') OFFSET 59 LIMIT 2", (CELL,)
    )
    assert daily.fetchall() == [("2004-02-29", 59.0), ("2004-03-01", 60.0)]


def test_the_content_hash_follows_the_values(connection, dataset):
    write_series(connection, [series([1, 2])], dataset)
    first = connection.execute("SELECT content_hash FROM climate_data").fetchone()
    write_series(connection, [series([1, 3])], dataset)
    second = connection.execute("SELECT content_hash FROM climate_data").fetchone()
    assert first != second


def test_the_table_of_variables_holds_the_catalogue(connection):
    rows = connection.execute(
        "SELECT variable, cadence, unit, valid_min, valid_max, description, description_ko, aliases"
        ' FROM climate_variable ORDER BY variable COLLATE "C"'
    ).fetchall()
    assert rows == [
        (v.name, v.cadence.value, v.unit, v.minimum, v.maximum, v.description, v.description_ko, list(v.aliases))
        for v in sorted(VARIABLES, key=lambda v: v.name)
    ]


def test_the_same_file_loaded_in_the_same_way_is_one_data_set(connection, dataset):
    file = {"name": "d", "source": "test", "file_sha256": "00"}
    years = {"first_year": 2000, "last_year": 2010, "synthetic": True}
    assert register_dataset(connection, **file, **years) == dataset
    assert register_dataset(connection, **file, **years, parameters={"columns": {"pr": "rain"}}) != dataset
