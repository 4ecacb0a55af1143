"""Tide gauges around South Korea, the sea's highest water of each year there, and how the sea rises by scenario.

Highest waters: near the Korea Hydrographic and Oceanographic Agency's (KHOA) predicted annual maxima (tide tables of
2003 to 2016: Incheon 935–980, Pyeongtaek 947–971, Gunsan 736–771, Mokpo 500–527, Yeosu 379–391, Busan 146–157,
Jeju 294–330 cm) and what the weather adds on top; the other gauges, and where the mean sea level stands, approximately.
Rise: KHOA's projections for the seas around Korea, announced on 9 March 2023: .20 m by 2050 and .47 m by 2100 at
SSP1-2.6, .25 m and .82 m at SSP5-8.5, a little more in the East Sea; between them as the global medians of IPCC AR6 do.
The sea rose by some 3 mm a year from 1989 to 2021 (KHOA). No level was measured in the year it stands at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.db.inputs import Gauge, GaugeMaximum, SeaLevelRise
from aiops.indices.sea_level import REFERENCE
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.noise import Stream, generator
from aiops.ingest.sample.plane import to_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EAST_SEA, ELSEWHERE = 1.04, 1.0
"""How much faster than the national mean the sea rises."""
_RISE_A_YEAR = 0.003
"""Of the past, m."""
_EULER = 0.5772


@dataclass(frozen=True, slots=True)
class SampleGauge:
    """A gauge of the sample; levels are metres above its zero, about the lowest low water."""

    gauge_id: str
    name: str
    latitude: float
    longitude: float
    mean_sea_level: float
    highest_water: float
    """Mean of the annual maxima."""
    scale: float
    """Of their Gumbel distribution."""
    rise: float = ELSEWHERE

    def level_above_mean_sea(self, years: float) -> float:
        """The still water level of a return period, m above mean sea level."""
        reduced = -np.log(-np.log1p(-1.0 / years))
        return self.highest_water - self.mean_sea_level + self.scale * float(reduced - _EULER)


SAMPLE_GAUGES: tuple[SampleGauge, ...] = (
    SampleGauge("sample-incheon", "인천", 37.45, 126.59, 4.64, 9.72, 0.12),
    SampleGauge("sample-pyeongtaek", "평택", 36.97, 126.82, 4.64, 9.70, 0.12),
    SampleGauge("sample-taean", "안흥", 36.67, 126.13, 3.50, 7.45, 0.12),
    SampleGauge("sample-boryeong", "보령", 36.41, 126.49, 3.76, 8.05, 0.12),
    SampleGauge("sample-gunsan", "군산", 35.98, 126.56, 3.63, 7.70, 0.12),
    SampleGauge("sample-yeonggwang", "영광", 35.43, 126.42, 3.40, 7.15, 0.12),
    SampleGauge("sample-mokpo", "목포", 34.78, 126.38, 2.43, 5.25, 0.11),
    SampleGauge("sample-jindo", "진도", 34.38, 126.31, 1.95, 4.25, 0.10),
    SampleGauge("sample-wando", "완도", 34.32, 126.76, 2.00, 4.40, 0.11),
    SampleGauge("sample-yeosu", "여수", 34.75, 127.77, 1.81, 4.02, 0.12),
    SampleGauge("sample-tongyeong", "통영", 34.83, 128.43, 1.40, 3.20, 0.11),
    SampleGauge("sample-masan", "마산", 35.20, 128.58, 0.98, 2.45, 0.13),
    SampleGauge("sample-busan", "부산", 35.10, 129.04, 0.65, 1.64, 0.10),
    SampleGauge("sample-ulsan", "울산", 35.50, 129.39, 0.30, 0.90, 0.08, EAST_SEA),
    SampleGauge("sample-pohang", "포항", 36.05, 129.38, 0.13, 0.58, 0.08, EAST_SEA),
    SampleGauge("sample-hupo", "후포", 36.68, 129.45, 0.15, 0.55, 0.07, EAST_SEA),
    SampleGauge("sample-mukho", "묵호", 37.55, 129.12, 0.19, 0.58, 0.07, EAST_SEA),
    SampleGauge("sample-sokcho", "속초", 38.21, 128.59, 0.19, 0.58, 0.07, EAST_SEA),
    SampleGauge("sample-ulleungdo", "울릉도", 37.49, 130.91, 0.15, 0.48, 0.06, EAST_SEA),
    SampleGauge("sample-jeju", "제주", 33.53, 126.54, 1.42, 3.20, 0.09),
    SampleGauge("sample-seogwipo", "서귀포", 33.24, 126.56, 1.50, 3.30, 0.09),
)

_RISE: dict[str, tuple[tuple[int, float], ...]] = {
    "ssp126": ((2020, 0.047), (2050, 0.20), (2075, 0.335), (2100, 0.47)),
    "ssp245": ((2020, 0.047), (2050, 0.215), (2075, 0.385), (2100, 0.59)),
    "ssp370": ((2020, 0.047), (2050, 0.23), (2075, 0.43), (2100, 0.71)),
    "ssp585": ((2020, 0.047), (2050, 0.25), (2075, 0.48), (2100, 0.82)),
}
"""(year, m above the mean of 1995–2014), straight lines between them."""


def sea_rise(scenario: str, years: NDArray[np.int64]) -> Floats:
    """Rise of the sea around Korea, m above the mean of 1995–2014, (years,)."""
    if scenario == SCENARIOS[0]:
        return np.asarray(_RISE_A_YEAR * (years - sum(REFERENCE) / 2.0), dtype=np.float64)
    at, metres = zip(*_RISE[scenario], strict=True)
    future: Floats = np.interp(years, at, metres)
    return future


def gauges() -> list[Gauge]:
    """The gauges as rows; the zero of each in metres below mean sea level, taken to be one around the country."""
    return [
        Gauge(gauge.gauge_id, gauge.name, gauge.latitude, gauge.longitude, -gauge.mean_sea_level)
        for gauge in SAMPLE_GAUGES
    ]


def gauge_maxima(seed: int) -> Iterator[GaugeMaximum]:
    """Highest water of each year of the history, drawn; it rises with the sea."""
    years = _years(SCENARIOS[0])
    rise = sea_rise(SCENARIOS[0], years)
    for number, gauge in enumerate(SAMPLE_GAUGES):
        random = generator(seed, Stream.TIDES, SCENARIOS[0], number)
        surge = random.gumbel(-_EULER * gauge.scale, gauge.scale, years.size)
        for year, level in zip(years.tolist(), gauge.highest_water + rise * gauge.rise + surge, strict=True):
            yield GaugeMaximum(gauge.gauge_id, year, round(float(level), 3))


def sea_level_rise() -> Iterator[SeaLevelRise]:
    """The rise at each gauge, by scenario and year."""
    for scenario in SCENARIOS:
        years = _years(scenario)
        rise = sea_rise(scenario, years)
        for gauge in SAMPLE_GAUGES:
            for year, metres in zip(years.tolist(), rise * gauge.rise, strict=True):
                yield SeaLevelRise(gauge.gauge_id, scenario, year, round(float(metres), 4))


def highest_water(places: Floats, years: float) -> Floats:
    """The water level of a return period at the gauge nearest to places (places, 2): (places,), m above mean sea."""
    levels = np.array([gauge.level_above_mean_sea(years) for gauge in SAMPLE_GAUGES])
    offset = places[:, None] - _on_the_plane()
    nearest: Floats = levels[(offset**2).sum(axis=2).argmin(axis=1)]
    return nearest


@lru_cache(maxsize=1)
def _on_the_plane() -> Floats:
    return to_plane([gauge.latitude for gauge in SAMPLE_GAUGES], [gauge.longitude for gauge in SAMPLE_GAUGES])


def _years(scenario: str) -> NDArray[np.int64]:
    first, last = PERIODS[scenario]
    return np.arange(first, last + 1)
