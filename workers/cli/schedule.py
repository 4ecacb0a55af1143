"""`aiops schedule`: the runs that start by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from aiops.db import batches
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.settings import settings
from workers.cli import complete
from workers.cli.connection import database
from workers.cli.output import Json, compact_table, console, say, show
from workers.cli.watch import describe, follow
from workers.due_dates import schedules

app = typer.Typer(
    help="The yearly runs: when they are due, run one now, pause one.",
    no_args_is_help=True,
    epilog="Example: aiops schedule list",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="probability or hazard.", autocompletion=complete.schedules)]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """What runs by itself, when it ran, and when it is due next.

    Example: aiops schedule list
    """
    rows = _rows()
    show(rows, as_json, lambda: _render(rows))


@app.command()
def run(name: Name, as_json: Json = False) -> None:
    """Run one now, as if it were due; the yearly run stays due.

    Example: aiops schedule run hazard
    """
    _known(name)
    with database() as connection:
        row = follow(connection, batches.start_batch(connection, name), quiet=as_json)
    show(row, as_json, lambda: describe(row))


@app.command()
def pause(name: Name, as_json: Json = False) -> None:
    """Let one rest: nothing of it starts by itself until it is resumed.

    Example: aiops schedule pause hazard
    """
    _set_paused(name, True, as_json)


@app.command()
def resume(name: Name, as_json: Json = False) -> None:
    """End a pause; a run that was due meanwhile is made up for (SCHEDULE_CATCH_UP_DAYS).

    Example: aiops schedule resume hazard
    """
    _set_paused(name, False, as_json)


def _rows() -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    with database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        stored = {row["schedule"]: row for row in cursor.execute(statement("list_schedules"))}
    zone = settings().timezone
    return [
        {
            **stored[one.name],
            "due": one.definition,
            "next_due_at": one.next_due(now).astimezone(zone),
        }
        for one in schedules(settings())
    ]


def _render(rows: list[dict[str, Any]]) -> None:
    made = compact_table("name", "due each year", "next", "last", "its batch")
    for row in rows:
        made.add_row(
            row["schedule"],
            row["due"],
            "paused" if row["paused"] else f"{row['next_due_at']:%Y-%m-%d %H:%M}",
            f"{row['last_due_at'].astimezone(settings().timezone):%Y-%m-%d}" if row["last_due_at"] else "never",
            str(row["last_batch_id"] or "")[:8],
        )
    console.print(made)


def _set_paused(name: str, paused: bool, as_json: bool) -> None:
    _known(name)
    with database() as connection:
        connection.execute(statement("pause_schedule"), {"schedule": name, "paused": paused})
    show({"schedule": name, "paused": paused}, as_json, lambda: say(f"{name} is {'paused' if paused else 'resumed'}."))


def _known(name: str) -> None:
    names = [one.name for one in schedules(settings())]
    if name not in names:
        raise BadInput(f"schedule: {name!r}; allowed: {', '.join(names)}")
