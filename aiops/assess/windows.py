"""Which years a projection is read through: baselines, horizons, and what is computed on them alone.

Every cell is read for itself, so a cell's numbers do not depend on the block that it stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from aiops.climate import DECADES, PROJECTIONS, SCENARIOS
from aiops.risks import Driver, Reduced, Sample, Sea, Warming
from aiops.stats import gev
from aiops.stats.bins import GEV_YEARS, MIN_YEARS
from aiops.stats.samples import masked, total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from aiops.climate import Block
    from aiops.risks import Indicator, Reader
    from aiops.risks._reader import Made

BASELINE: Final = (1991, 2020)
BASELINE_MIN_YEARS: Final = 20
BASELINE_YEARS: Final = 30
HORIZON_YEARS: Final = 20
YEARS_BEFORE_DECADE: Final = 5
DECADE_YEARS: Final = 10

SERIES_OF_PROJECTION: Final = tuple(SCENARIOS.index(projection.scenario) for projection in PROJECTIONS)
"""By projection: the index in SCENARIOS."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """The baseline years of each scenario's series."""

    sample: Sample
    """values (5, cells, 30)."""
    labels: list[str | None]
    """(cells,): `1991-2020`, `first_30_years`, `first_9_years` of the first series with any year; else None."""


class Windows:
    """A block's indicators by window; what several risks ask for is kept.

    Implements `aiops.risks.Reader`.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        # A block without any series has no axis of years; one year, missing throughout, stands for it.
        self._years = block.years if block.years.size else np.array([BASELINE[0]], dtype=np.int32)
        self._series: dict[Indicator, NDArray[np.float64]] = {}
        self._baselines: dict[Indicator, Baselines] = {}
        self._horizons: dict[Indicator, Sample] = {}
        self._made: dict[Callable[[Reader], Any], Any] = {}
        self._fits: dict[Indicator, tuple[gev.Gev, NDArray[np.int64]]] = {}

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return self._block.n_cells

    @property
    def attributes(self) -> Mapping[str, NDArray[np.float64]]:
        """Of the cells."""
        return self._block.attributes

    def present(self, driver: Driver = Driver.SERIES) -> NDArray[np.bool_]:
        """(33, cells): whether the cell can have a result for the projection's scenario."""
        block, present = self._block, self._block.present
        if driver is Driver.WARMING and block.warming is not None:
            # The past is the cell's own in any case.
            of_scenario = ~np.isnan(block.warming[1:]).all(axis=-1)
            present = present | np.concatenate([[False], of_scenario])[:, None]
        if driver is Driver.SEA and block.tides is not None:
            # The gauges' own record is the past, whether or not its rise is known. A scenario of the cell's other risks
            # is one of this risk too: inland it is not applicable, at a coast a rise is lacking.
            of_scenario = ~np.isnan(block.tides.rise[1:]).all(axis=(1, 2))
            present = present | np.concatenate([[True], of_scenario])[:, None]
        return present[list(SERIES_OF_PROJECTION)]

    def series(self, indicator: Indicator) -> NDArray[np.float64]:
        """(5, cells, years) of X; NaN where it is missing or not finite. A variable nobody has is missing."""
        if indicator not in self._series:
            self._series[indicator] = self._read(indicator)
        return self._series[indicator]

    def _read(self, indicator: Indicator) -> NDArray[np.float64]:
        stored = self._block.values.get(indicator.variable)
        if stored is None or not self._block.years.size:
            return np.full((len(SCENARIOS), self.n_cells, self._years.size), np.nan)
        # Years last and side by side: sums over them are then the same for a cell in any block.
        values = np.ascontiguousarray(stored.transpose(0, 2, 1))
        if indicator.transform is not None:
            values = indicator.transform(values)
        infinite = np.isinf(values)
        # Not in place: without a transform the values may be the block's own.
        return np.where(infinite, np.nan, values) if infinite.any() else values

    def baselines(self, indicator: Indicator) -> Sample:
        """See `Reader`."""
        return self.labelled_baselines(indicator).sample

    def labelled_baselines(self, indicator: Indicator) -> Baselines:
        """The baseline of each scenario's series.

        1991-2020 where at least 20 of its years are valid; else the first 30 valid years; else all of them.
        """
        if indicator not in self._baselines:
            self._baselines[indicator] = _baselines(self.series(indicator), self._years)
        return self._baselines[indicator]

    def horizons(self, indicator: Indicator) -> Sample:
        """See `Reader`."""
        if indicator not in self._horizons:
            if indicator.past_only:
                past = self.baselines(indicator).values[0]
                values = np.broadcast_to(past, (len(PROJECTIONS) - 1, *past.shape))
                if indicator.warmed is not None:
                    values = indicator.warmed(past, self.warming())
            else:
                values = _horizons(self.series(indicator), self._years)
            self._horizons[indicator] = Sample(values, np.count_nonzero(~np.isnan(values), axis=-1))
        return self._horizons[indicator]

    def mean(self, indicator: Indicator) -> Reduced:
        """See `Reader`."""
        first, others = (_mean(*part) for part in self._parts(indicator))
        return Reduced(np.concatenate([first.values, others.values]), np.concatenate([first.n, others.n]))

    def _parts(self, indicator: Indicator) -> tuple[Sample, Sample]:
        """All projections: the first from the historical baseline, the others from the horizons."""
        baseline = self.baselines(indicator)
        return Sample(baseline.values[:1], baseline.n[:1]), self.horizons(indicator)

    def gev(self, indicator: Indicator) -> tuple[gev.Gev, NDArray[np.int64]]:
        """See `Reader`."""
        if indicator not in self._fits:
            parts = self._parts(indicator)
            n = np.concatenate([part.n for part in parts])
            moments = np.concatenate([gev.weighted_moments(part.values) for part in parts], axis=1)
            moments[:, n < GEV_YEARS] = np.nan
            self._fits[indicator] = gev.from_moments(moments), n
        return self._fits[indicator]

    def warming(self) -> Warming:
        """The warming of each horizon."""
        block = self._block
        if block.warming is None or not block.years.size:
            return Warming(np.full(len(PROJECTIONS) - 1, np.nan), block.warming_is_regional)
        values = _horizons(block.warming[:, None, :], self._years)
        mean = _mean(values, np.count_nonzero(~np.isnan(values), axis=-1)).values
        return Warming(mean[:, 0], block.warming_is_regional)

    def sea(self) -> Sea | None:
        """See `Reader`."""
        tides = self._block.tides
        if tides is None or not self._block.years.size:
            return None
        rise = tides.rise.transpose(0, 2, 1).astype(np.float64, order="C")
        baselines, horizons = _baselines(rise, self._years), _horizons(rise, self._years)
        parts = baselines.sample.values[:1], horizons
        return Sea(tides.of_cell, tides.maxima, tides.maxima_years, parts, baselines.labels)

    def once(self, make: Callable[[Reader], Made]) -> Made:
        """See `Reader`."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made


def _mean(values: NDArray[np.float64], n: NDArray[np.int64]) -> Reduced:
    sums = total(masked(values, ~np.isnan(values)))
    return Reduced(sums / np.where(n >= MIN_YEARS, n, np.nan), n)


def _baselines(series: NDArray[np.float64], years: NDArray[np.int32]) -> Baselines:
    values = _slice(series, BASELINE[0] - int(years[0]), BASELINE_YEARS)
    n = np.count_nonzero(~np.isnan(values), axis=-1)
    usual = n >= BASELINE_MIN_YEARS
    if not usual.all():
        values[~usual] = _first_valid(series[~usual], BASELINE_YEARS)
        n = np.count_nonzero(~np.isnan(values), axis=-1)
    return Baselines(Sample(values, n), _labels(n, usual))


def _horizons(series: NDArray[np.float64], years: NDArray[np.int32]) -> NDArray[np.float64]:
    """(32, cells, 20), by each scenario's own rows."""
    starts = _horizon_starts(_last_years(series[1:], years)) - int(years[0])
    values = np.empty((len(SCENARIOS) - 1, len(DECADES), series.shape[1], HORIZON_YEARS))
    for scenario, of_scenario in enumerate(starts):
        own = series[scenario + 1]
        alike = of_scenario[:, 0] if own.shape[0] and (of_scenario == of_scenario[:, :1]).all() else None
        if alike is not None and alike.min() >= 0 and alike.max() + HORIZON_YEARS <= own.shape[-1]:
            # As a rule: all cells have the same years, and every window lies within them.
            values[scenario] = sliding_window_view(own, HORIZON_YEARS, axis=-1)[:, alike].swapaxes(0, 1)
            continue
        for decade, start in enumerate(of_scenario):
            values[scenario, decade] = _window(own, start)
    return values.reshape(len(PROJECTIONS) - 1, series.shape[1], HORIZON_YEARS)


