"""Daily series become the yearly indicators of heat, cold and rain.

A scenario is read with the history in front of its first year, so that its baseline (1991–2020) and the days
before its first New Year are there; its indicators begin with its own first year.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Series, calendar_days
from aiops.indices import rainfall, spells, temperature
from aiops.indices.calendar import (
    MOST_MISSING_DAYS,
    Baseline,
    baseline_years,
    days_not_in_calendar,
    is_leap_day,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Yearly = tuple[NDArray[np.int64], NDArray[np.float64]]

_HISTORY = "historical"

PLAIN_INDICATORS: dict[str, dict[str, Callable[[NDArray[np.float64], NDArray[np.datetime64]], Yearly]]] = {
    "tasmax": {"tx33": temperature.tx33, "txx": temperature.txx},
    "tasmin": {
        "tn25": temperature.tn25,
        "tnm12": temperature.tnm12,
        "fd": temperature.fd,
        "tnn": temperature.tnn,
    },
    "pr": {
        "rx1day": rainfall.rx1day,
        "rx5day": rainfall.rx5day,
        "rain80": rainfall.rain80,
        "sdii": rainfall.sdii,
        "cdd": rainfall.cdd,
        "prcptot": rainfall.prcptot,
    },
}
"""By daily variable: indicators that need nothing but the days."""
RELATIVE_INDICATORS = ("wsdi", "tx90p_days", "csdi")
"""Indicators that compare a day with the baseline's percentile of its date."""
DAILY_SOURCES = tuple(PLAIN_INDICATORS)
"""Daily variables from which indicators are computed."""


@dataclass(frozen=True, slots=True)
class _Record:
    """The days of one cell and scenario, history in front."""

    grid_id: int
    first_year: int
    """Of the values."""
    own_first_year: int
    """Of the scenario itself."""
    values: NDArray[np.float64]
    """(days,) of whole years."""
    baseline: Baseline | None
    """By the rule of `baseline_years`, over years with at most 15 missing days; None when there is none."""


def yearly_indicators(daily: Iterable[Series]) -> list[Series]:
    """Every yearly indicator that daily series give.

    Years with more than 15 missing days are NaN; an indicator without any year is left out.

    Args:
        daily: series of DAILY_SOURCES (others are passed over), of any cells and scenarios; a scenario's
            indicators take the history of the same cell into account if it is among them.

    Returns:
        Yearly series by variable, scenario, cell.
    """
    by_kind: dict[tuple[str, str], dict[int, Series]] = defaultdict(dict)
    for one in daily:
        if one.variable in PLAIN_INDICATORS and one.values.size:
            by_kind[one.variable, one.scenario][one.grid_id] = one
    found: list[Series] = []
    for (variable, scenario), cells in by_kind.items():
        history = by_kind.get((variable, _HISTORY), {}) if scenario != _HISTORY else {}
        records = [_record(own, history.get(grid_id)) for grid_id, own in sorted(cells.items())]
        for alike in _alike(records):
            found.extend(_computed(variable, scenario, alike))
    return sorted(found, key=lambda one: (one.variable, one.scenario, one.grid_id))


def _computed(variable: str, scenario: str, records: Sequence[_Record]) -> Iterator[Series]:
    """The indicators of cells whose records cover the same years and have the same baseline."""
    first = records[0]
    values = np.stack([record.values for record in records], axis=1)
    dates = _dates_from(first.first_year, values.shape[0])
    results = {name: compute(values, dates) for name, compute in PLAIN_INDICATORS[variable].items()}
    if first.baseline is not None:
        results |= _relative_to_baseline(variable, values, dates, first.baseline.years)
    for name, (years, by_year) in results.items():
        own = years >= first.own_first_year
        for record, column in zip(records, by_year[own].T, strict=True):
            if not np.isnan(column).all():
                yield Series(name, scenario, record.grid_id, first.own_first_year, column.astype(np.float32))


def _relative_to_baseline(
    variable: str, values: NDArray[np.float64], dates: NDArray[np.datetime64], baseline: tuple[int, int]
) -> dict[str, Yearly]:
    """Spells and days beyond the percentiles of the cells' own baseline; the percentile is computed once."""
    if variable == "tasmax":
        warm = spells.day_percentile(values, dates, spells.WARM_PERCENTILE, baseline)
        return {
            "wsdi": spells.warm_spell_duration(values, dates, baseline, threshold=warm),
            "tx90p_days": spells.days_above_threshold(values, dates, baseline, threshold=warm),
        }
    if variable == "tasmin":
        return {"csdi": spells.cold_spell_duration(values, dates, baseline)}
    return {}


def _record(own: Series, history: Series | None) -> _Record:
    """The days of a series on whole years, with the history before its first year in front."""
    first_year = own.first_year if history is None else min(own.first_year, history.first_year)
    last_year = int(_dates_from(own.first_year, own.values.size)[-1].astype("datetime64[Y]").astype(int)) + 1970
    values = np.full(calendar_days(first_year, last_year - first_year + 1).size, np.nan)
    start = calendar_days(first_year, own.first_year - first_year).size
    if history is not None:
        in_front = history.values[:start]
        values[: in_front.size] = in_front
    values[start : start + own.values.size] = own.values
    dates = _dates_from(first_year, values.size)
    if days_not_in_calendar(values[start:, np.newaxis], dates[start:]).any():
        # One calendar for the whole record: beside the history's, the scenario's 29 Februaries would count as lost.
        values[is_leap_day(dates)] = np.nan
    return _Record(own.grid_id, first_year, own.first_year, values, _baseline(first_year, values))


def _baseline(first_year: int, values: NDArray[np.float64]) -> Baseline | None:
    """Baseline over the years in which an indicator could have a value."""
    dates = _dates_from(first_year, values.size)
    year_of_day = dates.astype("datetime64[Y]").astype(int) + 1970 - first_year
    missing = np.bincount(year_of_day, weights=np.isnan(values))
    return baseline_years(first_year + np.flatnonzero(missing <= MOST_MISSING_DAYS))


def _alike(records: Iterable[_Record]) -> Iterable[Sequence[_Record]]:
    groups: dict[tuple[int, int, int, Baseline | None], list[_Record]] = defaultdict(list)
    for record in records:
        groups[record.first_year, record.own_first_year, record.values.size, record.baseline].append(record)
    return groups.values()


def _dates_from(first_year: int, n_days: int) -> NDArray[np.datetime64]:
    return np.datetime64(f"{first_year:04d}-01-01", "D") + np.arange(n_days)
