"""A cell whose inputs, method and parameters are those of its last result is not computed again."""

from __future__ import annotations

import json

import pytest
from climate import CELLS, write_climate
from daemons import run, running_daemon, wait_until_at_work

pytestmark = pytest.mark.daemon

RISKS = ["--risk", "extreme_heat", "--risk", "river_flood"]


@pytest.fixture
def compute_alone(connection, database):
    """Run a batch of two risks over the test's cells; its results, as `--json` prints them."""
    write_climate(connection)

    def compute(*options, job="probability", **settings):
        said = run(database, "workers.cli", "run", job, *RISKS, *options, "--json", **settings)
        return json.loads(said)["results"]

    return compute


@pytest.fixture
def compute(compute_alone, connection, database, tmp_path):
    """The same with a daemon that goes on running between the batches."""
    with running_daemon(database, tmp_path / "daemon.log"):
        wait_until_at_work(connection)
        yield compute_alone


def test_the_second_run_skips_every_cell_and_says_so(compute, connection):
    assert (compute()["cells"], compute()["skipped"]) == (len(CELLS), len(CELLS))
    log = connection.execute("SELECT skipped_grids FROM batch_job_logs WHERE step IS NULL ORDER BY log_id").fetchall()
    connection.rollback()
    assert log == [(0,), (len(CELLS),)]


def test_a_cell_with_new_values_is_computed_again_and_only_it(compute, connection):
    compute()
    write_climate(connection, cells=CELLS[:1], seed=2)
    again = compute()
    assert (again["cells"], again["skipped"]) == (1, len(CELLS) - 1)


def test_the_same_values_loaded_again_change_nothing(compute, connection):
    compute()
    write_climate(connection)
    assert compute()["skipped"] == len(CELLS)


def test_new_surroundings_and_force_compute_again(compute, connection):
    compute()
    connection.execute("UPDATE location_grid SET river_distance_m = 100 WHERE grid_id = %s", (CELLS[3],))
    connection.commit()
    assert compute()["cells"] == 1
    assert compute("--force")["cells"] == len(CELLS)


def test_new_warming_computes_again_and_the_same_warming_does_not(compute, connection):
    write = (
        "INSERT INTO warming_level AS w (scenario, year, warming_k, dataset_id) VALUES ('ssp245', 2050, %s, 1)"
        " ON CONFLICT (scenario, year, regional) DO UPDATE SET warming_k = excluded.warming_k"
        " WHERE w.warming_k <> excluded.warming_k"
    )
    compute()
    for warming, computed in ((1.2, len(CELLS)), (1.2, 0), (1.3, len(CELLS))):
        connection.execute(write, (warming,))
        connection.commit()
        assert compute()["cells"] == computed


def test_another_damage_set_computes_again(compute_alone):
    compute_alone()
    assert compute_alone(DAMAGE_SET="reference")["cells"] == len(CELLS)


def test_a_risk_that_was_not_asked_for_before_is_not_skipped(compute, database):
    compute()
    said = run(database, "workers.cli", "run", "probability", "--risk", "extreme_cold", "--json")
    assert json.loads(said)["results"]["cells"] == len(CELLS)
    assert compute()["skipped"] == len(CELLS)


def test_hazard_scores_and_probabilities_are_known_apart(compute):
    compute()
    assert compute(job="hazard")["cells"] == len(CELLS)
    assert compute(job="assessment")["skipped"] == len(CELLS)


def test_some_scenarios_and_horizons_are_written_and_the_others_stay(compute, connection, database):
    first = "SELECT horizon, aal FROM probability_results WHERE grid_id = %s AND risk_type = 'river_flood' ORDER BY 1"
    compute("--horizon", "baseline", "--horizon", "2050s")
    assert [row[0] for row in connection.execute(first, CELLS[:1]).fetchall()] == ["2050s", "baseline"]
    connection.rollback()
    compute()
    everything = connection.execute(first, CELLS[:1]).fetchall()
    assert len(everything) == 9
    connection.rollback()
    write_climate(connection, cells=CELLS[:1], seed=3)
    compute("--scenario", "ssp245", "--horizon", "2050s")
    now = dict(connection.execute(first, CELLS[:1]).fetchall())
    changed = [horizon for horizon, aal in everything if now[horizon] != aal]
    assert changed == ["2050s"]
