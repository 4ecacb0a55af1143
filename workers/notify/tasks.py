"""The tasks that tell of a request's end. Their jobs name the request; where to is read from the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import structlog
from psycopg.rows import dict_row

from aiops.db.batches import ENDED
from aiops.db.statements import statement
from aiops.errors import DeliveryFailed
from aiops.settings import settings
from workers.notify.email import MailServer, deliver_email
from workers.notify.notice import Notice
from workers.notify.webhook import deliver_webhook
from workers.queue import CONTROL, app
from workers.retry import Patient, is_hopeless

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from procrastinate import JobContext, PsycopgConnector
    from psycopg_pool import AsyncConnectionPool

log = structlog.get_logger(__name__)

DELIVERY = Patient(attempts=8, longest_pause_seconds=3600.0)
"""Pauses of 1, 4, 16, 64, 256, 1024 and 3600 s: a receiver may be away for more than an hour. What the
database costs is waited out."""


async def tell(way: str, batch_id: str, deliver: Callable[[str, Notice], Awaitable[None]], *, last: bool) -> None:
    """Tell of a request's end by one way, if that is wanted and has not been done yet.

    Args:
        way: webhook or email: the column of `request_notification`, and the step in the log.
        batch_id: the request.
        deliver: tries it once, with the address and the notice.
        last: whether no attempt follows if this one fails.

    Raises:
        DeliveryFailed: it did not work. When it is not going to be tried again, the log of the batch says why.
    """
    row = await _read(way, batch_id)
    if row is None or row[way] is None or row["is_told"] or row["status"] not in ENDED:
        # Told before (and the note of it got lost), not wanted, or running again: its next end will be told.
        log.info("nothing to tell", batch_id=batch_id, way=way)
        return
    notice = Notice(
        UUID(batch_id), **{field: row[field] for field in Notice.__dataclass_fields__ if field != "batch_id"}
    )
    started = time.monotonic()
    try:
        await deliver(row[way], notice)
    except DeliveryFailed as failure:
        ends = last or is_hopeless(failure)
        log.warning("not told", batch_id=batch_id, way=way, reason=str(failure), gives_up=ends)
        if ends:
            await _log(way, notice, time.monotonic() - started, str(failure))
        raise
    await _log(way, notice, time.monotonic() - started, None)
    log.info("told", batch_id=batch_id, way=way, seconds=round(time.monotonic() - started, 3))


@app.task(name="send_webhook", queue=CONTROL, pass_context=True, retry=DELIVERY)
async def send_webhook(context: JobContext, batch_id: str) -> None:
    """Tell by webhook."""

    async def deliver(url: str, notice: Notice) -> None:
        secret = settings().webhook_secret
        await deliver_webhook(
            url,
            notice,
            secret=secret.get_secret_value() if secret else None,
            allow_private=settings().webhook_allow_private,
        )

    await tell("webhook", batch_id, deliver, last=DELIVERY.is_last(context.job.attempts))


@app.task(name="send_email", queue=CONTROL, pass_context=True, retry=DELIVERY)
async def send_email(context: JobContext, batch_id: str) -> None:
    """Tell by e-mail."""

    async def deliver(recipient: str, notice: Notice) -> None:
        await deliver_email(recipient, notice, server=MailServer.of(settings()))

    await tell("email", batch_id, deliver, last=DELIVERY.is_last(context.job.attempts))


def _pool() -> AsyncConnectionPool:
    return cast("PsycopgConnector", app.connector).pool


async def _read(way: str, batch_id: str) -> dict[str, Any] | None:
    async with _pool().connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement("read_notification"), {"batch_id": batch_id, "step": way})
        return await cursor.fetchone()


async def _log(way: str, notice: Notice, seconds: float, error: str | None) -> None:
    parameters = {
        "batch_id": notice.batch_id,
        "ended_at": notice.completed_at,
        "step": way,
        "seconds": seconds,
        "error": error,
    }
    async with _pool().connection() as connection:
        await connection.execute(statement("log_notification"), parameters)
