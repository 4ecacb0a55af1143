"""The floor of a yearly batch: the same bytes out of the same tables and into the same tables, and nothing else.

As many sessions as there are compute processes copy the inputs of each chunk out, binary, to nowhere, and its results
in, from files that were written beforehand, into copies of the tables of results with their keys; a commit a chunk.
The client is psql: nothing lighter speaks COPY.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from aiops.db.blocks import ATTRIBUTES
from aiops.risks import all_risks

if TYPE_CHECKING:
    from pathlib import Path

    from bench.machine import BenchServer

TABLES = ("probability_packed", "hazard_packed", "cell_computed")
STEPS = ("begin", "out", "out", "in", "in", "in", "commit")
"""The statements of a chunk, in their order."""
SERIES = "variable, grid_id, scenario, first_year, values"
_TIME = re.compile(r"^Time: ([\d.]+) ms", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Floored:
    """What the floor took."""

    seconds: float
    steps: dict[str, float]
    """Seconds by step, over all sessions."""
    server_cpu: float
    """Processor seconds of the server."""


class Floor:
    """The floor of a batch that has run.

    Args:
        server: on which it ran.
        conninfo: its database.
        folder: for the files of the results.
        processes: sessions at a time.
    """

    def __init__(self, server: BenchServer, conninfo: str, folder: Path, processes: int) -> None:
        self._server, self._conninfo, self._folder, self._processes = server, conninfo, folder, processes
        folder.mkdir(exist_ok=True)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            self._chunks = connection.execute(
                "SELECT first_grid_id, last_grid_id FROM batch_chunks WHERE batch_id ="
                " (SELECT batch_id FROM batch_jobs WHERE job_type = 'assessment' AND status = 'completed'"
                " ORDER BY completed_at DESC LIMIT 1) ORDER BY chunk_no"
            ).fetchall()
            self._columns = {table: _columns(connection, table) for table in TABLES}
            for table in TABLES:
                connection.execute(f"CREATE TABLE IF NOT EXISTS floor_{table} (LIKE {table} INCLUDING ALL)")
        self.result_bytes = self._write_files()

    def measure(self, *, cold: bool = False) -> Floored:
        """Copy everything out and in.

        Args:
            cold: nothing of the database is in anybody's memory at the start; the files of the results are.
        """
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(f"TRUNCATE {', '.join(f'floor_{table}' for table in TABLES)}")
        if cold:
            self._server.go_cold()
        for file in self._folder.iterdir():
            file.read_bytes()
        scripts = [self._script(place) for place in range(self._processes)]
        cpu = self._server.cpu_seconds()
        started = time.perf_counter()
        said = self._run(scripts)
        seconds = time.perf_counter() - started
        steps = dict.fromkeys(STEPS, 0.0)
        for place, taken in enumerate(time_ for one in said for time_ in _TIME.findall(one)):
            steps[STEPS[place % len(STEPS)]] += float(taken) / 1e3
        return Floored(seconds, steps, self._server.cpu_seconds() - cpu)

    def input_bytes(self) -> int:
        """On the wire, of all that is copied out; from a sample of the chunks."""
        some = self._chunks[:: max(1, len(self._chunks) // 4)]
        size = 0
        with psycopg.connect(self._conninfo) as connection:
            for first, last in some:
                for query in self._inputs(first, last):
                    with connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
                        size += sum(len(data) for data in copy)
        return size * len(self._chunks) // len(some)

    def _inputs(self, first: int, last: int) -> tuple[str, str]:
        wanted = set().union(
            *(risk.probability_variables("calibrated") | risk.hazard_variables() for risk in all_risks().values())
        )
        names = ", ".join(f"'{name}'" for name in sorted(wanted))
        within = f"grid_id BETWEEN {first} AND {last}"
        return (
            f"SELECT grid_id, {', '.join(ATTRIBUTES)} FROM location_grid WHERE has_climate AND {within}",
            f"SELECT {SERIES} FROM climate_data WHERE variable IN ({names}) AND {within}",
        )

    def _script(self, place: int) -> str:
        lines = ["\\timing on"]
        for number, (first, last) in list(enumerate(self._chunks))[place :: self._processes]:
            lines.append("BEGIN;")
            lines += [f"\\copy ({query}) TO '/dev/null' (FORMAT BINARY)" for query in self._inputs(first, last)]
            lines += [
                f"\\copy floor_{table} ({self._columns[table]}) FROM '{self._file(number, table)}' (FORMAT BINARY)"
                for table in TABLES
            ]
            lines.append("COMMIT;")
        return "\n".join(lines)

    def _write_files(self) -> int:
        """The results of each chunk, as the server itself writes them; their size."""
        lines = [
            f"\\copy (SELECT {self._columns[table]} FROM {table} WHERE grid_id BETWEEN {first} AND {last})"
            f" TO '{self._file(number, table)}' (FORMAT BINARY)"
            for number, (first, last) in enumerate(self._chunks)
            for table in TABLES
        ]
        self._run(["\n".join(lines)])
        return sum(file.stat().st_size for file in self._folder.iterdir())

    def _file(self, number: int, table: str) -> Path:
        return self._folder / f"{number}.{table}"

    def _run(self, scripts: list[str]) -> list[str]:
        """Several psql side by side, each with its script, to their ends; what they said.

        Raises:
            RuntimeError: one failed.
        """
        program, environment = self._server.psql()
        command = [
            program,
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            conninfo_to_dict(self._conninfo)["dbname"],
        ]
        paths = [self._folder.parent / f"floor-{place}.sql" for place in range(len(scripts))]
        for path, script in zip(paths, scripts, strict=True):
            path.write_text(script + "\n", encoding="utf-8")
        running = [
            subprocess.Popen(
                [*command, "--file", path], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for path in paths
        ]
        said = [one.communicate() for one in running]
        for one, (_, error) in zip(running, said, strict=True):
            if one.returncode:
                raise RuntimeError(f"the floor failed: {error.strip()[:400]}")
        return [out for out, _ in said]


def _columns(connection: psycopg.Connection, table: str) -> str:
    """All but the one that the server fills in."""
    return ", ".join(
        row[0]
        for row in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attname <> 'calculated_at' ORDER BY attnum",
            (table,),
        )
    )
