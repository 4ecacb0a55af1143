"""How often one client may ask: a bucket of tokens for each, in this process's memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BURST_SECONDS: Final = 2.0
"""A client that has been silent may ask for so many seconds' worth at once."""
_MOST_CLIENTS: Final = 10_000
"""That are remembered; who asked longest ago is forgotten first, and has a full bucket again."""


class TokenBuckets:
    """Each client's bucket fills at the same rate; what it asks for takes tokens out."""

    def __init__(self, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = a_second
        self._size = a_second * BURST_SECONDS
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, tokens: float) -> float:
        """Take tokens out of a client's bucket.

        Returns:
            0 if there were enough; else the seconds until there will be, and nothing is taken.
        """
        if self._rate <= 0:
            return 0.0
        level = self._level(client)
        tokens = min(tokens, self._size)
        missing = max(0.0, tokens - level)
        self._keep(client, level if missing else level - tokens)
        return missing / self._rate

    def charge(self, client: str, tokens: float) -> None:
        """Take tokens out of a client's bucket whether they are there or not: it may owe as much as a bucket holds."""
        if self._rate > 0:
            self._keep(client, max(-self._size, self._level(client) - tokens))

    def _level(self, client: str) -> float:
        now = self._clock()
        level, at = self._buckets.pop(client, (self._size, now))
        return min(self._size, level + (now - at) * self._rate)

    def _keep(self, client: str, level: float) -> None:
        self._buckets[client] = (level, self._clock())
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
