"""The indicators batch: the days of all cells become their indicators, by real daemons."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime

import numpy as np
import psutil
import psycopg
import pytest
from daemons import held_writes, run, running_daemon, wait_for, wait_until_at_work

from aiops.climate import SCENARIOS, Series, calendar_days
from aiops.db.climate import read_series, write_series
from aiops.db.datasets import note_computed_variables, register_dataset
from aiops.db.indicators import given_series, hold_unchanged_cells, indicators_hashes
from aiops.db.inputs import Fix, write_tracks
from aiops.ingest.derived import COMPUTED, DAILY, Brought, Deriver
from aiops.ingest.load import load_long_csv
from aiops.ingest.recompute import compute_indicators, read_inputs, write_indicators

pytestmark = pytest.mark.daemon

CELLS = tuple(range(343_000, 343_006))
PERIODS = {"historical": (1996, 16), "ssp245": (2021, 3), "ssp585": (2021, 2)}
ENDED = ("completed", "failed", "cancelled")
INDICATORS = (
    "SELECT variable, grid_id, scenario, first_year, encode(content_hash, 'hex') FROM climate_data"
    " WHERE variable NOT IN (SELECT variable FROM climate_variable WHERE cadence = 'daily') ORDER BY 1, 2, 3"
)
METHODS = "SELECT grid_id, method FROM evapotranspiration_method ORDER BY 1"


def days_of(cells, seed=1, periods=PERIODS):
    """Daily weather with seasons; the last cell has rain alone, the last but one no wind, two the least humidity."""
    random = np.random.default_rng(seed)
    series = []
    for grid_id in cells:
        for scenario, (first_year, years) in periods.items():
            days = calendar_days(first_year, years).size
            mean = 12 + 14 * np.sin(np.arange(days) / 365.25 * 2 * np.pi - 1.9) + random.normal(0, 3, days)
            values = {
                "tas": mean,
                "tasmax": mean + 5 + random.random(days),
                "tasmin": mean - 5 - random.random(days),
                "pr": np.where(random.random(days) < 0.3, random.gamma(0.7, 12, days), 0),
                "hurs": 60 + random.normal(0, 8, days).clip(-30, 30),
                "hursmin": 25 + random.random(days),
                "sfcWind": random.gamma(2, 1.2, days),
                "rsds": 180 + 90 * random.random(days),
            }
            if grid_id == CELLS[-1]:
                values = {"pr": values["pr"]}
            elif grid_id == CELLS[-2]:
                del values["sfcWind"]
            if grid_id not in CELLS[:2]:
                values.pop("hursmin", None)  # fire weather takes the longest by far
            values["pr"][:40] = np.nan
            series += [Series(name, scenario, grid_id, first_year, x.astype(np.float32)) for name, x in values.items()]
    return series


def register(connection, name="days", synthetic=False):
    return register_dataset(
        connection, name=name, source="test", file_sha256=None, first_year=None, last_year=None, synthetic=synthetic
    )


def load(connection, series, *, derive):
    """Write days as a load does, with or without what it derives."""
    dataset = register(connection)
    write_series(connection, series, dataset)
    if derive:
        variables, scenarios = ({getattr(one, name) for one in series} for name in ("variable", "scenario"))
        cells = sorted({one.grid_id for one in series})
        Deriver(connection, dataset).after(Brought(frozenset(variables), frozenset(scenarios)), cells)
    connection.commit()


def forget(connection):
    """As if no indicator had ever been computed."""
    connection.execute("DELETE FROM climate_data WHERE variable <> ALL (%s)", [list(DAILY)])
    connection.execute("TRUNCATE evapotranspiration_method")
    connection.commit()


@pytest.fixture
def expected(connection):
    """What a load of the days derives; stored are the days alone."""
    load(connection, days_of(CELLS), derive=True)
    rows = connection.execute(INDICATORS).fetchall(), connection.execute(METHODS).fetchall()
    assert {row[0] for row in rows[0]} >= {"wsdi", "rx1day", "fwi95", "spei12_min", "pet_month", "pr_month"}
    forget(connection)
    return rows


@pytest.fixture
def watcher(database, connection):
    with psycopg.connect(database, autocommit=True) as own:
        yield own


@pytest.fixture
def daemon(database, watcher, tmp_path):
    with running_daemon(database, tmp_path / "daemon.log", BATCH_SIZE="1") as process:
        wait_until_at_work(watcher)
        yield process


def start(watcher, params="{}"):
    query = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('indicators', %s) RETURNING batch_id"
    return watcher.execute(query, (params,)).fetchone()[0]


def look(watcher, batch_id):
    query = "SELECT status, progress, error_message, results, warnings FROM batch_jobs WHERE batch_id = %s"
    return watcher.execute(query, (batch_id,)).fetchone()


def wait_for_end(watcher, batch_id, seconds=120):
    return wait_for(lambda: (row := look(watcher, batch_id))[0] in ENDED and row, seconds)


def slow_down(watcher, seconds):
    watcher.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$"
    )
    watcher.execute("CREATE TRIGGER slow AFTER INSERT ON climate_data FOR EACH STATEMENT EXECUTE FUNCTION slow()")


# --- the batch ------------------------------------------------------------------------------------------------


def test_a_batch_gives_what_a_load_of_the_same_days_derives_and_progress_rises(daemon, watcher, expected):
    batch_id = start(watcher)
    seen = [0]

    def is_complete():
        status, progress, error, *_ = look(watcher, batch_id)
        assert error is None
        assert (progress == 100) == (status == "completed")
        if progress != seen[-1]:
            seen.append(progress)
        return progress == 100

    wait_for(is_complete, pause=0)
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert watcher.execute(INDICATORS).fetchall() == expected[0]
    assert watcher.execute(METHODS).fetchall() == expected[1]
    results = look(watcher, batch_id)[3]
    assert (results["cells"], results["skipped"], results["rows"]) == (len(CELLS), 0, len(expected[0]))
    assert results["compute_seconds"].keys() == {"read", "compute", "write"}
    names = watcher.execute(
        "SELECT DISTINCT name, synthetic FROM climate_data JOIN dataset USING (dataset_id) WHERE variable = 'wsdi'"
    )
    assert names.fetchall() == [("indicators", False)]


def test_a_second_batch_skips_what_has_not_changed_and_only_that(daemon, watcher, connection, expected):
    wait_for_end(watcher, start(watcher))
    results = wait_for_end(watcher, start(watcher))[3]
    assert (results["cells"], results["skipped"]) == (0, len(CELLS))
    load(connection, days_of(CELLS[:1], seed=9), derive=False)
    results = wait_for_end(watcher, start(watcher))[3]
    assert (results["cells"], results["skipped"]) == (1, len(CELLS) - 1)
    assert results["rows"] > 0
    results = wait_for_end(watcher, start(watcher, '{"force": true}'))[3]
    assert (results["cells"], results["skipped"], results["rows"]) == (len(CELLS), 0, 0)


def test_a_daemon_that_is_killed_on_the_way_leaves_the_batch_to_the_next(database, watcher, expected, tmp_path):
    slow_down(watcher, 0.2)
    settings = {"BATCH_SIZE": "1", "PARALLEL_WORKERS": "1"}
    with running_daemon(database, tmp_path / "first.log", **settings) as process:
        wait_until_at_work(watcher)
        batch_id = start(watcher)
        wait_for(lambda: look(watcher, batch_id)[1] > 0)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in family:
            one.send_signal(signal.SIGKILL)
        process.wait()
    assert look(watcher, batch_id)[0] == "running"
    with running_daemon(database, tmp_path / "second.log", **settings):
        assert wait_for_end(watcher, batch_id, 120)[0] == "completed"
    assert watcher.execute(INDICATORS).fetchall() == expected[0]
    assert watcher.execute(METHODS).fetchall() == expected[1]


def test_after_a_cancel_nothing_is_written(daemon, watcher, expected):
    with held_writes(watcher, "climate_data") as wait_until_held:
        batch_id = start(watcher)
        wait_until_held(batch_id)
        assert watcher.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
        written = watcher.execute(INDICATORS).fetchall()
    busy = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    wait_for(lambda: watcher.execute(busy).fetchone() == (0,))
    assert watcher.execute(INDICATORS).fetchall() == written
    assert 0 < len(written) < len(expected[0])
    assert look(watcher, batch_id)[0] == "cancelled"


def test_a_chunk_that_fails_names_its_cell_and_a_retry_completes_the_batch(daemon, watcher, expected):
    watcher.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE 'poisoned cell %', NEW.grid_id USING ERRCODE = 'data_exception'; END $$"
    )
    watcher.execute(
        "CREATE TRIGGER poison BEFORE INSERT ON climate_data_wsdi FOR EACH ROW"
        f" WHEN (NEW.grid_id = {CELLS[1]}) EXECUTE FUNCTION refuse()"
    )
    batch_id = start(watcher)
    status, _, error, *_ = wait_for_end(watcher, batch_id)
    assert status == "failed"
    assert "1 of 6 chunks failed" in error
    assert f"poisoned cell {CELLS[1]}" in error
    watcher.execute("DROP TRIGGER poison ON climate_data_wsdi")
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (1,)
    assert wait_for_end(watcher, batch_id)[0] == "completed"
    assert watcher.execute(INDICATORS).fetchall() == expected[0]


def test_some_scenarios_of_some_cells(daemon, watcher, expected):
    box = [f"grid_{what}({CELLS[place]})" for what, place in (("longitude", 0), ("latitude", 0), ("longitude", 1))]
    west, south, east = watcher.execute(f"SELECT {', '.join(box)}").fetchone()
    params = json.dumps({"scenarios": ["ssp2"], "bbox": [west - 0.001, south - 0.001, east + 0.001, south + 0.001]})
    results = wait_for_end(watcher, start(watcher, params))[3]
    assert results["cells"] == 2
    found = watcher.execute("SELECT DISTINCT grid_id, scenario FROM climate_data WHERE variable = 'wsdi' ORDER BY 1")
    assert found.fetchall() == [(cell, "ssp245") for cell in CELLS[:2]]
    # Part of a cell is not the cell.
    assert wait_for_end(watcher, start(watcher))[3]["skipped"] == 0
    assert watcher.execute(INDICATORS).fetchall() == expected[0]


def test_a_notification_and_the_queues_command_start_one_too(daemon, watcher, database, expected, tmp_path):
    ended = "SELECT count(*) FROM batch_jobs WHERE job_type = 'indicators' AND status = 'completed'"
    wait_for(lambda: "listening" in (tmp_path / "daemon.log").read_text())
    watcher.execute("NOTIFY aiops_trigger, 'indicators'")
    wait_for(lambda: watcher.execute(ended).fetchone() == (1,))
    run(database, "procrastinate", "--app=workers.app", "defer", "indicators_batch", "{}")
    wait_for(lambda: watcher.execute(ended).fetchone() == (2,))


def test_the_command_runs_one_and_says_what_it_did(watcher, database, connection):
    load(connection, days_of(CELLS[-1:]), derive=False)
    said = run(database, "workers.cli", "run", "indicators", "--scenario", "historical", "--bbox", "129,37,130,38")
    assert said.startswith("indicators: 1 cells, ")


def test_a_batch_about_cells_without_days_says_so(daemon, watcher):
    status, _, _, results, warnings = wait_for_end(watcher, start(watcher, '{"cells": [1, 2]}'))
    assert (status, results["cells"]) == ("completed", 0)
    assert warnings == ["no cell has daily or monthly series in what was asked for: nothing was computed"]


# --- what may be asked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["probability", "hazard", "assessment", "indicators"])
def test_no_other_yearly_batch_is_active_beside_it(connection, connect, other):
    watcher = connect(autocommit=True)
    (first,) = watcher.execute("INSERT INTO batch_jobs (job_type) VALUES ('indicators') RETURNING batch_id").fetchone()
    with pytest.raises(psycopg.errors.UniqueViolation, match="another batch is active already: indicators"):
        watcher.execute("INSERT INTO batch_jobs (job_type) VALUES (%s)", (other,))
    watcher.execute("SELECT cancel_batch(%s)", (first,))
    watcher.execute("INSERT INTO batch_jobs (job_type) VALUES (%s)", (other,))
    with pytest.raises(psycopg.errors.UniqueViolation, match=f"another batch is active already: {other}"):
        watcher.execute("INSERT INTO batch_jobs (job_type) VALUES ('indicators')")


def test_to_start_what_is_active_already_gives_its_number(connect):
    watcher = connect(autocommit=True)
    question = "SELECT start_batch('indicators', '{\"scenarios\": [\"ssp2\"]}')"
    assert watcher.execute(question).fetchone() == watcher.execute(question).fetchone()


@pytest.mark.parametrize(
    "params", ['{"risk_types": ["drought"]}', '{"horizons": ["2050s"]}', '{"variables": ["wsdi"]}']
)
def test_a_parameter_that_it_does_not_have_is_refused_by_name(connection, params):
    (field,) = json.loads(params)
    allowed = f"input_params.{field}: this key is not allowed; allowed: scenarios, cells, bbox, force"
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=allowed):
        connection.execute("INSERT INTO batch_jobs (job_type, input_params) VALUES ('indicators', %s)", (params,))


# --- what is given, and what changes meanwhile ----------------------------------------------------------------


def noted(connection, synthetic=False):
    """The data set of what is computed, as a chunk of the batch has it."""
    dataset = register(connection, "made up" if synthetic else "real", synthetic)
    note_computed_variables(connection, dataset, COMPUTED)
    return dataset


def compute(connection, cells):
    computed = compute_indicators(read_inputs(connection, cells))
    written = write_indicators(connection, computed, lambda synthetic: noted(connection, synthetic))
    connection.commit()
    return written


def test_what_a_file_has_given_is_not_computed_over(connection, tmp_path):
    path = tmp_path / "given.csv"
    lines = [f"wsdi,ssp245,{year},{CELLS[0]},{year % 7}" for year in (2021, 2022)]
    lines += [
        f"pet_month,historical,{year}-{month:02},{CELLS[0]},50" for year in (1996, 1997) for month in range(1, 13)
    ]
    path.write_text("\n".join(["variable,scenario,date,grid_id,value", *lines, ""]), encoding="utf-8")
    load_long_csv(connection, path)
    load(connection, days_of(CELLS[:2]), derive=False)
    given = {("wsdi", "ssp245", CELLS[0]), ("pet_month", "historical", CELLS[0])}
    assert given <= given_series(connection, COMPUTED, CELLS)
    compute(connection, CELLS[:2])
    (kept,) = read_series(connection, ["wsdi"], CELLS[:1], ["ssp245"])
    assert kept.values[:2].tolist() == [2021 % 7, 2022 % 7]
    assert kept.values.size == 3, "of 2023 the file says nothing, and there are days"
    assert [one.scenario for one in read_series(connection, ["pet_month"], CELLS[:1], SCENARIOS)] == ["historical"]
    assert read_series(connection, ["wsdi"], CELLS[1:2], ["ssp245"])
    assert connection.execute(METHODS).fetchall()[0] == (CELLS[0], "given")


def rain_of(first_year, years, name="pr"):
    """Days or months of rain; each month is worth 100 mm, of days some 60."""
    n = calendar_days(first_year, years).size if name == "pr" else 12 * years
    return Series(name, "historical", CELLS[0], first_year, np.full(n, 2 if name == "pr" else 100, dtype=np.float32))


@pytest.mark.parametrize("order", ["months first", "days first"])
def test_years_that_a_file_has_not_given_are_computed_beside_those_that_it_has(connection, order):
    """Months of rain from a file, days that overlap with them, and later ones."""

    def write(series, name):
        write_series(connection, [series], register(connection, name))
        compute(connection, CELLS[:1])

    loads = ((rain_of(1991, 12, "pr_month"), "months"), (rain_of(2000, 5), "days"))
    for series, name in loads if order == "months first" else loads[::-1]:
        write(series, name)
    write(rain_of(2005, 2), "more days")
    (rain,) = read_series(connection, ["pr_month"], CELLS[:1], ["historical"])
    assert (rain.first_year, rain.values.size) == (1991, 16 * 12)
    assert set(rain.values[: 12 * 12].tolist()) == {100}
    assert rain.values[12 * 12 :].reshape(4, 12).sum(axis=1).tolist() == [730, 732, 730, 730]
    assert given_series(connection, COMPUTED, CELLS[:1]) == {("pr_month", "historical", CELLS[0])}
    named = "SELECT name FROM climate_data JOIN dataset USING (dataset_id) WHERE variable = 'pr_month'"
    assert connection.execute(named).fetchall() == [("months",)]
    assert compute(connection, CELLS[:1]).updated == 0


def test_what_follows_from_a_generators_days_is_not_put_among_what_a_file_has_given(connection):
    write_series(connection, [rain_of(1991, 2, "pr_month")], register(connection, "months"))
    write_series(connection, [rain_of(2000, 5)], register(connection, "generator", synthetic=True))
    compute(connection, CELLS[:1])
    (rain,) = read_series(connection, ["pr_month"], CELLS[:1], ["historical"])
    assert (rain.first_year, rain.values.size) == (1991, 24)


def test_a_batch_deletes_what_follows_from_nothing_any_more_and_nothing_that_was_given(connection):
    """Evapotranspiration that is given for the history leaves the scenarios without: it is not mixed with another."""
    given = [Series("pet_month", "historical", CELLS[0], 1996, np.full(16 * 12, 70, dtype=np.float32))]
    index = [Series("spei12_min", "ssp585", CELLS[0], 2031, np.full(4, -1, dtype=np.float32))]
    days = days_of(CELLS[:2])
    found = []
    for order in (((days, "days"), (given + index, "file")), ((given + index, "file"), (days, "days"))):
        with connection.transaction(force_rollback=True):
            for series, name in order:
                write_series(connection, series, register(connection, name))
                read = read_inputs(connection, CELLS[:2])
                write_indicators(connection, compute_indicators(read), lambda _: noted(connection))
            found.append(connection.execute(INDICATORS).fetchall())
    assert found[0] == found[1]
    first = {(variable, cell, scenario) for variable, cell, scenario, *_ in found[0]}
    assert {one[2] for one in first if one[:2] == ("spei12", CELLS[0])} == {"historical"}
    assert {one[2] for one in first if one[:2] == ("spei12", CELLS[1])} == set(PERIODS)
    assert {one[2] for one in first if one[:2] == ("spei12_min", CELLS[0])} == {"ssp585"}


def test_what_a_load_has_computed_is_computed_again(connection):
    load(connection, days_of(CELLS[:2]), derive=True)
    assert given_series(connection, COMPUTED, CELLS) == set()
    before = connection.execute(INDICATORS).fetchall()
    assert compute(connection, CELLS[:2]).unchanged == len(before)
    write_series(connection, days_of(CELLS[:2], seed=5), register(connection))
    compute(connection, CELLS[:2])
    batch = connection.execute(INDICATORS).fetchall()
    assert batch != before
    load(connection, days_of(CELLS[:2], seed=5), derive=True)
    assert connection.execute(INDICATORS).fetchall() == batch


def test_cells_without_the_winds_of_known_storms_get_them(daemon, watcher, connection):
    """As when tracks were loaded before the grid of a yearly figure."""
    year = Series("wsdi", "ssp245", CELLS[0], 2021, np.array([3], dtype=np.float32))
    write_series(connection, [year], register(connection))
    connection.commit()
    assert wait_for_end(watcher, start(watcher))[3]["cells"] == 0
    fixes = [
        Fix("1913", None, datetime(2019, 9, 7, n, tzinfo=UTC), 5, 37 + n, 129.9, 960, 80, 0, 100, 80, 0, 200, 150)
        for n in (0, 1)
    ]
    write_tracks(connection, fixes, range(2018, 2021), register(connection, "tracks"))
    connection.commit()
    row = wait_for_end(watcher, start(watcher))
    assert (row[3]["cells"], row[4]) == (1, [])
    stored = {
        one.variable: one for one in read_series(connection, ["max_site_wind", "s_tc"], CELLS[:1], ["historical"])
    }
    assert [one.first_year for one in stored.values()] == [2018, 2018]
    assert stored["max_site_wind"].values[[0, 2]].tolist() == [0, 0]
    names = "SELECT DISTINCT name FROM climate_data JOIN dataset USING (dataset_id) WHERE variable <> 'wsdi'"
    assert connection.execute(names).fetchall() == [("tracks",)]
    kept = connection.execute("SELECT name FROM dataset JOIN climate_data USING (dataset_id) WHERE variable = 'wsdi'")
    assert kept.fetchall() == [("days",)]


def test_what_follows_from_a_generators_days_is_of_a_synthetic_data_set(connection):
    write_series(connection, days_of(CELLS[:1]), register(connection, "generator", synthetic=True))
    write_series(connection, days_of(CELLS[1:2]), register(connection))
    compute(connection, CELLS[:2])
    found = connection.execute(
        "SELECT DISTINCT grid_id, d.name FROM climate_data JOIN dataset AS d USING (dataset_id)"
        " WHERE variable = 'wsdi' ORDER BY 1"
    )
    assert found.fetchall() == [(CELLS[0], "made up"), (CELLS[1], "real")]


def test_a_series_is_synthetic_only_where_it_follows_from_a_generators(connection):
    days = days_of(CELLS[:1])
    generator = register(connection, "generator", synthetic=True)
    write_series(connection, [one for one in days if one.variable == "pr"], generator)
    given = [Series(name, "historical", CELLS[0], 1991, np.ones(30, np.float32)) for name in ("wsdi", "rx1day")]
    write_series(connection, given, generator)
    write_series(connection, [one for one in days if one.variable != "pr"], register(connection))
    compute(connection, CELLS[:1])
    found = connection.execute(
        "SELECT variable, d.name, c.first_year FROM climate_data AS c JOIN dataset AS d USING (dataset_id)"
        " WHERE scenario = 'historical'"
    ).fetchall()
    by_name = {variable: (name, first_year) for variable, name, first_year in found}
    # Of what the generator gave, that of which the days are real is replaced by what follows from them.
    assert (by_name["wsdi"], by_name["rx1day"]) == (("real", 1996), ("generator", 1991))
    assert {by_name[name][0] for name in ("fd", "txx", "csdi", "pet_month")} == {"real"}
    assert {by_name[name][0] for name in ("fwi95", "pr_month", "cdd", "spei12")} == {"made up"}


def test_what_is_made_whole_is_replaced_whatever_its_origin_was_but_for_what_a_file_has_given(connection):
    """Evapotranspiration of real days, then with a generator's wind; and an index that a file, or a generator, gave."""

    def origins():
        found = connection.execute(
            "SELECT variable, d.name FROM climate_data AS c JOIN dataset AS d USING (dataset_id)"
            " WHERE scenario = 'historical' AND variable = ANY (%s)",
            [["pr_month", "pet_month", "spei12", "spei12_min"]],
        )
        return dict(found.fetchall())

    days = days_of(CELLS[:1], periods={"historical": (1991, 20)})
    index = Series("spei12_min", "historical", CELLS[0], 1991, np.full(30, -1, np.float32))
    generator = register(connection, "generator", synthetic=True)
    write_series(connection, [index], generator)
    write_series(connection, [one for one in days if one.variable != "sfcWind"], register(connection, "days"))
    compute(connection, CELLS[:1])
    assert set(origins().values()) == {"real"}
    write_series(connection, [one for one in days if one.variable == "sfcWind"], generator)
    write_series(connection, [index], register(connection, "file"))
    compute(connection, CELLS[:1])
    assert origins() == {"pr_month": "real", "pet_month": "made up", "spei12": "made up", "spei12_min": "file"}
    (kept,) = read_series(connection, ["spei12_min"], CELLS[:1], ["historical"])
    assert (kept.first_year, set(kept.values.tolist())) == (1991, {-1})
    assert compute(connection, CELLS[:1]).updated == 0
    write_series(connection, [one for one in days if one.variable == "sfcWind"], register(connection, "days"))
    compute(connection, CELLS[:1])
    assert origins() == {"pr_month": "real", "pet_month": "real", "spei12": "real", "spei12_min": "file"}


