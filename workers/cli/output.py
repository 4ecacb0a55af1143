"""What commands print: tables for people, JSON for programs, errors in one line."""

from __future__ import annotations

import json
import sys
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

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

_PIPE_WIDTH = 160
"""Columns of a table that is not printed on a terminal: nobody has to see it wrapped."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
"""Standard output; colours only on a terminal."""
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PIPE_WIDTH)


def say(text: str) -> None:
    """Print a sentence as it stands: no mark-up is read in it, and a terminal wraps it where it will."""
    console.print(text, markup=False, soft_wrap=True)


def table(title: str, *headings: str) -> Table:
    """An empty table in this command line's one style; headings that begin with `>` stand to the right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left", no_wrap=True)
    return made


def show(data: Any, as_json: bool, render: Callable[[], None]) -> None:
    """Print `data` as JSON, or let `render` print it for people."""
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))
    else:
        render()


def complain(error: AiopsError | psycopg.Error) -> int:
    """Print an error in one line and return the exit code."""
    text, code = _explain(error)
    errors.print(f"[red]aiops:[/red] {escape(text)}", soft_wrap=True)
    return code


def _explain(error: AiopsError | psycopg.Error) -> tuple[str, int]:
    if isinstance(error, AiopsError):
        return str(error), error.exit_code
    said = error.diag.message_primary or " ".join(str(error).split())
    if isinstance(error, psycopg.errors.InvalidParameterValue):
        return said, 2
    more = [part for part in (error.diag.message_detail, error.diag.message_hint) if part]
    return "; ".join([said, *more]), 1
