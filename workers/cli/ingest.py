"""`aiops ingest`: files into climate data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from aiops.ingest.load import load_asos, load_long_csv, load_place_csv
from aiops.ingest.load_sample import load_sample
from aiops.ingest.place_csv import parse_columns, parse_place
from workers.cli.connection import database
from workers.cli.output import Json, errors, say, show

if TYPE_CHECKING:
    from aiops.ingest.report import IngestReport

app = typer.Typer(help="Load climate data from files, or the synthetic sample.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV, plain or .gz.", show_default=False)]


@app.command()
def asos(
    file: File,
    stations: Annotated[Path, typer.Option(help="CSV with station_id, name, latitude, longitude.")],
    as_json: Json = False,
) -> None:
    """Daily observations of the Korean ASOS stations, and the yearly indicators that follow from them.

    Example: aiops ingest asos asos_daily.csv.gz --stations asos_stations.csv
    """
    with database() as connection:
        _print(load_asos(connection, file, stations), as_json)


@app.command()
def csv(file: File, as_json: Json = False) -> None:
    """A long CSV: variable, scenario, date, value, and grid_id or latitude and longitude.

    Example: aiops ingest csv indicators.csv
    """
    with database() as connection:
        _print(load_long_csv(connection, file), as_json)


@app.command()
def place(
    file: File,
    at: Annotated[str, typer.Option("--place", metavar="LAT,LON", help="Where it was measured, in degrees.")],
    columns: Annotated[
        str, typer.Option(metavar="NAME=COLUMN,…", help="Which column holds which variable: tasmax=tmax,pr=rainfall")
    ],
    scenario: Annotated[str, typer.Option(help="historical, ssp126, ssp245, ssp370 or ssp585.")] = "historical",
    as_json: Json = False,
) -> None:
    """A daily CSV of one place, and the yearly indicators that follow from it.

    Example: aiops ingest place jeonju.csv --place 35.841,127.117 --columns tasmax=tmax,tasmin=tmin,pr=rainfall
    """
    latitude, longitude = parse_place(at)
    mapping = parse_columns(columns)
    with database() as connection:
        _print(load_place_csv(connection, file, latitude, longitude, mapping, scenario), as_json)


@app.command()
def sample(as_json: Json = False) -> None:
    """The SYNTHETIC sample: Korean weather from a generator, 1991 to 2100, for trying things out.

    Example: aiops ingest sample
    """
    with (
        database() as connection,
        Progress(console=errors, disable=as_json or not errors.is_terminal) as bar,
    ):
        task = bar.add_task("generating synthetic weather", total=1.0)
        loaded = load_sample(connection, lambda share: bar.update(task, completed=share))
    show(
        loaded.as_dict(),
        as_json,
        lambda: say(
            f"Synthetic sample: {loaded.cells:,} cells, {loaded.first_year} to {loaded.last_year}; "
            f"{loaded.series_inserted:,} series new, {loaded.series_updated:,} changed, "
            f"{loaded.series_unchanged:,} as they were ({loaded.seconds:.1f} s)."
        ),
    )


def _print(report: IngestReport, as_json: bool) -> None:
    def lines() -> None:
        for line in report.lines():
            say(line)

    show(report.as_dict(), as_json, lines)
