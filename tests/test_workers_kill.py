"""A yearly batch under `kill -9` every three seconds ends complete and equal to an undisturbed one.

`make test` runs it small; `make test-kill` runs it with 300 chunks. The seed is printed; AIOPS_SEED repeats it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import psutil
import psycopg
import pytest
from climate import write_climate
from daemons import environment, wait_for

pytestmark = [pytest.mark.daemon, pytest.mark.chaos]

CHUNKS = int(os.environ.get("AIOPS_KILL_CHUNKS", "40"))
CELLS_A_CHUNK = 2
SETTINGS = {"PARALLEL_WORKERS": "2", "BATCH_SIZE": str(CELLS_A_CHUNK), "LOG_LEVEL": "info"}
KILL_EVERY_SECONDS = 3.0

RESULTS = (
    "SELECT md5(string_agg(row::text, '|' ORDER BY grid_id, risk_type)), count(*), count(DISTINCT (grid_id, risk_type))"
    " FROM (SELECT grid_id, risk_type, bin_edges, probabilities, damage_rates, aal, aal_low, aal_high, estimator,"
    " n_years, status FROM probability_packed) AS row"
)


class KeptAlive:
    """A daemon that is started again whenever its parent ends, as systemd would."""

    def __init__(self, database, log):
        self._start = lambda: subprocess.Popen(
            [sys.executable, "-m", "workers"], env=environment(database, **SETTINGS), stdout=log, stderr=log
        )
        self.process = self._start()

    def keep(self):
        if self.process.poll() is not None:
            self.process = self._start()

    def all(self):
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self):
        family = self.all() if self.process.poll() is None else []
        for one in family:
            one.kill()
        self.process.wait()


def start(watcher):
    params = '{"risk_types": ["extreme_heat", "river_flood"], "force": true}'
    (batch_id,) = watcher.execute(
        "INSERT INTO batch_jobs (job_type, input_params) VALUES ('probability', %s) RETURNING batch_id", (params,)
    ).fetchone()
    return batch_id


def look(watcher, batch_id):
    query = "SELECT status, progress, completed_items FROM batch_jobs WHERE batch_id = %s"
    return watcher.execute(query, (batch_id,)).fetchone()


def test_a_batch_under_kill_9_every_three_seconds_ends_complete_and_each_row_once(database, connection, tmp_path):
    seed = int(os.environ.get("AIOPS_SEED", time.time_ns() % 10**6))
    print(f"AIOPS_SEED={seed} AIOPS_KILL_CHUNKS={CHUNKS}")  # noqa: T201 (the seed has to be seen)
    dice = random.Random(seed)
    cells = range(1000, 1000 + CHUNKS * CELLS_A_CHUNK)
    write_climate(connection, cells=cells)
    # Writing takes a moment, as it does on a busy disk: so that kills meet chunks at every step.
    connection.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(random() * 0.2); RETURN NULL; END $$"
    )
    connection.execute(
        "CREATE TRIGGER slow AFTER INSERT ON probability_packed FOR EACH STATEMENT EXECUTE FUNCTION slow()"
    )
    connection.commit()

    with (tmp_path / "daemon.log").open("wb") as log, psycopg.connect(database, autocommit=True) as watcher:
        daemon = KeptAlive(database, log)
        try:
            undisturbed = start(watcher)
            wait_for(lambda: look(watcher, undisturbed)[0] == "completed", seconds=120 + CHUNKS)
            expected = watcher.execute(RESULTS).fetchone()
            watcher.execute("TRUNCATE probability_packed")

            batch_id, progress, kills = start(watcher), 0, 0
            deadline, next_kill = time.monotonic() + 300 + 3 * CHUNKS, time.monotonic() + 1.5
            while (row := look(watcher, batch_id))[0] in ("queued", "running"):
                assert row[1] >= progress, "progress went back"
                progress = row[1]
                assert time.monotonic() < deadline, f"seed {seed}: still {row}"
                daemon.keep()
                if time.monotonic() >= next_kill:
                    next_kill = time.monotonic() + KILL_EVERY_SECONDS
                    dice.choice(daemon.all()).kill()
                    kills += 1
                time.sleep(0.05)
        finally:
            daemon.end()
        assert row == ("completed", 100, len(cells)), f"seed {seed}"
        assert kills > 0
        assert watcher.execute(RESULTS).fetchone() == expected
        assert expected[1] == expected[2] == len(cells) * 2
        chunks = watcher.execute("SELECT state, count(*), max(attempt) FROM batch_chunks GROUP BY state").fetchall()
        print(f"{kills} kills; chunks: {chunks}")  # noqa: T201
        assert {state for state, _, _ in chunks} == {"done"}
