"""From the unit of a file to the unit in which a variable is stored; nothing is guessed.

Units are read as UDUNITS and CF write them (`kg m-2 s-1`, `W/m2`, `degrees_celsius`, `0.1 mm`), one word at a time, and
converted by pint. Water is the one substance whose mass per area is taken for a depth: 1 kg/m² is 1 mm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aiops.errors import FileRefused
from aiops.ingest.grids.cell_methods import method_of_step, methods_over_time
from aiops.ingest.report import printable, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from aiops.ingest.variables import Variable

_WORDS = {
    "°C": {
        **dict.fromkeys(("c", "℃", "°c", "celsius", "degc", "deg_c", "degree_c", "degrees_c"), "degC"),
        **dict.fromkeys(("degree_celsius", "degrees_celsius", "deg_celsius"), "degC"),
        **dict.fromkeys(("k", "kelvin", "degk", "deg_k", "degree_kelvin", "degrees_kelvin"), "K"),
    },
    "hPa": {"hpa": "hPa", "mb": "mbar", "pa": "Pa"},
}
"""By stored unit: words that pint does not know, or takes for something else (C is the coulomb to it), lower case."""
_NO_DIMENSION = frozenset({"1", "-", "fraction", "ratio", "unitless", "dimensionless"})
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻·", "0123456789- ")
_FACTOR = re.compile(
    r"(?P<over>/)?\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?![A-Za-z])"
    r"|(?P<word>[A-Za-zµ°℃%_]+)(?:(?:\^|\*\*)?(?P<power>[-+]?\d{1,2}))?)[\s.*]*",
)
_VARYING = re.compile(
    r"(?P<amount>.+?)\s*(?:/\s*|\s)(?P<period>month|months|mon|year|years|yr|a)(?P<power>-1)?$", re.IGNORECASE
)
_PERIODS = {"monthly": ("month", "months", "mon"), "yearly": ("year", "years", "yr", "a")}
_RATES = {"pr": 86_400.0, "rx1day": 86_400.0, "sdii": 86_400.0, "prhmax": 3_600.0}
"""Depths that a file may give as a rate: the seconds that one value is of."""
_RATES_OF_STEPS = frozenset({"pr_month", "pet_month", "prcptot"})
"""Depths whose rate is of a whole step, which is as long as its calendar says."""
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Conversion:
    """value × scale (× days of the step) + offset."""

    given: str
    """The file's unit, as it stands there."""
    stored: str
    """The unit in which the variable is stored."""
    scale: float
    offset: float = 0.0
    by_days: bool = False
    """A rate of a month or a year: the length of each step in days is a factor, too."""

    @property
    def is_identity(self) -> bool:
        """Whether values stay as they are."""
        return self.scale == 1.0 and self.offset == 0.0 and not self.by_days

    def __str__(self) -> str:
        if self.is_identity:
            return f"{self.given} taken as {self.stored}"
        days = " × days of the step" if self.by_days else ""
        offset = f" {'+' if self.offset > 0 else '−'} {abs(self.offset):g}" if self.offset else ""
        scale = f" × {self.scale:g}" if self.scale != 1.0 else ""
        return f"{self.given} → {self.stored}:{scale}{days}{offset}"


def conversion_of(variable: Variable, given: str | None, path: Path, field: str) -> Conversion:
    """How values of a file become values of a variable.

    Args:
        variable: what they are of.
        given: the unit as the file has it; None when it has none.
        path: the file, for a message.
        field: the file's name of the variable, for a message.

    Raises:
        FileRefused: there is no unit, it is not known, or it is of another dimension.
    """
    where = f"{path}: {printable(field)}"
    text = (given or "").strip()
    if not text:
        raise FileRefused(f"{where}: has no units; allowed: a units attribute, or --units; {_examples(variable)}")
    conversion = _water(variable, text) if variable.unit == "mm" else _plain(variable, text)
    if conversion is None:
        raise FileRefused(f"{where}: units {shortened(text)!r} cannot become {variable.unit}; {_examples(variable)}")
    return conversion


def doubt_of(conversion: Conversion, variable: Variable, cell_methods: str) -> str | None:
    """Why units and cell methods together do not say what the depth of water of a month or a year is.

    A mean of days' sums keeps their unit, mm, though it is a day's; a sum of rates keeps theirs, mm/day, though it is a
    month's depth.

    Returns:
        The doubt in words; None when there is none.
    """
    if variable.name not in _RATES_OF_STEPS:
        return None
    method = method_of_step(methods_over_time(cell_methods))
    amount = not conversion.by_days and _VARYING.fullmatch(conversion.given.strip()) is None
    given = f"units {shortened(conversion.given)!r} with cell_methods {printable(cell_methods)!r}"
    if method == "mean" and amount:
        return f"{given}: the mean of shorter sums, or the sum of the step"
    if method == "sum" and conversion.by_days:
        return f"{given}: a sum of rates is no rate"
    return None


