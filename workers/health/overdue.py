"""Whether the yearly runs happen: what is due next, and what was due and did not start."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg.rows import dict_row

from aiops.db.statements import statement
from aiops.settings import settings
from workers.due_dates import YearlySchedule
from workers.health.check import Check, failed, ok

if TYPE_CHECKING:
    from aiops.db.connect import Connection

LATE = timedelta(hours=1)
"""A due run starts within seconds, unless another batch of its family is active."""

_DEFINITION = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d) (\S+)")


def check_schedule(connection: Connection) -> Check:
    """Whether the next run of each schedule is known, and none is late: the dates are those that the daemon noted."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(statement("list_schedules")).fetchall()
    now = datetime.now(UTC)
    wrong = [problem for row in rows if (problem := _problem(connection, row, now))]
    if wrong:
        remedies = dict.fromkeys(remedy for _, remedy in wrong)
        return failed("schedule", "; ".join(detail for detail, _ in wrong), "; ".join(remedies))
    return ok("schedule", "; ".join(_outlook(row, now) for row in rows))


def schedule_of(name: str, definition: str) -> YearlySchedule:
    """The schedule that a definition (`YearlySchedule.definition`) describes."""
    match = _DEFINITION.fullmatch(definition)
    if match is None:
        raise ValueError(f"schedule {name}: {definition!r} is not a definition")
    month, day, hour, minute = (int(part) for part in match.groups()[:4])
    return YearlySchedule(name, month, day, hour, minute, match[5])


def _problem(connection: Connection, row: dict[str, Any], now: datetime) -> tuple[str, str] | None:
    """What is wrong, and what mends it."""
    name = row["schedule"]
    if row["paused"]:
        return None
    if row["definition"] is None:
        return f"{name}: no daemon has noted yet when it is due", "start the daemon: aiops worker"
    due = schedule_of(name, row["definition"]).last_due(now)
    was_not_asked_for = due <= row["defined_at"]
    ran = row["last_due_at"] is not None and row["last_due_at"] >= due
    if was_not_asked_for or ran or now - due <= LATE or _was_run_by_hand(connection, row["job_type"], due):
        return None
    said = f"{name}: the run of {_local(due, row)} has not started"
    if now - due <= timedelta(days=settings().schedule_catch_up_days):
        return said, "start the daemon (aiops worker), or let the active batch end (aiops status)"
    return said, f"it is too old to be made up for (SCHEDULE_CATCH_UP_DAYS); run it: aiops schedule run {name}"


def _was_run_by_hand(connection: Connection, job_type: str, due: datetime) -> bool:
    row = connection.execute(statement("run_since"), {"job_type": job_type, "since": due}).fetchone()
    return row is not None and bool(row[0])


def _outlook(row: dict[str, Any], now: datetime) -> str:
    if row["paused"]:
        return f"{row['schedule']} is paused"
    return f"{row['schedule']} next {_local(schedule_of(row['schedule'], row['definition']).next_due(now), row)}"


def _local(moment: datetime, row: dict[str, Any]) -> str:
    zone = ZoneInfo(schedule_of(row["schedule"], row["definition"]).timezone)
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"
