"""How the climate of South Korea changes by scenario and year, and how warm the globe becomes, as tables.

Anchored on the national 1 km projections (five regional models, South Korean mean, 2081–2100 against 2000–2019):
+2.3 °C and +3 % of rain at SSP1-2.6, +6.3 °C and +18 % at SSP5-8.5, 20 to 40 % on the wettest day
(Climate Research 17(2), 2022, 89, doi:10.14383/cri.2022.17.2.89; the same figures in the National Atlas of Korea).
SSP2-4.5 and SSP3-7.0 stand between them as the global warming of IPCC AR6 WG1, table SPM.1, does. The course
within the century is this project's approximation.
The globe: best estimates of that table for 2021–2040, 2041–2060 and 2081–2100 above 1850–1900, less the 0.88 °C by
which 1991–2020 was warmer than 1850–1900.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.db.inputs import Warming
from aiops.ingest.sample.days import PERIODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

HEAVY_RAIN_PER_DEGREE = 0.07
"""Growth of the heaviest rain per °C of local warming (Clausius–Clapeyron)."""


@dataclass(frozen=True, slots=True)
class Pathway:
    """The change under one scenario, relative to 1991–2020."""

    knots: tuple[tuple[int, float], ...]
    """(year, °C), straight lines between them."""
    rain_per_degree: float
    """Growth of the mean rain per °C of warming."""

    def warming(self, years: ArrayLike) -> Floats:
        """Warming of South Korea since the mean of 1991–2020, °C."""
        at, degrees = zip(*self.knots, strict=True)
        warming: Floats = np.interp(np.asarray(years, dtype=np.float64), at, degrees)
        return warming


PATHWAYS: dict[str, Pathway] = {
    # A quarter of a degree per decade, the observed trend of Seoul 1991–2020, centred on the period.
    "historical": Pathway(((1991, -0.36), (2020, 0.36)), 0.02),
    "ssp126": Pathway(((2020, 0.36), (2030, 1.05), (2050, 1.9), (2070, 2.3), (2090, 2.4), (2100, 2.4)), 0.0125),
    "ssp245": Pathway(((2020, 0.36), (2030, 1.10), (2050, 2.2), (2070, 3.1), (2090, 3.8), (2100, 4.0)), 0.02),
    "ssp370": Pathway(((2020, 0.36), (2030, 1.10), (2050, 2.4), (2070, 3.8), (2090, 5.1), (2100, 5.8)), 0.024),
    "ssp585": Pathway(((2020, 0.36), (2030, 1.25), (2050, 2.9), (2070, 4.7), (2090, 6.4), (2100, 7.2)), 0.028),
}
"""By the scenarios of `aiops.climate.SCENARIOS`."""

GLOBAL_PATHWAYS: dict[str, tuple[tuple[float, float], ...]] = {
    "historical": ((1991, -0.32), (2005.5, 0.0), (2020, 0.32)),
    "ssp126": ((2020, 0.32), (2030.5, 0.62), (2050.5, 0.82), (2090.5, 0.92), (2100, 0.92)),
    "ssp245": ((2020, 0.32), (2030.5, 0.62), (2050.5, 1.12), (2090.5, 1.82), (2100, 1.97)),
    "ssp370": ((2020, 0.32), (2030.5, 0.62), (2050.5, 1.22), (2090.5, 2.72), (2100, 3.06)),
    "ssp585": ((2020, 0.32), (2030.5, 0.72), (2050.5, 1.52), (2090.5, 3.52), (2100, 3.98)),
}
"""(year, °C of the global mean since 1991–2020), straight lines between them."""


def global_warming(scenario: str, years: ArrayLike) -> Floats:
    """Warming of the globe since the mean of 1991–2020, °C."""
    at, degrees = zip(*GLOBAL_PATHWAYS[scenario], strict=True)
    warming: Floats = np.interp(np.asarray(years, dtype=np.float64), at, degrees)
    return warming


def warming_rows() -> Iterator[Warming]:
    """Global warming of each scenario and year as rows."""
    for scenario in SCENARIOS:
        first, last = PERIODS[scenario]
        years = np.arange(first, last + 1)
        for year, degrees in zip(years.tolist(), global_warming(scenario, years).tolist(), strict=True):
            yield Warming(scenario, year, round(degrees, 4))
