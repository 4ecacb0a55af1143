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
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done within; a step that comes again is added to."""
        start = time.perf_counter()
        try:
            yield
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
