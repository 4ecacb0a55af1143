"""What a request of one place must reach, from the commit of its INSERT until `completed` can be seen.

    make bench-ondemand

Runs on a throw-away server of its own that waits for the disk (or on the one that DATABASE_URL names), with the
synthetic sample, both yearly batches computed and a real daemon that is otherwise idle. This process is the
application: it asks and waits over sessions of its own. All nine risks, distinct places, nothing cached unless it says
so. What is seen is seen by LISTEN: that wakes the application when there is something to see; looking each millisecond
is measured beside it, and takes more of the processors from the daemon. Figures depend on the machine and on what else
it does, which is measured before each of them; the limits are those that the project has set itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil
import psycopg

from bench.clients import Answered, Application, Place, one_by_one, together
from bench.measure import table
from bench.throwaway import databases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.throwaway import Database

REQUESTS = 300
CLIENTS = 50
SITES = 1000
PAUSE_SECONDS = 0.03
"""Between two requests of one application: the daemon is idle again."""
HEAD = ("what", "limit", "measured", "met", "other load")


@dataclass(slots=True)
class Load:
    """Share of the processors that others take, %."""

    before: float
    after: float = np.nan

    def __str__(self) -> str:
        return f"{self.before:.0f}, {self.after:.0f} %"


class Line(NamedTuple):
    """A line of the table; without a limit it is told for completeness."""

    what: str
    limit: str
    measured: str
    met: bool | None
    load: Load

    def texts(self) -> tuple[str, ...]:
        """As they are printed."""
        met = {True: "yes", False: "NO", None: ""}[self.met]
        return (self.what, self.limit, self.measured, met, str(self.load))


class Bench:
    """The measurements, each with distinct places of its own."""

    def __init__(self, database: Database, seed: int) -> None:
        self.conninfo = database.conninfo
        self.random = np.random.default_rng(seed)
        cells = database.rows("SELECT latitude, longitude FROM location_grid WHERE has_climate ORDER BY grid_id")
        self.cells = [Place(*cell) for cell in cells]
        self.lines: list[Line] = []

    def run(self) -> None:
        """Measure everything, printing as it goes."""
        with Application(self.conninfo) as application:
            with self.others() as load:
                first = one_by_one(application, self.places(1), looking=False, pause=0)
            self.note("first request of a new daemon", f"{first.median():.0f} ms", load)
            one_by_one(application, self.places(30), looking=False, pause=0)  # plans and caches of every process
            self.distinct(application)
            self.at_once()
            self.beside_a_yearly_batch(application)
            self.portfolio(application)

    def distinct(self, application: Application) -> None:
        """One application, idle daemon: distinct places, distinct cells, and the same again."""
        places = self.places(REQUESTS)
        with self.others() as load:
            told = one_by_one(application, places, looking=False, pause=PAUSE_SECONDS)
        self.limit(f"median of {REQUESTS} distinct places", 60, told.median(), load)
        self.limit("  99th percentile", 150, told.percentile(99), load)
        self.note("  90th percentile, longest", f"{told.percentile(90):.1f}, {told.percentile(100):.1f} ms", load)
        where_time_goes(self.conninfo, told)
        with self.others() as load:
            cached = one_by_one(application, places, looking=False, pause=PAUSE_SECONDS)
        self.limit("median of the same places again: cached", 20, cached.median(), load)
        self.note("  99th percentile", f"{cached.percentile(99):.1f} ms", load)
        where_time_goes(self.conninfo, cached)
        with self.others() as load:
            looked = one_by_one(application, self.places(REQUESTS), looking=True, pause=PAUSE_SECONDS)
        figures = f"{looked.median():.1f}, {looked.percentile(99):.1f} ms"
        self.note("distinct places, seen by looking each ms: median, p99", figures, load)
        with self.others() as load:
            cells = one_by_one(application, self.cells, looking=False, pause=PAUSE_SECONDS)
        figures = f"{cells.median():.1f}, {cells.percentile(99):.1f} ms"
        self.note(f"{len(self.cells)} distinct cells, once each: median, p99", figures, load)

    def at_once(self) -> None:
        """Fifty clients that ask again as soon as they are answered."""
        with self.others() as load:
            answered = together(self.conninfo, self.places(20 * CLIENTS), CLIENTS)
        rate = len(answered.milliseconds) / answered.seconds
        self.add(Line(f"{CLIENTS} clients", "≥ 40 a second", f"{rate:.1f} a second", rate >= 40, load))
        figures = f"{answered.median():.0f}, {answered.percentile(99):.0f} ms"
        self.note("  median, 99th percentile of their requests", figures, load)
        where_time_goes(self.conninfo, answered)

    def beside_a_yearly_batch(self, application: Application) -> None:
        """One application, while one forced assessment of all cells follows the other."""
        with self.others() as load, yearly_batches(self.conninfo) as batches:
            answered = one_by_one(application, self.places(REQUESTS), looking=False, pause=PAUSE_SECONDS)
        self.limit("99th percentile while a yearly batch runs", 250, answered.percentile(99), load)
        longest = f"{answered.median():.1f}, {answered.percentile(100):.1f} ms"
        self.note(f"  median, longest; {len(batches)} batches of {len(self.cells)} cells ran", longest, load)
        where_time_goes(self.conninfo, answered)

    def portfolio(self, application: Application) -> None:
        """A thousand sites in one call."""
        with self.others() as load, application.hearing():
            batch_id, committed_at = application.ask_many(self.places(SITES))
            application.told(batch_id)
            seconds = time.perf_counter() - committed_at
        self.add(Line(f"a portfolio of {SITES:,} sites", "≤ 5 s", f"{seconds:.2f} s", seconds <= 5, load))

    # --- what it is made of -------------------------------------------------------------------------------

    def places(self, number: int) -> list[Place]:
        """Places that were not asked for before, each somewhere in a cell of the sample."""
        of = self.random.integers(0, len(self.cells), number)
        away = self.random.uniform(-0.0045, 0.0045, (number, 2))
        return [
            Place(self.cells[cell].latitude + north, self.cells[cell].longitude + east)
            for cell, (north, east) in zip(of, away, strict=True)
        ]

    @contextmanager
    def others(self) -> Iterator[Load]:
        """How much of the processors others take before and after a measurement, while we ask nothing."""
        load = Load(psutil.cpu_percent(interval=1.0))
        yield load
        load.after = psutil.cpu_percent(interval=1.0)

    def limit(self, what: str, most: float, milliseconds: float, load: Load) -> None:
        """A figure that must not be larger."""
        self.add(Line(what, f"≤ {most:g} ms", f"{milliseconds:.1f} ms", milliseconds <= most, load))

    def note(self, what: str, figures: str, load: Load) -> None:
        """A figure without a limit."""
        self.add(Line(what, "", figures, None, load))

    def add(self, line: Line) -> None:
        """Keep a line, and show it already."""
        self.lines.append(line)
        print("… " + "   ".join(text for text in line.texts() if text), flush=True)


def where_time_goes(conninfo: str, answered: Answered) -> None:
    """Print medians of what the log says of the requests, in milliseconds from the beginning of their INSERT on."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT batch_id::text, step, extract(epoch FROM started_at - created_at)::float8,"
            " extract(epoch FROM l.completed_at - created_at)::float8, extract(epoch FROM created_at)::float8"
            " FROM batch_job_logs AS l JOIN (SELECT batch_id, created_at FROM batch_jobs) AS b USING (batch_id)"
            " WHERE batch_id = ANY (%s::uuid[])",
            (answered.batch_ids,),
        ).fetchall()
    created = {row[0]: row[4] for row in rows}
    spans: dict[str, list[tuple[float, float]]] = {}
    for _, step, start, end, _ in rows:
        spans.setdefault(step or "whole run", []).append((1e3 * start, 1e3 * end))
    told = [
        f"{step} {np.median([start for start, _ in taken]):.1f}–{np.median([end for _, end in taken]):.1f}"
        for step, taken in sorted(spans.items(), key=lambda item: np.median(item[1]))
    ]
    seen = [1e3 * (at - created[batch]) for batch, at in zip(answered.batch_ids, answered.seen_at, strict=True)]
    committed = np.median(np.subtract(seen, answered.milliseconds))
    print(f"  (ms: committed {committed:.1f}; {'; '.join(told)}; seen {np.median(seen):.1f})", flush=True)


