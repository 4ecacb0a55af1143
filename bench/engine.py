"""What the batch engine must reach: planning, skipping unchanged cells, picking up a job, memory of a compute process.

    make bench-engine

Runs on a throw-away server of its own, with real daemon processes. Figures depend on the machine and what else it
does; the limits are those that the project has set itself.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from aiops.assess import METHOD_VERSION
from aiops.db.embedded import EmbeddedServer
from aiops.grid import N_CELLS
from workers.schema import apply_schema

UNCHANGED = 100_000
CHUNKS = 10_000


@contextmanager
def server():
    folder = Path(tempfile.mkdtemp(prefix="aiops-bench-"))
    folder.chmod(0o711)
    one = EmbeddedServer(folder / "server")
    try:
        with psycopg.connect(one.start(), autocommit=True) as connection:
            apply_schema(connection)
            yield one.conninfo, connection
    finally:
        one.stop("immediate")
        subprocess.run(["rm", "-rf", str(one.home.folder), str(folder)], check=True)


@contextmanager
def daemon(conninfo, **settings):
    environment = {**os.environ, "DATABASE_URL": conninfo, "LOG_LEVEL": "warning", **settings}
    process = subprocess.Popen([sys.executable, "-m", "workers"], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def timed(connection, query, parameters=None):
    start = time.perf_counter()
    row = connection.execute(query, parameters).fetchone()
    return time.perf_counter() - start, row


def say(what, figure, limit, ok):
    print(f"{what:<62} {figure:>14}   must be {limit:<10} {'ok' if ok else 'MISSED'}", flush=True)
    return ok


def plan_the_country(connection):
    connection.execute(
        "INSERT INTO location_grid (grid_id, has_climate) SELECT n, true FROM generate_series(1, %s) AS n", (N_CELLS,)
    )
    connection.execute("ANALYZE location_grid")
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type) VALUES ('assessment') RETURNING batch_id"
    ).fetchone()
    size = -(-N_CELLS // CHUNKS)
    seconds, (chunks,) = timed(
        connection, "SELECT plan_batch(%s, %s, %s, 'calibrated')", (batch_id, size, METHOD_VERSION)
    )
    connection.execute("SELECT cancel_batch(%s)", (batch_id,))
    connection.execute("DELETE FROM batch_chunks")
    return say(f"plan {N_CELLS:,} cells into {chunks:,} chunks", f"{seconds:.2f} s", "<= 5 s", seconds <= 5)


def skip_unchanged(connection):
    connection.execute("DELETE FROM location_grid WHERE grid_id > %s", (UNCHANGED,))
    for kind in ("probability", "hazard"):
        connection.execute(
            "INSERT INTO cell_computed SELECT %s, grid_id, cell_input_hash(cell, (SELECT version FROM input_version),"
            " %s, 'calibrated'), ARRAY(SELECT risk_type FROM risk_type) FROM location_grid AS cell",
            (kind, METHOD_VERSION),
        )
    connection.execute("ANALYZE cell_computed")
    start = time.perf_counter()
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type) VALUES ('assessment') RETURNING batch_id"
    ).fetchone()
    connection.execute("SELECT plan_batch(%s, 500, %s, 'calibrated')", (batch_id, METHOD_VERSION))
    seconds = time.perf_counter() - start
    status, skipped = connection.execute(
        "SELECT status, skipped_items FROM batch_jobs WHERE batch_id = %s", (batch_id,)
    ).fetchone()
    ok = status == "completed" and skipped == UNCHANGED and seconds <= 10
    return say(f"an assessment of {skipped:,} unchanged cells", f"{seconds:.2f} s", "<= 10 s", ok)


def pick_up(conninfo, connection):
    connection.execute("TRUNCATE location_grid, procrastinate_jobs, procrastinate_workers CASCADE")
    with daemon(conninfo, PARALLEL_WORKERS="1"):
        while connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone()[0] < 2:
            time.sleep(0.1)
        time.sleep(1)
        for _ in range(60):
            connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
            while connection.execute(
                "SELECT count(*) FROM batch_jobs WHERE status IN ('queued', 'running')"
            ).fetchone()[0]:
                time.sleep(0.005)
            time.sleep(0.05)
        waits = [
            row[0] * 1000
            for row in connection.execute(
                "SELECT extract(epoch FROM s.at - d.at)::float8 FROM procrastinate_events AS d"
                " JOIN procrastinate_events AS s USING (job_id) WHERE d.type = 'deferred' AND s.type = 'started'"
            )
        ]
    half, most = statistics.median(waits), sorted(waits)[int(len(waits) * 0.95)]
    return say(
        f"idle pickup of {len(waits)} jobs, median (95 %: {most:.1f} ms)", f"{half:.1f} ms", "<= 10 ms", half <= 10
    )


def memory(conninfo, connection):
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from climate import write_climate

    with psycopg.connect(conninfo) as writer:
        write_climate(
            writer,
            cells=range(1, 4001),
            periods={
                s: (1991, 30) if s == "historical" else (2021, 80)
                for s in ("historical", "ssp126", "ssp245", "ssp370", "ssp585")
            },
        )
    with daemon(conninfo, PARALLEL_WORKERS="1", BATCH_SIZE="500") as process:
        (batch_id,) = connection.execute(
            "INSERT INTO batch_jobs (job_type) VALUES ('assessment') RETURNING batch_id"
        ).fetchone()
        peak = 0
        while connection.execute(
            "SELECT status IN ('queued', 'running') FROM batch_jobs WHERE batch_id = %s", (batch_id,)
        ).fetchone()[0]:
            for child in psutil.Process(process.pid).children():
                if "compute" in child.cmdline():
                    peak = max(peak, child.memory_info().rss)
            time.sleep(0.05)
        done = connection.execute(
            "SELECT status, completed_items / actual_duration_seconds, completed_items, total_chunks"
            " FROM batch_jobs WHERE batch_id = %s",
            (batch_id,),
        ).fetchone()
    print(f"  ({done[2]:,} cells in {done[3]} chunks, one compute process: {done[1]:,.0f} cells/s, {done[0]})")
    return say("resident memory of a compute process at most", f"{peak / 1e6:.0f} MB", "< 500 MB", peak < 500e6)


def main():
    with server() as (conninfo, connection):
        ok = [
            plan_the_country(connection),
            skip_unchanged(connection),
            pick_up(conninfo, connection),
            memory(conninfo, connection),
        ]
    sys.exit(0 if all(ok) else 1)


if __name__ == "__main__":
    main()
