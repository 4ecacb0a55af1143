"""`aiops run`, `aiops worker`: yearly batches, and the daemon that computes them."""

from __future__ import annotations

from typing import Annotated, Any

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
Detach = Annotated[bool, typer.Option("--no-wait", help="Print the batch's number and do not wait for it.")]


@app.command()
def probability(risk: Risks = None, bbox: Box = None, no_wait: Detach = False, as_json: Json = False) -> None:
    """P(H): the probability of each intensity bin, its damage rate, and the average annual loss.

    Example: aiops run probability --risk extreme_heat
    """
    _run("probability", risk, bbox, no_wait, as_json)


@app.command()
def hazard(risk: Risks = None, bbox: Box = None, no_wait: Detach = False, as_json: Json = False) -> None:
    """Hazard scores, 0 to 100.

    Example: aiops run hazard --bbox 128,35,129,36
    """
    _run("hazard", risk, bbox, no_wait, as_json)


@app.command()
def assessment(risk: Risks = None, bbox: Box = None, no_wait: Detach = False, as_json: Json = False) -> None:
    """P(H) and Hazard scores in one pass over the data.

    Example: aiops run assessment --no-wait
    """
    _run("assessment", risk, bbox, no_wait, as_json)


def worker() -> None:
    """The daemon: takes jobs from the database and computes them, until stopped (Ctrl-C, SIGTERM).

    Example: aiops worker
    """
    configure_logs()
    with database():
        pass  # the schema is brought up to date before any process needs it
    run_daemon()


def _run(job_type: str, risks: list[str] | None, bbox: str | None, no_wait: bool, as_json: bool) -> None:
    params: dict[str, Any] = {}
    if risks:
        params["risk_types"] = risks
    if bbox is not None:
        params["bbox"] = _box(bbox)
    with database() as connection:
        batch_id = batches.start_batch(connection, job_type, params)
        if no_wait:
            show({"batch_id": batch_id}, as_json, lambda: say(str(batch_id)))
            return
        row = follow(connection, batch_id, quiet=as_json)
    show(row, as_json, lambda: describe(row))


def _box(text: str) -> list[float]:
    try:
        edges = [float(part) for part in text.split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4:
        raise BadInput(f"--bbox: {text!r}; allowed: WEST,SOUTH,EAST,NORTH in degrees, such as 128,35,129,36")
    return edges
