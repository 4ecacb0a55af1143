"""Whether what is computed follows from a generator's series: then it is of a synthetic data set, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS
from aiops.ingest.aligned import HISTORY
from aiops.ingest.drought import DROUGHT_INDICATORS, RAIN
from aiops.ingest.evapotranspiration import DAILY_WEATHER, MONTHLY_WEATHER, PET
from aiops.ingest.fire import FIRE_INDICATORS, FIRE_SOURCES
from aiops.ingest.indicators import PLAIN_INDICATORS
from aiops.ingest.water import WATER_SOURCES, WSI

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiops.climate import Series

    Key = tuple[str, str, int]

FOLLOWS_FROM: dict[str, tuple[str, ...]] = {
    **{name: (source,) for source, names in PLAIN_INDICATORS.items() for name in names},
    "wsdi": ("tasmax",),
    "tx90p_days": ("tasmax",),
    "csdi": ("tasmin",),
    **dict.fromkeys(FIRE_INDICATORS, FIRE_SOURCES),
    RAIN: ("pr",),
    PET: (*DAILY_WEATHER, *MONTHLY_WEATHER),
    **dict.fromkeys(DROUGHT_INDICATORS, (RAIN, PET)),
    WSI: WATER_SOURCES,
}
"""By what is computed from series: the variables that it may follow from."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a generator made of some cells."""

    series: set[Key]
    """(variable, scenario, cell) of stored series."""
    basins: Collection[str] = ()
    """Basins with flow or use from a generator."""
    basin_of: Mapping[int, str] = field(default_factory=dict)
    """By cell."""

    def reaches(self, key: Key) -> bool:
        """Whether a series that is computed follows from any of it.

        A scenario has its history in front; evapotranspiration is by one method for all scenarios of a cell.
        """
        variable, scenario, grid_id = key
        scenarios = SCENARIOS if variable == PET else (HISTORY, scenario)
        if variable == WSI and self.basin_of.get(grid_id) in self.basins:
            return True
        return any(
            (source, one, grid_id) in self.series for source in FOLLOWS_FROM.get(variable, ()) for one in scenarios
        )


def key_of(one: Series) -> Key:
    """What a series is of."""
    return one.variable, one.scenario, one.grid_id


def beside_given(
    series: Iterable[Series], given: Collection[Key], generated: Generated
) -> tuple[list[Series], list[Series]]:
    """What was computed: that to be written, and that to be put where what a file has given has no value.

    What follows from a generator's series is not put among what is real: it is in neither. Where all that it follows
    from is real, a generator's own series does not count as given.

    Args:
        series: what was computed.
        given: (variable, scenario, cell) of stored series that were given.
        generated: with those of the computed variables that are stored.
    """
    open_: list[Series] = []
    beside: list[Series] = []
    for one in series:
        key = key_of(one)
        becomes, was = generated.reaches(key), key in generated.series
        if key not in given or (was and not becomes):
            open_.append(one)
        elif becomes == was:
            beside.append(one)
    return open_, beside
