"""The top of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from aiops import __version__

_EPILOG = """
Example: aiops demo, then aiops request 37.5665 126.978

Exit codes: 0 done; 1 not healthy, or failed; 2 what was asked cannot be used; 130 Ctrl-C.
Any command: --debug shows the traceback of an error. Colours are off when piped and with NO_COLOR.
"""

app = typer.Typer(
    name="aiops",
    help="The physical climate risk of any place in Korea, computed and kept in Postgres.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    epilog=_EPILOG,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aiops {__version__}")
        raise typer.Exit


@app.callback()
def top(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The physical climate risk of any place in Korea, computed and kept in Postgres."""
