"""Results of cells as a NetCDF grid: risk type × projection × latitude × longitude.

The file is filled row by row of the grid, from the south.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psycopg.rows import dict_row

from aiops.climate import PROJECTIONS
from aiops.db.reports import read_risk_names
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.export.columns import TABLES
from aiops.export.grid_rows import HAZARD, PROBABILITY, Grid, Variable, grid_rows
from aiops.export.netcdf import describe, flag_attributes, open_netcdf, text_variable
from aiops.export.rows import cells_of
from aiops.grid import FRAME, latitude_of, longitude_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.export.rows import Selection


def write_grid(file: Path, connection: Connection, selection: Selection) -> int:
    """A CF grid of Hazard scores or P(H); returns how many cells.

    Missing is `_FillValue`. `reason`, `input_hash`, `batch_id` and `calculated_at` are left out: a grid has no room for
    texts; the views and the other formats have them.

    Raises:
        BadInput: there is no result, or the extra `netcdf` is not installed.
    """
    cells = cells_of(connection, selection)
    if not cells:
        raise BadInput(f"export: there are no {selection.what} results of what was asked for; aiops run computes them")
    grid, stamps = _grid(connection, selection, np.array(cells, dtype=np.int64))
    variables = HAZARD if selection.what == "hazard" else PROBABILITY
    with open_netcdf(file) as out:
        what = "Hazard scores" if selection.what == "hazard" else "Probability of intensity bins, P(H), and base losses"
        describe(out, connection, selection, f"{what} of physical climate risks in Korea")
        out.attrs.update(stamps)
        _axes(out, grid)
        for variable in variables:
            _declare(out, variable, selection, grid)
        for row, values in grid_rows(connection, selection, grid, variables, cells):
            for variable in variables:
                out.variables[variable.name][..., row, :] = values[variable.name]
    return len(cells)


def _grid(connection: Connection, selection: Selection, cells: NDArray[np.int64]) -> tuple[Grid, dict[str, str]]:
    rows, columns = np.divmod(cells - 1, FRAME.columns)
    names = [row["risk_type"] for row in read_risk_names(connection)]
    wanted = [
        place
        for place, one in enumerate(PROJECTIONS)
        if (selection.scenarios is None or one.scenario in selection.scenarios)
        and (selection.horizons is None or one.horizon in selection.horizons)
    ]
    if not wanted:
        raise BadInput(
            "export: no horizon of these scenarios; allowed: baseline of historical, 2020s … 2090s of the others"
        )
    with connection.cursor(row_factory=dict_row) as cursor:
        common = cursor.execute(statement("export_bins"), selection.parameters).fetchone() or {}
    stamps = {
        name: " ".join(str(one) for one in common[name] if one is not None)
        for name in ("damage_sets", "method_versions", "baselines")
        if selection.what == "probability" and common.get(name)
    }
    grid = Grid(
        risk_types=[name for name in names if selection.risk_types is None or name in selection.risk_types],
        projections=wanted,
        rows=np.arange(rows.min(), rows.max() + 1),
        west=int(columns.min()),
        columns=int(columns.max() - columns.min() + 1),
        bins=int(common.get("n_bins") or 2),
    )
    return grid, stamps


def _axes(out: Any, grid: Grid) -> None:
    out.dimensions = {
        "risk_type": len(grid.risk_types), "projection": len(grid.projections), "bin": grid.bins, "edge": grid.bins - 1,
        "latitude": grid.rows.size, "longitude": grid.columns,
    }  # fmt: skip
    text_variable(out, "risk_type", "risk_type", grid.risk_types, "hazard")
    chosen = [PROJECTIONS[place] for place in grid.projections]
    text_variable(out, "scenario", "projection", [one.scenario for one in chosen], "climate scenario")
    text_variable(out, "horizon", "projection", [one.horizon for one in chosen], "baseline, or decade")
    year = out.create_variable("target_year", ("projection",), dtype=np.int16, fillvalue=np.int16(-1))
    year.attrs["long_name"] = "first year of the decade; missing for the baseline"
    year[:] = np.array([one.target_year or -1 for one in chosen], dtype=np.int16)
    first = grid.rows * FRAME.columns + 1
    for name, axis, unit, values in (
        ("latitude", "Y", "degrees_north", latitude_of(first)),
        ("longitude", "X", "degrees_east", longitude_of(1 + grid.west + np.arange(grid.columns))),
    ):
        made = out.create_variable(name, (name,), dtype=np.float64)
        made.attrs.update({"standard_name": name, "long_name": name, "units": unit, "axis": axis})
        made[:] = values
    crs = out.create_variable("crs", (), dtype=np.int8)
    crs.attrs.update(
        {
            "grid_mapping_name": "latitude_longitude",
            "semi_major_axis": 6378137.0,
            "inverse_flattening": 298.257223563,
            "long_name": "WGS 84; cells of 0.01 degrees about their centres",
        }
    )


def _declare(out: Any, variable: Variable, selection: Selection, grid: Grid) -> None:
    """Chunks hold all projections of a row: what is written at once, and what a reader of one place wants."""
    dimensions = ("risk_type", "projection", *([variable.bins] if variable.bins else []), "latitude", "longitude")
    of_row = grid.shape(variable.bins)
    chunks = (1, *of_row[1:-1], 1, of_row[-1])
    if 0 in of_row:  # two bins have one edge, and none is a dimension of its own
        raise AssertionError(f"{variable.name}: a dimension of {dimensions} is empty")
    made = out.create_variable(
        variable.name, dimensions, dtype=variable.dtype, fillvalue=variable.dtype(variable.fill), chunks=chunks,
        compression="gzip", compression_opts=4, shuffle=True,
    )  # fmt: skip
    column = next(one for one in TABLES[selection.what] if one.name == variable.name)
    made.attrs["long_name"] = column.meaning
    made.attrs["grid_mapping"] = "crs"
    made.attrs["coordinates"] = "scenario horizon target_year"
    if column.unit:
        made.attrs["units"] = column.unit
    if variable.name in {"status", "estimator", "is_default"}:
        made.attrs.update(flag_attributes(variable.name))
    elif variable.name == "n_years":
        made.attrs["units"] = "1"