def _slice(series: NDArray[np.float64], start: int, length: int) -> NDArray[np.float64]:
    """Years start … start + length of the last axis; NaN outside of it."""
    values = np.full((*series.shape[:-1], length), np.nan)
    first, last = max(start, 0), min(start + length, series.shape[-1])
    if first < last:
        values[..., first - start : last - start] = series[..., first:last]
    return values


def _window(series: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(cells, 20) years from each cell's own start; as a rule they are one and the same."""
    if np.all(starts == starts[:1]):
        return _slice(series, int(starts[0]) if starts.size else 0, HORIZON_YEARS)
    positions = starts[:, None] + np.arange(HORIZON_YEARS)
    inside = (positions >= 0) & (positions < series.shape[-1])
    gathered = np.take_along_axis(series, np.where(inside, positions, 0), axis=-1)
    return np.where(inside, gathered, np.nan)


def _first_valid(series: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The first valid years of each row, at most `length`, NaN behind them."""
    order = np.argsort(np.isnan(series), axis=-1, kind="stable")[..., :length]
    return _slice(np.take_along_axis(series, order, axis=-1), 0, length)


def _last_years(series: NDArray[np.float64], years: NDArray[np.int32]) -> NDArray[np.int64]:
    """The last valid year of each row; the year before the axis where there is none."""
    behind = np.argmax(~np.isnan(series)[..., ::-1], axis=-1)
    last = int(years[-1]) - behind
    return np.where(np.isnan(series).all(axis=-1), int(years[0]) - 1, last)


def _horizon_starts(last: NDArray[np.int64]) -> NDArray[np.int64]:
    """First year of each decade's window, (scenarios, decades, cells), from the last valid years.

    A window that runs beyond the data is shifted to their end when they cover its whole decade; when they do
    not, it stays and has fewer years: shifted all the same, it would speak of another decade.
    """
    decades = np.array(DECADES)[None, :, None]
    starts = decades - YEARS_BEFORE_DECADE
    end = last[:, None, :]
    covered = end >= decades + DECADE_YEARS - 1
    return np.where(covered, np.minimum(starts, end - HORIZON_YEARS + 1), starts)


def _labels(n: NDArray[np.int64], usual: NDArray[np.bool_]) -> list[str | None]:
    has_years = n > 0
    first = np.argmax(has_years, axis=0)
    cells = np.arange(n.shape[1])
    count = np.where(has_years.any(axis=0), n[first, cells], 0)
    names: dict[int, str | None] = {years: f"first_{years}_years" for years in range(1, BASELINE_YEARS + 1)}
    names[0] = None
    names[-1] = f"{BASELINE[0]}-{BASELINE[1]}"
    return [names[key] for key in np.where(usual[first, cells], -1, count).tolist()]
