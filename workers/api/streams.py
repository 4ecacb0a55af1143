"""Server-sent events of one batch: its state at once, each change, its end."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from workers.api.problems import Problem, unknown_batch

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workers.api.hub import BatchState, Hub, Subscription

KEEP_ALIVE_SECONDS: Final = 15.0
"""Between two signs of life: proxies end what is silent for a minute."""
_RETRY_MILLISECONDS: Final = 1000
_ORDER: Final = {"queued": 0, "running": 1}


class EventStream(Response):
    """The answer to `GET …/events`."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, batch_id: str, subscription: Subscription, first: BatchState) -> None:
        # No-transform and no buffering: each event is of use only at once.
        super().__init__(headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._batch_id = batch_id
        self._subscription = subscription
        self._last = first

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the batch ends, the reader goes, or the server stops."""
        gone = asyncio.create_task(self._until_gone(receive), name="aiops api reader")
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send(send, f"retry: {_RETRY_MILLISECONDS}\n{_event(self._last)}")
            due = time.monotonic() + KEEP_ALIVE_SECONDS
            while not (self._last.has_ended or self._subscription.closed):
                # What is told may be no news at all: the state that is looked up every few seconds mostly is none.
                states = await self._subscription.take(max(0.0, due - time.monotonic()))
                news = "".join([_event(state) for state in states if await self._is_news(state)])
                if news or time.monotonic() >= due:
                    await self._send(send, news or ": still here\n\n")
                    due = time.monotonic() + KEEP_ALIVE_SECONDS
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:  # the reader has gone in the middle
            pass
        finally:
            self._hub.leave(self._batch_id, self._subscription)
            gone.cancel()
            with suppress(asyncio.CancelledError, Problem):
                await gone

    async def _is_news(self, state: BatchState) -> bool:
        if self._last.has_ended or state == self._last:
            return False
        backwards = (_rank(state), state.progress) < (_rank(self._last), self._last.progress)
        if backwards:
            # Told before what is known already; or the batch has begun anew. The database knows.
            now = await self._hub.state_of(self._batch_id)
            if now is None or (now.status, now.progress) != (state.status, state.progress):
                return False
        self._last = state
        return True

    async def _until_gone(self, receive: Receive) -> None:
        # A reader that sends more than it may is gone, too: nothing else would be noticed of it.
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._subscription.close()

    @staticmethod
    async def _send(send: Send, text: str) -> None:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def open_stream(hub: Hub, batch_id: str, last_seen: str | None) -> Response:
    """The stream of a batch.

    Args:
        hub: who listens.
        batch_id: the batch.
        last_seen: the last event that a reader which comes back has seen. An EventSource comes back even after the end;
            204 is how it is told to stay away.

    Raises:
        Problem: 404, there is no such batch; 503, there are too many streams, or no database.
    """
    subscription = hub.follow(batch_id)
    try:
        # Read after it is followed: what changes in between is told.
        state = await hub.state_of(batch_id)
        if state is None:
            raise unknown_batch(batch_id)  # noqa: TRY301  what was begun is undone below
        if state.has_ended and last_seen == _id_of(state):
            hub.leave(batch_id, subscription)
            return Response(status_code=204)
        return EventStream(hub, batch_id, subscription, state)
    except BaseException:
        hub.leave(batch_id, subscription)
        raise


def refuse_too_many(hub: Hub, most: int) -> None:
    """Refuse a stream where there are as many as there may be.

    Raises:
        Problem: 503.
    """
    if hub.streams >= most:
        raise Problem(
            503, f"{most} event streams are open; ask for the status instead", "too-many-streams",
            headers={"Retry-After": "10"},
        )  # fmt: skip


def _rank(state: BatchState) -> int:
    return _ORDER.get(state.status, 2)


def _id_of(state: BatchState) -> str:
    return f"{state.status}-{state.progress}"


def _event(state: BatchState) -> str:
    # JSON has no line breaks of its own.
    return f"id: {_id_of(state)}\ndata: {state.text}\n\n"
