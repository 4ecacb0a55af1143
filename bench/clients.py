"""Applications that ask for the risk of places, and the time until each of them can read its answer."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
import psycopg
from psycopg.types.json import Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

ENDED = ("completed", "failed", "cancelled")
ASK = "SELECT request_risk(%s, %s)"
ASK_MANY = "SELECT request_risk_many(%s)"
STATUS = "SELECT status FROM batch_status(%s)"
WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Degrees."""

    latitude: float
    longitude: float


@dataclass(slots=True)
class Answered:
    """What a number of requests took."""

    batch_ids: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    """From the commit of the INSERT until `completed` was seen, each."""
    seen_at: list[float] = field(default_factory=list)
    """Seconds since 1970."""
    seconds: float = 0.0
    """From the first question to the last answer."""

    def add(self, batch_id: str, committed_at: float) -> None:
        """Note an answer that was seen just now."""
        self.milliseconds.append(1e3 * (time.perf_counter() - committed_at))
        self.seen_at.append(time.time())
        self.batch_ids.append(batch_id)

    def median(self) -> float:
        """Milliseconds."""
        return float(np.median(self.milliseconds))

    def percentile(self, share: float) -> float:
        """Milliseconds that so many per cent do not exceed; a value that was measured, the higher of two."""
        return float(np.percentile(self.milliseconds, share, method="higher"))


class Application:
    """One that asks, waits, and asks again: one session to ask, one that listens, one that looks."""

    def __init__(self, conninfo: str) -> None:
        self.asking, self.listening, self.looking = (psycopg.connect(conninfo, autocommit=True) for _ in range(3))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for session in (self.asking, self.listening, self.looking):
            session.close()

    def ask(self, place: Place) -> tuple[str, float]:
        """Insert a request; its number, and when it was committed."""
        row = self.asking.execute(ASK, (place.latitude, place.longitude)).fetchone()
        return str(row[0]), time.perf_counter()

    def ask_many(self, places: Sequence[Place]) -> tuple[str, float]:
        """Insert a portfolio; its number, and when it was committed."""
        sites = [{"latitude": place.latitude, "longitude": place.longitude} for place in places]
        row = self.asking.execute(ASK_MANY, (Json(sites),)).fetchone()
        return str(row[0]), time.perf_counter()

    def told(self, batch_id: str) -> None:
        """Wait until aiops_progress tells that it is completed: the server tells what can be seen, and nothing else."""
        for told in self.listening.notifies(timeout=WAIT_SECONDS):
            status = _status_of(told.payload, batch_id)
            if status in ENDED:
                refuse_unless_completed(batch_id, status)
                return
        raise TimeoutError(f"nobody told of {batch_id} within {WAIT_SECONDS:g} s")

    def seen(self, batch_id: str) -> None:
        """Look each millisecond until it is completed."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (status := self.looking.execute(STATUS, (batch_id,)).fetchone()[0]) not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{batch_id} is {status} after {WAIT_SECONDS:g} s")
            time.sleep(0.001)
        refuse_unless_completed(batch_id, status)

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Listen for a while, and only then: the server ends a session that does not read what it is told."""
        self.listening.execute("LISTEN aiops_progress")
        yield
        self.listening.execute("UNLISTEN *")


def one_by_one(application: Application, places: Sequence[Place], *, looking: bool, pause: float) -> Answered:
    """Ask for one place after the other, with a pause in between."""
    answered = Answered()
    started = time.perf_counter()
    with nullcontext() if looking else application.hearing():
        for place in places:
            batch_id, committed_at = application.ask(place)
            (application.seen if looking else application.told)(batch_id)
            answered.add(batch_id, committed_at)
            time.sleep(pause)
    answered.seconds = time.perf_counter() - started
    return answered


def together(conninfo: str, places: Sequence[Place], clients: int) -> Answered:
    """So many clients with a session each, of whom everyone asks again as soon as it has its answer."""
    return asyncio.run(_together(conninfo, places, clients))


async def _together(conninfo: str, places: Sequence[Place], clients: int) -> Answered:
    left = iter(places)
    answered = Answered()
    waiting: dict[str, asyncio.Event] = {}

    async def client(session: psycopg.AsyncConnection) -> None:
        for place in left:
            cursor = await session.execute(ASK, (place.latitude, place.longitude))
            batch_id, committed_at = str((await cursor.fetchone())[0]), time.perf_counter()
            event = waiting.setdefault(batch_id, asyncio.Event())
            await asyncio.wait_for(event.wait(), WAIT_SECONDS)
            answered.add(batch_id, committed_at)

    async def listen(session: psycopg.AsyncConnection) -> None:
        async for told in session.notifies():
            # Some thirty messages a request: most need not be read to the end.
            if '"completed"' not in told.payload and '"failed"' not in told.payload:
                continue
            message = json.loads(told.payload)
            refuse_unless_completed(message["batch_id"], message["status"])
            waiting.setdefault(message["batch_id"], asyncio.Event()).set()

    listening, *sessions = [
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) for _ in range(clients + 1)
    ]
    await listening.execute("LISTEN aiops_progress")
    ear = asyncio.create_task(listen(listening))
    started = time.perf_counter()
    asking = asyncio.gather(*(client(session) for session in sessions))
    done, _ = await asyncio.wait((ear, asking), return_when=asyncio.FIRST_COMPLETED)
    answered.seconds = time.perf_counter() - started
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)
    for session in (listening, *sessions):
        await session.close()
    for task in done:
        task.result()
    return answered


def refuse_unless_completed(batch_id: str, status: str) -> None:
    """A request that fails is no answer, however fast."""
    if status != "completed":
        raise RuntimeError(f"request {batch_id} {status}")


def _status_of(payload: str, batch_id: str) -> str | None:
    message = json.loads(payload) if batch_id in payload else {}
    return message.get("status")
