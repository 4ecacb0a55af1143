"""Write small gridded files as the Korea Meteorological Administration names them, for the tutorial.

    python docs/examples/kma_files.py FOLDER

Nine cells around Daegu, daily maximum and minimum temperature and rain: 1991 to 2020, and 2021 to 2100 in two ways.
The weather is MADE UP (a season, a trend, chance): it is for learning how files become a report, and for nothing else.
Needs the extra `netcdf`, which `make` installs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATITUDES = np.round(35.86 + 0.01 * np.arange(3), 2)
LONGITUDES = np.round(128.59 + 0.01 * np.arange(3), 2)
PERIODS = {"historical": (1991, 2020), "SSP245": (2021, 2100), "SSP585": (2021, 2100)}
WARMING = {"historical": 0.02, "SSP245": 0.02, "SSP585": 0.05}
"""K a year."""
UNITS = {"TAMAX": "degC", "TAMIN": "degC", "RN": "mm"}
SEED = 8


def weather(scenario: str, dates: NDArray[np.datetime64]) -> dict[str, NDArray[np.float32]]:
    """Made-up days of nine cells: (days, 3, 3) by variable."""
    random = np.random.default_rng([SEED, list(PERIODS).index(scenario)])
    years = dates.astype("datetime64[Y]").astype(int) + 1970
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    season = -np.cos(2 * np.pi * (day_of_year - 15) / 365.25)
    start = {"historical": 0.0}.get(scenario, 0.6)
    trend = start + WARMING[scenario] * (years - years[0])
    # One day is like the day before: an autoregression of the first order.
    swing = lfilter([1.0], [1.0, -0.7], random.normal(0, 2.2, len(dates)))
    mean = 14.0 + 12.5 * season + trend + swing
    places = 0.3 * random.normal(size=(3, 3))
    span = 5.0 + random.gamma(4.0, 0.4, len(dates))
    wet = random.random(len(dates)) < 0.22 + 0.16 * np.clip(season, 0, 1)
    amount = random.gamma(0.55, 14.0 + 24.0 * np.clip(season, 0, 1) * (1 + 0.04 * trend), len(dates))
    local = random.gamma(8.0, 1 / 8.0, (len(dates), 3, 3))
    return {
        "TAMAX": ((mean + span)[:, None, None] + places).astype(np.float32),
        "TAMIN": ((mean - span)[:, None, None] + places).astype(np.float32),
        "RN": (np.where(wet, amount, 0.0)[:, None, None] * local).round(1).astype(np.float32),
    }


def write_file(path: Path, variable: str, dates: NDArray[np.datetime64], values: NDArray[np.float32]) -> None:
    """One NetCDF file by the CF conventions."""
    made = xr.Dataset(
        {variable: (("time", "latitude", "longitude"), values, {"units": UNITS[variable]})},
        coords={
            "time": dates.astype("datetime64[ns]"),
            "latitude": ("latitude", LATITUDES, {"units": "degrees_north"}),
            "longitude": ("longitude", LONGITUDES, {"units": "degrees_east"}),
        },
        attrs={"title": "MADE UP by docs/examples/kma_files.py: no observation, no projection"},
    )
    packed = {"zlib": True, "chunksizes": (len(dates), 1, 1), "_FillValue": np.float32(-999)}
    made.to_netcdf(path, engine="h5netcdf", encoding={variable: packed})


def main(folder: Path) -> None:
    """Write all files, and say which."""
    folder.mkdir(parents=True, exist_ok=True)
    for scenario, (first, last) in PERIODS.items():
        dates = np.arange(f"{first}-01-01", f"{last + 1}-01-01", dtype="datetime64[D]")
        product = "MKPRISM" if scenario == "historical" else f"AR6_{scenario}_5ENSMN_skorea"
        for variable, values in weather(scenario, dates).items():
            path = folder / f"{product}_{variable}_gridraw_daily_{first}-{last}.nc"
            write_file(path, variable, dates, values)
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/examples/kma_files.py FOLDER")
    main(Path(sys.argv[1]))
