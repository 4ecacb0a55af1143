"""Blocks: the yearly series of a range of cells, read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Block
from aiops.db.block_inputs import Inputs, axis_of_years, read_inputs
from aiops.db.packing import PACKED
from aiops.db.statements import statement
from aiops.grid import latitude_of, longitude_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

ATTRIBUTES = (
    "elevation_m",
    "slope",
    "coast_distance_m",
    "river_distance_m",
    "river_elevation_m",
    "forest_distance_m",
    "impervious_ratio",
    "crest_m",
)
"""Columns of `location_grid` that a block carries."""


def read_block(
    connection: Connection,
    variables: Sequence[str],
    first_grid_id: int,
    last_grid_id: int,
    *,
    cells: Sequence[int] | None = None,
) -> Block:
    """Read the cells with climate data of a range.

    One statement for the cells and one for all their series, which the server strings together where they are of equal
    shape, so that no Python object is made per cell; and three small ones for the warming of the globe and the tides.
    The axis of years spans the series, and the warming and rise between 1991 and 2100.

    Args:
        connection: the caller's.
        variables: yearly variables; one without a row in a cell is NaN there.
        first_grid_id: first cell of the range.
        last_grid_id: last cell of the range, inclusive.
        cells: only these cells of the range; None: all.
    """
    where = {
        "first": first_grid_id,
        "last": last_grid_id,
        "cells": None if cells is None else list(cells),
    }
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement("read_block_cells"), where)
        rows = cursor.fetchall()
        grid_ids = np.array([row[0] for row in rows], dtype=np.int32)
        table = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), len(ATTRIBUTES))
        cursor.execute(statement("read_block_series"), {**where, "variables": list(variables)})
        pieces = cursor.fetchall()
        inputs = read_inputs(cursor)
    attributes = {name: table[:, place].copy() for place, name in enumerate(ATTRIBUTES)}
    return _assemble(grid_ids, variables, pieces, attributes, inputs)


def _assemble(
    grid_ids: NDArray[np.int32],
    variables: Sequence[str],
    pieces: Sequence[tuple[str, str, int, int, bytes, bytes]],
    attributes: dict[str, NDArray[np.float64]],
    inputs: Inputs,
) -> Block:
    """Put the pieces (variable, scenario, first year, years, cells, values) on one axis of years."""
    n_cells = grid_ids.size
    years = axis_of_years(
        inputs.years() if n_cells else [],
        (year for piece in pieces for year in (piece[2], piece[2] + piece[3] - 1)),
    )
    present = np.zeros((len(SCENARIOS), n_cells), dtype=np.bool_)
    # A cell's years lie side by side, as they are stored and as they are computed on; the axes are those of `Block`.
    by_cell = {variable: np.full((len(SCENARIOS), n_cells, years.size), np.nan) for variable in variables}
    values = {variable: array.transpose(0, 2, 1) for variable, array in by_cell.items()}
    beginning = {
        variable: np.full((len(SCENARIOS), n_cells), np.iinfo(np.int32).max, dtype=np.int32) for variable in variables
    }
    for variable, scenario, first_year, n_years, packed_ids, packed_values in pieces:
        s = SCENARIOS.index(scenario)
        columns = np.searchsorted(grid_ids, np.frombuffer(packed_ids, dtype=">i4"))
        series = np.frombuffer(packed_values, dtype=PACKED).reshape(columns.size, n_years)
        row = first_year - int(years[0])
        by_cell[variable][s, columns, row : row + n_years] = series
        beginning[variable][s, columns] = first_year
        present[s, columns] = True
    for variable in variables:
        _put_history_in_front(values[variable], beginning[variable], years)
    return Block(
        grid_ids,
        years,
        values,
        present,
        attributes,
        warming=inputs.warming_on(years),
        warming_is_regional=inputs.warming_is_regional,
        tides=inputs.tides_on(years, latitude_of(grid_ids), longitude_of(grid_ids), attributes["coast_distance_m"]),
    )


def _put_history_in_front(values: NDArray[np.float64], beginning: NDArray[np.int32], years: NDArray[np.int32]) -> None:
    """Fill the years before a scenario's first with the historical rows, in place."""
    history = values[0]
    for s in range(1, len(SCENARIOS)):
        has_own = beginning[s] != np.iinfo(np.int32).max
        before = (years[:, np.newaxis] < beginning[s][np.newaxis, :]) & has_own
        np.copyto(values[s], history, where=before)
