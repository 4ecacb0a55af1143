"""Series of several variables on one axis, a scenario with its history in front."""

from __future__ import annotations

import numpy as np

from aiops.climate import Cadence, Series
from aiops.ingest.aligned import align, by_baseline

NAN = np.nan


def yearly(variable, scenario, first_year, values, grid_id=7):
    return Series(variable, scenario, grid_id, first_year, np.array(values, np.float32))


def same(values, expected):
    np.testing.assert_array_equal(values, np.array(expected, dtype=float))


def test_variables_of_a_cell_share_an_axis_and_a_missing_one_is_nan():
    series = [yearly("a", "historical", 2000, [1, 2]), yearly("b", "historical", 2001, [3, 4])]
    (some,) = align(series, ("a", "b", "c"), Cadence.YEARLY)
    assert (some.first_year, some.own_first_year, some.years.tolist()) == (2000, 2000, [2000, 2001, 2002])
    same(some.values["a"][:, 0], [1, 2, NAN])
    same(some.values["b"][:, 0], [NAN, 3, 4])
    same(some.values["c"][:, 0], [NAN, NAN, NAN])


def test_a_scenario_has_the_history_before_its_own_first_year_in_front_variable_by_variable():
    series = [
        yearly("a", "historical", 2000, [1, 2, 3]),
        yearly("b", "historical", 2000, [4, 5, 6]),
        yearly("a", "ssp245", 2001, [10, 20]),
    ]
    future = next(some for some in align(series, ("a", "b"), Cadence.YEARLY) if some.scenario == "ssp245")
    same(future.values["a"][:, 0], [1, 10, 20])
    # What the scenario has not, history does not go on with.
    same(future.values["b"][:, 0], [4, NAN, NAN])
    assert future.own_first_year == 2001
    alone = list(align(series, ("a", "b"), Cadence.YEARLY, with_history=False))
    same(alone[1].values["a"][:, 0], [10, 20])


def test_a_cell_without_what_is_needed_is_passed_over():
    series = [yearly("a", "historical", 2000, [1]), yearly("a", "ssp245", 2001, [1]), yearly("b", "ssp245", 2001, [1])]
    assert [some.scenario for some in align(series, ("a", "b"), Cadence.YEARLY, needed=("a", "b"))] == ["ssp245"]
    assert list(align([yearly("a", "historical", 2000, [])], ("a",), Cadence.YEARLY)) == []


def test_cells_of_the_same_years_stand_together():
    series = [yearly("a", "historical", 2000, [n, n], n) for n in (1, 2)]
    series += [yearly("a", "historical", 2000, [3], 3)]
    groups = {tuple(some.grid_ids.tolist()): some for some in align(series, ("a",), Cadence.YEARLY)}
    assert set(groups) == {(1, 2), (3,)}
    same(groups[1, 2].values["a"], [[1, 2], [1, 2]])


def test_months_and_days_begin_with_january_and_end_with_december():
    (months,) = align([yearly("a", "historical", 2000, range(14))], ("a",), Cadence.MONTHLY)
    assert (str(months.dates[0]), str(months.dates[-1])) == ("2000-01", "2001-12")
    assert np.isnan(months.values["a"][14:]).all()
    (days,) = align([yearly("a", "historical", 2000, range(367))], ("a",), Cadence.DAILY)
    assert (str(days.dates[0]), str(days.dates[-1]), days.dates.size) == ("2000-01-01", "2001-12-31", 366 + 365)


def test_the_own_part_of_a_result_becomes_series_and_cells_without_values_none():
    series = [yearly("a", "historical", 2000, [1, 2], n) for n in (1, 2)]
    series += [yearly("a", "ssp245", 2001, [3, 4], n) for n in (1, 2)]
    future = next(some for some in align(series, ("a",), Cadence.YEARLY) if some.scenario == "ssp245")
    (one,) = future.series("x", future.years, np.array([[1.0, 1.0], [5.0, NAN], [6.0, NAN]]))
    assert (one.variable, one.scenario, one.grid_id, one.first_year) == ("x", "ssp245", 1, 2001)
    assert one.values.tolist() == [5, 6]
    months = np.repeat([[1.0, 1.0], [5.0, NAN], [6.0, NAN]], 12, axis=0)
    (one,) = future.series("x", future.years, months, 12)
    assert one.values.tolist() == [5] * 12 + [6] * 12


def test_cells_are_grouped_by_baseline_and_cells_without_years_left_out():
    years = np.arange(1985, 2025)
    complete = np.ones((40, 4), dtype=bool)
    complete[5:, 1] = False
    complete[:, 2] = False
    found = {baseline.label: cells.tolist() for baseline, cells in by_baseline(years, complete)}
    assert found == {"1991-2020": [0, 3], "first_5_years": [1]}
