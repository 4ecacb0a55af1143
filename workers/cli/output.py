"""What commands print: tables for people, JSON for programs, errors in one line."""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import psycopg.errors
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aiops.errors import AiopsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

_PIPE_WIDTH = 160
"""Columns of a table that is not printed on a terminal: nobody has to see it wrapped."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
"""Standard output; colours only on a terminal."""
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PIPE_WIDTH)

SYNTHETIC = "Computed from SYNTHETIC sample data 합성 자료: for trying out, not for decisions."
"""Said beneath whatever rests on such data."""


_ACTIVE_BATCH = re.compile(r"^batch_id ([0-9a-f-]{36})")
"""How the schema names a batch that keeps another from starting."""


class Interrupted(AiopsError):
    """Ctrl-C. The message is what is still to be said; none: it has been said."""

    exit_code = 130


def say(text: str) -> None:
    """Print a sentence as it stands: no mark-up is read in it, and a terminal wraps it where it will."""
    console.print(text, markup=False, soft_wrap=True)


def table(title: str, *headings: str) -> Table:
    """An empty table in this command line's one style; headings that begin with `>` stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left", no_wrap=True)
    return made


def compact_table(*headings: str) -> Table:
    """The same without a title and lines, for much on a narrow screen."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        made.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left", no_wrap=True)
    return made


def told_by(bar: Progress) -> Callable[[str, float], None]:
    """What takes how far things are: each has a line of the bar, from its first share on."""
    tasks: dict[str, TaskID] = {}

    def tell(what: str, share: float) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=1.0)
        bar.update(tasks[what], completed=share)

    return tell


def show(data: Any, as_json: bool, render: Callable[[], None]) -> None:
    """Print `data` as JSON, or let `render` print it for people."""
    if as_json:
        say_json(data, indent=2)
    else:
        render()


def say_json(data: Any, indent: int | None = None) -> None:
    """Print one JSON value; in one line unless it is to be indented."""
    # Where the terminal's encoding has no Korean, escapes keep the value whole.
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    typer.echo(json.dumps(data, ensure_ascii=not readable, indent=indent, default=_as_json))


def _as_json(value: Any) -> str:
    """Moments and days by ISO 8601; numbers of batches and the like as their text."""
    return value.isoformat() if isinstance(value, date) else str(value)


def write_what_can_be_written() -> None:
    """Have a character that the locale's encoding lacks replaced, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(errors="replace")


def complain(error: AiopsError | psycopg.Error) -> int:
    """Print an error in one line and return the exit code."""
    text, code = _explain(error)
    if text:
        complain_of(text)
    return code


def complain_of(text: str) -> None:
    """Print what is wrong, in one line."""
    errors.print(f"[red]aiops:[/red] {escape(' '.join(text.split()))}", soft_wrap=True)


def _explain(error: AiopsError | psycopg.Error) -> tuple[str, int]:
    if isinstance(error, AiopsError):
        return str(error), error.exit_code
    said = error.diag.message_primary or " ".join(str(error).split())
    more = "; ".join([said, *(part for part in (error.diag.message_detail, error.diag.message_hint) if part)])
    active = _ACTIVE_BATCH.search(error.diag.message_detail or "")
    if active is not None:  # in this command line's words instead of SQL
        way_out = f"stop it: aiops cancel {active[1][:8]}; or let it end: aiops worker goes on with it"
        more = f"{said} ({error.diag.message_detail}); {way_out}"
    match error:
        # The last: by name or number, something that there is not.
        case psycopg.errors.InvalidParameterValue() | psycopg.errors.NoDataFound():
            return said, 2
        case psycopg.errors.InsufficientPrivilege():
            return f"{more}; this account lacks the right: aiops doctor says which it has", 1
        case psycopg.OperationalError() if error.sqlstate is None:
            return f"the connection to the database was lost: {said}; aiops doctor says how it stands", 1
    return more, 1
