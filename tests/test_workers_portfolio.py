"""Portfolios computed: by the chunk, by real daemons, from the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest
from asking import AT_SEA, NINE, compute, end_of, look, place, write_inputs
from daemons import environment, held_writes, run, running_daemon, wait_for, wait_until_at_work
from psycopg_pool import ConnectionPool

from aiops.assess.levels import LEVELS, level_indices
from aiops.db.batches import create_batch_job
from aiops.db.portfolio import fetch_portfolio_results
from aiops.errors import BatchFailed, FileRefused
from aiops.grid import grid_id_of
from aiops.settings import settings
from workers import chunks
from workers.chunk_work import Stopwatch
from workers.cli.portfolio_file import read_portfolio
from workers.ondemand import OnDemandRiskBatch
from workers.portfolio import JOB_TYPE, parts
from workers.portfolio.chunk import PortfolioChunk

PLACES = 8
TO_NOBODY = {"email": "nobody@example.org"}
RUNS = (
    "exposure_results_runs",
    "vulnerability_results_runs",
    "aal_scaled_results_runs",
    "risk_results_runs",
    "risk_run",
)
OF_THE_RUN = {"batch_id", "site_no", "site_id", "calculated_at", "answer_hash"}
"""Columns in which a portfolio's row may differ from that of a request for the same site."""


def cells_of(places):
    return sorted(grid_id_of(*place(number)) for number in range(places))


@pytest.fixture
def watcher(connection, connect):
    """A second connection, in autocommit mode, to a database with places that have climate data."""
    write_inputs(connection, PLACES)
    return connect(autocommit=True)


@pytest.fixture
def computed(watcher):
    """The same, after a yearly batch."""
    compute(watcher, cells_of(PLACES))
    return watcher


@pytest.fixture
def here(database, monkeypatch):
    """This process computes chunks, as a compute process does."""
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    chunks._pool.cache_clear()
    yield
    chunks._pool().close()
    chunks._pool.cache_clear()


def sites_of_all_kinds():
    """Sites with much, little and nothing known of them; two in one cell, two at one place."""
    known = [
        {
            "asset_value": 5e10,
            "insurance_rate": 0.25,
            "building": {"floors": 12, "use": "office", "structure": "steel"},
        },
        {},
        {"asset_value": 1.23456789e9, "building": {"use": "retail", "basement_floors": 2, "built_year": 1975}},
        {"asset_value": 0, "insurance_rate": 1},
        {"building": {"structure": "목조", "age_years": 33.5, "water_tank": False, "in_flood_zone": True}},
        {"asset_value": 1e12, "building": {"floor_area_m2": 50_000, "pilotis": True, "use": "hotel"}},
        {"asset_value": 7e8},
        {"insurance_rate": 1 / 3, "building": {"floors": 1, "use": "factory"}},
    ]
    sites = [
        {"site_id": f"S{number}", "latitude": place(number)[0], "longitude": place(number)[1], **one}
        for number, one in enumerate(known)
    ]
    near = {"site_id": "near S0", "latitude": place(0)[0] + 0.001, "longitude": place(0)[1]}
    return [*sites, near, {**sites[2], "site_id": "S2 again", "asset_value": 3e9}]


def ask(connection, sites, **params):
    return create_batch_job(connection, JOB_TYPE, {"sites": sites, **params})


def run_chunks(connection, batch_id, most=500):
    """Plan and compute a portfolio here; its row."""
    (n_chunks,) = connection.execute("SELECT plan_portfolio(%s, %s)", (batch_id, most)).fetchone()
    for chunk_no in range(1, n_chunks + 1):
        chunks.run_chunk(str(batch_id), chunk_no, worker="test", last_attempt=True)
    return look(connection, batch_id)


def stored(connection, batch_id, site_no, but=()):
    """The rows of a run, by table: without what tells one run from another."""
    found = {}
    for table in RUNS:
        rows = connection.execute(
            f"SELECT to_jsonb(r) FROM {table} AS r WHERE batch_id = %s AND site_no = %s", (batch_id, site_no)
        ).fetchall()
        found[table] = sorted(
            ({name: value for name, value in row.items() if name not in {*OF_THE_RUN, *but}} for (row,) in rows),
            key=lambda row: row.get("risk_type", ""),
        )
    return found


