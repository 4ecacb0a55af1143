"""The command line: `aiops …`.

Every error that a user can cause ends in one line on standard error and an exit code: 2 for what was asked, 1 for what
could not be done. A traceback is shown only with `--debug`.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import psycopg

from aiops.errors import AiopsError
from workers.cli import batches, database, demo, health, history, ingest, portfolio, request, results, schedule, status
from workers.cli.main_app import app
from workers.cli.output import complain

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
app.command("health")(health.health)
app.command("cancel")(batches.cancel)
app.command("retry")(batches.retry)
app.add_typer(schedule.app, name="schedule")
app.command("worker")(batches.worker)
app.command("demo")(demo.demo)

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Taken out before parsing: it may stand anywhere, and has to hold for errors of the parser's callbacks too.
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    try:
        app(given, prog_name="aiops")
    except (AiopsError, psycopg.Error) as error:
        if debug:
            traceback.print_exc()
        sys.exit(complain(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        sys.stderr.close()
        sys.exit(0)
