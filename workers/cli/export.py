"""`aiops export`: results as CSV, Parquet, GeoJSON or NetCDF."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.climate import PROJECTIONS, SCENARIOS
from aiops.errors import BadInput
from aiops.export.grid_netcdf import write_grid
from aiops.export.parquet import write_parquet
from aiops.export.points_netcdf import write_points
from aiops.export.rows import Selection, blocks, snapshot, synthetic_cells_of
from aiops.export.texts import write_csv, write_geojson
from workers.cli.arguments import Horizons, Risks, Scenarios, find_risk_type
from workers.cli.connection import database
from workers.cli.output import SYNTHETIC, say
from workers.cli.whole_file import refuse_place, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from aiops.db.connect import Connection

app = typer.Typer(
    help="Write results to a file: CSV, Parquet, GeoJSON or NetCDF. Columns are named as those of the views.",
    no_args_is_help=True,
)


class Format(StrEnum):
    """Of the file."""

    CSV = "csv"
    PARQUET = "parquet"
    GEOJSON = "geojson"
    NETCDF = "netcdf"


Out = Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to.")]
As = Annotated[
    Format | None,
    typer.Option(
        "--format", metavar="FORMAT", help="csv, parquet, geojson or netcdf. Default: by the file's ending, or csv."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Box = Annotated[str | None, typer.Option("--bbox", metavar="W,S,E,N", help="Only within these degrees.")]


ENDINGS = {
    ".csv": Format.CSV,
    ".parquet": Format.PARQUET,
    ".geojson": Format.GEOJSON,
    ".json": Format.GEOJSON,
    ".nc": Format.NETCDF,
}
"""What the ending of a file's name says of it."""

ABOUT = {
    "probability": """P(H) of cells: bins, base damage rates, average annual loss with its interval.

    Example: aiops export probability --risk typhoon --format parquet -o typhoon.parquet
    """,
    "hazard": """Hazard scores of cells, with their levels.

    Example: aiops export hazard --scenario ssp585 --horizon 2090s --format netcdf -o hazard.nc
    """,
    "risk": """Risks of places, by the runs that speak for them.

    Example: aiops export risk --bbox 126,37,128,38 --format geojson -o seoul.geojson
    """,
}


def _add_command(what: str) -> None:
    def export(
        *,
        out: Out,
        as_format: As = None,
        risk: Risks = None,
        scenario: Scenarios = None,
        horizon: Horizons = None,
        bbox: Box = None,
        force: Force = False,
    ) -> None:
        _export(what, out, _format_of(out, as_format), risk, scenario, horizon, bbox, force)

    app.command(what, help=ABOUT[what])(export)


for _what in ABOUT:
    _add_command(_what)


def _export(
    what: str,
    out: Path,
    as_format: Format,
    risks: list[str] | None,
    scenarios: list[str] | None,
    horizons: list[str] | None,
    bbox: str | None,
    force: bool,
) -> None:
    known = list(dict.fromkeys(one.horizon for one in PROJECTIONS))
    _refuse_unknown("scenario", scenarios, SCENARIOS)
    _refuse_unknown("horizon", horizons, known)
    box = _box(bbox)
    refuse_place(out, force=force)
    with database() as connection:
        names = [find_risk_type(connection, one) for one in risks] if risks else None
        selection = Selection(what, names, scenarios or None, horizons or None, box)
        with write_whole(out, force=force) as unfinished, snapshot(connection):
            synthetic = synthetic_cells_of(connection, selection)
            n, of_what = _write(unfinished, as_format, connection, selection, synthetic)
    say(f"Written: {out} ({n:,} {of_what}, {out.stat().st_size / 1e6:.1f} MB)")
    if synthetic:
        say(SYNTHETIC)


def _format_of(out: Path, given: Format | None) -> Format:
    by_name = ENDINGS.get(out.suffix.lower())
    if given is not None and by_name not in (None, given):
        raise BadInput(f"--format: {given} for {out}, whose ending says {by_name}; allowed: {by_name}, or another name")
    return given or by_name or Format.CSV


def _write(
    file: Path, as_format: Format, connection: Connection, selection: Selection, synthetic: Collection[int]
) -> tuple[int, str]:
    if as_format is Format.NETCDF and selection.of_cells:
        return write_grid(file, connection, selection), "cells"
    rows = blocks(connection, selection)
    match as_format:
        case Format.CSV:
            return write_csv(file, selection, rows, synthetic), "rows"
        case Format.PARQUET:
            return write_parquet(file, selection, rows, synthetic), "rows"
        case Format.GEOJSON:
            return write_geojson(file, selection, rows, synthetic), "features"
        case Format.NETCDF:
            return write_points(file, connection, selection, rows), "rows"


def _refuse_unknown(option: str, given: Sequence[str] | None, allowed: Sequence[str]) -> None:
    for one in given or ():
        if one not in allowed:
            raise BadInput(f"--{option}: {one!r}; allowed: {', '.join(allowed)}")


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (124.5 <= west <= east <= 132 and 33 <= south <= north <= 39):
        raise BadInput(f"--bbox: {text!r}; allowed: west,south,east,north within 124.5 to 132.0 E and 33.0 to 39.0 N")
    return west, south, east, north
