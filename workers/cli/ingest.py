"""`aiops ingest`: files into climate data and the other inputs of the indicators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from aiops.ingest.load import load_asos, load_long_csv, load_place_csv
from aiops.ingest.load_buildings import load_buildings
from aiops.ingest.load_inputs import (
    load_attributes,
    load_gauges,
    load_population,
    load_sea_level,
    load_tracks,
    load_warming,
    load_water,
)
from aiops.ingest.load_sample import load_sample
from aiops.ingest.place_csv import parse_columns, parse_place
from workers.cli import ingest_grids, ingest_wide
from workers.cli.connection import database
from workers.cli.output import Json, errors, say, show

if TYPE_CHECKING:
    from aiops.ingest.input_report import InputReport
    from aiops.ingest.report import IngestReport

app = typer.Typer(help="Load climate data and other inputs from files, or the synthetic sample.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="CSV, plain or .gz.", show_default=False)]


@app.command()
def asos(
    file: File,
    stations: Annotated[Path, typer.Option(help="CSV with station_id, name, latitude, longitude.")],
    as_json: Json = False,
) -> None:
    """Daily observations of the Korean ASOS stations, and all indicators that follow from them.

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
    """A daily CSV of one place, and all indicators that follow from it.

    Example: aiops ingest place jeonju.csv --place 35.841,127.117 --columns tasmax=tmax,tasmin=tmin,pr=rainfall
    """
    latitude, longitude = parse_place(at)
    mapping = parse_columns(columns)
    with database() as connection:
        _print(load_place_csv(connection, file, latitude, longitude, mapping, scenario), as_json)


app.command()(ingest_grids.netcdf)
app.command()(ingest_grids.asc)
app.command()(ingest_wide.wide)


@app.command()
def attributes(file: File, as_json: Json = False) -> None:
    """Attributes of grid cells: what a place is surrounded by, its river basin, its names.

    Columns: grid_id, or latitude and longitude; and any of elevation_m, slope (degrees), coast_distance_m,
    river_distance_m, river_elevation_m, forest_distance_m, impervious_ratio (0 to 1), crest_m, basin_id, admin_code,
    name, name_ko. An empty field leaves what is stored.

    Example: aiops ingest attributes cells.csv
    """
    with database() as connection:
        _print(load_attributes(connection, file), as_json)


@app.command()
def buildings(file: File, as_json: Json = False) -> None:
    """Buildings: where they stand, how they are built, what they are used for.

    Columns: building_id, latitude, longitude; and any of name, floor_area_m2, built_year (or a date), structure,
    floors, basement_floors, use, water_tank, pilotis, in_flood_zone (yes or no). An empty field leaves what is stored.
    The columns and terms of the Korean building register (건축물대장) are understood; coordinates have to be added.

    Example: aiops ingest buildings buildings.csv
    """
    with database() as connection:
        _print(load_buildings(connection, file), as_json)


@app.command()
def population(file: File, as_json: Json = False) -> None:
    """Population by administrative district, which is reported with the risk of a place.

    Columns: admin_code, population; and name, name_ko, population_year if there are. Which district a cell belongs to:
    aiops ingest attributes.

    Example: aiops ingest population population.csv
    """
    with database() as connection:
        _print(load_population(connection, file), as_json)


@app.command()
def tracks(
    file: Annotated[Path, typer.Argument(help="RSMC Tokyo best track file, plain or .gz.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Best tracks of typhoons, and the winds of all cells that follow from them.

    The file is that of the Japan Meteorological Agency, in its fixed columns; it speaks for the whole time that it
    covers. Cells that are loaded later get their winds then.

    Example: aiops ingest tracks bst_all.txt
    """
    with database() as connection:
        _print(load_tracks(connection, file), as_json)


@app.command()
def gauges(file: File, as_json: Json = False) -> None:
    """Tide gauges and the highest water of each year.

    Columns: gauge_id, latitude, longitude, year, level_m; and name, datum_offset_m if there are (the gauge's zero above
    mean sea level at Incheon).

    Example: aiops ingest gauges gauges.csv
    """
    with database() as connection:
        _print(load_gauges(connection, file), as_json)


@app.command()
def sea_level(file: File, as_json: Json = False) -> None:
    """The rise of the sea at tide gauges.

    Columns: gauge_id, scenario, year, rise_m (relative to 1995-2014).

    Example: aiops ingest sea-level rise.csv
    """
    with database() as connection:
        _print(load_sea_level(connection, file), as_json)


@app.command()
def water(file: File, as_json: Json = False) -> None:
    """River flow and water use by basin, and the water stress that follows from them.

    Columns: basin_id; mean_flow_million_m3 (a year, 1991-2020), and scenario, year, withdrawal_million_m3, either or
    both; name if there is. Which basin a cell draws from: aiops ingest attributes.

    Example: aiops ingest water basins.csv
    """
    with database() as connection:
        _print(load_water(connection, file), as_json)


@app.command()
def warming(
    file: File,
    regional: Annotated[bool, typer.Option("--regional", help="The warming is Korea's own, not the globe's.")] = False,
    as_json: Json = False,
) -> None:
    """Warming by scenario and year: what the winds of typhoons grow with.

    Columns: scenario, year, warming_k (relative to 1991-2020).

    Example: aiops ingest warming global_warming.csv
    """
    with database() as connection:
        _print(load_warming(connection, file, regional=regional), as_json)


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
            + (f" {loaded.series_left_out:,} were left out: real ones are stored." if loaded.series_left_out else "")
        ),
    )


def _print(report: IngestReport | InputReport, as_json: bool) -> None:
    def lines() -> None:
        for line in report.lines():
            say(line)

    show(report.as_dict(), as_json, lines)