def test_cells_that_have_changed_since_they_were_read_are_refused(connection, connect):
    load(connection, days_of(CELLS[:2]), derive=False)
    hashes = indicators_hashes(connection, CELLS[:2], "1")
    hold_unchanged_cells(connection, hashes, "1")
    connection.commit()
    load(connection, days_of(CELLS[1:2], seed=2), derive=False)
    with pytest.raises(psycopg.errors.SerializationFailure, match=f"the inputs of cell {CELLS[1]} changed"):
        hold_unchanged_cells(connection, hashes, "1")
    connection.rollback()
    connection.execute("UPDATE location_grid SET elevation_m = 700 WHERE grid_id = %s", CELLS[:1])
    with pytest.raises(psycopg.errors.SerializationFailure, match=f"the inputs of cell {CELLS[0]} changed"):
        hold_unchanged_cells(connection, hashes, "1")


def test_a_load_that_a_chunk_meets_on_its_way_is_not_written_over(daemon, watcher, connection, connect):
    """New days are being loaded while the batch runs: what stands at the end follows from them."""
    load(connection, days_of(CELLS[:1]), derive=False)
    other = connect()
    write_series(other, days_of(CELLS[:1], seed=7), register(other))
    batch_id = start(watcher)
    # The chunk has read the old days, and waits for the cell.
    wait_for(
        lambda: watcher.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%hold_unchanged_cells%'"
        ).fetchone()
    )
    other.commit()
    assert wait_for_end(watcher, batch_id)[0] == "completed"
    found = watcher.execute(INDICATORS).fetchall()
    assert watcher.execute("SELECT max(attempt) > 1 FROM batch_chunks").fetchone() == (True,)
    forget(connection)
    load(connection, days_of(CELLS[:1], seed=7), derive=True)
    assert connection.execute(INDICATORS).fetchall() == found


def test_a_large_batch_size_does_not_make_large_chunks(daemon, watcher, connection, database, tmp_path):
    cells = range(1000, 1000 + 40)
    days = calendar_days(2001, 1).size
    rain = np.ones(days, dtype=np.float32)
    load(connection, [Series("pr", "historical", cell, 2001, rain) for cell in cells], derive=False)
    sizes = "SELECT chunk_size('indicators', %s, %s)"
    assert [watcher.execute(sizes, one).fetchone()[0] for one in ((6, 24), (100, 24), (40_000, 24), (0, 24))] == [
        1,
        13,
        24,
        1,
    ]
    assert wait_for_end(watcher, start(watcher))[3]["cells"] == 40
