"""What runs in the control process beside the queue: small services with one shape.

A service does one thing again and again. What goes wrong in a round is logged and tried again with growing pauses: a
failing query never ends a service. This is the one place where its exceptions are caught.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import structlog

from aiops.db.transient import is_transient
from aiops.errors import in_one_line

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

_LONGEST_PAUSE_SECONDS = 5.0
"""Short: after an absence of the server everything has to be back within seconds."""


class Service(ABC):
    """One thing that is done again and again, with a pause between the rounds."""

    name: str
    """For logs."""
    pause_seconds: float
    """Between two rounds that went well."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self.pool = pool
        self.log = structlog.get_logger(type(self).__module__)
        self._failures = 0

    @abstractmethod
    async def round(self) -> None:
        """Do it once; may last long (a listener listens here)."""

    async def run(self) -> None:
        """Do it until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:  # the error boundary of every service
                self._failures += 1
                pause = min(_LONGEST_PAUSE_SECONDS, 2 ** min(self._failures, 10) / 2)
                if self._failures & (self._failures - 1) == 0:  # the first, the second, the fourth … time in a row
                    self.log.warning(
                        "service failed, and will be tried again",
                        service=self.name,
                        error=in_one_line(error),
                        times=self._failures,
                        exc_info=(self._failures == 1 and not is_transient(error)) or None,
                    )
            else:
                self._failures = 0
                pause = self.pause_seconds
            # Jitter: the daemons of several hosts need not all come at once.
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
