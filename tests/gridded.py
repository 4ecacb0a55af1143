"""Gridded files as others write them: NetCDF by xarray, text grids by hand."""

from __future__ import annotations

import gzip

import cftime
import numpy as np
import xarray as xr

LATITUDES = np.array([35.00, 35.01, 35.02])
LONGITUDES = np.array([127.00, 127.01, 127.02, 127.03])


def days_since(first, n, calendar="standard"):
    """n days from a date on, as numbers since 1900."""
    start = cftime.datetime(*map(int, first.split("-")), calendar=calendar)
    return cftime.date2num(start, "days since 1900-01-01", calendar) + np.arange(n) + 0.5


def dataset(
    values,
    *,
    first="2021-01-01",
    times=None,
    bounds=None,
    name="tasmax",
    units="degC",
    calendar="standard",
    latitudes=LATITUDES,
    longitudes=LONGITUDES,
    attrs=None,
    **file_attrs,
):
    """(steps, rows, columns) as a Dataset with undecoded times."""
    values = np.asarray(values)
    times = days_since(first, values.shape[0], calendar) if times is None else np.asarray(times, dtype=float)
    given = {"units": units, "standard_name": "air_temperature", **(attrs or {})}
    if np.ndim(latitudes) == 1:
        dims, places = ("lat", "lon"), {"lat": (("lat",), latitudes), "lon": (("lon",), longitudes)}
    else:
        dims = ("y", "x")
        places = {"lat": (dims, latitudes), "lon": (dims, longitudes)}
        given["coordinates"] = "lat lon"
    made = xr.Dataset(
        {name: (("time", *dims), values, {k: v for k, v in given.items() if v is not None})},
        coords={"time": (("time",), times), **places},
        attrs=file_attrs,
    )
    made["time"].attrs = {"units": "days since 1900-01-01", "calendar": calendar}
    made["lat"].attrs, made["lon"].attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    if bounds is not None:
        made["time"].attrs["bounds"] = "time_bnds"
        made["time_bnds"] = (("time", "bnds"), np.asarray(bounds, dtype=float))
    return made


def write_netcdf(path, values, *, encoding=None, engine="h5netcdf", **given):
    """Write a file and return its path."""
    made = dataset(values, **given)
    for one in made.variables.values():
        # What xarray would set by itself; a coordinates attribute is given as an encoding to it.
        one.encoding.setdefault("_FillValue", None)
        if "coordinates" in one.attrs:
            one.encoding["coordinates"] = one.attrs.pop("coordinates")
    name = given.get("name", "tasmax")
    made.to_netcdf(path, engine=engine, encoding={name: {"_FillValue": None, **(encoding or {})}})
    return path


def write_asc(path, grids, *, header=None, nodata=-9999.0, west=126.995, south=34.995, cell=0.01):
    """Write (steps, rows, columns), rows from north to south; a header's line may be replaced, or (None) left out."""
    _, rows, columns = np.shape(grids)
    lines = {
        "ncols": columns,
        "nrows": rows,
        "xllcorner": west,
        "yllcorner": south,
        "cellsize": cell,
        "NODATA_value": nodata,
        **(header or {}),
    }
    text = "".join(f"{key} {value}\n" for key, value in lines.items() if value is not None)
    text += "".join(" ".join(f"{x:g}" for x in row) + "\n" for grid in grids for row in grid)
    data = text.encode("ascii")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def some_days(n=5, rows=3, columns=4, seed=1, low=-5.0, high=30.0):
    """(n, rows, columns), single precision, to two decimals."""
    return np.random.default_rng(seed).uniform(low, high, (n, rows, columns)).round(2).astype(np.float32)
