"""Made-up weather of a Korean kind, for timing: seeded, never shown to anyone as climate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Block, Tides, calendar_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Days = NDArray[np.datetime64]

_FIRST_YEAR, _LAST_YEAR = 1985, 2100
_FIRST_SCENARIO_YEAR = 2015
_WARMER_AT_THE_END = (0.0, 1.0, 2.0, 3.0, 4.5)  # K, by SCENARIOS


def annual_rain(n_years: int, n_cells: int) -> Floats:
    """Wettest days of years, mm, (years, cells): a heavy-tailed Gumbel's neighbour."""
    share = np.random.default_rng(1).random((n_years, n_cells))
    return 110.0 + 35.0 * ((-np.log(share)) ** -0.1 - 1.0) / 0.1


def temperature(first_year: int, n_years: int, n_cells: int) -> tuple[Days, Floats]:
    """Daily maxima, °C to a tenth, (days, cells), with spells that last."""
    dates = calendar_days(first_year, n_years)
    rng = np.random.default_rng(2)
    noise = rng.normal(0.0, 2.5, (dates.size, n_cells))
    for day in range(1, dates.size):
        noise[day] += 0.7 * noise[day - 1]
    season = 18.0 - 13.0 * np.cos(2.0 * np.pi * (np.arange(dates.size) - 20.0) / 365.25)
    return dates, np.round(season[:, np.newaxis] + noise, 1)


def water(n_years: int, n_cells: int) -> tuple[Floats, Floats]:
    """Precipitation and potential evapotranspiration, mm a month, (months, cells) each: wet summers."""
    rng = np.random.default_rng(3)
    summer = 1.0 - np.cos(2.0 * np.pi * np.arange(n_years * 12) / 12.0)[:, np.newaxis]
    rain = rng.gamma(2.0, 15.0 + 30.0 * summer, (n_years * 12, n_cells))
    return rain, (20.0 + 50.0 * summer) * rng.uniform(0.85, 1.15, rain.shape)


@dataclass(frozen=True, slots=True)
class FireWeatherDays:
    """What the fire weather system asks for, (days, cells) each."""

    dates: Days
    temperature: Floats
    humidity: Floats
    wind_kmh: Floats
    rain: Floats

    @property
    def month(self) -> NDArray[np.int64]:
        """(days,), 1 to 12."""
        return self.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1


def fire_days(n_years: int, n_cells: int) -> FireWeatherDays:
    """Noon weather of whole years; it rains every third day."""
    dates, warmth = temperature(2011, n_years, n_cells)
    rng = np.random.default_rng(4)
    wet = rng.random(warmth.shape) < 0.33
    return FireWeatherDays(
        dates=dates,
        temperature=warmth,
        humidity=np.where(wet, rng.uniform(60.0, 100.0, wet.shape), rng.uniform(15.0, 90.0, wet.shape)),
        wind_kmh=3.6 * rng.gamma(3.0, 0.9, wet.shape),
        rain=np.where(wet, rng.gamma(0.6, 14.0, wet.shape), 0.0),
    )