def single(connection, site, **params):
    """A request for one site alone, answered here; its number."""
    question = {name: value for name, value in {**params, **site}.items() if name != "site_id"}
    batch_id = create_batch_job(connection, "ondemand_risk_calculation", {**question, "force": True})
    OnDemandRiskBatch(batch_id).run(question["latitude"], question["longitude"])
    return batch_id


# --- the numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"scenario": "ssp585", "target_year": 2090},
        {"scenario": "historical"},
        {"risk_types": ["sea_level_rise", "typhoon"], "insurance_rate": 0.1},
    ],
)
def test_a_site_has_exactly_what_a_request_for_it_alone_has(computed, here, params):
    computed.execute(
        "INSERT INTO api_buildings (building_id, name, latitude, longitude, floors, use, built_year)"
        " VALUES ('1', '우리 빌딩', %s, %s, 7, 'hotel', 1999)",
        place(1),
    )
    sites = sites_of_all_kinds()
    batch_id = ask(computed, sites, **params)
    assert run_chunks(computed, batch_id, most=4)["status"] == "completed"
    for site_no, site in enumerate(sites):
        assert stored(computed, batch_id, site_no) == stored(computed, single(computed, site, **params), 0)


def test_what_lacks_data_or_does_not_apply_has_the_same_status_and_reason_too(connection, connect, here):
    write_inputs(connection, 4)
    one = connect(autocommit=True)
    one.execute("DELETE FROM climate_data WHERE variable IN ('wsi', 'max_site_wind')")
    one.execute("DELETE FROM climate_data WHERE scenario = 'ssp245' AND grid_id = grid_id_of(%s, %s)", place(1))
    one.execute("UPDATE location_grid SET coast_distance_m = 40000 WHERE grid_id = grid_id_of(%s, %s)", place(2))
    sites = [{"latitude": place(n)[0], "longitude": place(n)[1], "asset_value": 1e9} for n in range(4)]
    batch_id = ask(one, sites)
    row = run_chunks(one, batch_id)
    for site_no, site in enumerate(sites):
        assert stored(one, batch_id, site_no) == stored(one, single(one, site), 0)
    statuses = row["results"]["risk_status"]
    assert statuses["water_stress"].keys() == {"insufficient_data"}
    assert statuses["sea_level_rise"]["not_applicable"] == 1
    assert "water_stress: insufficient_data at 4 sites" in row["warnings"]


def test_a_risk_that_a_place_cannot_have_is_no_answer_where_the_others_lack_data(connection, connect, here):
    write_inputs(connection, 2)
    one = connect(autocommit=True)
    one.execute("DELETE FROM climate_data WHERE variable = 'wsi'")
    one.execute("UPDATE location_grid SET coast_distance_m = 40000 WHERE grid_id = grid_id_of(%s, %s)", place(1))
    sites = [{"latitude": place(n)[0], "longitude": place(n)[1], "asset_value": 1e9} for n in range(2)]
    batch_id = ask(one, sites, risk_types=["sea_level_rise", "water_stress"])
    results = run_chunks(one, batch_id)["results"]
    assert results["answered"] == 1
    at_the_coast, inland = fetch_portfolio_results(one, batch_id)
    assert (at_the_coast["status"], inland["status"]) == ("ok", "failed")
    assert inland["reason"].startswith(
        "no risk could be computed: water_stress: no data, or fewer than 5 years, of wsi"
    )
    assert inland["reason"].endswith("; sea_level_rise: no coast within 10 km")
    with pytest.raises(BatchFailed, match="no risk could be computed: water_stress: "):
        single(one, sites[1], risk_types=["sea_level_rise", "water_stress"])
    # Where nothing else is asked, that the place cannot have it is the answer.
    none = one.execute(
        "SELECT results FROM batch_jobs WHERE batch_id = %s", (single(one, sites[1], risk_types=["sea_level_rise"]),)
    )
    assert none.fetchone()[0]["integrated_risk"]["total_risk_score"] == 0


