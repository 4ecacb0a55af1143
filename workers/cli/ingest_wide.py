"""`aiops ingest wide`: the wide tables of another database."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress

from aiops.ingest.wide.load import load_wide
from workers.cli.connection import database
from workers.cli.output import Json, errors, say, show, told_by


def wide(
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="URL", help="postgresql://user@host:port/name; PGPASSWORD and ~/.pgpass are understood."
        ),
    ],
    table: Annotated[
        list[str] | None, typer.Option(help="Only this table; may be given several times. Default: all.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Wide tables of another Postgres database, such as wsdi_data (year, grid_id, ssp1, ssp2, ssp3, ssp5).

    Every table with grid_id, year or observation_date, and a column a scenario, whose name is a variable's (_data at
    the end is left out). Its cells are found by the coordinates in the table location_grid (grid_id, longitude,
    latitude) beside it. Values are taken to be in the units of docs/ingest.md.

    Example: aiops ingest wide --from postgresql://reader@db.example.org/climate --table wsdi_data --dry-run
    """
    with database() as connection, Progress(console=errors, disable=as_json or not errors.is_terminal) as bar:
        report = load_wide(connection, source, table or (), dry_run=dry_run, tell=told_by(bar))

    def lines() -> None:
        for line in report.lines():
            say(line)

    show(report.as_dict(), as_json, lines)
