"""`aiops batches`: what was asked for, the newest first."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from psycopg.rows import dict_row

from aiops.db.batches import STATUSES
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.settings import settings
from workers.cli import complete
from workers.cli.connection import database
from workers.cli.output import Json, compact_table, console, say, show
from workers.overview.units import JOB_NAMES, items_of, job_name, lasting, local

if TYPE_CHECKING:
    from collections.abc import Sequence

_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_WIDTH = 58
"""Characters of an error that are shown; the rest is `aiops logs`."""


def batches(
    *,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help="Only queued, running, completed, failed or cancelled; may be given several times.",
            autocompletion=complete.statuses,
        ),
    ] = None,
    job_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Only probability, hazard, assessment, indicators, request or portfolio; may be given several times.",
            autocompletion=complete.job_types,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN", help="Only what was asked since: 30m, 12h, 7d ago, or 2026-01-31, or with a time."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 20,
    as_json: Json = False,
) -> None:
    """Batches and requests, the newest first: how far they are, how long they took, why they failed.

    Example: aiops batches --status failed --since 7d
    """
    names = {name: job_type for job_type, name in JOB_NAMES.items()}
    asked = {
        "statuses": _allowed("--status", status, STATUSES),
        "job_types": _allowed("--type", [names.get(one, one) for one in job_type or ()], complete.JOB_TYPES),
        "since": None if since is None else moment_of(since),
        "most": limit,
    }
    with database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("list_batches"), asked).fetchall()
    show(rows, as_json, lambda: _render(rows, limit))


def moment_of(text: str) -> datetime:
    """A moment that somebody means: so long ago, or a date (and time) in the schedule's time zone.

    Raises:
        BadInput: it is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            f"--since: {text!r}; allowed: 30m, 12h or 7d ago, a date such as 2026-01-31, or 2026-01-31T09:00"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=settings().timezone)


def _allowed(name: str, given: Sequence[str] | None, allowed: Sequence[str]) -> list[str] | None:
    for one in given or ():
        if one not in allowed:
            shown = ", ".join(job_name(other) for other in allowed)
            raise BadInput(f"{name}: {one!r}; allowed: {shown}")
    return list(given) if given else None


def _render(rows: list[dict[str, Any]], limit: int) -> None:
    if not rows:
        say("There are none.")
        return
    made = compact_table("batch", "type", "status", ">%", ">done", ">took", f"asked, {settings().schedule_timezone}")
    for row in rows:
        seconds = row["actual_duration_seconds"]
        done = ""
        if row["total_items"] is not None:
            done = f"{row['completed_items']:,}/{row['total_items']:,} {items_of(row['job_type'])}"
        made.add_row(
            str(row["batch_id"])[:8],
            job_name(row["job_type"]),
            row["status"],
            str(row["progress"]),
            done,
            "" if seconds is None else lasting(seconds),
            local(row["created_at"]),
        )
    console.print(made)
    for row in rows:
        if row["error_message"]:
            error = " ".join(row["error_message"].split())
            say(f"{str(row['batch_id'])[:8]}: {error if len(error) <= _WIDTH else error[: _WIDTH - 1] + '…'}")
    if any(row["error_message"] for row in rows):
        say("Why: aiops logs BATCH; again: aiops retry BATCH.")
    if len(rows) == limit:
        say(f"The newest {limit}; more with --limit.")
