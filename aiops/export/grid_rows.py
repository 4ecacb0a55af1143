"""Rows of a grid of results, from packed arrays: what is held in memory is one row with all its projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from psycopg.rows import dict_row

from aiops.climate import PROJECTIONS
from aiops.db.statements import statement
from aiops.export.netcdf import FILL
from aiops.grid import FRAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.export.rows import Selection

_N: Final = len(PROJECTIONS)
_HEAD: Final = 20
"""Bytes before the elements of an array as the server sends it; each is its length (4 bytes), then its value."""
_CELLS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the file."""

    name: str
    sent_as: str
    """The column that it comes in."""
    kind: str
    """Of an element as it is sent: `>f8`, `>i2`; empty: a single value of the cell."""
    fill: float
    dtype: type
    bins: str = ""
    """`bin` or `edge`, where it has a value for each."""
    missing: int | None = None
    """What stands for missing among the codes that are sent."""


PROBABILITY: Final = (
    Variable("aal", "aal", ">f8", FILL, np.float64),
    Variable("aal_low", "aal_low", ">f8", FILL, np.float64),
    Variable("aal_high", "aal_high", ">f8", FILL, np.float64),
    Variable("bin_probabilities", "probabilities", ">f8", FILL, np.float64, "bin"),
    Variable("bin_base_damage_rates", "damage_rates", ">f8", FILL, np.float64, "bin"),
    Variable("bin_edges", "bin_edges", ">f8", FILL, np.float64, "edge"),
    Variable("estimator", "estimator", ">i2", 0, np.int8, missing=0),
    Variable("n_years", "n_years", ">i2", -1, np.int16, missing=-1),
    Variable("status", "status", ">i2", 0, np.int8, missing=0),
    Variable("reach", "reach", "", FILL, np.float64),
    Variable("is_default", "is_default", "", -1, np.int8),
)
HAZARD: Final = (
    Variable("hazard_score_100", "score", ">f8", FILL, np.float64),
    Variable("coverage", "coverage", ">f8", FILL, np.float64),
    Variable("status", "status", ">i2", 0, np.int8, missing=0),
)


@dataclass(frozen=True, slots=True)
class Grid:
    """What the file's axes are."""

    risk_types: list[str]
    projections: list[int]
    """Places in PROJECTIONS."""
    rows: NDArray[np.int64]
    """From the south, in the frame."""
    west: int
    """First column in the frame."""
    columns: int
    bins: int

    def shape(self, bins: str) -> tuple[int, ...]:
        """Of a row of the grid with all risks and projections."""
        middle = {"": (), "bin": (self.bins,), "edge": (self.bins - 1,)}[bins]
        return (len(self.risk_types), len(self.projections), *middle, self.columns)


def grid_rows(
    connection: Connection, selection: Selection, grid: Grid, variables: tuple[Variable, ...], cells: list[int]
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Row by row of the grid that has a cell: its place, and by variable (risks, projections, …, columns)."""
    query = statement("export_packed_hazard") if selection.what == "hazard" else statement("export_packed_probability")
    risk_at = {name: place for place, name in enumerate(grid.risk_types)}
    values: dict[str, NDArray[Any]] = {}
    current: int | None = None
    with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        for first in range(0, len(cells), _CELLS_AT_ONCE):
            cursor.execute(query, {**selection.parameters, "grid_ids": cells[first : first + _CELLS_AT_ONCE]})
            for sent in cursor:
                row, column = divmod(sent["grid_id"] - 1, FRAME.columns)
                if row != current:
                    if current is not None:
                        yield current - int(grid.rows[0]), values
                    current, values = row, _empty(grid, variables)
                for variable in variables:
                    _put(values[variable.name], variable, sent, (risk_at[sent["risk_type"]], column - grid.west), grid)
    if current is not None:
        yield current - int(grid.rows[0]), values


def _empty(grid: Grid, variables: tuple[Variable, ...]) -> dict[str, NDArray[Any]]:
    return {one.name: np.full(grid.shape(one.bins), one.fill, dtype=one.dtype) for one in variables}


def _put(into: NDArray[Any], variable: Variable, sent: dict[str, Any], at: tuple[int, int], grid: Grid) -> None:
    """The values of one cell and risk; only those of projections that the cell has results of."""
    risk, column = at
    has_result = _elements(sent["status"], ">i2")[grid.projections] != 0
    if not variable.kind:
        value = sent[variable.sent_as]
        if value is not None and not (isinstance(value, float) and np.isnan(value)):
            into[risk, has_result, column] = value
        return
    found = _elements(sent[variable.sent_as], variable.kind)
    if variable.bins:
        width = sent["n_bins"] - (variable.bins == "edge")
        found = np.broadcast_to(found.reshape(-1, width), (_N, width))[grid.projections]
        known = has_result[:, None] & ~np.isnan(found)
        into[risk, :, :width, column][known] = found[known]
        return
    found = found[grid.projections]
    known = has_result & (~np.isnan(found) if variable.missing is None else found != variable.missing)
    into[risk, known, column] = found[known]


def _elements(sent: bytes, kind: str) -> NDArray[Any]:
    return np.frombuffer(sent, dtype=np.dtype([("length", ">i4"), ("value", kind)]), offset=_HEAD)["value"]
