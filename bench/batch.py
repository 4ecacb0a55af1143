"""How fast a yearly batch of the whole country runs, beside the floor of its bytes and the loop a user would write.

    make bench-batch                  5,000 cells
    make bench-batch CELLS=20000      so many
    make bench-batch FULL=1           100,000 cells, and sizes of 1,000 and 10,000 beside them

Runs on a throw-away server of its own that waits for the disk, with a seeded data set (bench/national.py) and real
daemons. A batch is a forced `assessment`: P(H) and Hazard scores, nine risks, 33 projections. Figures depend on the
machine and on what else it does, which is printed at the start and at the end; the limits are those that the project
has set itself. The exit code tells whether something broke, not whether a limit was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import psycopg

from bench.batch_report import Report, say_run, show
from bench.clients import Application, Place, one_by_one
from bench.floor import Floor
from bench.machine import bench_server, daemon, state_of_machine, steal_share
from bench.national import load_nation
from bench.national_run import forget_results, run_assessment, warm_up
from bench.ondemand import yearly_batches
from bench.user_loop import CELLS as LOOP_CELLS
from bench.user_loop import user_loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.machine import BenchServer, Daemon
    from bench.national import Nation
    from bench.national_run import Run
    from bench.throwaway import Database

QUICK, FULL = 5_000, 100_000
SMALLER = (1_000, 10_000)
"""Sizes beside the full one, for the cost of a cell."""
PROCESSES = (1, 2, 4)
REQUESTS = 1_000
"""Enough for a 99th percentile that is not one hiccup of a disk."""
PRACTICE = 30
"""Requests that are not counted, before those that are."""
PAUSE_SECONDS = 0.03


class Bench:
    """The measurements of one data set.

    Args:
        server: to run on.
        database: with the data set in it.
        folder: for files.
        report: takes what is found.
    """

    def __init__(self, server: BenchServer, database: Database, folder: Path, report: Report) -> None:
        self.server, self.conninfo, self.folder, self.report = server, database.conninfo, folder, report

    def run(self, requests: int, loop_cells: int) -> None:
        """Everything but the comparisons of processes and sizes."""
        report = self.report
        self.server.go_cold()
        with daemon(self.conninfo, report.processes) as running:
            warm_up(self.conninfo, report.processes)
            self.batch("cold", running)
            self.batch("warm", running)
            floor = self.prepare_floor()
            self.floor("warm", floor)
            self.batch("replacing", running, empty=False)
            self.batch("warm", running)
            self.floor("warm", floor)
            self.ask_meanwhile(requests)
        self.floor("cold", floor)
        looped = user_loop(self.conninfo, loop_cells)
        report.loop_rate, report.loop_cells = looped.rate, looped.cells
        print(f"… a user's loop: {looped.cells} cells, {looped.rows:,} rows in {looped.seconds:.0f} s", flush=True)

    def batch(self, name: str, running: Daemon, *, empty: bool = True) -> None:
        """A run of the daemon that is there; of two of a name the faster counts, so that others' load counts less."""
        if empty:
            forget_results(self.conninfo)
        run = run_assessment(self.server, self.conninfo, running, self.report.processes)
        say_run(name, run)
        self.report.runs[name] = min(self.report.runs.get(name, run), run, key=lambda one: one.seconds)

    def floor(self, name: str, floor: Floor) -> None:
        """The floor, beside the runs of its name; the faster counts, as there."""
        floored = floor.measure(cold=name == "cold")
        print(f"… floor, {name}: {floored.seconds:.2f} s", flush=True)
        self.report.floors[name] = min(self.report.floors.get(name, floored), floored, key=lambda one: one.seconds)

    def prepare_floor(self) -> Floor:
        """The floor of the last run, whose results stand alone in their tables."""
        report = self.report
        with psycopg.connect(self.conninfo) as connection:
            report.result_bytes = connection.execute(
                "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
                " WHERE relname IN ('probability_packed', 'hazard_packed', 'cell_computed')"
            ).fetchone()[0]
        floor = Floor(self.server, self.conninfo, self.folder / "floor", report.processes)
        report.input_bytes, report.output_bytes = floor.input_bytes(), floor.result_bytes
        return floor

    def ask_meanwhile(self, requests: int) -> None:
        """Requests of distinct places, one after the other, while one batch follows the other."""
        with psycopg.connect(self.conninfo) as connection:
            cells = connection.execute("SELECT latitude, longitude FROM location_grid WHERE has_climate").fetchall()
        random = np.random.default_rng(1)
        places = [
            Place(*(np.array(cells[cell]) + random.uniform(-0.0045, 0.0045, 2)))
            for cell in random.integers(0, len(cells), requests + PRACTICE)
        ]
        with Application(self.conninfo) as application:
            one_by_one(application, places[:PRACTICE], looking=False, pause=0)  # plans and caches of every process
            with yearly_batches(self.conninfo):
                answered = one_by_one(application, places[PRACTICE:], looking=False, pause=PAUSE_SECONDS)
        self.report.ondemand_median, self.report.ondemand_p99 = answered.median(), answered.percentile(99)
        print(f"… {requests} requests meanwhile: {answered.median():.0f}, p99 {answered.percentile(99):.0f} ms")

    def with_processes(self, processes: int) -> Run:
        """A run of a new daemon, on empty tables."""
        with daemon(self.conninfo, processes) as running:
            warm_up(self.conninfo, processes)
            forget_results(self.conninfo)
            return run_assessment(self.server, self.conninfo, running, processes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server and the daemons end with us
    print(f"{psutil.cpu_count()} processors; at the start: {state_of_machine()}", flush=True)
    before = psutil.cpu_times()
    with bench_server() as (server, folder):
        with server.database("batch") as database:
            report = Report(options.processes, load(database, options.cells))
            bench = Bench(server, database, folder, report)
            bench.run(options.requests, options.loop_cells)
            report.by_size[options.cells] = report.runs["warm"]
            if options.cells <= QUICK:
                compare_processes(bench, options.scaling)
        if options.cells > QUICK and options.scaling:
            with server.database("batch_quick") as database:
                load(database, QUICK)
                compare_processes(Bench(server, database, folder, report), options.scaling)
        for size in options.sizes:
            with server.database(f"batch_{size}") as database:
                load(database, size)
                report.by_size[size] = Bench(server, database, folder, report).with_processes(options.processes)
                say_run(f"{size:,} cells", report.by_size[size])
    show(report)
    steal = steal_share(before, psutil.cpu_times())
    print(f"\n{psutil.cpu_count()} processors; at the end: {state_of_machine()}; stolen by the host {steal:.1f} %")
    if options.json:
        options.json.write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")
    return 0


def compare_processes(bench: Bench, numbers: Sequence[int]) -> None:
    """Runs of one data set by different numbers of processes."""
    for number in numbers:
        bench.report.by_processes[number] = bench.with_processes(number)
        say_run(f"{number} processes", bench.report.by_processes[number])


def load(database: Database, cells: int) -> Nation:
    """Make the data set, and say what it is."""
    nation = load_nation(database.conninfo, cells)
    print(
        f"… {nation.cells:,} cells, {nation.series:,} series, {nation.values:,} values,"
        f" {nation.bytes_on_disk / 1e6:,.0f} MB on disk, loaded in {nation.seconds:.0f} s",
        flush=True,
    )
    return nation


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, help=f"default {QUICK:,}; {FULL:,} with --full")
    parser.add_argument("--full", action="store_true", help="the whole country, and smaller sizes beside it")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="compute processes")
    parser.add_argument("--scaling", type=_numbers, help="numbers of processes to compare, default 1,2,4; 0 for none")
    parser.add_argument("--sizes", type=_numbers, help="smaller data sets to compare; 0 for none")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of places, beside the batch")
    parser.add_argument("--loop-cells", type=int, default=LOOP_CELLS, help="of the loop that a user would write")
    parser.add_argument("--json", type=Path, help="write everything that was measured there, too")
    options = parser.parse_args(arguments)
    options.cells = options.cells or (FULL if options.full else QUICK)
    options.sizes = options.sizes if options.sizes is not None else SMALLER if options.full else ()
    options.scaling = options.scaling if options.scaling is not None else PROCESSES
    return options


def _numbers(text: str) -> tuple[int, ...]:
    """Numbers with commas between; 0 for none."""
    return tuple(number for number in map(int, text.split(",")) if number)


if __name__ == "__main__":
    sys.exit(main())