def test_cells_without_hazard_and_probability_are_computed_first_and_kept(watcher, here):
    compute(watcher, cells_of(3))
    watcher.execute("DELETE FROM hazard_packed WHERE risk_type = 'drought'")
    sites = sites_of_all_kinds()
    batch_id = ask(watcher, sites)
    assert run_chunks(watcher, batch_id, most=5)["status"] == "completed"
    assert watcher.execute("SELECT count(*) FROM hazard_packed").fetchone() == (PLACES * 9,)
    for site_no, site in enumerate(sites):
        assert stored(watcher, batch_id, site_no) == stored(watcher, single(watcher, site), 0)
    seconds = watcher.execute("SELECT bool_and(seconds ? 'cells') FROM batch_chunks WHERE batch_id = %s", (batch_id,))
    assert seconds.fetchone() == (True,)


def test_the_totals_are_the_sums_of_the_sites(computed, here):
    sites = sites_of_all_kinds()
    batch_id = ask(computed, sites, scenario="ssp585", target_year=2090)
    results = run_chunks(computed, batch_id, most=4)["results"]
    values = np.array([site.get("asset_value", np.nan) for site in sites])
    valued = ~np.isnan(values)
    for n, row in enumerate(results["projection_table"]):
        aal = by_projection(computed, batch_id, "aal_scaled_results_runs", "final_aal_by_projection", n)
        score = by_projection(computed, batch_id, "risk_results_runs", "risk_score_by_projection", n)
        for place_of, name in enumerate(NINE):
            loss = row["losses"]["by_risk"][name]
            assert loss["expected_loss"] == pytest.approx(np.rint(aal[valued, place_of] * values[valued]).sum(), abs=1)
            assert loss["mean_aal"] == pytest.approx(aal[:, place_of].mean(), rel=1e-12)
            high = level_indices(score[:, place_of]) >= LEVELS.index("high")
            told = row["high_level"]["by_risk"][name]
            assert (told["sites"], told["of_sites"]) == (high.sum(), len(sites))
            assert told["asset_value"] == values[high & valued].sum()
            assert told["share_of_asset_value"] == pytest.approx(values[high & valued].sum() / values[valued].sum())
        union = 1 - np.prod(1 - np.minimum(aal, 1), axis=1)
        total = row["losses"]
        assert total["sum"]["all"]["mean_aal"] == pytest.approx(aal.sum(axis=1).mean(), rel=1e-12)
        assert total["union"]["all"]["mean_aal"] == pytest.approx(union.mean(), rel=1e-12)
        whole = np.sqrt((score**2).mean(axis=1))
        assert row["high_level"]["total"]["sites"] == (whole >= 60).sum()
    assert results["totals"] == results["projection_table"][-1]
    assert results["asset_value"] == values[valued].sum()
    of_sites = fetch_portfolio_results(computed, batch_id)
    told = results["totals"]["losses"]["sum"]["all"]["expected_loss"]
    assert told == sum(site["expected_loss"] for site in of_sites if site["expected_loss"] is not None)


def by_projection(connection, batch_id, table, column, n):
    """(sites, risks) of one projection; every number is known here."""
    rows = connection.execute(
        f"SELECT r.{column}[%s] FROM {table} AS r JOIN risk_type AS t USING (risk_type)"
        " WHERE batch_id = %s ORDER BY site_no, array_position(%s, risk_type)",
        (n + 1, batch_id, NINE),
    ).fetchall()
    # A risk that does not apply has no loss of its own, and counts as 0.
    return np.array([0.0 if value is None else value for (value,) in rows]).reshape(-1, len(NINE))


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_a_site_at_sea_has_a_reason_and_does_not_fail_the_others(computed, here):
    sites = sites_of_all_kinds()
    sites.insert(3, {"site_id": "buoy", "latitude": AT_SEA[0], "longitude": AT_SEA[1], "asset_value": 1e9})
    batch_id = ask(computed, sites)
    row = run_chunks(computed, batch_id, most=4)
    assert (row["status"], row["failed_items"], row["results"]["answered"]) == ("completed", 1, len(sites) - 1)
    found = {site["site_id"]: site for site in fetch_portfolio_results(computed, batch_id)}
    assert found["buoy"]["status"] == "failed"
    assert "no climate data at 36, 131.5" in found["buoy"]["reason"]
    assert {site["status"] for name, site in found.items() if name != "buoy"} == {"ok"}
    assert any(one.startswith("site 3 (buoy): no climate data") for one in row["warnings"])


