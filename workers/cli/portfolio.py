"""`aiops portfolio`: the risk of many sites, from a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psycopg.errors
import typer

from aiops.db.batches import create_batch_job
from aiops.db.portfolio import fetch_portfolio_results
from aiops.db.reports import synthetic_cells
from aiops.errors import BadInput, CannotWrite
from workers.cli.arguments import Email, Risks, Scenario, Webhook, Year, value_of
from workers.cli.connection import database
from workers.cli.local_daemon import say_if_nobody_computes
from workers.cli.output import Json, errors, say, show
from workers.cli.portfolio_file import read_portfolio
from workers.cli.portfolio_report import render, report_of
from workers.cli.watch import follow
from workers.cli.whole_file import refuse_place, write_whole
from workers.portfolio import JOB_TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from aiops.db.connect import Connection
    from workers.cli.portfolio_file import PortfolioFile


Sites = Annotated[
    Path,
    typer.Argument(
        help="CSV (plain or .gz) with latitude, longitude and, where known, site_id, asset_value, insurance_rate, "
        "floor_area_m2, built_year or age_years, structure, floors, basement_floors, use, water_tank, pilotis, "
        "in_flood_zone; or JSON with the sites as request_risk_many takes them.",
        show_default=False,
    ),
]
Out = Annotated[Path | None, typer.Option(metavar="CSV", help="Write one line per site to this file.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file of --out.")]


def portfolio(
    *,
    file: Sites,
    risk: Risks = None,
    scenario: Scenario = None,
    year: Year = None,
    insurance_rate: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Of sites without one of their own, 0 to 1. Default: 0.")
    ] = None,
    out: Out = None,
    force: Force = False,
    worst: Annotated[int, typer.Option(min=0, help="How many of the sites worst hit are shown.")] = 10,
    webhook: Webhook = None,
    email: Email = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show progress until it ends (what a terminal gets anyway).")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the batch's number and do not wait.")] = False,
    as_json: Json = False,
) -> None:
    """The risk of up to 10,000 sites: losses, assets at high risk, and the sites worst hit.

    Example: aiops portfolio sites.csv --scenario ssp585 --year 2090 --out results.csv
    """
    wait = watch or not no_wait
    if out is not None:
        _refuse_place(out, file, wait=wait, force=force)
    asked = read_portfolio(file)
    options = {
        "risk_types": risk or None,
        "scenario": scenario,
        "target_year": year and value_of(year),
        "insurance_rate": insurance_rate and value_of(insurance_rate),
        "notify": {"webhook": webhook, "email": email} if webhook or email else None,
    }
    params = {**asked.params, **{name: value for name, value in options.items() if value is not None}}
    for note in asked.notes:
        errors.print(f"  note: {note}", markup=False, soft_wrap=True)
    with database() as connection:
        batch_id = _ask(connection, asked, params)
        if not wait:
            show({"batch_id": batch_id}, as_json, lambda: say(str(batch_id)))
            say_if_nobody_computes(connection)
            return
        row = follow(connection, batch_id, quiet=as_json)
        sites = fetch_portfolio_results(connection, batch_id)
        synthetic = synthetic_cells(connection, [site["grid_id"] for site in sites])
        report = report_of(connection, row, sites)
    # Before the report, whose reader may leave in its midst. A failure is told after it.
    failure = None if out is None else _failure_to_write(out, sites, synthetic, force=force)
    show(report.as_json(), as_json, lambda: render(report, worst))
    if failure is not None:
        raise type(failure)(f"{failure}; batch {batch_id} keeps the results: aiops report portfolio {batch_id}")
    if out is not None and not as_json:
        say(f"One line per site: {out}")


def _ask(connection: Connection, asked: PortfolioFile, params: dict[str, Any]) -> UUID:
    try:
        return create_batch_job(connection, JOB_TYPE, params)
    except psycopg.errors.InvalidParameterValue as error:
        field, said = error.diag.column_name, error.diag.message_primary
        if field is None or said is None or not field.startswith("sites"):
            raise
        raise BadInput(asked.where(field, said)) from error


def _refuse_place(out: Path, sites: Path, *, wait: bool, force: bool) -> None:
    """Before anything is asked: what was computed should not be lost for want of a folder."""
    if not wait:
        raise BadInput("--out: not with --no-wait; allowed: one of them, as there are no results to write yet")
    if out.exists() and sites.exists() and out.samefile(sites):
        raise BadInput(f"--out: {out} is the file of the sites itself; allowed: another file")
    refuse_place(out, force=force)


def _failure_to_write(
    out: Path, sites: Sequence[dict[str, Any]], synthetic: Collection[int], *, force: bool
) -> BadInput | CannotWrite | None:
    try:
        _write(out, sites, synthetic, force=force)
    except (BadInput, CannotWrite) as error:
        return error
    return None


def _write(out: Path, sites: Sequence[dict[str, Any]], synthetic: Collection[int], *, force: bool) -> None:
    with write_whole(out, force=force) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.DictWriter(stream, [*sites[0], "synthetic"])
        rows.writeheader()
        rows.writerows({**site, "synthetic": "true" if site["grid_id"] in synthetic else "false"} for site in sites)
