"""Comparisons with the libraries of the extra `oracle`, on real observations where they lie beside the checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import calendar_days
from aiops.indices import rainfall
from aiops.indices.drought import spei
from aiops.indices.spells import cold_spell_duration, warm_spell_duration
from aiops.stats import gev
from bench import beside, peers, weather
from bench.agreement import Agreement, equal, skipped, within
from bench.observed import STATIONS, Stations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEOUL = "data/seoul108_temperature_daily_1980_2023.csv.gz"


def extremes() -> Iterator[Agreement]:
    """GEV by L-moments."""
    if "lmoments3" in peers.missing():
        yield skipped("GEV return levels", "lmoments3", "not installed")
        return
    periods = np.array([2.0, 20.0, 50.0, 100.0, 200.0])
    for n_years in (15, 30, 80):
        x = weather.annual_rain(n_years, 200)
        levels = gev.return_level(gev.fit(x, shape=None), periods)
        difference = float(np.abs(levels - peers.gev_levels(x, periods)).max())
        yield within(f"GEV return levels, {n_years} years", "lmoments3, 200 cells", difference, 1e-3, "mm")


def drought() -> Iterator[Agreement]:
    """SPEI-12, where the peer does not clip (it holds indices to ±3.09)."""
    if "climate-indices" in peers.missing():
        yield skipped("SPEI-12", "climate-indices", "not installed")
        return
    rain, evaporation = weather.water(44, 40)
    try:
        theirs = peers.spei_by_series(rain, evaporation, 1980, "loglogistic")
    except KeyError:
        yield skipped("SPEI-12", "climate-indices", "before 3.0 it has no log-logistic distribution")
        return
    ours = spei(rain - evaporation, 12, (1991, 2020), first_year=1980)
    difference = float(np.abs(ours - theirs)[np.abs(theirs) < 3.0].max())
    yield within("SPEI-12, fit on 1991–2020", "climate-indices, 40 cells × 44 years", difference, 1e-9)


def spells() -> Iterator[Agreement]:
    """WSDI and CSDI of Seoul, and of Seoul with noise."""
    if "xclim" in peers.missing():
        yield skipped("WSDI, CSDI", "xclim", "not installed")
        return
    path = beside.find(SEOUL)
    if path is None:
        yield skipped("WSDI, CSDI", "xclim on Seoul's 44 years", f"no {SEOUL}")
        return
    rows = beside.rows_of(path)
    dates = np.array([row["date"] for row in rows], dtype="datetime64[D]")
    noise = np.random.default_rng(5).normal(0.0, 1.5, (dates.size, 4)).round(1)
    for kind, name, column, index in (
        ("warm", "WSDI", "tmax", warm_spell_duration),
        ("cold", "CSDI", "tmin", cold_spell_duration),
    ):
        observed = beside.column(rows, column)[:, np.newaxis]
        values = np.concatenate([observed, observed + noise], axis=1)
        ours = index(values, dates)[1]
        theirs = peers.Celsius(values, dates).spells(kind, convert=True)
        known = ~np.isnan(ours)
        unequal = int(np.count_nonzero(ours[known] != theirs[known]))
        yield equal(name, "xclim on KMA Seoul 1980–2023", unequal, int(known.sum()), "years")


def fire_weather() -> Iterator[Agreement]:
    """The printed days by xclim: how far apart two implementations of one report are."""
    what, source = "xclim's own codes on the 48 days", "Van Wagner & Pickett 1985"
    published = beside.fire_table()
    if "xclim" in peers.missing() or published is None:
        yield skipped(what, source, "xclim is not installed, or no oracles/fwi_48_days.csv")
        return
    theirs = peers.FireArrays(published.weather()).indices()
    told = ", ".join(f"{name.upper()} {missed}" for name, (_, missed) in published.differences(theirs).items())
    yield Agreement(what, source, f"days beyond the digits: {told}", "shown only", ok=None)


def rain() -> Iterator[Agreement]:
    """The rain indices of 31 stations; of years without a missing day, whose rules differ."""
    source = "xclim on KMA ASOS, 31 stations"
    path = beside.find(STATIONS)
    if "xclim" in peers.missing() or path is None:
        yield skipped("rain indices", source, "xclim is not installed, or no observations")
        return
    observed = Stations(path)
    daily = observed.side_by_side("sumRn", empty=0.0)
    complete = ~np.isnan(daily).any(axis=0)
    daily = daily[:, complete]
    for name, theirs in _xclims_rain(daily, calendar_days(2011, 9)).items():
        ours = getattr(rainfall, name)(daily, observed.dates)[1]
        difference = float(np.abs(ours - theirs).max())
        yield within(name.upper(), source, difference, 1e-9, "days" if name in {"rain80", "cdd"} else "mm")


def _xclims_rain(daily: Floats, dates: NDArray[np.datetime64]) -> dict[str, Floats]:
    import xarray
    from xclim import indices

    amount = xarray.DataArray(
        daily, dims=("time", "cell"), coords={"time": dates.astype("datetime64[ns]")}, attrs={"units": "mm/day"}
    )
    found = {
        "rx1day": indices.max_1day_precipitation_amount(amount, freq="YS"),
        "rx5day": indices.max_n_day_precipitation_amount(amount, window=5, freq="YS"),
        "rain80": indices.wetdays(amount, thresh="80 mm/day", freq="YS", op=">="),
        "sdii": indices.daily_pr_intensity(amount, thresh="1 mm/day", freq="YS"),
        "cdd": indices.maximum_consecutive_dry_days(amount, thresh="1 mm/day", freq="YS"),
    }
    return {name: values.transpose("time", "cell").to_numpy() for name, values in found.items()}
