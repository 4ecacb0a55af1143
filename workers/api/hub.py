"""One listening session for all event streams: what `aiops_progress` tells, handed to whoever follows a batch."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog
from psycopg_pool import PoolClosed, PoolTimeout

from aiops.db.batches import ENDED
from aiops.errors import AiopsError
from workers.ear import hear, listening_session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workers.api.database import Database

log = structlog.get_logger(__name__)

CHANNEL: Final = "aiops_progress"
LOOK_SECONDS: Final = 5.0
"""Batches that are followed are looked at so often, too: a session that hears nothing (behind a pooler) costs no
event."""
_AGAIN_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)
_MOST_WAITING: Final = 200
"""States that a slow reader has before it; older ones say nothing that later ones do not."""
_TROUBLE: Final = (psycopg.Error, PoolTimeout, PoolClosed, OSError, AiopsError)


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where a batch stands."""

    batch_id: str
    status: str
    progress: int
    current_step: str | None
    error_message: str | None = None
    completed_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.status in ENDED

    @property
    def text(self) -> str:
        """All of it, as one line of JSON."""
        at = None if self.completed_at is None else self.completed_at.isoformat()
        return json.dumps({**asdict(self), "completed_at": at}, ensure_ascii=False)


class Subscription:
    """What one stream has yet to tell."""

    def __init__(self) -> None:
        self._states: deque[BatchState] = deque(maxlen=_MOST_WAITING)
        self._woken = asyncio.Event()
        self.closed = False
        """The reader has gone, the server stops, or there is no such batch any more."""

    def put(self, state: BatchState) -> None:
        """Tell of a state."""
        self._states.append(state)
        self._woken.set()

    def close(self) -> None:
        """Nothing more is to be told."""
        self.closed = True
        self._woken.set()

    async def take(self, seconds: float) -> list[BatchState]:
        """What has come; waits for it at most so long."""
        if not self._states and not self.closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            except TimeoutError:
                return []
        self._woken.clear()
        taken = list(self._states)
        self._states.clear()
        return taken


class Hub:
    """Keeps the listening session, and knows who follows what."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: dict[str, set[Subscription]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.listening = False
        """Whether the session hears at this moment."""
        self.closing = False

    def start(self) -> None:
        """Begin to listen."""
        for name, service in (("listen", self._listen()), ("look", self._look())):
            self._keep(asyncio.create_task(service, name=f"aiops api {name}"))

    def close_streams(self) -> None:
        """Let every stream end; new ones end at once."""
        self.closing = True
        for followers in self._followers.values():
            for one in followers:
                one.close()

    async def stop(self) -> None:
        """End everything."""
        self.close_streams()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def streams(self) -> int:
        """How many there are now."""
        return sum(map(len, self._followers.values()))

    def follow(self, batch_id: str) -> Subscription:
        """Be told of a batch from now on."""
        made = Subscription()
        if self.closing:
            made.close()
        self._followers.setdefault(batch_id, set()).add(made)
        return made

    def leave(self, batch_id: str, subscription: Subscription) -> None:
        """Not any more."""
        followers = self._followers.get(batch_id)
        if followers is not None:
            followers.discard(subscription)
            if not followers:
                del self._followers[batch_id]

    async def state_of(self, batch_id: str) -> BatchState | None:
        """Where a batch stands now; None: there is none."""
        found = await self._read([batch_id])
        return found.get(batch_id)

    async def _read(self, batch_ids: Iterable[str]) -> dict[str, BatchState]:
        rows = await self._database.tuples("api_batch_states", batch_ids=list(batch_ids))
        return {row[0]: BatchState(*row) for row in rows}

    # --- listening ----------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """For ever: a session that is lost is replaced, and what was missed meanwhile is read."""
        failures = 0
        while True:
            try:
                async with listening_session("api listener") as session:
                    async for bunch in hear(session, [CHANNEL]):
                        if not bunch:
                            self.listening, failures = True, 0
                            log.info("listening", channel=CHANNEL)
                            await self._tell_all()
                        self._hand_out(payload for channel, payload in bunch if channel == CHANNEL)
            except _TROUBLE as error:
                level = log.warning if self.listening or not failures else log.debug
                level("not listening", error=" ".join(str(error).split()))
            self.listening = False
            await asyncio.sleep(_AGAIN_SECONDS[min(failures, len(_AGAIN_SECONDS) - 1)])
            failures += 1

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._tell_all()
            except _TROUBLE as error:
                log.debug("batches cannot be looked at", error=" ".join(str(error).split()))

    async def _tell_all(self) -> None:
        """Tell everyone where their batch stands; what is no news the stream keeps to itself."""
        batch_ids = list(self._followers)
        if batch_ids:
            await self._tell(batch_ids)

    async def _tell(self, batch_ids: list[str]) -> None:
        found = await self._read(batch_ids)
        for batch_id in batch_ids:
            for one in self._followers.get(batch_id, ()):
                state = found.get(batch_id)
                if state is None:
                    one.close()
                else:
                    one.put(state)

    def _hand_out(self, payloads: Iterable[str]) -> None:
        ended = []
        for payload in payloads:
            told = _message(payload)
            if told is None or told[0] not in self._followers:
                continue
            batch_id, state = told
            if state.has_ended:
                ended.append(batch_id)  # its whole state is more than a notification holds
            else:
                for one in self._followers[batch_id]:
                    one.put(state)
        if ended:
            self._keep(asyncio.create_task(self._tell_ends(ended), name="aiops api ends"))

    async def _tell_ends(self, batch_ids: list[str]) -> None:
        try:
            await self._tell(batch_ids)
        except _TROUBLE as error:  # the next look tells of it
            log.debug("an end cannot be read yet", error=" ".join(str(error).split()))

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _message(payload: str) -> tuple[str, BatchState] | None:
    """What a notification tells; None: anybody may send one, and this is none of ours."""
    try:
        told = json.loads(payload)
        batch_id, status, progress = str(told["batch_id"]), str(told["status"]), int(told["progress"])
        step = None if told.get("step") is None else str(told["step"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    return batch_id, BatchState(batch_id, status, progress, step)
