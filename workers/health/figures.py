"""What the metrics tell of the database, read in one look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable
from workers.health.reading import reading
from workers.rescue import SILENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops.db.connect import Connection

DURATION_LIMITS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0)
"""Seconds. A chunk is made to last for about two; after 90 its lease runs out."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The listener's last test of itself."""

    seconds: float
    answered_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a database at one moment, over all daemons."""

    jobs: Mapping[tuple[str, str], int]
    """By queue and status."""
    oldest_waiting: Mapping[str, float]
    """Seconds, by queue; queues in which nothing waits are left out."""
    batches: Mapping[tuple[str, str], int]
    """By job type and status."""
    chunks: Mapping[str, int]
    """By state."""
    cells_computed: int
    durations: tuple[int, ...]
    """Chunks that are done by their time: up to each of DURATION_LIMITS, and longer."""
    duration_seconds: float
    """The sum of all of them."""
    events: Mapping[tuple[str, str], int]
    """By event and kind: the table event_counter."""
    workers_alive: int
    round_trip: RoundTrip | None


def read_figures() -> Figures | None:
    """The figures of now; None while the database cannot tell them (readiness says why)."""
    try:
        with reading() as connection:
            return _read(connection)
    except DatabaseUnavailable:
        return None


def _read(connection: Connection) -> Figures:
    def counts(name: str) -> dict[tuple[str, str], int]:
        return {(one, other): number for one, other, number in connection.execute(statement(name))}

    waiting = connection.execute(statement("waiting_jobs"), {"silent_for": SILENT_SECONDS}).fetchall()
    chunks: dict[str, int] = {}
    durations = [0] * (len(DURATION_LIMITS) + 1)
    cells, total = 0, 0.0
    for state, place, number, n_cells, seconds in connection.execute(
        statement("count_chunks"), {"limits": list(DURATION_LIMITS)}
    ):
        chunks[state] = chunks.get(state, 0) + number
        if place is not None:
            durations[place] += number
            cells += n_cells
            total += seconds
    alive = connection.execute(statement("count_live_workers")).fetchone()
    trip = connection.execute(statement("last_round_trip")).fetchone()
    return Figures(
        jobs=counts("count_jobs"),
        oldest_waiting={queue: max(0.0, seconds) for queue, _, seconds, _ in waiting},
        batches=counts("count_batches"),
        chunks=chunks,
        cells_computed=cells,
        durations=tuple(durations),
        duration_seconds=total,
        events=counts("read_event_counters"),
        workers_alive=alive[0] if alive is not None else 0,
        round_trip=RoundTrip(trip[1], trip[2].timestamp()) if trip is not None else None,
    )
