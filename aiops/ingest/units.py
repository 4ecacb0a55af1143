"""Wrong units: how a value, or a whole column of plausible values, gives itself away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops.ingest.variables import Variable

_SPELLINGS = {
    "°C": {"°c", "℃", "c", "degc", "deg_c", "celsius"},
    "%": {"%", "percent"},
    "mm": {"mm", "mm/day", "mm/d", "mm day-1", "mm d-1"},
    "m/s": {"m/s", "m s-1", "ms-1"},
    "W/m²": {"w/m²", "w/m2", "w m-2"},
    "days": {"days", "day", "d", "일"},
    "h": {"h", "hr", "hours", "hour", "시간"},
    "hPa": {"hpa", "mbar", "mb"},
    "cm": {"cm"},
    "1": {"1", "", "-"},
}
"""By stored unit: how else it is written, lower case."""

_MISSING_CODES = {-9.0, -99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, -9999.9, -99999.0}

_ENOUGH_VALUES = 300
"""A year of days, nearly; over fewer values a small maximum can be the weather."""


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """A column whose largest value stays below what every place in Korea sees within a year."""

    below: float
    hint: str


_SUSPICIONS = {
    "pr": _Suspicion(0.5, "it looks like kg m⁻² s⁻¹ (× 86,400 is mm a day) or metres (× 1,000)"),
    "hurs": _Suspicion(1.01, "it looks like a fraction (× 100 is %)"),
    "hursmin": _Suspicion(1.01, "it looks like a fraction (× 100 is %)"),
    "rsds": _Suspicion(60.0, "it looks like MJ/m² a day (÷ 0.0864 is W/m²)"),
}


def same_unit(variable: Variable, unit: str) -> bool:
    """Whether a unit as written in a file is the one in which the variable is stored."""
    word = unit.strip().casefold()
    return not word or word == variable.unit.casefold() or word in _SPELLINGS.get(variable.unit, ())


def missing_hint(value: float) -> str:
    """What a number that is none may be, for the end of a message; mostly empty."""
    if value in _MISSING_CODES or abs(value) >= 1e19:
        return " (a code for missing? leave the field empty)"
    return ""


def hint_of(variable: Variable, value: float) -> str:
    """What a value outside the plausible range may be, for the end of a message; mostly empty."""
    if hint := missing_hint(value):
        return hint
    if variable.unit == "°C" and 150.0 < value < 350.0:
        return " (Kelvin? subtract 273.15)"
    if variable.unit == "hPa" and 10_000.0 < value < 120_000.0:
        return " (Pa? divide by 100)"
    if variable.unit == "h" and 24.0 < value <= 86_400.0:
        return " (seconds or minutes?)"
    return ""


def suspicion_of(variable: Variable, n_values: int, largest: float) -> str | None:
    """A warning when a whole column of plausible values seems to be in another unit."""
    suspicion = _SUSPICIONS.get(variable.name)
    if suspicion is None or n_values < _ENOUGH_VALUES or largest >= suspicion.below:
        return None
    return (
        f"{variable.name}: the largest of {n_values:,} values is {largest:g} {variable.unit}; "
        f"{suspicion.hint}; it was loaded as it stands"
    )
