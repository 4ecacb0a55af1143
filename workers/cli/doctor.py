"""`aiops doctor`: what is wrong with an installation, and what mends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from workers.cli.output import Json, console, say, show
from workers.doctor import examine
from workers.health.check import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.health.check import Check

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.UNKNOWN: "dim"}


def doctor(as_json: Json = False) -> None:
    """What is wrong with settings, server, schema, rights, disk, clock, data and daemon, and what mends each.

    Starts and changes nothing. Exit code 1 if something has failed; warnings alone: 0.

    Example: aiops doctor
    """
    checks = examine()
    counts = {state.value: sum(one.state is state for one in checks) for state in State}
    data = {"healthy": not counts["failed"], "counts": counts, "checks": [asdict(one) for one in checks]}
    show(data, as_json, lambda: _render(checks, counts))
    if counts["failed"]:
        raise typer.Exit(1)


def _render(checks: Sequence[Check], counts: dict[str, int]) -> None:
    if console.is_terminal:
        _render_wrapped(checks)
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            say(f"{one.state.value:<8} {one.name:<{width}} {one.detail}")
            if one.remedy:
                say(f"{'':<8} {'':<{width}} → {one.remedy}")
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    console.print(Text(f"\n{told}.", style="bold"), soft_wrap=True)


def _render_wrapped(checks: Sequence[Check]) -> None:
    """What does not fit into a line goes on below its own column."""
    made = Table.grid(padding=(0, 1, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for one in checks:
        made.add_row(Text(one.state.value, style=_STYLES[one.state]), one.name, Text(one.detail))
        if one.remedy:
            made.add_row("", "", Text(f"→ {one.remedy}"))
    console.print(made)
