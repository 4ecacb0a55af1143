"""Sites: places with their surroundings and buildings, and what stands for what is unknown of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.assess import _defaults
from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

STRUCTURES: Final = (
    "reinforced_concrete", "steel_reinforced_concrete", "steel", "masonry", "wood", "sandwich_panel", "other",
)  # fmt: skip
USES: Final = (
    "office", "retail", "factory", "warehouse", "hotel", "hospital", "power", "residential", "school", "other",
)  # fmt: skip

_NUMBERS: Final = {
    "floor_area_m2": (_defaults.FLOOR_AREA_M2, np.nextafter(0.0, 1.0), "above 0"),
    "age_years": (_defaults.AGE_YEARS, -1.0, "a number of years, -1 for one that is finished next year"),
    "floors": (_defaults.FLOORS, 1.0, "1 or more"),
    "basement_floors": (_defaults.BASEMENT_FLOORS, 0.0, "0 or more"),
}
"""Default, least value, and what is allowed in words."""
_WORDS: Final = {"structure": (_defaults.STRUCTURE, STRUCTURES), "use": (_defaults.USE, USES)}
"""Default and what is allowed."""
_FLAGS: Final = {"pilotis": _defaults.PILOTIS, "in_flood_zone": _defaults.IN_FLOOD_ZONE}
"""Default."""


@dataclass(frozen=True, slots=True)
class Buildings:
    """Buildings of sites, (sites,) each, with defaults where something is unknown."""

    floor_area_m2: NDArray[np.float64]
    age_years: NDArray[np.float64]
    floors: NDArray[np.float64]
    """Above ground."""
    basement_floors: NDArray[np.float64]
    structure: NDArray[np.str_]
    use: NDArray[np.str_]
    water_tank: NDArray[np.bool_]
    pilotis: NDArray[np.bool_]
    """It stands on columns, the ground floor open."""
    in_flood_zone: NDArray[np.bool_]
    defaulted: Mapping[str, NDArray[np.bool_]]
    """By field: the sites for which a default stands; a field known of every site is not in it."""

    @classmethod
    def of(cls, records: Sequence[Mapping[str, object]]) -> Buildings:
        """Buildings from what is known of them.

        A field that is absent, None or NaN is unknown: 1,000 m², 20 years, reinforced concrete, 5 floors, no basement,
        office, no pilotis, no flood zone; a water tank from 6 floors or 3,000 m² on.

        Args:
            records: of each site, by field; what else they hold is not read.

        Raises:
            BadInput: a value that no building has, by field.
        """
        defaulted: dict[str, NDArray[np.bool_]] = {}
        numbers = {name: _numbers(records, name, defaulted) for name in _NUMBERS}
        words = {name: _words(records, name, defaulted) for name in _WORDS}
        tank = (numbers["floors"] >= _defaults.TANK_FLOORS) | (numbers["floor_area_m2"] >= _defaults.TANK_FLOOR_AREA_M2)
        return cls(
            floor_area_m2=numbers["floor_area_m2"],
            age_years=numbers["age_years"],
            floors=numbers["floors"],
            basement_floors=numbers["basement_floors"],
            structure=words["structure"],
            use=words["use"],
            water_tank=_flags(records, "water_tank", tank, defaulted),
            pilotis=_flags(records, "pilotis", _FLAGS["pilotis"], defaulted),
            in_flood_zone=_flags(records, "in_flood_zone", _FLAGS["in_flood_zone"], defaulted),
            defaulted=defaulted,
        )

    def defaulted_fields(self, site: int) -> list[str]:
        """The fields of a site's building for which a default stands."""
        return [name for name, where in self.defaulted.items() if where[site]]


