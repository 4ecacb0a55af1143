"""The command line: `aiops …`.

Every error that a user can cause ends in one line on standard error and an exit code: 2 for what was asked, 1 for what
could not be done. A traceback is shown only with `--debug`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workers.cli import (
    batch_list,
    batch_logs,
    batches,
    boundary,
    database,
    demo,
    doctor,
    export,
    health,
    history,
    ingest,
    portfolio,
    report,
    request,
    results,
    schedule,
    serve,
    status,
)
from workers.cli.main_app import app

if TYPE_CHECKING:
    from collections.abc import Sequence

app.add_typer(database.app, name="db")
app.add_typer(ingest.app, name="ingest")
app.add_typer(batches.app, name="run")
app.command("request")(request.request)
app.command("history")(history.history)
app.command("portfolio")(portfolio.portfolio)
app.command("results")(results.results)
app.command("status")(status.status)
app.command("batches")(batch_list.batches)
app.command("logs")(batch_logs.logs)
app.command("health")(health.health)
app.command("doctor")(doctor.doctor)
app.command("cancel")(batches.cancel)
app.command("retry")(batches.retry)
app.add_typer(report.app, name="report")
app.add_typer(export.app, name="export")
app.add_typer(schedule.app, name="schedule")
app.command("worker")(batches.worker)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(boundary.run(app, sys.argv[1:] if arguments is None else arguments))
