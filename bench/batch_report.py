"""What `make bench-batch` found, its limits, and how it is printed."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil

from bench.measure import table

if TYPE_CHECKING:
    from bench.floor import Floored
    from bench.national import Nation
    from bench.national_run import Run

RUN_HEAD = (
    "run",
    "procs",
    "chunks",
    "wall",
    "cells/s",
    "read",
    "compute",
    "write",
    "between",
    "cpu: comp.",
    "server",
    "rest",
    "memory",
)
SIZE_HEAD = ("cells", "in a chunk", "wall × processes", "", "processor time", "")
FLOOR_HEAD = ("floor", "wall", "cells/s", "out", "in", "commit", "server cpu", "batch / floor")


class Limit(NamedTuple):
    """A line of what must be reached; `met` is None where it was not measured."""

    what: str
    limit: str
    measured: str
    met: bool | None


@dataclass(slots=True)
class Report:
    """Everything that was measured."""

    processes: int
    nation: Nation
    runs: dict[str, Run] = field(default_factory=dict)
    by_processes: dict[int, Run] = field(default_factory=dict)
    by_size: dict[int, Run] = field(default_factory=dict)
    floors: dict[str, Floored] = field(default_factory=dict)
    input_bytes: int = 0
    """On the wire."""
    output_bytes: int = 0
    """On the wire."""
    result_bytes: int = 0
    """On disk, with keys."""
    ondemand_p99: float = np.nan
    ondemand_median: float = np.nan
    loop_rate: float = np.nan
    loop_cells: int = 0

    def limits(self) -> list[Limit]:
        """The limits, with what was found."""
        run, cold = self.runs["warm"], self.runs["cold"]
        loop, peak = run.rate / self.loop_rate, max(one.peak_megabytes for one in self.runs.values())
        lines = [
            Limit("cells a second, warm", "≥ 600, aim 1,000", f"{run.rate:,.0f}", run.rate >= 600),
            Limit("cells a second, cold", "≥ 600, aim 1,000", f"{cold.rate:,.0f}", cold.rate >= 600),
        ]
        for name, one in (("warm", run), ("cold", cold)):
            ratio = one.seconds / self.floors[name].seconds
            lines.append(Limit(f"wall over the floor, {name}", "≤ 2.5", f"{ratio:.2f}", ratio <= 2.5))
        lines += [
            Limit("as fast as a user's loop, times", "≥ 500", f"{loop:,.0f}", loop >= 500),
            Limit("memory of a compute process, at most", "≤ 500 MB", f"{peak:.0f} MB", peak <= 500),
            self._flatness(),
            Limit("on-demand p99 meanwhile", "≤ 250 ms", f"{self.ondemand_p99:.0f} ms", self.ondemand_p99 <= 250),
        ]
        return lines

    def _flatness(self) -> Limit:
        what, limit = "processor time of a cell, from the smallest size on", "within 20 %"
        if len(self.by_size) < 2:
            return Limit(what, limit, "one size only", None)
        smallest = self.by_size[min(self.by_size)].cpu_milliseconds
        off = [100.0 * (run.cpu_milliseconds / smallest - 1.0) for run in self.by_size.values()]
        return Limit(what, limit, f"{min(off):+.0f} to {max(off):+.0f} %", max(map(abs, off)) <= 20)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "processors": psutil.cpu_count(),
            **asdict(self),
            "rates": {name: run.rate for name, run in self.runs.items()},
            "limits": [line._asdict() for line in self.limits()],
        }


def say_run(name: str, run: Run) -> None:
    """Show a run already."""
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in run.steps.items())
    print(
        f"… {name}: {run.seconds:.2f} s, {run.rate:,.0f} cells/s ({steps} s of {run.processes} processes)", flush=True
    )


def show(report: Report) -> None:
    """Print the tables."""
    n = report.nation.cells
    print(f"\nRuns of {n:,} cells: a forced assessment, nine risks, 33 projections")
    rows = [(name, *_run_texts(run)) for name, run in report.runs.items()]
    rows += [(f"{run.cells:,} cells", *_run_texts(run)) for run in report.by_processes.values()]
    print(table(RUN_HEAD, rows))
    print(
        "read, compute, write: wall of the step in a process; between: of claiming, fencing, fetching jobs, waiting;"
        "\ncpu: processor time of the compute processes, the server and the rest of the daemon; all in ms a cell."
        "\ncold: nothing of the database in memory; replacing: over results that stand."
    )
    if len(report.by_size) > 1:
        print("\nThe cost of a cell by the number of cells")
        print(table(SIZE_HEAD, _by_size(report)))
    print("\nThe floor: the same bytes by COPY, as many sessions")
    print(table(FLOOR_HEAD, [_floor_texts(name, one, report.runs[name], n) for name, one in report.floors.items()]))
    print(f"\nBytes, kB a cell ({n:,} cells)")
    print(
        table(
            ("what", "kB a cell", "GB in all"),
            [(what, f"{size / n / 1e3:.1f}", f"{size / 1e9:.2f}") for what, size in _sizes(report)],
        )
    )
    warm = report.runs["warm"]
    print(
        f"\nA user's loop, {report.loop_cells} cells: {report.loop_rate:.3f} cells a second;"
        f" ours {warm.rate:,.0f}, {warm.rate / report.loop_rate:,.0f} times"
    )
    print(f"Requests beside the batch: median {report.ondemand_median:.0f}, p99 {report.ondemand_p99:.0f} ms")
    if warm.cells_without_result:
        print(f"{warm.cells_without_result:,} of {n:,} cells lack the data for at least one result")
    limits = report.limits()
    print("\nWhat must be reached")
    met = {True: "yes", False: "NO", None: "not measured"}
    print(table(("what", "limit", "measured", "met"), [(*line[:3], met[line.met]) for line in limits]))
    missed = [line.what for line in limits if line.met is False]
    print(f"missed: {'; '.join(missed)}" if missed else "nothing missed")


def _run_texts(run: Run) -> tuple[str, ...]:
    def each(seconds: float) -> str:
        return f"{1e3 * seconds / run.cells:.2f}"

    return (
        str(run.processes),
        f"{run.chunks:,}",
        f"{run.seconds:.2f} s",
        f"{run.rate:,.0f}",
        *(each(run.steps.get(step, 0.0)) for step in ("read", "compute", "write")),
        each(run.seconds * run.processes - sum(run.steps.values())),
        *(each(cpu) for cpu in (run.compute_cpu, run.server_cpu, run.other_cpu)),
        f"{run.peak_megabytes:.0f} MB",
    )


def _floor_texts(name: str, floored: Floored, run: Run, cells: int) -> tuple[str, ...]:
    return (
        name,
        f"{floored.seconds:.2f} s",
        f"{cells / floored.seconds:,.0f}",
        *(f"{1e3 * floored.steps[step] / cells:.2f}" for step in ("out", "in", "commit")),
        f"{1e3 * floored.server_cpu / cells:.2f}",
        f"{run.seconds / floored.seconds:.2f}",
    )


def _by_size(report: Report) -> list[tuple[str, ...]]:
    runs = [run for _, run in sorted(report.by_size.items())]
    return [
        (
            f"{run.cells:,}",
            f"{run.cells / run.chunks:.0f}",
            f"{run.process_milliseconds:.2f} ms",
            f"{100.0 * (run.process_milliseconds / runs[0].process_milliseconds - 1.0):+.0f} %",
            f"{run.cpu_milliseconds:.2f} ms",
            f"{100.0 * (run.cpu_milliseconds / runs[0].cpu_milliseconds - 1.0):+.0f} %",
        )
        for run in runs
    ]


def _sizes(report: Report) -> list[tuple[str, int]]:
    warm = report.runs["warm"]
    return [
        ("climate series on disk, with keys", report.nation.bytes_on_disk),
        ("inputs on the wire", report.input_bytes),
        ("results on the wire", report.output_bytes),
        ("results on disk, with keys", report.result_bytes),
        ("log written (WAL), into empty tables", warm.wal_bytes),
        ("log written (WAL), replacing", report.runs["replacing"].wal_bytes),
        ("read from files by the server, warm", warm.read_bytes),
    ]
