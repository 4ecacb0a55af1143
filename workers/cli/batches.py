"""`aiops run`, `aiops worker`: yearly batches, and the daemon that computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiops.db import batches
from aiops.errors import BadInput
from workers.cli.arguments import BatchId, Horizons, Risks, Scenarios, find_batch
from workers.cli.connection import database
from workers.cli.local_daemon import say_if_nobody_computes
from workers.cli.output import Json, say, show
from workers.cli.watch import describe, follow
from workers.logs import configure_logs
from workers.supervisor import run_daemon

if TYPE_CHECKING:
    from uuid import UUID

    from aiops.db.connect import Connection

app = typer.Typer(
    help="Run a batch now: probability, hazard, or assessment (both at once); or indicators, which they are made of.",
    no_args_is_help=True,
    epilog="Example: aiops run assessment",
)

Box = Annotated[
    str | None,
    typer.Option("--bbox", metavar="W,S,E,N", help="Only cells within these degrees.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Compute unchanged cells again, too.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show progress until it ends (what a terminal gets anyway).")]
Detach = Annotated[bool, typer.Option("--no-wait", help="Print the batch's number and do not wait for it.")]


YEARLY = {
    "probability": """P(H): the probability of each intensity bin, its damage rate, and the average annual loss.

    Example: aiops run probability --risk extreme_heat
    """,
    "hazard": """Hazard scores, 0 to 100.

    Example: aiops run hazard --bbox 128,35,129,36
    """,
    "assessment": """P(H) and Hazard scores in one pass over the data.

    Example: aiops run assessment --no-wait
    """,
}


def _add_yearly(job_type: str) -> None:
    def run(
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
        params = _params(risk_types=risk, scenarios=scenario, horizons=horizon, bbox=_box(bbox), force=force)
        _run(job_type, params, wait=watch or not no_wait, as_json=as_json)

    app.command(job_type, help=YEARLY[job_type])(run)


for _job_type in YEARLY:
    _add_yearly(_job_type)


@app.command()
def indicators(
    *,
    scenario: Scenarios = None,
    bbox: Box = None,
    force: Force = False,
    watch: Watch = False,
    no_wait: Detach = False,
    as_json: Json = False,
) -> None:
    """Yearly and monthly indicators of all cells that have daily or monthly series, which hazards are computed from.

    What a file has given stays as it is. A load computes the indicators of its own cells; this is for what was loaded
    without, and for new methods.

    Example: aiops run indicators --bbox 126,37,127,38
    """
    _run(
        "indicators",
        _params(scenarios=scenario, bbox=_box(bbox), force=force),
        wait=watch or not no_wait,
        as_json=as_json,
    )


def worker() -> None:
    """The daemon: takes jobs from the database and computes them, until stopped (Ctrl-C, SIGTERM).

    Example: aiops worker
    """
    configure_logs()
    run_daemon()


def cancel(batch_id: BatchId, as_json: Json = False) -> None:
    """Stop a batch or request: what it has written stays, nothing more is written.

    Example: aiops cancel 99ebba92
    """
    with database() as connection:
        number = find_batch(connection, batch_id)
        if not batches.cancel_batch(connection, number):
            raise BadInput(f"batch {number}: it {_state(connection, number)}; only what waits or runs can be cancelled")
    data = {"batch_id": number, "cancelled": True}
    show(data, as_json, lambda: say(f"Batch {number} is cancelled; what it has written stays."))


def retry(batch_id: BatchId, as_json: Json = False) -> None:
    """Run what failed of a failed batch or request again, and wait for it.

    Example: aiops retry 99ebba92
    """
    with database() as connection:
        number = find_batch(connection, batch_id)
        if not batches.retry_batch(connection, number):
            raise BadInput(f"batch {number}: it {_state(connection, number)}; only what has failed can be retried")
        row = follow(connection, number, quiet=as_json)
    show(row, as_json, lambda: describe(row))


def _state(connection: Connection, batch_id: UUID) -> str:
    found = batches.get_batch_status(connection, batch_id)
    status = found["status"] if found is not None else "gone"
    return {"queued": "waits", "running": "runs", "gone": "is gone"}.get(status, f"has ended ({status})")


def _params(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value not in (None, False, [])}


def _run(job_type: str, params: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    with database() as connection:
        batch_id = batches.start_batch(connection, job_type, params)
        if not wait:
            show({"batch_id": batch_id}, as_json, lambda: say(str(batch_id)))
            say_if_nobody_computes(connection)
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
