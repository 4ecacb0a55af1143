"""One forced assessment of all cells, through the daemon, and what it took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.types.json import Json

if TYPE_CHECKING:
    from bench.machine import BenchServer, Daemon

WARM_UP_CELLS = 50
LONGEST_SECONDS = 7200.0
RESULTS = ("probability_packed", "hazard_packed", "cell_computed")


@dataclass(frozen=True, slots=True)
class Run:
    """What a batch took."""

    cells: int
    processes: int
    chunks: int
    seconds: float
    """From the commit of its INSERT until `completed` was seen."""
    steps: dict[str, float]
    """Seconds by step, over all chunks and processes."""
    compute_cpu: float
    """Processor seconds of the compute processes."""
    server_cpu: float
    """Processor seconds of the server."""
    other_cpu: float
    """Processor seconds of the daemon's other processes."""
    wal_bytes: int
    read_bytes: int
    """Blocks that the server took from files, cached by the system or not."""
    peak_megabytes: float
    """Of a compute process."""
    cells_without_result: int

    @property
    def rate(self) -> float:
        """Cells a second."""
        return self.cells / self.seconds

    @property
    def process_milliseconds(self) -> float:
        """Wall time × processes, ms a cell."""
        return 1e3 * self.seconds * self.processes / self.cells

    @property
    def cpu_milliseconds(self) -> float:
        """Processor time of everything, ms a cell."""
        return 1e3 * (self.compute_cpu + self.server_cpu + self.other_cpu) / self.cells


def warm_up(conninfo: str, processes: int) -> None:
    """Have every compute process do something first: imports, sessions, plans.

    As two other batches than the one that is measured, since the size of chunks follows the last of its kind.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        cells = [
            row[0]
            for row in connection.execute(
                "SELECT grid_id FROM location_grid WHERE has_climate ORDER BY grid_id LIMIT %s",
                (WARM_UP_CELLS * processes,),
            )
        ]
        for job_type in ("probability", "hazard"):
            _complete(connection, job_type, {"force": True, "cells": cells})


def forget_results(conninfo: str) -> None:
    """Empty the tables of results."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {', '.join(RESULTS)}")


def run_assessment(server: BenchServer, conninfo: str, daemon: Daemon, processes: int) -> Run:
    """A forced assessment of every cell.

    Raises:
        RuntimeError: it did not complete.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        wal, blocks = _wal(connection), _blocks_read(connection)
        compute, rest, database = daemon.compute_seconds(), daemon.other_seconds(), server.cpu_seconds()
        batch_id, seconds = _complete(connection, "assessment", {"force": True})
        compute, rest, database = (
            daemon.compute_seconds() - compute,
            daemon.other_seconds() - rest,
            server.cpu_seconds() - database,
        )
        results = connection.execute("SELECT results FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()[0]
        without = connection.execute(
            "SELECT sum(cells_without_result) FROM batch_chunks WHERE batch_id = %s", (batch_id,)
        ).fetchone()[0]
        wal = _wal(connection) - wal
        time.sleep(1.2)  # sessions tell their statistics within a second
        blocks = _blocks_read(connection) - blocks
    return Run(
        cells=results["cells"],
        processes=processes,
        chunks=results["chunks"],
        seconds=seconds,
        steps=results["compute_seconds"],
        compute_cpu=compute,
        server_cpu=database,
        other_cpu=rest,
        wal_bytes=int(wal),
        read_bytes=8192 * int(blocks),
        peak_megabytes=daemon.peak_megabytes(),
        cells_without_result=int(without or 0),
    )


def _complete(connection: psycopg.Connection, job_type: str, asked: dict[str, object]) -> tuple[str, float]:
    """A batch from its INSERT to its end: its number, and the seconds between."""
    (batch_id,) = connection.execute(
        "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s) RETURNING batch_id", (job_type, Json(asked))
    ).fetchone()
    started = time.perf_counter()
    status = "queued"
    while status in ("queued", "running"):
        if time.perf_counter() - started > LONGEST_SECONDS:
            raise RuntimeError(f"the batch is {status} after {LONGEST_SECONDS:.0f} s")
        time.sleep(0.005)
        status = connection.execute("SELECT status FROM batch_status(%s)", (batch_id,)).fetchone()[0]
    if status != "completed":
        raise RuntimeError(f"the batch {status}")
    return batch_id, time.perf_counter() - started


def _wal(connection: psycopg.Connection) -> int:
    return connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()[0]


def _blocks_read(connection: psycopg.Connection) -> int:
    return connection.execute("SELECT blks_read FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]
