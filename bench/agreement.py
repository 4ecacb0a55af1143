"""What a comparison with somebody else's figure is, and the ones that need nothing but this project and scipy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import gaussian_kde, genextreme

from aiops.climate import calendar_days
from aiops.indices.evapotranspiration import penman_monteith, sunshine_radiation
from aiops.indices.fire_weather import fwi95
from aiops.indices.spells import day_percentile
from aiops.indices.sunlight import day_length, extraterrestrial_radiation
from aiops.stats import gev
from aiops.stats.bins import probabilities
from bench import weather

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATT_OF_MJ = 1.0 / 0.0864


@dataclass(frozen=True, slots=True)
class Agreement:
    """One oracle."""

    what: str
    source: str
    """Paper, package or observation that the figures are from."""
    difference: str
    """The largest there is, with its unit; or what was found."""
    required: str
    ok: bool | None
    """None: not compared; `difference` says why."""


def within(what: str, source: str, difference: float, limit: float, unit: str = "") -> Agreement:
    """A largest difference and its limit; NaN is not within."""
    space = f" {unit}" if unit else ""
    return Agreement(what, source, f"{difference:.2g}{space}", f"≤ {limit:g}{space}", bool(difference <= limit))


def equal(what: str, source: str, unequal: int, of: int, noun: str = "values") -> Agreement:
    """How many figures differ; none may."""
    return Agreement(what, source, f"{unequal} of {of} {noun}", "none", unequal == 0 and of > 0)


def skipped(what: str, source: str, why: str) -> Agreement:
    """Not compared, and why."""
    return Agreement(what, source, f"skipped: {why}", "–", None)


def evapotranspiration() -> Iterator[Agreement]:
    """The worked examples of FAO-56, as printed."""
    fao = "Allen et al. 1998, FAO-56"
    september_3 = np.array([[246.0]])
    top = extraterrestrial_radiation(september_3, -20.0)[0]
    yield within("radiation at the top of the air", f"{fao}, example 8: 32.2", abs(float(top[0]) - 32.2), 0.05, "MJ")
    hours = day_length(september_3, -20.0)[0]
    yield within("length of the day", f"{fao}, example 9: 11.7", abs(float(hours[0]) - 11.7), 0.05, "h")
    may = np.array(["2001-05"], dtype="datetime64[M]")
    radiation = sunshine_radiation([220.0 / 31.0], may, -22.9)[0] / _WATT_OF_MJ
    yield within("radiation from sunshine", f"{fao}, example 10: 14.5", abs(radiation - 14.5), 0.07, "MJ")
    saturated = (_saturation(34.8) + _saturation(25.6)) / 2.0
    april = penman_monteith(
        tasmax=[33.8, 34.8],
        tasmin=[24.6, 25.6],
        humidity=[100.0 * 2.85 / saturated] * 2,
        wind_10m=[2.0 / 0.748] * 2,
        radiation=[22.65 * _WATT_OF_MJ] * 2,
        dates=np.array(["2001-03", "2001-04"], dtype="datetime64[M]"),
        latitude=13.73,
        elevation=2.0,
    )[1]
    yield within("Penman–Monteith, a month", f"{fao}, example 17: 5.72", abs(april / 30.0 - 5.72), 0.01, "mm/day")
    day = penman_monteith(
        tasmax=[21.5],
        tasmin=[12.3],
        humidity=[100.0 * 1.409 / 1.997],
        wind_10m=[10.0 / 3.6],
        radiation=[22.07 * _WATT_OF_MJ],
        dates=np.array(["2001-07-06"], dtype="datetime64[D]"),
        latitude=50.8,
        elevation=100.0,
    )[0]
    yield within("Penman–Monteith, a day", f"{fao}, example 18: 3.88", abs(day - 3.88), 0.01, "mm/day")


def _saturation(temperature: float) -> float:
    return 0.6108 * float(np.exp(17.27 * temperature / (temperature + 237.3)))


def distributions() -> Iterator[Agreement]:
    """Kernels, GEV and quantiles beside scipy, numpy and printed L-moments."""
    x = np.random.default_rng(0).gamma(2.0, 12.0, (30, 200))
    edges = np.array([1.0, 10.0, 30.0, 80.0])
    bounds = [-np.inf, *edges, np.inf]
    theirs = np.array([[gaussian_kde(years).integrate_box_1d(*bounds[i : i + 2]) for i in range(5)] for years in x.T])
    difference = float(np.abs(probabilities(x, edges, "kde") - theirs).max())
    yield within("KDE bin probabilities (plain Scott)", "scipy.stats.gaussian_kde", difference, 1e-12)

    gumbel = gev.moments_of(gev.Gev(np.array(0.0), np.array(1.0), np.array(0.0)))
    l1, l2 = float(gumbel[0]), float(2.0 * gumbel[1] - gumbel[0])
    skewness = float(6.0 * gumbel[2] - 6.0 * gumbel[1] + gumbel[0]) / l2
    printed = max(abs(l1 - 0.5772), abs(l2 - 0.6931), abs(skewness - 0.1699))
    yield within("L-moments of a Gumbel", "Hosking 1990, table 1: .5772 .6931 .1699", printed, 5e-5)

    periods = np.array([2.0, 20.0, 100.0, 1000.0])
    worst_level = worst_share = 0.0
    for shape in (-0.35, -0.1, 0.0, 0.15):
        params = gev.Gev(np.array(120.0), np.array(40.0), np.array(shape))
        levels = genextreme.ppf(1.0 - 1.0 / periods, shape, 120.0, 40.0)
        worst_level = max(worst_level, float(np.abs(gev.return_level(params, periods) - levels).max()))
        shares = genextreme.cdf(levels, shape, 120.0, 40.0)
        worst_share = max(worst_share, float(np.abs(gev.cdf(params, levels) - shares).max()))
    yield within("GEV return levels of given parameters", "scipy.stats.genextreme", worst_level, 1e-8, "mm")
    yield within("GEV distribution function", "scipy.stats.genextreme", worst_share, 1e-12)

    dates, celsius = weather.temperature(1991, 30, 5)
    kept = celsius[~np.char.endswith(dates.astype(str), "02-29")].reshape(30, 365, 5)
    around = np.concatenate([kept[:, day - 2 : day + 3] for day in (180,)], axis=0).reshape(-1, 5)
    expected = np.quantile(around, 0.9, axis=0, method="median_unbiased")
    found = day_percentile(celsius, dates, 90.0, (1991, 2020))[180]
    difference = float(np.abs(found - expected).max())
    yield within("90th percentile of 1 July's window", "numpy quantile, Hyndman & Fan type 8", difference, 1e-12, "°C")

    year = calendar_days(2011, 1)
    danger = np.random.default_rng(1).gamma(2.0, 6.0, year.size)
    difference = float(abs(fwi95(danger, year)[1][0] - np.quantile(danger, 0.95)))
    yield within("95th percentile of a year's FWI", "numpy quantile, type 7", difference, 1e-12)
