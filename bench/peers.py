"""The libraries that the kernels are compared with, each called as its user would call it.

They come with `pip install 'aiops[oracle]'`. What a call prints, logs or warns of is not our subject, and is silenced.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import gaussian_kde

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.weather import FireWeatherDays

    Floats = NDArray[np.float64]

Spell = Literal["warm", "cold"]
PACKAGES = {"xclim": "xclim", "lmoments3": "lmoments3", "climate_indices": "climate-indices"}
"""Module and distribution names."""


def missing() -> list[str]:
    """Distributions that are not installed."""
    return [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]


def versions() -> str:
    """Which peers there are."""
    found = [name for name in ("numpy", "scipy", "numba", *PACKAGES.values()) if name not in missing()]
    return ", ".join(f"{name} {version(name)}" for name in found)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the peers' warnings and logs."""
    logging.disable(logging.CRITICAL)
    if importlib.util.find_spec("structlog") is not None:
        import structlog

        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def kde_probabilities(x: Floats, edges: Floats) -> Floats:
    """scipy: a gaussian_kde for each cell, integrated over each bin; (years, cells) to (cells, bins)."""
    bounds = [-np.inf, *edges.tolist(), np.inf]
    p = np.empty((x.shape[1], len(bounds) - 1))
    for cell, years in enumerate(x.T):
        kde = gaussian_kde(years)
        p[cell] = [kde.integrate_box_1d(bounds[i], bounds[i + 1]) for i in range(len(bounds) - 1)]
    return p


def gev_levels(x: Floats, periods: Floats) -> Floats:
    """lmoments3: a GEV for each cell, and its quantiles; (years, cells) to (cells, periods)."""
    from lmoments3 import distr

    return np.array([distr.gev(**distr.gev.lmom_fit(years)).ppf(1.0 - 1.0 / periods) for years in x.T])


def spei_by_series(rain: Floats, evaporation: Floats, first_year: int, distribution: str) -> Floats:
    """climate-indices: one call a cell; (months, cells)."""
    from climate_indices import compute, indices

    chosen = indices.Distribution[distribution]
    columns = [
        indices.spei(p, pet, 12, chosen, compute.Periodicity.monthly, first_year, 1991, 2020)
        for p, pet in zip(rain.T, evaporation.T, strict=True)
    ]
    return np.column_stack(columns)


def spei_in_one_pass(rain: Floats, evaporation: Floats, first_year: int, distribution: str) -> Floats:
    """climate-indices from 3.0 on: all cells in one call; (months, cells)."""
    from climate_indices import compute, indices

    chosen = indices.Distribution[distribution]
    rain_block, evaporation_block = rain[:, :, np.newaxis], evaporation[:, :, np.newaxis]
    result = indices.spei(
        rain_block,
        evaporation_block,
        12,
        chosen,
        compute.Periodicity.monthly,
        first_year,
        1991,
        2020,
        spatial_time_major=True,
    )
    return result[:, :, 0]


class Celsius:
    """Daily temperature as xclim takes it: an xarray with a calendar, in memory."""

    def __init__(self, values: Floats, dates: NDArray[np.datetime64]) -> None:
        import xarray

        self._given = xarray.DataArray(
            values,
            dims=("time", "cell"),
            coords={"time": dates.astype("datetime64[ns]")},
            attrs={"units": "degC"},
        )
        self._noleap = self.without_leap_days()

    def without_leap_days(self):
        """29 February dropped: percentiles of 365 calendar days need years that have them."""
        return self._given.convert_calendar("noleap", use_cftime=True)

    def spells(self, kind: Spell, *, convert: bool) -> Floats:
        """xclim: percentiles of the baseline, then the index; (years, cells).

        Args:
            kind: WSDI or CSDI.
            convert: take the time that dropping 29 February takes, too.
        """
        from xclim.core.calendar import percentile_doy
        from xclim.indices import cold_spell_duration_index, warm_spell_duration_index

        celsius = self.without_leap_days() if convert else self._noleap
        percentile = 90 if kind == "warm" else 10
        baseline = celsius.sel(time=slice("1991", "2020"))
        threshold = percentile_doy(baseline, window=5, per=percentile, alpha=1 / 3, beta=1 / 3)
        threshold = threshold.sel(percentiles=percentile)
        threshold.attrs["units"] = "degC"
        index, sign = (warm_spell_duration_index, ">") if kind == "warm" else (cold_spell_duration_index, "<")
        days = index(celsius, threshold, window=6, resample_before_rl=True, op=sign)
        return days.transpose("time", "cell").to_numpy()


class FireArrays:
    """Fire weather's inputs as xclim takes them, in memory, in the order its functions work in."""

    def __init__(self, days: FireWeatherDays) -> None:
        import xarray

        def array(values: Floats, units: str):
            coords = {"time": days.dates.astype("datetime64[ns]")}
            return xarray.DataArray(
                np.ascontiguousarray(values.T), dims=("cell", "time"), coords=coords, attrs={"units": units}
            )

        self._tas = array(days.temperature, "degC")
        self._hurs = array(days.humidity, "%")
        self._wind = array(days.wind_kmh, "km/h")
        self._rain = array(days.rain, "mm/day")
        self._latitude = xarray.DataArray(
            np.full(days.rain.shape[1], 37.0), dims=("cell",), attrs={"units": "degrees_north"}
        )

    def indices(self) -> dict[str, Floats]:
        """xclim (numba): the six codes and indices, (days, cells) each, the whole year as the season."""
        from xclim.indices import cffwis_indices

        names = ("dc", "dmc", "ffmc", "isi", "bui", "fwi")
        found = cffwis_indices(
            tas=self._tas, pr=self._rain, sfcWind=self._wind, hurs=self._hurs, lat=self._latitude, season_method=None
        )
        return {name: values.transpose("time", "cell").to_numpy() for name, values in zip(names, found, strict=True)}
