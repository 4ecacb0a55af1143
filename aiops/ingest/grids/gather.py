"""From what was typed to files that have been looked at, and to loads: one for each variable, scenario and cadence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.errors import FileRefused
from aiops.ingest.grids.agree import Meaning, meaning_of
from aiops.ingest.grids.asc import scan_asc
from aiops.ingest.grids.netcdf import scan_netcdf
from aiops.ingest.grids.quantities import quantity_of, variable_at
from aiops.ingest.grids.report import with_files
from aiops.ingest.grids.source import GridFile, Stamp
from aiops.ingest.grids.steps import cadence_of_days, check_calendar
from aiops.ingest.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aiops.ingest.grids.options import GridOptions
    from aiops.ingest.variables import Variable

_ENDINGS = {"netcdf": (".nc", ".nc4", ".cdf", ".netcdf"), "asc": (".asc", ".asc.gz")}
_PIECE = 1 << 22


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one load, by time."""

    variable: Variable
    scenario: str
    files: tuple[GridFile, ...]
    notes: tuple[str, ...] = ()
    """What files say against what they are taken for."""


def find_files(given: Iterable[str | Path], kind: str) -> list[Path]:
    """The files that paths, folders and patterns name, each once.

    Raises:
        FileRefused: nothing is there.
    """
    found: dict[Path, Path] = {}
    for one in given:
        path = Path(one)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and p.name.lower().endswith(_ENDINGS[kind]))
            if not inside:
                raise FileRefused(f"{path}: the folder has no file ending in {' '.join(_ENDINGS[kind])}")
        elif path.exists():
            if not path.is_file():
                raise FileRefused(f"{path}: is not a regular file")
            inside = [path]
        else:
            inside = sorted(p for p in map(Path, glob(str(one))) if p.is_file())  # noqa: PTH207  absolute ones, too
            if not inside:
                raise FileRefused(f"{path}: no such file")
        for file in inside:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def scan_files(paths: Sequence[Path], options: GridOptions, tell: Callable[[float], None]) -> list[GridFile]:
    """Hash files and look at each.

    Args:
        paths: the files.
        options: what was said about them.
        tell: called with the share that is done.

    Raises:
        FileRefused: one cannot be used.
    """
    if options.date is not None and len(paths) > 1:
        raise FileRefused(f"--date: {options.date} for {len(paths):,} files; allowed: one file, or dates in the names")
    variable = options.variable
    quantity = quantity_of(variable.name) if variable else None
    total = sum(path.stat().st_size for path in paths) or 1
    read = 0
    files: list[GridFile] = []
    for path in paths:
        stamp = _stamp(path, partial(_tell_share, tell, read, total))
        read += stamp.size
        if options.kind == "netcdf":
            file = scan_netcdf(path, stamp, options.source_name, quantity)
        else:
            file = scan_asc(path, stamp, options.date, variable.cadence if variable else None)
        # Thousands of files have one grid: it is held once.
        files.append(replace(file, grid=files[0].grid) if files and file.grid.same_as(files[0].grid) else file)
    return files


def sort_into_loads(files: Sequence[GridFile], options: GridOptions) -> list[FileSet]:
    """What belongs together, in the order of the variables and scenarios.

    Raises:
        FileRefused: a file contradicts itself, its name or the options.
    """
    meanings = [(file, meaning_of(file, options)) for file in files]
    notes = {file.path: meaning.notes for file, meaning in meanings}
    groups: dict[tuple[str, str, Cadence], list[GridFile]] = {}
    single: dict[tuple[str, str], list[GridFile]] = {}
    for file, meaning in meanings:
        if meaning.cadence is None:
            single.setdefault((meaning.quantity, meaning.scenario), []).append(file)
        else:
            groups.setdefault((meaning.quantity, meaning.scenario, meaning.cadence), []).append(file)
    for (quantity, scenario), lone in single.items():
        cadence = _cadence_together(quantity, lone, options)
        groups.setdefault((quantity, scenario, cadence), []).extend(lone)
    loads = []
    for (quantity, scenario, cadence), members in sorted(groups.items()):
        of_all = with_files((file.path, notes[file.path]) for file in members)
        loads.append(_set(Meaning(quantity, scenario, cadence, of_all), members, options))
    return loads


def _set(meaning: Meaning, members: list[GridFile], options: GridOptions) -> FileSet:
    cadence = meaning.cadence
    if cadence is None:
        raise AssertionError("a load has a cadence")
    first = members[0]
    variable = options.variable or variable_at(meaning.quantity, cadence, f"{first.path}: time")
    if variable.cadence is not cadence:
        raise FileRefused(f"{first.path}: time: has {cadence} steps; {variable.name} is {variable.cadence}")
    for file in members:
        check_calendar(file.steps.calendar, cadence, file.path, "time")
        if file.grid is not first.grid and not file.grid.same_as(first.grid):
            raise FileRefused(f"{file.path}: the grid is another than that of {first.path}; allowed: load them apart")
    by_time = sorted(members, key=lambda file: int(file.steps.places(cadence)[0]))
    return FileSet(variable, meaning.scenario, tuple(by_time), meaning.notes)


def _cadence_together(quantity: str, files: Sequence[GridFile], options: GridOptions) -> Cadence:
    """How often files of one step each have a value, taken together."""
    days = np.sort(np.concatenate([file.steps.places(Cadence.DAILY) for file in files]))
    found = cadence_of_days(days)
    if found is not None:
        return found
    if options.variable is not None:
        return options.variable.cadence
    possible = {variable.cadence for variable in VARIABLES if quantity_of(variable.name) == quantity}
    if len(possible) == 1:
        return possible.pop()
    raise FileRefused(
        f"{files[0].path}: time: a single step without bounds does not say how long it lasts; allowed: time bounds, an "
        "attribute frequency (day, mon, yr), or --variable"
    )


def _tell_share(tell: Callable[[float], None], before: int, total: int, size: int) -> None:
    tell((before + size) / total)


def _stamp(path: Path, tell: Callable[[int], None]) -> Stamp:
    try:
        with path.open("rb") as file:
            before = path.stat()
            digest, size = hashlib.sha256(), 0
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                tell(size)
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror or error})") from None
    if size == 0:
        raise FileRefused(f"{path}: is empty")
    return Stamp(digest.hexdigest(), before.st_size, before.st_mtime_ns)
