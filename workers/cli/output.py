"""What commands print: tables for people, JSON for programs, errors in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import psycopg.errors
import typer
from rich.console import Console
from rich.markup import escape

from aiops.errors import AiopsError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

console = Console(highlight=False)
"""Standard output; colours only on a terminal."""
errors = Console(stderr=True, highlight=False)


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
