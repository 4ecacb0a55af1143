"""A load that has been judged as far as it can be without reading everything: what is left to refuse are values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import FileRefused
from aiops.grid import latitude_of, longitude_of
from aiops.ingest.grids.conversion import Conversion, conversion_of, doubt_of
from aiops.ingest.grids.geometry import FrameMap, map_to_frame
from aiops.ingest.grids.judge import Judge
from aiops.ingest.grids.plan import Memory, Points, order_points
from aiops.ingest.grids.report import with_files
from aiops.ingest.grids.steps import Axis, axis_of
from aiops.ingest.report import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from aiops.ingest.grids.gather import FileSet
    from aiops.ingest.grids.options import GridOptions
    from aiops.ingest.grids.source import GridFile
    from aiops.ingest.variables import Variable

_SAMPLED_POINTS = 1 << 16
_OPENED_OFTEN = 400
"""Files; to open more of them for every block takes longer than to turn their values on disk."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One load: files, and where each of their values goes."""

    variable: Variable
    scenario: str
    files: tuple[GridFile, ...]
    conversions: tuple[Conversion, ...]
    """By file."""
    axis: Axis
    frame: FrameMap
    points: Points
    place_of_cell: NDArray[np.int64]
    """(cells,): which of `points` each cell of `frame` takes its values from."""
    cheap_passes: bool
    """Parts of the files can be read without the rest."""
    notes: tuple[str, ...]
    """What files say against what they are taken for."""

    @property
    def n_steps(self) -> int:
        """Steps of all files."""
        return sum(file.steps.size for file in self.files)

    def describer(self, file: GridFile, first_step: int, points: range) -> Callable[[int, int], str]:
        """How a value is named in a message, by its step and point."""

        def describe(step: int, point: int) -> str:
            place = points.start + point
            cell = self.frame.grid_ids[int(np.argmax(self.place_of_cell == place))]
            where = f"{float(latitude_of(cell)):.2f} °N {float(longitude_of(cell)):.2f} °E"
            return f"{file.path.name}, {file.steps.label(first_step + step)}, {where}"

        return describe


def prepare(given: FileSet, options: GridOptions) -> Prepared:
    """Find units, axis and places of a load, and judge a few of each file's values.

    Raises:
        FileRefused: units that cannot be used, steps that stand twice, a grid outside the frame, a file whose values
            are not in the units that it says.
    """
    files = given.files
    conversions = tuple(
        conversion_of(given.variable, _units(file, given.variable, options), file.path, file.field) for file in files
    )
    amounts = [
        (file.path, _amounts(file, one, given.variable, options)) for file, one in zip(files, conversions, strict=True)
    ]
    axis = axis_of(given.variable.cadence, [file.steps for file in files], [file.path for file in files])
    frame = map_to_frame(files[0].grid, options.max_distance_km, files[0].path)
    wanted, of_cell = np.unique(frame.points, return_inverse=True)
    points, places = order_points(wanted, files[0].grid.shape[1], files[0].chunks)
    load = Prepared(
        variable=given.variable,
        scenario=given.scenario,
        files=files,
        conversions=conversions,
        axis=axis,
        frame=frame,
        points=points,
        place_of_cell=places[of_cell],
        cheap_passes=options.kind == "netcdf" and len(files) <= _OPENED_OFTEN,
        notes=(*given.notes, *with_files(amounts)),
    )
    _judge_samples(load, options)
    return load


def _units(file: GridFile, variable: Variable, options: GridOptions) -> str | None:
    if options.units is None:
        return variable.unit if options.kind == "asc" and file.units is None else file.units
    if file.units not in (None, "", options.units):
        raise FileRefused(
            f"{file.path}: {printable(file.field)}: units {shortened(file.units or '')!r} in the file, "
            f"--units {options.units!r}; allowed: --units for files without units"
        )
    return options.units


def _amounts(file: GridFile, conversion: Conversion, variable: Variable, options: GridOptions) -> list[str]:
    """Notes on depths of water whose units and cell methods do not fit together, where --variable settles it."""
    doubt = doubt_of(conversion, variable, file.cell_methods)
    if doubt is None:
        return []
    if options.variable is None:
        raise FileRefused(
            f"{file.path}: {printable(file.field)}: {doubt}; allowed: the units of what they are (mm/day of a mean, mm "
            f"of a sum), or --variable {variable.name}, by which the units count"
        )
    return [f"{doubt}; the units count: {conversion}"]


def _judge_samples(load: Prepared, options: GridOptions) -> None:
    """Wrong units are wrong everywhere: a few steps of each file give them away before anything is written."""
    memory = Memory(options.memory_bytes)
    for file, conversion in zip(load.files, load.conversions, strict=True):
        windows = load.points.windows(range(load.points.size), memory.slab, file.reader.itemsize)
        judge, seen = Judge(load.variable), 0
        for points, window in windows:
            numbers = file.reader.sample(window)
            lengths = np.full(numbers.shape[0], float(np.median(file.steps.lengths(load.axis.cadence))))
            judge.values(numbers, conversion, lengths, load.describer(file, 0, points))
            seen += len(points)
            if seen >= _SAMPLED_POINTS:
                break
        wrong = judge.wrong_units()
        if wrong is not None:
            raise FileRefused(
                f"{file.path}: {printable(file.field)}: {wrong}; are the units ({conversion.given}) right?"
            )
