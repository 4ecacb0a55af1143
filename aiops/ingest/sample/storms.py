"""Synthetic typhoons that pass near Korea: when, where, and how much rain they drop.

About three storms a year affect the country, most in August, crossing from the south to the north-east
(KMA typhoon statistics 1991–2020: 3.4 a year). These tracks are drawn, not observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.ingest.sample.days import MONTH_LENGTHS, PERIODS
from aiops.ingest.sample.noise import Stream, generator
from aiops.ingest.sample.plane import to_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STORMS_PER_YEAR = 3.4
_MONTH_SHARES = {6: 0.09, 7: 0.27, 8: 0.36, 9: 0.24, 10: 0.04}
_RAIN_MM = 75.0
"""Mean rain on the track of one storm."""
MEASURABLE_MM = 0.1
"""Less rain than this on a day is none."""
GATE_LATITUDE = 34.5
"""Where tracks are drawn to cross, °N: the south coast."""
_REACH_KM = 130.0
"""Distance from the track at which the rain has fallen by 39 %."""


@dataclass(frozen=True, slots=True)
class Storms:
    """A set of storms, each a straight track across the plane of `aiops.ingest.sample.plane`; arrays are (storms,)."""

    year: NDArray[np.int64]
    first_day: NDArray[np.datetime64]
    """Rain falls on this day and the next."""
    crossing_km: Floats
    """Kilometres east of the plane's origin at which the track crosses the gate's latitude."""
    heading: Floats
    """Direction of travel, radians clockwise from north."""
    rain_mm: Floats
    """Rain on the track."""
    first_day_share: Floats
    """Share of the rain that falls on the first day."""

    def distance_km(self, places: Floats) -> Floats:
        """Distance of places (places, 2) from each track: (storms, places)."""
        gate = to_plane(GATE_LATITUDE, 127.5)[1]
        east = places[None, :, 0] - self.crossing_km[:, None]
        north = places[None, :, 1] - gate
        distance: Floats = np.abs(east * np.cos(self.heading)[:, None] - north * np.sin(self.heading)[:, None])
        return distance

    def rain(self, places: Floats) -> Floats:
        """Rain of each storm at each place over its two days: (storms, places), mm."""
        return self.rain_mm[:, None] * np.exp(-0.5 * (self.distance_km(places) / _REACH_KM) ** 2)


def draw_storms(seed: int, scenario: str) -> Storms:
    """The storms of a scenario's period: a Poisson number each year."""
    random = generator(seed, Stream.STORMS, scenario)
    first, last = PERIODS[scenario]
    counts = random.poisson(STORMS_PER_YEAR, last - first + 1)
    return _draw(random, np.repeat(np.arange(first, last + 1), counts))


def mean_rain(places: Floats) -> Floats:
    """Mean storm rain a day of each month at places: (12, places), mm; from a fixed large sample of storms."""
    sample = _draw(np.random.default_rng(1991), np.full(4000, 2000))
    total = STORMS_PER_YEAR * sample.rain(places).mean(axis=0)
    mean = np.zeros((12, len(places)))
    for month, share in _MONTH_SHARES.items():
        mean[month - 1] = share * total / MONTH_LENGTHS[month - 1]
    return mean


def _draw(random: np.random.Generator, years: NDArray[np.int64]) -> Storms:
    """One storm for each of the years given."""
    n = len(years)
    months = random.choice(list(_MONTH_SHARES), size=n, p=list(_MONTH_SHARES.values()))
    first_of_month = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (months - 1)
    return Storms(
        year=years,
        first_day=first_of_month.astype("datetime64[D]") + random.integers(0, 30, n),
        crossing_km=random.normal(40.0, 190.0, n),
        heading=np.radians(random.normal(28.0, 18.0, n)),
        rain_mm=random.gamma(1.8, _RAIN_MM / 1.8, n),
        first_day_share=random.beta(2.0, 1.2, n),
    )
