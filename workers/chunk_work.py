"""What is done in a chunk, apart from its life (claim, fence, end), which is the same for every kind of batch."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg_pool import ConnectionPool

    from aiops.db.connect import Connection

    Pool = ConnectionPool[Connection]


@dataclass(slots=True)
class Stopwatch:
    """Seconds by step, and where the work is."""

    seconds: dict[str, float] = field(default_factory=dict)
    under_way: str | None = None
    """The step that is being done, or in which it failed."""
    risk: str | None = None
    """The risk type that is being computed, where one is."""

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return round(sum(self.seconds.values()), 4)

    @property
    def where(self) -> dict[str, str]:
        """Step and risk, as far as they are known: for logs."""
        return {name: value for name, value in (("step", self.under_way), ("risk", self.risk)) if value is not None}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within; a step that comes again is added to."""
        start = time.perf_counter()
        self.under_way = name
        try:
            yield
            self.under_way = None
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 4)


@dataclass(frozen=True, slots=True)
class Written:
    """What a chunk has come to."""

    rows: int
    without_result: int
    """Cells in which a result lacks its data; of a portfolio, sites without an answer."""


class ChunkWork(Protocol):
    """The work of one chunk; one object for one attempt."""

    def prepare(self, pool: Pool, watch: Stopwatch) -> None:
        """Read and compute; what it writes meanwhile must be good whatever becomes of the chunk."""

    def write(self, connection: Connection) -> Written:
        """Write the results, in the transaction that ends the chunk."""