@dataclass(frozen=True, slots=True)
class Sites:
    """Places with what surrounds them and what stands there: what Exposure, Vulnerability and losses are made of.

    Read by name (`number`, `flag`, `word`), as a risk's description does, it has no gaps: what is unknown of the
    surroundings takes the default of `ATTRIBUTE_DEFAULTS`.
    """

    latitude: NDArray[np.float64]
    """(sites,), degrees north."""
    longitude: NDArray[np.float64]
    """(sites,), degrees east."""
    attributes: Mapping[str, NDArray[np.float64]]
    """Of the sites' cells, by column of `location_grid`; NaN unknown, absent when nobody knows any."""
    buildings: Buildings
    asset_value: NDArray[np.float64]
    """(sites,), KRW; NaN none given."""
    insurance_rate: NDArray[np.float64]
    """(sites,), 0 to 1: the share of a loss that is insured."""

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return int(self.latitude.size)

    def number(self, name: str) -> NDArray[np.float64]:
        """A number of each site: (sites,), nowhere NaN.

        Raises:
            KeyError: an attribute without a default, which no risk may read.
        """
        if name == "latitude":
            return self.latitude
        if name in _NUMBERS:
            column: NDArray[np.float64] = getattr(self.buildings, name)
            return column
        default = _defaults.ATTRIBUTE_DEFAULTS[name].value
        values = self.attributes.get(name)
        if values is None:
            return np.full(self.n_sites, default)
        return np.where(np.isnan(values), default, values)

    def flag(self, name: str) -> NDArray[np.bool_]:
        """Whether something is so of each site's building: (sites,)."""
        column: NDArray[np.bool_] = getattr(self.buildings, name)
        return column

    def word(self, name: str) -> NDArray[np.str_]:
        """A word of each site's building: (sites,)."""
        column: NDArray[np.str_] = getattr(self.buildings, name)
        return column

    def defaulted(self, names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """Where defaults stand for some names: (sites,) by name, without those that are known of every site."""
        found: dict[str, NDArray[np.bool_]] = {}
        for name in names:
            if name in _defaults.ATTRIBUTE_DEFAULTS:
                values = self.attributes.get(name)
                unknown = np.ones(self.n_sites, dtype=np.bool_) if values is None else np.isnan(values)
                if unknown.any():
                    found[name] = unknown
            elif name in self.buildings.defaulted:
                found[name] = self.buildings.defaulted[name]
        return found

    def any_defaulted(self, found: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Whether a default stands for anything, (sites,)."""
        anywhere = np.zeros(self.n_sites, dtype=np.bool_)
        for where in found.values():
            anywhere |= where
        return anywhere


def _mark(defaulted: dict[str, NDArray[np.bool_]], name: str, unknown: NDArray[np.bool_]) -> bool:
    if unknown.any():
        defaulted[name] = unknown
    return name in defaulted


def _numbers(
    records: Sequence[Mapping[str, object]], name: str, defaulted: dict[str, NDArray[np.bool_]]
) -> NDArray[np.float64]:
    default, least, allowed = _NUMBERS[name]
    values = np.array([record.get(name) for record in records], dtype=np.float64)
    unknown = np.isnan(values)
    if _mark(defaulted, name, unknown):
        values[unknown] = default
    wrong = (values < least) | (values == np.inf)
    if wrong.any():
        raise BadInput(f"building.{name}: {values[wrong][0]:g} is none; allowed: {allowed}")
    return values


def _given(records: Sequence[Mapping[str, object]], name: str) -> list[object]:
    """A field of each record, None where it is unknown; NaN, which alone differs from itself, is."""
    values = (record.get(name) for record in records)
    return [None if value is None or value != value else value for value in values]  # noqa: PLR0124


def _words(
    records: Sequence[Mapping[str, object]], name: str, defaulted: dict[str, NDArray[np.bool_]]
) -> NDArray[np.str_]:
    default, allowed = _WORDS[name]
    given = _given(records, name)
    _mark(defaulted, name, np.array([word is None for word in given], dtype=np.bool_))
    for word in given:
        if word is not None and word not in allowed:
            raise BadInput(f"building.{name}: {word!r} is none; allowed: {' '.join(allowed)}")
    return np.array([default if word is None else word for word in given], dtype=np.str_)


def _flags(
    records: Sequence[Mapping[str, object]],
    name: str,
    default: NDArray[np.bool_] | bool,
    defaulted: dict[str, NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    given = _given(records, name)
    unknown = np.array([flag is None for flag in given], dtype=np.bool_)
    values = np.array([bool(flag) for flag in given], dtype=np.bool_)
    return np.where(unknown, default, values) if _mark(defaulted, name, unknown) else values
