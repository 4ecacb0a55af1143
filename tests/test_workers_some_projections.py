"""A batch of some scenarios or horizons writes those, and leaves nothing that passes for more."""

from __future__ import annotations

import json
import threading
from uuid import UUID

import pytest
from climate import CELLS, write_climate
from daemons import wait_for
from psycopg_pool import ConnectionPool

from aiops.assess import METHOD_VERSION
from aiops.climate import SCENARIOS
from aiops.errors import BatchFailed
from aiops.grid import latitude_of, longitude_of
from aiops.settings import settings
from workers import chunks
from workers.chunk_work import Stopwatch
from workers.ondemand import OnDemandRiskBatch
from workers.ondemand.cell import compute_cells
from workers.yearly.chunk import YearlyChunk

CELL = CELLS[0]
PLACE = float(latitude_of(CELL)), float(longitude_of(CELL))
TABLES = ("probability_packed", "hazard_packed")
RISKS = ["extreme_heat", "river_flood"]
PARAMS = {"risk_types": RISKS, "scenarios": ["ssp245"], "horizons": ["2050s"]}
HORIZONS = (
    "SELECT risk_type, array_agg(horizon ORDER BY horizon) FROM probability_results WHERE grid_id = %s"
    " AND scenario IN ('ssp245', 'historical') AND status = 'ok' GROUP BY 1"
)
ALL = sorted(["baseline", *(f"{decade}s" for decade in range(2020, 2100, 10))])


@pytest.fixture
def here(database, connection, monkeypatch):
    """This process computes chunks of a cell with data, as a compute process does."""
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    chunks._pool.cache_clear()
    write_climate(connection, cells=(CELL,))
    connection.autocommit = True
    yield
    chunks._pool().close()
    chunks._pool.cache_clear()


def run_limited(connection, params=PARAMS):
    """A batch of one horizon and scenario over the cell, or of what is named, planned and computed here."""
    params = json.dumps({**params, "force": True})
    (batch_id,) = connection.execute("SELECT start_batch('assessment', %s)", (params,)).fetchone()
    damage_set = settings().damage_set
    connection.execute("SELECT plan_batch(%s, 100, %s, %s)", (batch_id, METHOD_VERSION, damage_set))
    chunks.run_chunk(str(batch_id), 1, worker="test", last_attempt=True)
    status = connection.execute("SELECT status FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()
    assert status == ("completed",)


def answer(connection, year):
    """The answer to a request of the cell for a year; its results."""
    latitude, longitude = PLACE
    (batch_id,) = connection.execute(
        "SELECT request_risk(%s, %s, scenario => 'ssp245', target_year => %s, risk_types => %s)",
        (latitude, longitude, year, RISKS),
    ).fetchone()
    OnDemandRiskBatch(batch_id).run(latitude, longitude, RISKS)
    return connection.execute(
        "SELECT status, results, warnings, error_message FROM batch_jobs WHERE batch_id = %s", (batch_id,)
    ).fetchone()


@pytest.mark.parametrize("year", [2050, 2090])
def test_a_request_for_what_nobody_has_computed_has_it_computed(connection, here, year):
    run_limited(connection)
    assert dict(connection.execute(HORIZONS, (CELL,)).fetchall()) == {risk: ["2050s"] for risk in RISKS}
    status, results, _, error = answer(connection, year)
    assert (status, error) == ("completed", None)
    assert results["integrated_risk"]["total_risk_score"] is not None
    assert dict(connection.execute(HORIZONS, (CELL,)).fetchall()) == dict.fromkeys(RISKS, ALL)


def test_where_there_are_no_data_nothing_is_computed_again_and_again(connection, here):
    """Absent because there is nothing, noted as computed: the request says so, and no cell is computed anew."""
    compute_cells(connection, [CELL], RISKS, UUID(int=1))
    stamps = "SELECT array_agg(batch_id) FROM hazard_packed"
    before = connection.execute(stamps).fetchone()
    latitude, longitude = PLACE
    (batch_id,) = connection.execute(
        "SELECT request_risk(%s, %s, scenario => 'ssp585', target_year => 2050, risk_types => %s)",
        (latitude, longitude, RISKS),
    ).fetchone()
    with pytest.raises(BatchFailed, match="no yearly climate data of ssp585"):
        OnDemandRiskBatch(batch_id).run(latitude, longitude, RISKS)
    assert connection.execute(stamps).fetchone() == before


def test_what_a_request_computes_in_between_is_kept(connection, connect, database, here):
    """The request holds the results and has not committed them yet when the batch comes to write."""
    compute_cells(connection, [CELL], RISKS, UUID(int=1))
    for table in TABLES:
        connection.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
        connection.execute(f"DELETE FROM {table}")
    other = connect()
    work = YearlyChunk(UUID(int=2), "assessment", CELL, CELL, None, PARAMS)
    with ConnectionPool(database, min_size=1, open=True) as pool:
        work.prepare(pool, Stopwatch())
        other.execute("SELECT pg_advisory_xact_lock(hashtext('aiops results'))")
        for table in TABLES:
            other.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")

        def write():
            with pool.connection() as writing:
                work.write(writing)

        thread = threading.Thread(target=write)
        thread.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        wait_for(lambda: connection.execute(blocked).fetchone()[0] > 0)
        other.commit()
        thread.join(120)
        assert not thread.is_alive()
    assert dict(connection.execute(HORIZONS, (CELL,)).fetchall()) == dict.fromkeys(RISKS, ALL)


def test_a_row_of_which_a_part_is_old_is_old(connection, connect, here):
    compute_cells(connection, [CELL], RISKS, UUID(int=1))
    _, _, warnings, _ = answer(connection, 2090)
    assert not [one for one in warnings if "earlier inputs" in one]
    write_climate(connect(), cells=(CELL,), seed=2)
    run_limited(connection)
    _, _, warnings, _ = answer(connection, 2090)
    assert [one for one in warnings if "earlier inputs" in one], warnings


def stale(connection, year=2050):
    """Risks whose rows are of earlier inputs, as a request would find them."""
    question = json.dumps({"risk_types": RISKS, "scenario": "ssp245", "target_year": year})
    site = json.dumps(dict(zip(("latitude", "longitude"), PLACE, strict=True)))
    found = "SELECT (site_inputs_of(%s, %s, 50, %s, %s)).stale"
    return connection.execute(found, (question, site, METHOD_VERSION, settings().damage_set)).fetchone()[0]


@pytest.mark.parametrize("params", [{"risk_types": RISKS, "scenarios": list(SCENARIOS)}, PARAMS])
def test_a_row_of_which_nothing_is_old_is_not(connection, connect, here, params):
    """All scenarios by name; or the same part, of which alone the row is made, once more."""
    run_limited(connection, params)
    write_climate(connect(), cells=(CELL,), seed=2)
    assert stale(connection) == RISKS
    run_limited(connection, params)
    assert stale(connection) == []


def test_another_damage_set_leaves_nothing_that_passes_for_a_whole(connection, here, monkeypatch):
    compute_cells(connection, [CELL], RISKS, UUID(int=1))
    monkeypatch.setenv("DAMAGE_SET", "reference")
    settings.cache_clear()
    run_limited(connection)
    status, results, _, error = answer(connection, 2090)
    assert (status, error) == ("completed", None)
    assert results["integrated_risk"]["total_aal"] is not None
    assert dict(connection.execute(HORIZONS, (CELL,)).fetchall()) == dict.fromkeys(RISKS, ALL)