def test_a_portfolio_at_sea_fails_with_the_reason(watcher, here):
    batch_id = ask(watcher, [{"latitude": AT_SEA[0], "longitude": AT_SEA[1]}] * 3)
    row = run_chunks(watcher, batch_id)
    assert row["status"] == "failed"
    assert "none of the 3 sites has an answer; first: site 0: no climate data at 36, 131.5" in row["error_message"]


def test_a_portfolio_without_any_answer_can_be_run_again_when_its_cause_is_gone(watcher, here):
    has_climate = "UPDATE location_grid SET has_climate = %s WHERE grid_id = %s"
    watcher.execute(has_climate, (False, grid_id_of(*place(0))))
    batch_id = ask(watcher, [{"latitude": place(0)[0], "longitude": place(0)[1]}] * 3, notify=TO_NOBODY)
    assert run_chunks(watcher, batch_id, most=2)["status"] == "failed"
    watcher.execute(has_climate, (True, grid_id_of(*place(0))))
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (2,)
    for chunk_no in (1, 2):
        chunks.run_chunk(str(batch_id), chunk_no, worker="test", last_attempt=True)
    row = look(watcher, batch_id)
    assert (row["status"], row["error_message"], row["failed_items"]) == ("completed", None, 0)
    assert (row["completed_items"], row["results"]["answered"]) == (3, 3)
    assert {site["status"] for site in fetch_portfolio_results(watcher, batch_id)} == {"ok"}


def test_a_malformed_result_fails_that_risk_in_that_cell_alone(computed, here):
    computed.execute(
        "UPDATE probability_packed SET aal = aal[1:5] WHERE risk_type = 'typhoon' AND grid_id = grid_id_of(%s, %s)",
        place(2),
    )
    sites = sites_of_all_kinds()
    batch_id = ask(computed, sites)
    row = run_chunks(computed, batch_id)
    assert row["results"]["risk_status"]["typhoon"]["failed"] == 2  # S2, and S2 again
    for site_no, site in enumerate(sites):
        alone = single(computed, site)
        assert stored(computed, batch_id, site_no, but=["reason"]) == stored(computed, alone, 0, but=["reason"])
    reason = "SELECT reason FROM risk_results_runs WHERE batch_id = %s AND site_no = 2 AND risk_type = 'typhoon'"
    assert "malformed" in computed.execute(reason, (batch_id,)).fetchone()[0]


def test_a_risk_that_cannot_be_computed_for_one_site_fails_for_that_site_alone(computed, here, monkeypatch):
    healthy = parts.assess_vulnerability

    def poisoned(sites, risk):
        if risk.name == "drought" and (sites.longitude == place(4)[1]).any():
            raise ZeroDivisionError("poisoned")
        return healthy(sites, risk)

    monkeypatch.setattr(parts, "assess_vulnerability", poisoned)
    batch_id = ask(computed, sites_of_all_kinds())
    row = run_chunks(computed, batch_id)
    assert row["results"]["risk_status"]["drought"] == {"ok": 9, "failed": 1}
    steps = {
        table: computed.execute(
            f"SELECT status, reason FROM {table} WHERE batch_id = %s AND site_no = 4 AND risk_type = 'drought'",
            (batch_id,),
        ).fetchone()
        for table in RUNS[:4]
    }
    failed = ("failed", "ZeroDivisionError: poisoned")
    assert steps == dict(zip(RUNS, [("ok", None), failed, failed, failed], strict=False))


def test_cells_that_another_process_writes_at_the_same_moment_are_taken_as_it_wrote_them(
    computed, connect, database, monkeypatch
):
    """The other, a chunk of a yearly batch, has inserted a row of the cell, and not committed it."""
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    for table in ("probability_packed", "hazard_packed"):
        computed.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
        computed.execute(f"DELETE FROM {table}")
    batch_id = ask(computed, sites_of_all_kinds())
    computed.execute("SELECT plan_portfolio(%s, 500)", (batch_id,))
    params = look(computed, batch_id)["input_params"]
    other = connect()
    other.execute("SELECT pg_advisory_xact_lock_shared(hashtext('aiops results'))")  # as whoever writes results
    for table in ("probability_packed", "hazard_packed"):
        other.execute(f"INSERT INTO {table} SELECT * FROM kept_{table} WHERE grid_id = grid_id_of(%s, %s)", place(5))
    with ConnectionPool(database, min_size=1, open=True) as pool:
        work = PortfolioChunk(batch_id, 1, 0, 9, params)
        thread = threading.Thread(target=lambda: work.prepare(pool, Stopwatch()))
        thread.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        wait_for(lambda: computed.execute(blocked).fetchone()[0] > 0)
        other.commit()
        thread.join(120)
        assert not thread.is_alive()
        with pool.connection() as connection:
            written = work.write(connection)
    assert (written.without_result, written.rows) == (0, 10 * (4 * 9 + 1))
    assert computed.execute("SELECT count(*) FROM hazard_packed").fetchone() == (PLACES * 9,)