@contextmanager
def daemon(conninfo: str) -> Iterator[None]:
    """A daemon as a user runs it, all its processes at their places."""
    environment = {**os.environ, "DATABASE_URL": conninfo, "LOG_LEVEL": "warning"}
    process = subprocess.Popen([sys.executable, "-m", "workers"], env=environment)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            wanted = 1 + 2 + len(os.sched_getaffinity(0))
            while connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone()[0] < wanted:
                time.sleep(0.1)
        time.sleep(2)
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def yearly_batches(conninfo: str) -> Iterator[list[str]]:
    """One forced batch over all cells after the other, the last to its end; their numbers."""
    over, started = threading.Event(), threading.Event()
    batches: list[str] = []

    def repeat() -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while not over.is_set():
                row = connection.execute("""SELECT start_batch('assessment', '{"force": true}')""").fetchone()
                batches.append(str(row[0]))
                status = "queued"
                while status in ("queued", "running"):
                    time.sleep(0.02)
                    status = connection.execute("SELECT status FROM batch_status(%s)", row).fetchone()[0]
                    if status == "running":
                        started.set()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        if not started.wait(30):
            raise TimeoutError("no yearly batch began within 30 s")
        yield batches
    finally:
        over.set()
        thread.join()


def computed(database: Database) -> None:
    """The sample, and both yearly batches."""
    print(f"sample loaded in {database.run('ingest', 'sample'):.0f} s", flush=True)
    seconds = database.run("run", "probability") + database.run("run", "hazard")
    print(f"both yearly batches in {seconds:.0f} s (their daemon's start and stop included)", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the places")
    options = parser.parse_args(arguments)
    with databases(durable=True) as server, server.one("ondemand") as database:
        computed(database)
        bench = Bench(database, options.seed)
        with daemon(database.conninfo):
            bench.run()
    print()
    print(table(HEAD, [line.texts() for line in bench.lines]))
    print(f"\n{psutil.cpu_count()} processors; load of the last 15 minutes {os.getloadavg()[2]:.1f}")
    return 0 if all(line.met is not False for line in bench.lines) else 1


if __name__ == "__main__":
    sys.exit(main())
