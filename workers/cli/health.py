"""`aiops health`: whether everything works."""

from __future__ import annotations

from dataclasses import asdict

import typer

from workers.cli.output import Json, say, show
from workers.health.checks import check_all


def health(as_json: Json = False) -> None:
    """Whether everything works, a line a check, with what mends it; exit code 1 if something does not.

    Starts and changes nothing. Example: aiops health
    """
    checks = check_all()
    healthy = all(one.is_ok for one in checks)
    data = {"healthy": healthy, "checks": [asdict(one) for one in checks]}
    show(data, as_json, lambda: say("\n".join(str(one) for one in checks)))
    if not healthy:
        raise typer.Exit(1)