def block(n_cells: int, *, gap: float = 0.0) -> Block:
    """All that the nine risks read: yearly series of 116 years and 5 scenarios, warming, tides, surroundings.

    Args:
        n_cells: number of cells.
        gap: share of the values that are missing.
    """
    rng = np.random.default_rng(5)
    years = np.arange(_FIRST_YEAR, _LAST_YEAR + 1, dtype=np.int32)
    since = np.clip((years - 2005.0) / (_LAST_YEAR - 2005.0), 0.0, 1.0)
    warming = np.outer(_WARMER_AT_THE_END, since)
    shape = (len(SCENARIOS), years.size, n_cells)
    warmer = warming[:, :, np.newaxis]
    history = years < _FIRST_SCENARIO_YEAR

    def series(values: Floats) -> Floats:
        """History in front of every scenario, and alone in the first place; gaps where wanted."""
        values[1:, history] = values[0, history]
        values[0, ~history] = np.nan
        values[:, rng.random(shape[1:]) < gap] = np.nan
        return values

    heavy = 110.0 + 35.0 * rng.gumbel(0.0, 1.0, shape) + 6.0 * warmer
    storms = np.where(rng.random(shape) < 0.6, rng.gamma(12.0, 1.9, shape), 0.0)
    values = {
        "wsdi": rng.poisson(4.0 + 12.0 * warmer, shape) * rng.integers(0, 2, shape),
        "csdi": rng.poisson(3.0, shape) * rng.integers(0, 2, shape),
        "tx33": rng.poisson(14.0 + 9.0 * warmer, shape),
        "tn25": rng.poisson(8.0 + 9.0 * warmer, shape),
        "tx90p_days": rng.poisson(38.0 + 18.0 * warmer, shape),
        "tnm12": rng.poisson(np.maximum(6.0 - warmer, 0.2), shape),
        "fd": rng.poisson(np.maximum(90.0 - 12.0 * warmer, 5.0), shape),
        "txx": rng.normal(35.0 + warmer, 1.2, shape),
        "tnn": rng.normal(-13.0 + warmer, 2.5, shape),
        "rx1day": np.maximum(heavy, 15.0),
        "rx5day": np.maximum(1.7 * heavy, 25.0),
        "rain80": rng.poisson(1.3 + 0.2 * warmer, shape),
        "sdii": rng.normal(15.0, 2.0, shape),
        "cdd": rng.gamma(20.0, 1.4, shape),
        "prcptot": rng.normal(1300.0, 220.0, shape),
        "fwi95": rng.normal(19.0 + warmer, 3.5, shape),
        "fwi21": rng.poisson(12.0 + 2.0 * warmer, shape),
        "spei12_min": rng.normal(-1.3 - 0.1 * warmer, 0.7, shape),
        "spei12_dry_share": rng.beta(1.0, 5.0, shape),
        "wsi": rng.gamma(9.0, 0.05, shape),
        "max_site_wind": np.where(storms >= 15.4, storms, 0.0),
        "s_tc": np.where(storms >= 15.4, 0.5 * storms, 0.0),
    }
    values = {name: series(of_variable.astype(np.float64)) for name, of_variable in values.items()}
    for name in ("max_site_wind", "s_tc"):
        values[name][1:, ~history] = np.nan  # nobody projects storms: history alone
    return Block(
        grid_ids=np.arange(1, n_cells + 1, dtype=np.int32),
        years=years,
        values=values,
        present=np.ones((len(SCENARIOS), n_cells), dtype=np.bool_),
        attributes=_surroundings(rng, n_cells),
        warming=warming,
        tides=_tides(rng, years, warming, n_cells),
    )


def _surroundings(rng: np.random.Generator, n_cells: int) -> dict[str, Floats]:
    return {
        "elevation_m": rng.gamma(1.0, 60.0, n_cells),
        "slope": rng.gamma(1.0, 8.0, n_cells),
        "coast_distance_m": rng.uniform(0.0, 20_000.0, n_cells),
        "river_distance_m": rng.gamma(1.0, 1_500.0, n_cells),
        "river_elevation_m": rng.gamma(1.0, 50.0, n_cells),
        "forest_distance_m": rng.gamma(1.0, 600.0, n_cells),
        "impervious_ratio": rng.beta(1.0, 3.0, n_cells),
        "crest_m": np.where(rng.random(n_cells) < 0.5, rng.uniform(4.0, 7.0, n_cells), np.nan),
    }


def _tides(rng: np.random.Generator, years: NDArray[np.int32], warming: Floats, n_cells: int) -> Tides:
    n_gauges = 8
    gauge_years = np.arange(1985, 2021, dtype=np.int32)
    rise = np.repeat((0.2 * warming + 0.004 * (years - 2004.5))[:, :, np.newaxis], n_gauges, axis=2)
    return Tides(
        of_cell=rng.integers(0, n_gauges, n_cells).astype(np.int32),
        maxima=rng.gumbel(np.linspace(1.0, 4.6, n_gauges), 0.12, (gauge_years.size, n_gauges)),
        maxima_years=gauge_years,
        rise=rise,
    )
