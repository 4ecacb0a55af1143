"""An answer that is kept for a moment."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")


class Cached(Generic[Answer]):
    """The answer to a question that costs something, asked again when it is older than so many seconds.

    Of several threads one asks at a time, and the others take its answer: a flood of requests is one question.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: tuple[Answer, float] | None = None

    def get(self) -> Answer:
        """The answer, at most so many seconds old."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[1] > self._seconds:
                self._kept = (self._ask(), time.monotonic())
            return self._kept[0]
