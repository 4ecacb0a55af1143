"""`aiops ingest netcdf`, `aiops ingest asc`: gridded files of any size."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from aiops.db.connect import connect
from aiops.ingest.grids.load import load_grids
from aiops.ingest.grids.options import grid_options
from workers.cli.connection import database
from workers.cli.output import Json, errors, say, show, told_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiops.ingest.grids.options import GridOptions

Files = Annotated[list[str], typer.Argument(help="Files, folders, or patterns in quotes.", show_default=False)]
Variable = Annotated[
    str | None, typer.Option(help="Which variable it is, by a name of docs/ingest.md. Default: as the files say.")
]
Scenario = Annotated[
    str | None,
    typer.Option(help="historical, ssp126, ssp245, ssp370 or ssp585. Default: as the names or attributes say."),
]
MaxDistance = Annotated[
    float | None,
    typer.Option(
        metavar="KM",
        help="How far a cell may be from the point that it takes its values from. Default: 0.75 of the grid's spacing.",
        show_default=False,
    ),
]
Again = Annotated[
    bool,
    typer.Option("--again", help="Load what is loaded already once more, as after another load has written over it."),
]
Memory = Annotated[
    float | None, typer.Option(metavar="MB", help="What may be held in memory. Default: 512.", show_default=False)
]
Scratch = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="For data that have to be turned on disk. Default: the system's.", show_default=False
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]

_TENTHS = 10


def netcdf(
    files: Files,
    *,
    variable: Variable = None,
    source_name: Annotated[
        str | None, typer.Option(metavar="VAR", help="Which variable of the files, where they have several.")
    ] = None,
    scenario: Scenario = None,
    units: Annotated[str | None, typer.Option(help="Units of files that have none, such as K or 'kg m-2 s-1'.")] = None,
    max_distance: MaxDistance = None,
    again: Again = False,
    memory: Memory = None,
    scratch: Scratch = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Gridded NetCDF files by the CF conventions, of any size and number; what was begun is gone on with.

    Example: aiops ingest netcdf AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc
    """
    options = grid_options(
        "netcdf",
        variable=variable,
        source_name=source_name,
        scenario=scenario,
        units=units,
        max_distance_km=max_distance,
        again=again,
        memory_mb=memory,
        scratch=scratch,
    )
    _load(files, options, quiet=quiet, as_json=as_json)


def asc(
    files: Files,
    *,
    variable: Variable = None,
    scenario: Scenario = None,
    date: Annotated[
        str | None, typer.Option(metavar="YYYY[-MM[-DD]]", help="Of the file's first step. Default: as the name says.")
    ] = None,
    units: Annotated[str | None, typer.Option(help="Units of the files. Default: those of the variable.")] = None,
    max_distance: MaxDistance = None,
    again: Again = False,
    memory: Memory = None,
    scratch: Scratch = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """ESRI ASCII grids, plain or .gz: one step, or consecutive ones below each other.

    Example: aiops ingest asc ta_20210101.asc --variable tas --scenario historical --date 2021-01-01
    """
    options = grid_options(
        "asc",
        variable=variable,
        scenario=scenario,
        units=units,
        max_distance_km=max_distance,
        date=date,
        again=again,
        memory_mb=memory,
        scratch=scratch,
    )
    _load(files, options, quiet=quiet, as_json=as_json)


def _load(files: list[str], options: GridOptions, *, quiet: bool, as_json: bool) -> None:
    with database():
        pass  # the schema is up to date; a load holds a lock of its session, so it goes past a pooler
    with connect("ingest", direct=True, autocommit=True) as connection, _progress(quiet or as_json) as tell:
        reports = load_grids(connection, files, options, tell)

    def lines() -> None:
        for report in reports:
            for line in report.lines():
                say(line)

    show([report.as_dict() for report in reports], as_json, lines)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal; else a line at every tenth."""
    if not quiet and not errors.is_terminal:
        yield _Lines().tell
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=quiet,
    )
    with bar:
        yield told_by(bar)


class _Lines:
    """Says how far something is, ten times at most."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}

    def tell(self, what: str, share: float) -> None:
        tenth = int(share * _TENTHS)
        if tenth > self._said.get(what, 0):
            self._said[what] = tenth
            errors.print(f"{what}: {tenth * _TENTHS} %", markup=False, soft_wrap=True)