# --- one run, whole -----------------------------------------------------------------------------------------


def test_no_place_speaks_for_half_a_portfolio(computed, here, connect):
    sites = sites_of_all_kinds()[:8]
    before = ask(computed, sites, risk_types=["drought"])
    run_chunks(computed, before)
    batch_id = ask(computed, sites)
    computed.execute("SELECT plan_portfolio(%s, 4)", (batch_id,))
    reader = connect(autocommit=True)
    speaks = "SELECT DISTINCT batch_id FROM risk_results"
    history = "SELECT batch_id FROM risk_history(%s, %s)"
    chunks.run_chunk(str(batch_id), 1, worker="test", last_attempt=True)
    assert reader.execute("SELECT count(*) FROM risk_run WHERE batch_id = %s", (batch_id,)).fetchone() == (4,)
    assert reader.execute(speaks).fetchall() == [(before,)]
    assert reader.execute(history, place(0)).fetchall() == [(before,)]
    chunks.run_chunk(str(batch_id), 2, worker="test", last_attempt=True)
    assert reader.execute(speaks).fetchall() == [(batch_id,)]
    assert reader.execute(history, place(0)).fetchall() == [(batch_id,), (before,)]
    by_place = "SELECT count(*) FROM aal_scaled_results WHERE latitude = %s AND longitude = %s AND scenario = 'ssp245'"
    assert reader.execute(by_place, place(3)).fetchone() == (9,)


def test_an_equal_request_for_one_site_is_not_answered_with_the_totals_of_a_portfolio(computed, here):
    site = sites_of_all_kinds()[0]
    run_chunks(computed, ask(computed, [site]))
    question = {name: value for name, value in site.items() if name != "site_id"}
    batch_id = create_batch_job(computed, "ondemand_risk_calculation", question)
    results = OnDemandRiskBatch(batch_id).run(site["latitude"], site["longitude"])
    assert not results["cached"]
    assert results["integrated_risk"]["risk_breakdown"].keys() == set(NINE)


def test_steps_of_a_site_can_be_recomputed_from_its_run_in_a_portfolio(computed, here):
    site = sites_of_all_kinds()[5]
    run_chunks(computed, ask(computed, [site]))
    changed = {**site, "insurance_rate": 0.5, "steps": ["aal"]}
    assert stored(computed, single(computed, changed), 0, but=["steps"]) == stored(
        computed, single(computed, {**site, "insurance_rate": 0.5}), 0, but=["steps"]
    )


# --- the daemon ---------------------------------------------------------------------------------------------


def many_sites(n):
    return [
        {"site_id": f"S{number}", "latitude": place(number % PLACES)[0], "longitude": place(number % PLACES)[1]}
        for number in range(n)
    ]


@pytest.mark.daemon
def test_an_insert_is_answered_by_a_daemon_and_progress_never_goes_back(database, computed, tmp_path):
    with running_daemon(database, tmp_path / "daemon.log", BATCH_SIZE="5"):
        wait_until_at_work(computed)
        batch_id = ask(computed, many_sites(40))
        seen = []

        def has_ended():
            row = look(computed, batch_id)
            (answered,) = computed.execute("SELECT count(*) FROM risk_run WHERE batch_id = %s", (batch_id,)).fetchone()
            assert answered * 100 // 40 >= row["progress"] - 1  # what is shown is committed
            seen.append(row["progress"])
            return row["status"] in ("completed", "failed")

        wait_for(has_ended, pause=0)
    row = look(computed, batch_id)
    assert (row["status"], row["progress"], row["error_message"]) == ("completed", 100, None)
    assert seen == sorted(seen)
    assert row["results"]["answered"] == 40


