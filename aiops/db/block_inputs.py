"""The sea and the warming of the globe, as a block of cells carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.climate import SCENARIOS, Tides
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Cursor

    Floats = NDArray[np.float64]
    Pair = tuple[NDArray[np.int32], Floats]

GAUGE_REACH_KM: Final = 100.0
"""A gauge farther away says nothing of a cell's tides †: along the west coast their range halves within 300 km."""
COAST_REACH_M: Final = 10_000.0
"""Cells farther from the coast do not look to a gauge; those of unknown distance do."""
_FIRST_YEAR, _LAST_YEAR = 1991, 2100  # the years that results read; others would only lengthen the axis
_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was read, before it is laid on a block's axis of years."""

    warming: Mapping[str, Pair]
    """By scenario: years and K."""
    warming_is_regional: bool
    gauges: Sequence[GaugeRecord]
    """Those with a maximum at least, in the order of their ids."""

    def years(self) -> list[int]:
        """The first and last year that have a value for some scenario, of those between 1991 and 2100."""
        pairs = [*self.warming.values(), *(pair for gauge in self.gauges for pair in gauge.rise.values())]
        if not pairs:
            return []
        years = np.concatenate([years for years, _ in pairs])
        years = years[(years >= _FIRST_YEAR) & (years <= _LAST_YEAR)]
        return [int(years.min()), int(years.max())] if years.size else []

    def warming_on(self, years: NDArray[np.int32]) -> Floats | None:
        """(5, years), or None where nothing is stored."""
        return with_history(self.warming, years) if self.warming else None

    def tides_on(
        self, years: NDArray[np.int32], latitude: Floats, longitude: Floats, coast_distance_m: Floats
    ) -> Tides | None:
        """All gauges, and which of them each cell looks to; None where there is none.

        All of them, so that a cell's numbers do not depend on the block that it stands in.
        """
        if not self.gauges:
            return None
        maxima_years = np.unique(np.concatenate([gauge.maxima[0] for gauge in self.gauges]))
        maxima = np.full((maxima_years.size, len(self.gauges)), np.nan)
        for place, gauge in enumerate(self.gauges):
            at, levels = gauge.maxima
            maxima[np.searchsorted(maxima_years, at), place] = levels
        return Tides(
            of_cell=_nearest(self.gauges, latitude, longitude, coast_distance_m),
            maxima=maxima,
            maxima_years=maxima_years,
            rise=np.stack([with_history(gauge.rise, years) for gauge in self.gauges], axis=-1),
        )


@dataclass(frozen=True, slots=True)
class GaugeRecord:
    """A tide gauge with what it measured and what is expected there."""

    gauge_id: str
    latitude: float
    longitude: float
    synthetic: bool
    maxima: Pair
    """Years and m above mean sea level at Incheon."""
    rise: Mapping[str, Pair]
    """By scenario: years and m."""


def read_inputs(cursor: Cursor[tuple[Any, ...]]) -> Inputs:
    """Read what is stored, in three small statements.

    Args:
        cursor: binary.
    """
    cursor.execute(statement("read_block_warming"))
    warming_rows = cursor.fetchall()
    cursor.execute(statement("read_block_gauges"))
    gauge_rows = cursor.fetchall()
    rise: dict[str, dict[str, Pair]] = {}
    if gauge_rows:
        cursor.execute(statement("read_block_rise"))
        for gauge_id, scenario, years, values in cursor.fetchall():
            rise.setdefault(gauge_id, {})[scenario] = _pair(years, values)
    return Inputs(
        warming={scenario: _pair(years, values) for scenario, _, years, values in warming_rows},
        warming_is_regional=any(regional for _, regional, _, _ in warming_rows),
        gauges=[
            GaugeRecord(gauge_id, latitude, longitude, synthetic, _pair(at, levels), rise.get(gauge_id, {}))
            for gauge_id, latitude, longitude, synthetic, at, levels in gauge_rows
        ],
    )


def with_history(by_scenario: Mapping[str, Pair], years: NDArray[np.int32]) -> Floats:
    """Values on an axis of years, (5, years); a scenario has the history in front of its first year."""
    values = np.full((len(SCENARIOS), years.size), np.nan)
    for place, scenario in enumerate(SCENARIOS):
        if scenario not in by_scenario:
            continue
        at, own = by_scenario[scenario]
        if place and SCENARIOS[0] in by_scenario:
            earlier, past = by_scenario[SCENARIOS[0]]
            before = earlier < at.min()
            _put(values[place], years, earlier[before], past[before])
        _put(values[place], years, at, own)
    return values


def _put(row: Floats, years: NDArray[np.int32], at: NDArray[np.int32], values: Floats) -> None:
    """Values into the row of an axis without gaps; those of years beyond it are left out."""
    if years.size:
        places = at - years[0]
        inside = (places >= 0) & (places < years.size)
        row[places[inside]] = values[inside]


def _nearest(
    gauges: Sequence[GaugeRecord], latitude: Floats, longitude: Floats, coast_distance_m: Floats
) -> NDArray[np.int32]:
    """(cells,): the nearest gauge within reach; −1 for none, and for cells known to lie inland.

    An observed gauge goes before a generated one, and among those one whose rise is known before one without.
    """
    nearest = np.full(latitude.size, -1, dtype=np.int32)
    rank = np.array([2 * gauge.synthetic + (not gauge.rise) for gauge in gauges])
    distance = np.stack([_kilometres(gauge, latitude, longitude) for gauge in gauges])
    looks = ~(coast_distance_m > COAST_REACH_M)
    for wanted in np.unique(rank):
        own = np.where((rank == wanted)[:, np.newaxis], distance, np.inf)
        found = looks & (nearest < 0) & (own.min(axis=0) <= GAUGE_REACH_KM)
        nearest[found] = own.argmin(axis=0)[found]
    return nearest


def _kilometres(gauge: GaugeRecord, latitude: Floats, longitude: Floats) -> Floats:
    """Great-circle distance (haversine)."""
    north, east = np.radians(latitude), np.radians(longitude)
    own_north, own_east = np.radians(gauge.latitude), np.radians(gauge.longitude)
    haversine = (
        np.sin((north - own_north) / 2.0) ** 2
        + np.cos(north) * np.cos(own_north) * np.sin((east - own_east) / 2.0) ** 2
    )
    distance: Floats = 2.0 * _EARTH_KM * np.arcsin(np.sqrt(haversine))
    return distance


def _pair(years: bytes, values: bytes) -> Pair:
    """Packed int4 and float8 in the order of the network, sorted by year."""
    at = np.frombuffer(years, dtype=">i4").astype(np.int32)
    order = np.argsort(at)
    return at[order], np.frombuffer(values, dtype=">f8").astype(np.float64)[order]


def axis_of_years(*spans: Iterable[int]) -> NDArray[np.int32]:
    """All years from the first to the last of some years; none for none."""
    given = [year for span in spans for year in span]
    return np.arange(min(given), max(given) + 1, dtype=np.int32) if given else np.zeros(0, dtype=np.int32)
