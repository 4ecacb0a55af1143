"""Which variables of a NetCDF file say when and where, by the CF conventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.errors import FileRefused
from aiops.ingest.grids.geometry import grid_of
from aiops.ingest.report import printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aiops.ingest.grids.geometry import Grid

_UNITS = {
    "latitude": ("degrees_north", "degree_north", "degrees_N", "degree_N", "degreesN", "degreeN"),
    "longitude": ("degrees_east", "degree_east", "degrees_E", "degree_E", "degreesE", "degreeE"),
}
_NAMES = {
    "latitude": ("lat", "latitude", "nav_lat", "xlat", "lats"),
    "longitude": ("lon", "longitude", "nav_lon", "xlong", "lons", "long"),
}


@dataclass(frozen=True, slots=True)
class FoundGrid:
    """A grid, and the dimensions that its rows and columns run along."""

    grid: Grid
    dims: tuple[Any, Any]


def time_in(dataset: Any, variable: Any, path: Path) -> tuple[Any, Any]:
    """The variable of time, and the dimension of a data variable that it runs along.

    Raises:
        FileRefused: there is none.
    """
    scalars = [dataset.variables[name] for name in dataset.variables if dataset.variables[name].ndim == 0]
    for dim in variable.dims:
        one = dataset.variables.get(dim)
        if one is not None and one.ndim == 1 and _is_time(str(dim), one):
            return one, dim
    if any(_is_time("", one) for one in scalars):
        raise FileRefused(f"{path}: time: is a single number; allowed: a dimension of time, also of length 1")
    raise FileRefused(
        f"{path}: time: no dimension of it; allowed: one of {printable(' '.join(map(str, variable.dims)))} with units "
        "such as 'days since 1900-01-01'"
    )


def _is_time(name: str, variable: Any) -> bool:
    attrs = variable.attrs
    return (
        attrs.get("standard_name") == "time"
        or str(attrs.get("axis", "")).upper() == "T"
        or " since " in str(attrs.get("units", ""))
        or name.casefold() == "time"
    )


def grid_in(dataset: Any, field: str, path: Path) -> FoundGrid:
    """The latitudes and longitudes of a data variable.

    Raises:
        FileRefused: it has none, or they are not those of a grid.
    """
    variable = dataset.variables[field]
    latitude, longitude = (_coordinate(dataset, variable, kind, path) for kind in ("latitude", "longitude"))
    values = [_degrees(one, path, kind) for one, kind in ((latitude, "latitude"), (longitude, "longitude"))]
    if latitude.ndim == longitude.ndim == 1 and latitude.dims != longitude.dims:
        return FoundGrid(grid_of(values[0], values[1], path), (latitude.dims[0], longitude.dims[0]))
    if latitude.ndim == longitude.ndim == 2 and latitude.dims == longitude.dims:
        return FoundGrid(grid_of(values[0], values[1], path), latitude.dims)
    raise FileRefused(
        f"{path}: latitude has the dimensions {_dims(latitude)}, longitude {_dims(longitude)}; allowed: one of "
        "each own, or both the same two"
    )


def _coordinate(dataset: Any, variable: Any, kind: str, path: Path) -> Any:
    """By standard name, by units, by name: the first that lies along the variable's dimensions."""
    inside = {
        name: one
        for name, one in dataset.variables.items()
        if 1 <= one.ndim <= 2 and set(one.dims) <= set(variable.dims) and one is not variable
    }
    tests = (
        lambda _, one: one.attrs.get("standard_name") == kind,
        lambda _, one: one.attrs.get("units") in _UNITS[kind],
        lambda name, _: str(name).casefold() in _NAMES[kind],
    )
    for test in tests:
        for name, one in inside.items():
            if test(name, one):
                return one
    raise FileRefused(
        f"{path}: {kind}: no coordinate of it; allowed: 1-D or 2-D {kind} in degrees; the file has: "
        f"{printable(' '.join(map(str, dataset.variables))) or 'nothing'}"
    )


def _degrees(variable: Any, path: Path, kind: str) -> NDArray[np.float64]:
    units = str(variable.attrs.get("units", ""))
    if units.startswith("rad") or units in {"m", "km"}:
        raise FileRefused(f"{path}: {kind}: units {units!r}; allowed: degrees")
    if variable.dtype.kind not in "iuf":
        raise FileRefused(f"{path}: {kind}: is of type {variable.dtype}; allowed: numbers")
    values = np.array(variable.values, dtype=np.float64)
    for key in ("_FillValue", "missing_value"):
        if key in variable.attrs:
            values[values == float(np.ravel(variable.attrs[key])[0])] = np.nan
    values *= float(variable.attrs.get("scale_factor", 1.0))
    values += float(variable.attrs.get("add_offset", 0.0))
    return values


def _dims(variable: Any) -> str:
    return printable(f"({', '.join(map(str, variable.dims))})")