@pytest.mark.daemon
def test_the_queues_own_command_line_makes_exactly_one_portfolio(database, computed, tmp_path):
    with running_daemon(database, tmp_path / "daemon.log"):
        sites = json.dumps({"sites": many_sites(3), "scenario": "ssp585"})
        run(database, "procrastinate", "--app=workers.app", "defer", "portfolio_risk", sites)
        done = (
            "SELECT status, input_params ->> 'scenario' FROM batch_jobs WHERE job_type = 'portfolio_risk_calculation'"
        )
        wait_for(lambda: computed.execute(done).fetchall() == [("completed", "ssp585")])


@pytest.mark.daemon
def test_a_killed_compute_process_costs_no_site_and_doubles_none(database, computed, tmp_path):
    settings_of = {"BATCH_SIZE": "4", "PARALLEL_WORKERS": "2"}
    with running_daemon(database, tmp_path / "daemon.log", **settings_of) as daemon:
        wait_until_at_work(computed, 4)
        batch_id = ask(computed, many_sites(160))
        running = "SELECT worker FROM batch_chunks WHERE batch_id = %s AND state = 'running'"
        (worker,) = wait_for(lambda: computed.execute(running, (batch_id,)).fetchone())
        pid = int(worker.split()[-1])
        assert pid in [child.pid for child in psutil.Process(daemon.pid).children(recursive=True)]
        psutil.Process(pid).kill()
        row = end_of(computed, batch_id)
    assert (row["status"], row["results"]["answered"]) == ("completed", 160)
    for table, each in zip(RUNS, (9, 9, 9, 9, 1), strict=True):
        count = f"SELECT count(*) FROM {table} WHERE batch_id = %s"
        assert computed.execute(count, (batch_id,)).fetchone() == (160 * each,)


@pytest.mark.daemon
def test_a_cancelled_portfolio_writes_nothing_more(database, computed, tmp_path):
    with running_daemon(database, tmp_path / "daemon.log", BATCH_SIZE="2"):
        wait_until_at_work(computed)
        count = "SELECT count(*) FROM risk_run WHERE batch_id = %s"
        with held_writes(computed, "risk_run") as wait_until_held:
            batch_id = ask(computed, many_sites(40))
            wait_until_held(batch_id)
            assert computed.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
            written = computed.execute(count, (batch_id,)).fetchone()
        assert 0 < written[0] < 40
        after = ask(computed, many_sites(2))
        assert end_of(computed, after)["status"] == "completed"
        assert computed.execute(count, (batch_id,)).fetchone() == written
    assert computed.execute("SELECT count(*) FROM current_run WHERE batch_id = %s", (batch_id,)).fetchone() == (0,)


# --- the command line ---------------------------------------------------------------------------------------

HEADER = "site_id,latitude,longitude,asset_value,insurance_rate,floors,structure,use,pilotis"


def portfolio_csv(folder, *rows, header=HEADER):
    path = folder / "sites.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_csv_gives_sites_with_what_is_known_of_them(tmp_path):
    path = portfolio_csv(
        tmp_path, "서울 본사,37.5665,126.978,5e10,0.2,12,철근콘크리트구조,office,yes", ",37.6,127,,,,,,"
    )
    read = read_portfolio(path)
    building = {"floors": 12, "structure": "철근콘크리트구조", "use": "office", "pilotis": True}
    assert read.params["sites"] == [
        {
            "site_id": "서울 본사", "latitude": 37.5665, "longitude": 126.978, "asset_value": 5e10,
            "insurance_rate": 0.2, "building": building,
        },
        {"latitude": 37.6, "longitude": 127.0},
    ]  # fmt: skip
    assert read.lines == (2, 3)


def test_bad_rows_are_refused_by_line_and_field_before_anything_is_asked(tmp_path):
    path = portfolio_csv(
        tmp_path, "a,37.5,127,1e9,0,3,wood,office,no", "b,north,127,,,,,,", "c,37.5,127,much,,,,,", "d,37.5,127,,7,,,,"
    )
    with pytest.raises(FileRefused) as refused:
        read_portfolio(path)
    for part in ("line 3: latitude: 'north'", "line 4: asset_value: 'much'", "line 5: insurance_rate: '7'"):
        assert part in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"latitude": 37, "latitude": 38, "longitude": 127}]', "latitude: the same key twice"),
        ('[{"latitude": 1e400, "longitude": 127}]', "1e400"),
        ('[{"latitude": NaN, "longitude": 127}]', "NaN"),
        ('[{"latitude": 37', "broken JSON"),
        ('{"scenario": "ssp245"}', "no list of sites"),
    ],
)
def test_json_that_cannot_be_used_is_refused_with_the_reason(tmp_path, text, said):
    path = tmp_path / "sites.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileRefused, match=said):
        read_portfolio(path)


