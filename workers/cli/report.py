"""`aiops report`: one self-contained HTML page for a place, a portfolio or a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aiops.assess.loss import rates_of_use
from aiops.climate import DECADES, SCENARIOS
from aiops.errors import BadInput
from aiops.report.batch import batch_page
from aiops.report.place import place_page
from aiops.report.portfolio import portfolio_page
from aiops.settings import settings
from workers.cli.arguments import BatchId, Latitude, Longitude, degrees, find_batch, value_of
from workers.cli.connection import database
from workers.cli.output import say
from workers.cli.whole_file import refuse_place, write_whole

app = typer.Typer(
    help="An HTML page to read, print or send: of a place, a portfolio or a yearly batch. It needs no network.",
    no_args_is_help=True,
)

Out = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where to. Default: a name of its own, here.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Language = Annotated[str, typer.Option(help="Shown first: en or ko. The page holds both.")]


@app.command()
def place(
    *,
    latitude: Latitude,
    longitude: Longitude,
    scenario: Annotated[
        str | None, typer.Option(help="historical, ssp126, ssp245, ssp370, ssp585. Default: as last answered.")
    ] = None,
    year: Annotated[
        str | None, typer.Option(help="Any year of the decade that is meant. Default: as last answered.")
    ] = None,
    out: Out = None,
    force: Force = False,
    language: Language = "en",
) -> None:
    """The risk of one place, from the run that speaks for it (aiops request makes one).

    Example: aiops report place 37.5665 126.978 -o seoul.html --language ko
    """
    where = degrees("latitude", latitude), degrees("longitude", longitude)
    if scenario is not None and scenario not in SCENARIOS:
        raise BadInput(f"scenario: {scenario!r}; allowed: {', '.join(SCENARIOS)}")
    file = out or Path(f"aiops-place-{where[0]:.7g}-{where[1]:.7g}.html")
    refuse_place(file, force=force)
    with database() as connection:
        page = place_page(
            connection, *where, scenario=scenario, target_year=_decade(year), language=language,
            zone=settings().timezone, rates_of_use=rates_of_use,
        )  # fmt: skip
    _keep(file, page, force=force)


@app.command()
def portfolio(*, batch_id: BatchId, out: Out = None, force: Force = False, language: Language = "en") -> None:
    """A portfolio: totals, losses by risk, the sites worst hit, and a map.

    Example: aiops report portfolio 0b0e3c5e-3a52-4f6b-9a55-2f9c0f6c2d11 -o portfolio.html
    """
    with database() as connection:
        number = find_batch(connection, batch_id)
        file = out or Path(f"aiops-portfolio-{number}.html")
        refuse_place(file, force=force)
        page = portfolio_page(connection, number, language=language, zone=settings().timezone)
    _keep(file, page, force=force)


@app.command()
def batch(*, batch_id: BatchId, out: Out = None, force: Force = False, language: Language = "en") -> None:
    """A yearly batch: what it did, what came out by risk, and a map by risk, scenario and decade.

    Example: aiops report batch 7d1f2c8e-8f0f-4c39-9a2e-0d2c1a4b5e6f -o batch.html
    """
    with database() as connection:
        number = find_batch(connection, batch_id)
        file = out or Path(f"aiops-batch-{number}.html")
        refuse_place(file, force=force)
        page = batch_page(connection, number, language=language, zone=settings().timezone)
    _keep(file, page, force=force)


def _decade(year: str | None) -> int | None:
    if year is None:
        return None
    value = value_of(year)
    if isinstance(value, bool) or not isinstance(value, int) or not DECADES[0] <= value <= DECADES[-1] + 10:
        raise BadInput(f"year: {year!r}; allowed: a year, {DECADES[0]} to {DECADES[-1] + 10}")
    return min(value // 10 * 10, DECADES[-1])


def _keep(file: Path, page: str, *, force: bool) -> None:
    with write_whole(file, force=force) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    say(f"Written: {file} ({file.stat().st_size / 1e6:.1f} MB)")
