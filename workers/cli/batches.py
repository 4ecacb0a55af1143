"""`aiops run`, `aiops worker`: yearly batches, and the daemon that computes them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from aiops.db import batches
from aiops.errors import BadInput
from workers.cli.connection import database
from workers.cli.output import Json, say, show
from workers.cli.watch import describe, follow
from workers.logs import configure_logs
from workers.supervisor import run_daemon

app = typer.Typer(
    help="Run a yearly batch now: probability, hazard, or assessment (both at once).", no_args_is_help=True
)

Risks = Annotated[
    list[str] | None,
    typer.Option("--risk", help="Only this risk type; may be given several times. Default: all."),
]
Box = Annotated[
    str | None,
    typer.Option("--bbox", metavar="W,S,E,N", help="Only cells within these degrees.", show_default=False),
]
Scenarios = Annotated[list[str] | None, typer.Option("--scenario", help="Only this scenario. Default: all.")]
Horizons = Annotated[list[str] | None, typer.Option("--horizon", help="Only baseline, 2050s, … Default: all.")]
Force = Annotated[bool, typer.Option("--force", help="Compute unchanged cells again, too.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show progress until it ends (what a terminal gets anyway).")]
Number = Annotated[UUID, typer.Argument(metavar="BATCH_ID", help="The batch's number (aiops status).")]
Detach = Annotated[bool, typer.Option("--no-wait", help="Print the batch's number and do not wait for it.")]


@app.command()
def probability(
    *,
    risk: Risks = None,
    scenario: Scenarios = None,
    horizon: Horizons = None,
    bbox: Box = None,
    force: Force = False,
    watch: Watch = False,
    no_wait: Detach = False,
    as_json: Json = False,
) -> None:
    """P(H): the probability of each intensity bin, its damage rate, and the average annual loss.

    Example: aiops run probability --risk extreme_heat
    """
    params = _params(risk_types=risk, scenarios=scenario, horizons=horizon, bbox=_box(bbox), force=force)
    _run("probability", params, wait=watch or not no_wait, as_json=as_json)


@app.command()
def hazard(
    *,
    risk: Risks = None,
    scenario: Scenarios = None,
    horizon: Horizons = None,
    bbox: Box = None,
    force: Force = False,
    watch: Watch = False,
    no_wait: Detach = False,
    as_json: Json = False,
) -> None:
    """Hazard scores, 0 to 100.

    Example: aiops run hazard --bbox 128,35,129,36
    """
    params = _params(risk_types=risk, scenarios=scenario, horizons=horizon, bbox=_box(bbox), force=force)
    _run("hazard", params, wait=watch or not no_wait, as_json=as_json)


@app.command()
def assessment(
    *,
    risk: Risks = None,
    scenario: Scenarios = None,
    horizon: Horizons = None,
    bbox: Box = None,
    force: Force = False,
    watch: Watch = False,
    no_wait: Detach = False,
    as_json: Json = False,
) -> None:
    """P(H) and Hazard scores in one pass over the data.

    Example: aiops run assessment --no-wait
    """
    params = _params(risk_types=risk, scenarios=scenario, horizons=horizon, bbox=_box(bbox), force=force)
    _run("assessment", params, wait=watch or not no_wait, as_json=as_json)


def worker() -> None:
    """The daemon: takes jobs from the database and computes them, until stopped (Ctrl-C, SIGTERM).

    Example: aiops worker
    """
    configure_logs()
    run_daemon()


def cancel(batch_id: Number, as_json: Json = False) -> None:
    """Stop a batch: what it has written stays, nothing more is written.

    Example: aiops cancel 99ebba92-9ae1-4334-aa65-1459742c84a6
    """
    with database() as connection:
        done = batches.cancel_batch(connection, batch_id)
    if not done:
        raise BadInput(f"batch {batch_id}: there is none of that number that is queued or runs")
    show({"cancelled": True}, as_json, lambda: say(f"Batch {batch_id} is cancelled."))


def retry(batch_id: Number, as_json: Json = False) -> None:
    """Run what failed of a failed batch again.

    Example: aiops retry 99ebba92-9ae1-4334-aa65-1459742c84a6
    """
    with database() as connection:
        chunks = batches.retry_batch(connection, batch_id)
        if not chunks:
            raise BadInput(f"batch {batch_id}: it has not failed; only what failed can be retried")
        row = follow(connection, batch_id, quiet=as_json)
    show(row, as_json, lambda: describe(row))


def _params(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value not in (None, False, [])}


def _run(job_type: str, params: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    with database() as connection:
        batch_id = batches.start_batch(connection, job_type, params)
        if not wait:
            show({"batch_id": batch_id}, as_json, lambda: say(str(batch_id)))
            return
        row = follow(connection, batch_id, quiet=as_json)
    show(row, as_json, lambda: describe(row))


def _box(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        edges = [float(part) for part in text.split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4:
        raise BadInput(f"--bbox: {text!r}; allowed: WEST,SOUTH,EAST,NORTH in degrees, such as 128,35,129,36")
    return edges
