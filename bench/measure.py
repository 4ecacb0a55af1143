"""Timing beside a peer, and the tables that come of it."""

from __future__ import annotations

import statistics
import time
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of several runs, seconds."""

    ours: float
    peer: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the peer."""
        return self.peer / self.ours


def alternate(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> Timing:
    """Processor time of two things in turn, so that whatever else the machine does falls on both.

    All threads of the process count: it is what one core would take. Each runs once beforehand, untimed: imports,
    compilation, caches.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for call, taken in zip((ours, peer), times, strict=True):
            start = time.process_time()
            call()
            if run:
                taken.append(time.process_time() - start)
    return Timing(*(statistics.median(taken) for taken in times))


def alone(call: Callable[[], object], runs: int) -> float:
    """Median of several runs of one thing, seconds."""
    return alternate(call, lambda: None, runs).ours


def per_cell(seconds: float, n_cells: int) -> str:
    """Time by cell, in the unit that reads best."""
    microseconds = 1e6 * seconds / n_cells
    return f"{microseconds / 1e3:.3g} ms" if microseconds >= 1e3 else f"{microseconds:.3g} µs"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be."""
    every = [list(head), *[list(row) for row in rows]]
    widths = [max(_width(row[place]) for row in every) for place in range(len(head))]
    lines = ["  ".join(_padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in every]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
