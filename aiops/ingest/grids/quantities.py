"""Which variable of the catalogue a file's variable is: by its name or standard name, and how often it has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.climate import Cadence
from aiops.errors import FileRefused
from aiops.ingest.grids.cell_methods import method_of_day, method_of_step, methods_over_time
from aiops.ingest.variables import VARIABLES, find_variable

if TYPE_CHECKING:
    from aiops.ingest.variables import Variable

_MONTHLY = {
    **{name: f"{name}_month" for name in ("tas", "tasmax", "tasmin", "pr", "hurs", "sfcWind", "rsds")},
    "evspsblpot": "pet_month",
}
"""What a quantity is called in the catalogue when it has a value a month; CMIP calls both alike."""
_QUANTITY = {monthly: daily for daily, monthly in _MONTHLY.items()}
_STANDARD_NAMES: dict[tuple[str, str], str] = {
    ("air_temperature", "mean"): "tas",
    ("air_temperature", "maximum"): "tasmax",
    ("air_temperature", "minimum"): "tasmin",
    ("relative_humidity", "mean"): "hurs",
    ("relative_humidity", "minimum"): "hursmin",
    ("wind_speed", "mean"): "sfcWind",
    ("wind_speed", "maximum"): "sfcWindmax",
    ("wind_speed_of_gust", "maximum"): "wsgsmax",
    ("precipitation_flux", "mean"): "pr",
    ("precipitation_flux", "maximum"): "prhmax",
    ("precipitation_amount", "sum"): "pr",
    ("lwe_precipitation_rate", "mean"): "pr",
    ("lwe_thickness_of_precipitation_amount", "sum"): "pr",
    ("surface_downwelling_shortwave_flux_in_air", "mean"): "rsds",
    ("duration_of_sunshine", "sum"): "sund",
    ("surface_air_pressure", "mean"): "ps",
    ("air_pressure_at_mean_sea_level", "mean"): "psl",
    ("air_pressure_at_sea_level", "mean"): "psl",
    ("dew_point_temperature", "mean"): "tdps",
    ("water_potential_evaporation_flux", "mean"): "evspsblpot",
}
"""By standard name and the cell method over time; see the CF conventions, appendix E."""
_METHODS = {
    quantity: frozenset(method for (_, method), one in _STANDARD_NAMES.items() if one == quantity)
    for quantity in _STANDARD_NAMES.values()
}
"""The methods that values of a quantity may have been through."""
_EXTREMES = frozenset({"maximum", "minimum", "range", "standard_deviation", "variance"})
"""Methods whose outcome is never mistaken for a mean or a sum."""


def quantity_of(word: str) -> str | None:
    """What a word is the name of, whatever the cadence: `TAMAX`, `tasmax` and `tasmax_month` are `tasmax`."""
    if word.strip().casefold() in {"evspsblpot", "pet"}:
        return "evspsblpot"
    variable = find_variable(word)
    return None if variable is None else _QUANTITY.get(variable.name, variable.name)


def quantity_of_standard_name(standard_name: str, cell_methods: str, cadence: Cadence | None = None) -> str | None:
    """What a standard name with its cell methods is; None for one that is not known, or could be several."""
    method = method_of_day(methods_over_time(cell_methods), cadence)
    if method is None:
        found = {quantity for (name, _), quantity in _STANDARD_NAMES.items() if name == standard_name}
        return found.pop() if len(found) == 1 else None
    return _STANDARD_NAMES.get((standard_name, method))


def is_described(quantity: str) -> bool:
    """Whether standard name and cell methods can say of a quantity that it is, or is not, this one."""
    return quantity in _METHODS


def is_extreme_of_step(quantity: str, cell_methods: str) -> bool:
    """Whether steps of a quantity of days' extremes are called an extreme themselves, and not the mean of these."""
    methods = methods_over_time(cell_methods)
    if not methods or "within" in methods[-1].span:
        return False
    return methods[-1].method in _METHODS.get(quantity, frozenset()) & _EXTREMES


def other_than(quantity: str, standard_name: str, cell_methods: str, cadence: Cadence | None) -> str | None:
    """What values are by their cell methods when they cannot be those of a quantity; None when they can.

    Only what is certain counts: a mean over months of days' maxima is often called a mean and no more, and an amount is
    as often called a mean as a sum.

    Args:
        quantity: what the values are said to be.
        standard_name: the file's; may be empty.
        cell_methods: the file's; may be empty.
        cadence: of the file; None when it is not known.

    Returns:
        The quantity that they are; empty when the catalogue has none for it.
    """
    methods = methods_over_time(cell_methods)
    method = method_of_day(methods, cadence)
    if method is None or not is_described(quantity):
        return None
    of_step = method_of_step(methods)
    if len(methods) > 1 and of_step in _EXTREMES and cadence is Cadence.MONTHLY:
        return ""
    if method == "mean" and cadence is not Cadence.DAILY and _METHODS[quantity] <= _EXTREMES:
        return None
    described = quantity_of_standard_name(standard_name, cell_methods, cadence)
    if described is not None:
        return None if described == quantity else described
    if method not in _EXTREMES or method in _METHODS[quantity]:
        return None
    names = {name for (name, _), one in _STANDARD_NAMES.items() if one == quantity}
    siblings = (_STANDARD_NAMES.get((name, method)) for name in sorted(names))
    return next((one for one in siblings if one is not None), "")


def variable_at(quantity: str, cadence: Cadence, where: str) -> Variable:
    """The variable of the catalogue that a quantity is at a cadence.

    Raises:
        FileRefused: the catalogue has none; the message says which cadence the file has.
    """
    name = _MONTHLY.get(quantity, quantity) if cadence is Cadence.MONTHLY else quantity
    variable = find_variable(name)
    if variable is None or variable.cadence is not cadence:
        has = sorted(
            {v.cadence for v in VARIABLES if v.name in {quantity, _MONTHLY.get(quantity)}}, key=list(Cadence).index
        )
        raise FileRefused(f"{where}: has {cadence} steps; allowed for {quantity}: {' or '.join(has)}")
    return variable