def _examples(variable: Variable) -> str:
    examples = {
        "°C": "degC K",
        "mm": "mm mm/day 'kg m-2 s-1' m" if variable.name in {*_RATES, *_RATES_OF_STEPS} else "mm cm m 'kg m-2'",
        "%": "% 1",
        "m/s": "'m s-1' 'km h-1' knot",
        "W/m²": "'W m-2' 'MJ m-2 day-1'",
        "hPa": "hPa Pa",
        "h": "h min s",
        "cm": "cm mm m",
        "days": "days",
    }
    return f"allowed for {variable.name}: {examples.get(variable.unit, variable.unit)}"


def _plain(variable: Variable, text: str) -> Conversion | None:
    parsed = _parse(text, variable.unit)
    if parsed is None:
        return None
    factor, unit = parsed
    registry = _registry()
    target = registry.parse_units(
        {"W/m²": "W/m**2", "1": "", "%": "percent", "°C": "degC"}.get(variable.unit, variable.unit)
    )
    if not unit.is_compatible_with(target):
        return None
    zero, one = (float(registry.Quantity(x, unit).to(target).magnitude) for x in (0.0, 1.0))
    if zero == 0.0:
        return Conversion(text, variable.unit, one * factor)
    # A difference of two large numbers: its last digits are noise.
    return Conversion(text, variable.unit, float(f"{one - zero:.12g}") * factor, zero)


def _water(variable: Variable, text: str) -> Conversion | None:
    """A depth of water in mm: from a depth, a mass per area, or (of some variables) a rate of either."""
    varying = _VARYING.fullmatch(text)
    if varying is not None:
        # A month has no fixed length; but of a monthly sum, "mm month-1" says no more than "mm".
        per_step = variable.name in _RATES_OF_STEPS and varying["period"].lower() in _PERIODS.get(variable.cadence, ())
        if not per_step or not (varying["power"] or "/" in text):
            return None
    parsed = _parse(text if varying is None else varying["amount"], variable.unit)
    if parsed is None:
        return None
    factor, unit = parsed
    quantity = _registry().Quantity(1.0, unit)
    for target, millimetres in (("mm", 1.0), ("kg/m**2", 1.0)):
        if unit.is_compatible_with(target):
            return Conversion(text, variable.unit, float(quantity.to(target).magnitude) * millimetres * factor)
        rate = f"{target}/s"
        if varying is None and unit.is_compatible_with(rate):
            scale = float(quantity.to(rate).magnitude) * factor
            if variable.name in _RATES:
                return Conversion(text, variable.unit, _tidy(scale * _RATES[variable.name]))
            if variable.name in _RATES_OF_STEPS:
                return Conversion(text, variable.unit, _tidy(scale * _DAY), by_days=True)
    return None


def _tidy(scale: float) -> float:
    """mm/day is mm ÷ 86,400 × 86,400: what is meant is 1, and not 1 less the rounding."""
    return float(f"{scale:.14g}")


def _parse(text: str, stored: str) -> tuple[float, Any] | None:
    """A number and a unit of pint; None when a word is not known. No arithmetic of the text's own is carried out."""
    registry = _registry()
    unit, factor = registry.parse_units(""), 1.0
    rest = text.translate(_SUPERSCRIPTS).strip()
    if rest.casefold() in _NO_DIMENSION:
        return 1.0, unit
    while rest:
        match = _FACTOR.match(rest)
        if match is None:
            return None
        rest = rest[match.end() :]
        sign = -1 if match["over"] else 1
        if match["number"] is not None:
            factor *= float(match["number"]) ** sign
            continue
        word = _WORDS.get(stored, {}).get(match["word"].casefold(), match["word"])
        one = _unit_of(word)
        if one is None:
            return None
        power = sign * int(match["power"] or 1)
        unit = unit * one**power
    return (factor, unit) if 0 < factor < float("inf") else None


def _unit_of(word: str) -> Any:
    if word.casefold() in {"month", "months", "mon", "year", "years", "yr", "a"}:
        return None  # of no fixed length
    if word == "%":
        word = "percent"
    try:
        return _registry().parse_units(word)
    except (AttributeError, ValueError):  # pint's UndefinedUnitError is an AttributeError
        return None


@cache
def _registry() -> Any:
    import pint  # noqa: PLC0415  the extra `netcdf`

    return pint.UnitRegistry()
