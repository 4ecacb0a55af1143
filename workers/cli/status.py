"""`aiops status`: one screen; `--watch`: the same, live."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer
from rich.live import Live

from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable
from workers.cli.connection import database
from workers.cli.output import Json, console, errors, say, say_json, show
from workers.cli.status_screen import progress_in_words, screen_of
from workers.cli.waking import alarm
from workers.overview.reading import read_data, read_overview
from workers.overview.units import job_name, local_to_second

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops.db.connect import Connection

    Row = dict[str, Any]

_LOOK_SECONDS = 1.0
_DATA_SECONDS = 60.0
"""How often the large tables are counted while somebody watches."""
_CALM_SECONDS = 0.2
"""Between two looks at least, however often batches move."""
_AGAIN_SECONDS = 2.0

Watch = Annotated[
    bool,
    typer.Option("--watch", help="Live, until Ctrl-C; into a pipe, a line for each change (with --json: JSON)."),
]


def status(*, watch: Watch = False, as_json: Json = False) -> None:
    """What runs, how far it is and how long it takes, what ran, what waits, who works, and what data there are.

    Example: aiops status --watch
    """
    if watch:
        _watch(as_json=as_json)
        return
    with database() as connection:
        found = read_overview(connection)
    show(found, as_json, lambda: console.print(screen_of(found)))


def _watch(*, as_json: bool) -> None:
    try:
        if as_json or not console.is_terminal:
            _follow(_Lines(as_json=as_json).tell)
            return
        with Live(console=console, auto_refresh=False) as live:
            _follow(lambda _, found: live.update(screen_of(found), refresh=True))
    except KeyboardInterrupt:  # how a watch ends
        return


def _follow(tell: Callable[[Connection, Row], None]) -> None:
    """Look each second, and whenever a batch moves; a server that goes away is waited for."""
    met = False
    while True:
        try:
            with database() as connection, alarm(None) as wake:
                data, read_at = read_data(connection), time.monotonic()
                while True:
                    if time.monotonic() - read_at > _DATA_SECONDS:
                        data, read_at = read_data(connection), time.monotonic()
                    tell(connection, read_overview(connection, data))
                    met = True
                    time.sleep(_CALM_SECONDS)
                    wake.pause(_LOOK_SECONDS - _CALM_SECONDS)
        except (DatabaseUnavailable, psycopg.OperationalError) as error:
            if not met:
                raise
            errors.print(f"no database, trying again: {' '.join(str(error).split())}", markup=False, soft_wrap=True)
            time.sleep(_AGAIN_SECONDS)


class _Lines:
    """A line for each batch that has moved, and when the number of living processes has changed."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._active: dict[str, tuple[Any, ...]] | None = None
        self._alive: int | None = None

    def tell(self, connection: Connection, found: Row) -> None:
        """Print what is new since the last look."""
        alive = None if found["workers"] is None else sum(row["processes"] for row in found["workers"])
        if alive is not None and alive != self._alive:
            self._print({"workers_alive": alive}, f"workers alive: {alive}")
        self._alive = alive
        active = {str(row["batch_id"]): row for row in found["active"] or []}
        if self._active is None and not active:
            self._print({"active": []}, "nothing is running")
        before = self._active or {}
        for batch_id, row in active.items():
            if before.get(batch_id) != _mark(row):
                self._print(
                    row, f"{batch_id[:8]} {job_name(row['job_type'])}: {progress_in_words(row, found['workers'])}"
                )
        for batch_id in before.keys() - active.keys():
            self._tell_end(connection, batch_id)
        self._active = {batch_id: _mark(row) for batch_id, row in active.items()}

    def _tell_end(self, connection: Connection, batch_id: str) -> None:
        for row in connection.execute(statement("end_of_batch"), {"batch_id": batch_id}):
            job_type, ended, message = row
            told = f"{batch_id[:8]} {job_name(job_type)}: {ended}{': ' + message if message else ''}"
            end = {"batch_id": batch_id, "job_type": job_type, "status": ended, "error_message": message}
            self._print(end, told)

    def _print(self, data: Row, text: str) -> None:
        now = datetime.now(UTC)
        if self._as_json:
            say_json({"at": now, **data})
        else:
            say(f"{local_to_second(now)}  {text}")
        console.file.flush()


def _mark(row: Row) -> tuple[Any, ...]:
    return row["status"], row["progress"], row["current_step"]
