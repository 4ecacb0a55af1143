"""Following a batch on the terminal."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aiops.db.batches import ENDED
from aiops.db.statements import statement
from aiops.errors import BatchFailed, DaemonFailed
from workers.cli.local_daemon import daemon_for_now, daemon_is_alive
from workers.cli.output import Interrupted, errors, say
from workers.cli.waking import alarm
from workers.overview.units import items_of, job_name, lasting

if TYPE_CHECKING:
    from uuid import UUID

    from aiops.db.connect import Connection


class Computing(Protocol):
    """What computes a batch for the command that follows it: a daemon of its own, or its own process."""

    def refuse_if_ended(self) -> None:
        """Raise if it has ended and should not have."""

    def last_lines(self) -> str:
        """What it said last, in one line."""


HINT_SECONDS = 20.0
"""A daemon that is alive takes a job within milliseconds; whoever waits for longer is told what is waited for."""
PICKUP_SECONDS = 120.0
"""One of our own is given so long: it starts within two or three seconds, on a busy machine within many more. That it
has ended is noticed at once."""
LOOK_SECONDS = 0.1
"""Between two looks at a batch that nobody tells of."""
REQUEST = "ondemand_risk_calculation"


def follow(
    connection: Connection,
    batch_id: UUID,
    *,
    quiet: bool = False,
    daemon: Computing | None = None,
    way_back: str = "aiops cancel stops it",
) -> dict[str, Any]:
    """Show a batch's progress until it ends; start a daemon for as long as it takes when none is running.

    Args:
        connection: in autocommit mode.
        batch_id: the batch.
        quiet: show nothing.
        daemon: what the caller has started for it.
        way_back: what to do about it after Ctrl-C.

    Raises:
        BatchFailed: it ended failed or cancelled.
        Interrupted: Ctrl-C; what becomes of the batch has been said.
        DaemonFailed: a daemon of our own ended by itself, or does not take the batch.
    """
    try:
        row = _watch(connection, batch_id, quiet, daemon)
    except KeyboardInterrupt:
        # At once, and not at the end: what was started for it is let finish first.
        errors.print(
            f"Not watching any more; batch {batch_id} {_goes_on(connection, daemon)} ({way_back}).",
            markup=False,
            soft_wrap=True,
        )
        raise Interrupted from None
    if row["status"] != "completed":
        kind = "request" if row["job_type"] == REQUEST else "batch"
        raise BatchFailed(f"{kind} {batch_id} {row['status']}: {row['error_message'] or 'no message'}")
    return row


def _goes_on(connection: Connection, daemon: Computing | None) -> str:
    """What becomes of a batch that nobody watches; what the caller has started for it may be let finish it."""
    with suppress(psycopg.Error):
        if daemon is None and not daemon_is_alive(connection):
            return "waits for a daemon: aiops worker goes on with it"
    return "goes on, if need be with the next daemon"


def _watch(connection: Connection, batch_id: UUID, quiet: bool, daemon: Computing | None) -> dict[str, Any]:
    with ExitStack() as stack:
        if daemon is None and not daemon_is_alive(connection):
            if not quiet:
                errors.print("No daemon is running: computing with one of our own until this batch ends.")
            daemon = stack.enter_context(daemon_for_now())
        wake = stack.enter_context(alarm(batch_id))
        bar = stack.enter_context(_bar(quiet))
        row = _look(connection, batch_id)
        task = bar.add_task(job_name(row["job_type"]), total=100, detail=row["status"])
        asked_at = time.monotonic()
        while row["status"] not in ENDED:
            bar.update(task, completed=row["progress"], detail=_detail(row))
            if daemon is not None:
                daemon.refuse_if_ended()
            waited = time.monotonic() - asked_at if row["status"] == "queued" else 0.0
            if daemon is not None and waited > PICKUP_SECONDS:
                raise DaemonFailed(f"the daemon does not take the batch: {daemon.last_lines()}")
            if daemon is None and waited > HINT_SECONDS:
                bar.update(task, detail="queued: waiting for a daemon (aiops worker)")
            wake.pause(LOOK_SECONDS)
            row = _look(connection, batch_id)
        bar.update(task, completed=row["progress"], detail=_detail(row))
    return row


def _bar(quiet: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        console=errors,
        disable=quiet or not errors.is_terminal,
    )


def _look(connection: Connection, batch_id: UUID) -> dict[str, Any]:
    cursor = connection.execute(statement("watch_batch"), {"batch_id": batch_id})
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise BatchFailed(f"batch {batch_id} does not exist")
    return dict(zip((column.name for column in cursor.description), row, strict=True))


def _detail(row: dict[str, Any]) -> str:
    if row["total_chunks"] is None:
        return str(row["current_step"] or row["status"])
    chunks = f"{row['total_chunks'] - row['open_chunks']}/{row['total_chunks']} chunks"
    rate = row["cells_per_second"]
    if rate is None or rate <= 0:
        return chunks
    text = f"{chunks}, {rate:,.0f} {items_of(row['job_type'])}/s"
    if row["status"] == "running":
        text += f", {lasting((row['total_items'] - row['completed_items']) / rate)} left"
    return text


def describe(row: dict[str, Any]) -> None:
    """Print what a completed batch did."""
    done = row["results"] or {}
    if row["job_type"] == REQUEST:
        whole = done["integrated_risk"]
        say(
            f"{REQUEST}: total risk score {whole['total_risk_score']}, {whole['risk_level']} (batch {row['batch_id']})."
        )
        return
    skipped = f" ({done['skipped']:,} unchanged ones skipped)" if done.get("skipped") else ""
    say(
        f"{row['job_type']}: {done.get('cells', 0):,} cells{skipped}, {done.get('rows', 0):,} result rows in "
        f"{row['actual_duration_seconds']:.1f} s (batch {row['batch_id']})."
    )
    for warning in row["warnings"] or []:
        say(f"  note: {warning}")
