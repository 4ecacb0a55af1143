"""Potential evapotranspiration of cells, month by month, by the best method that the data of a cell allow.

Penman–Monteith, else Hargreaves, else Thornthwaite; each from days where the days of a month give it, else from
monthly means. Radiation that was not measured is made of sunshine. A cell has one method for all its scenarios: were
the future's another than the past's, the change between them would be the methods' own. A method is allowed where it
gives, in each of the cell's scenarios, at least nine in ten † of the months that any method gives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aiops.climate import Cadence
from aiops.db.climate import merge_series
from aiops.grid import latitude_of
from aiops.indices.evapotranspiration import hargreaves, penman_monteith, sunshine_radiation, thornthwaite
from aiops.ingest.aligned import align, by_baseline
from aiops.ingest.months import days_in_month, monthly_mean, whole_years

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.ingest.aligned import Aligned

    Floats = NDArray[np.float64]

METHODS = ("penman_monteith", "hargreaves", "thornthwaite")
"""The best first."""
DAILY_WEATHER = ("tasmax", "tasmin", "tas", "hurs", "sfcWind", "rsds", "sund")
MONTHLY_WEATHER = ("tasmax_month", "tasmin_month", "tas_month", "hurs_month", "sfcWind_month", "rsds_month")
PET = "pet_month"
_MEAN = "mean"
_ENOUGH = 0.9
_USUAL_ELEVATION = 100.0
"""Of a cell whose elevation is not known, m †: 100 m are worth some 0.2 % of evapotranspiration."""


class _Weather(NamedTuple):
    """What two of the methods need, (time, cells) each, in the order in which they take it."""

    high: Floats
    low: Floats
    humidity: Floats
    wind: Floats
    radiation: Floats


@dataclass(frozen=True, slots=True)
class Potential:
    """The outcome for some cells."""

    series: list[Series]
    """`pet_month` of each scenario's own years."""
    methods: dict[int, str]
    """By grid_id: one of METHODS."""


def potential_evapotranspiration(weather: Sequence[Series], elevation: Mapping[int, float]) -> Potential:
    """`pet_month` of every cell and scenario.

    Args:
        weather: series of DAILY_WEATHER and MONTHLY_WEATHER (others are passed over), all scenarios of each cell.
        elevation: by grid_id, m; what is not there counts as 100 m.
    """
    made = _joined(_from_months(weather, elevation), _from_days(weather, elevation))
    made += _by_thornthwaite([one for one in made if one.variable == _MEAN])
    by_cell: dict[int, dict[str, dict[str, Series]]] = defaultdict(lambda: defaultdict(dict))
    for one in made:
        by_cell[one.grid_id][one.scenario][one.variable] = one
    found = Potential([], {})
    for grid_id, scenarios in by_cell.items():
        method = _best_method(scenarios.values())
        if method is not None:
            found.methods[grid_id] = method
            found.series.extend(
                replace(of_scenario[method], variable=PET)
                for of_scenario in scenarios.values()
                if method in of_scenario
            )
    return found


def _joined(from_months: Iterable[Series], from_days: Iterable[Series]) -> list[Series]:
    """What months and days give, method by method; where both give a month, that of the days stands.

    Days of one variable must not put out the months of the others: few have days of all that a method needs.
    """
    found = {(one.variable, one.scenario, one.grid_id): one for one in from_months}
    for one in from_days:
        key = one.variable, one.scenario, one.grid_id
        found[key] = merge_series(Cadence.MONTHLY, found[key], one) if key in found else one
    return list(found.values())


def _best_method(scenarios: Iterable[Mapping[str, Series]]) -> str | None:
    """The first of METHODS that is allowed in all scenarios of a cell; None where no method gives anything."""
    months = [
        {method: int(np.count_nonzero(~np.isnan(made[method].values))) for method in METHODS if method in made}
        for made in scenarios
    ]
    months = [given for given in months if given]
    if not months:
        return None
    return next(
        (
            method
            for method in METHODS
            if all(given.get(method, 0) >= _ENOUGH * max(given.values()) for given in months)
        ),
        METHODS[-1],
    )


def _from_days(weather: Iterable[Series], elevation: Mapping[int, float]) -> Iterator[Series]:
    """What days give each month: two methods, and the mean temperature for the third."""
    for some in align(weather, DAILY_WEATHER, Cadence.DAILY, with_history=False):
        days = some.values
        bright = sunshine_radiation(days["sund"], some.dates, latitude_of(some.grid_ids))
        radiation = np.where(np.isnan(days["rsds"]), bright, days["rsds"])
        length = days_in_month(some.dates)[:, np.newaxis]
        by_method = _two_methods(
            some, elevation, _Weather(days["tasmax"], days["tasmin"], days["hurs"], days["sfcWind"], radiation)
        )
        for method, values in by_method.items():
            yield from some.series(method, some.years, monthly_mean(values, some.dates) * length, 12)
        mean = _mean_temperature(days["tas"], days["tasmax"], days["tasmin"])
        yield from some.series(_MEAN, some.years, monthly_mean(mean, some.dates), 12)


def _from_months(weather: Iterable[Series], elevation: Mapping[int, float]) -> Iterator[Series]:
    """The same from monthly means."""
    for some in align(weather, MONTHLY_WEATHER, Cadence.MONTHLY, with_history=False):
        high, low, tas, humidity, wind, radiation = (some.values[name] for name in MONTHLY_WEATHER)
        weather_of = _Weather(high, low, humidity, wind, radiation)
        for method, values in _two_methods(some, elevation, weather_of).items():
            yield from some.series(method, some.years, values, 12)
        yield from some.series(_MEAN, some.years, _mean_temperature(tas, high, low), 12)


def _two_methods(some: Aligned, elevation: Mapping[int, float], weather: _Weather) -> dict[str, Floats]:
    """Penman–Monteith and Hargreaves at the cadence of the dates."""
    north = latitude_of(some.grid_ids)
    height = np.array([elevation.get(grid_id, _USUAL_ELEVATION) for grid_id in some.grid_ids.tolist()])
    found = {"hargreaves": hargreaves(weather.high, weather.low, some.dates, north)}
    if not np.isnan(weather.humidity + weather.wind + weather.radiation).all():
        found["penman_monteith"] = penman_monteith(*weather, some.dates, north, height)
    return found


def _by_thornthwaite(means: Sequence[Series]) -> Iterator[Series]:
    """Monthly evapotranspiration from monthly mean temperature; the heat index is the baseline's."""
    for some in align(means, (_MEAN,), Cadence.MONTHLY):
        mean = some.values[_MEAN]
        values = np.full(mean.shape, np.nan)
        for baseline, cells in by_baseline(some.years, whole_years(mean)):
            north = latitude_of(some.grid_ids[cells])
            values[:, cells] = thornthwaite(mean[:, cells], some.dates, north, baseline.years)
        yield from some.series("thornthwaite", some.years, values, 12)


def _mean_temperature(tas: Floats, high: Floats, low: Floats) -> Floats:
    """The mean as it was given, else the middle of maximum and minimum."""
    return np.where(np.isnan(tas), (high + low) / 2.0, tas)