def test_what_only_the_database_can_judge_is_refused_by_line_too(database, connection, tmp_path):
    path = portfolio_csv(tmp_path, "a,37.5,127,,,,,,", "b,37.5,127,,,,cheese,,")
    said = run(database, "workers.cli", "portfolio", str(path), code=2)
    assert "line 3: building.structure: 'cheese' is not allowed" in said
    assert connection.execute("SELECT count(*) FROM batch_jobs").fetchone() == (0,)


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_asked(database, connection, tmp_path):
    path = portfolio_csv(tmp_path, "a,37.5,127,,,,,,")
    assert "--out" in run(database, "workers.cli", "portfolio", str(path), "--out", "no/such/folder/x.csv", code=2)
    assert "--out" in run(database, "workers.cli", "portfolio", str(path), "--out", "x.csv", "--no-wait", code=2)
    assert connection.execute("SELECT count(*) FROM batch_jobs").fetchone() == (0,)


@pytest.mark.daemon
def test_the_command_shows_totals_the_worst_sites_and_writes_a_line_for_each(database, computed, tmp_path):
    rows = [f"S{n},{place(n)[0]},{place(n)[1]},{1e9 * (n + 1)},0,,,office," for n in range(5)]
    path = portfolio_csv(tmp_path, *rows, f"buoy,{AT_SEA[0]},{AT_SEA[1]},1e9,,,,,")
    out = tmp_path / "results.csv"
    with running_daemon(database, tmp_path / "daemon.log"):
        wait_until_at_work(computed)
        arguments = ("--scenario", "ssp585", "--year", "2090", "--out", str(out))
        said = run(database, "workers.cli", "portfolio", str(path), *arguments)
        again = ("--out", str(out), "--force", "--json")
        told = json.loads(run(database, "workers.cli", "portfolio", str(path), *again))
    assert "5 of 6 sites answered, ssp585 2090s" in said
    for part in (
        "Extreme heat 극심한 고온",
        "IFRS S2 29(c)",
        "Sites worst hit",
        "site 5 (buoy): no climate data",
        "SYNTHETIC",
    ):
        assert part in said
    with out.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["site_id"] for line in lines] == [f"S{n}" for n in range(5)] + ["buoy"]
    assert [line["status"] for line in lines] == ["ok"] * 5 + ["failed"]
    assert float(lines[4]["expected_loss"]) > 0
    assert [line["synthetic"] for line in lines] == ["true"] * 5 + ["false"]
    assert (told["answered"], told["without_answer"], told["synthetic"]) == (5, 1, True)


@pytest.mark.daemon
def test_results_that_cannot_be_written_in_the_end_are_shown_with_the_batchs_number(database, computed, tmp_path):
    path = portfolio_csv(tmp_path, f"S0,{place(0)[0]},{place(0)[1]},1e9,0,,,office,")
    folder = tmp_path / "folder"
    folder.mkdir()
    # A daemon of its own takes seconds to start: time to take the folder away.
    asked = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "portfolio", str(path), "--out", str(folder / "out.csv")],
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: computed.execute("SELECT FROM batch_jobs WHERE job_type = %s", (JOB_TYPE,)).fetchone() is not None)
    folder.rmdir()
    printed, said = asked.communicate(timeout=300)
    (batch_id,) = computed.execute("SELECT batch_id FROM batch_jobs WHERE job_type = %s", (JOB_TYPE,)).fetchone()
    assert (asked.returncode, f"batch {batch_id} keeps the results" in said) == (2, True)
    assert "1 of 1 sites answered" in printed


@pytest.mark.daemon
def test_no_wait_prints_the_number_alone(database, computed, tmp_path):
    path = portfolio_csv(tmp_path, "a,37.5665,126.978,,,,,,")
    batch_id = run(database, "workers.cli", "portfolio", str(path), "--no-wait").strip()
    assert look(computed, batch_id)["status"] == "queued"
