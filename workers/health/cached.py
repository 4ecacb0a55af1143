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

    Of several threads one asks at a time, and the others take its answer: a flood of requests is one question. That the
    question fails is an answer, too: else each of them would wait in turn for the same server that does not answer.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: Callable[[], Answer] | None = None
        self._asked_at = 0.0

    def get(self) -> Answer:
        """The answer, at most so many seconds old; raises what the question raised."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._asked_at > self._seconds:
                self._kept = self._outcome()
                self._asked_at = time.monotonic()
            kept = self._kept
        return kept()

    def _outcome(self) -> Callable[[], Answer]:
        try:
            answer = self._ask()
        except Exception as error:  # noqa: BLE001  kept for a moment, and raised to whoever asked
            failure = error

            def fail() -> Answer:
                raise failure.with_traceback(None)

            return fail
        return lambda: answer
