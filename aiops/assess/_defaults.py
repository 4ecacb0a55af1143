"""What stands for something unknown of a place or its building, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class AttributeDefault(NamedTuple):
    """A number for an unknown place."""

    value: float
    reason: str


ATTRIBUTE_DEFAULTS: Final[Mapping[str, AttributeDefault]] = {
    "elevation_m": AttributeDefault(100.0, "as for evapotranspiration: neither a low shore nor highland"),
    "coast_distance_m": AttributeDefault(30_000.0, "Seoul's distance from the sea: half of the people live around it"),
    "river_distance_m": AttributeDefault(1_400.0, "where the river's reach is its national mean, .15"),
    "forest_distance_m": AttributeDefault(630.0, "where the reach of wildfire is its national mean, .3"),
    "impervious_ratio": AttributeDefault(
        0.5, "a city's (Seoul .54, Suwon .49, Ministry of Environment 2013), not the land's .08: assets stand in cities"
    ),
}
"""By column of `location_grid`: those that Exposure or Vulnerability read."""

FLOOR_AREA_M2: Final = 1_000.0
AGE_YEARS: Final = 20.0
FLOORS: Final = 5.0
BASEMENT_FLOORS: Final = 0.0
STRUCTURE: Final = "reinforced_concrete"
USE: Final = "office"
PILOTIS: Final = False
IN_FLOOD_ZONE: Final = False

TANK_FLOORS: Final = 6.0
"""From so many floors on an unknown building has a water tank."""
TANK_FLOOR_AREA_M2: Final = 3_000.0
"""And from so large a floor area on."""
