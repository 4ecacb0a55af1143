"""The time axis of a NetCDF file becomes steps; what cannot is refused by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.errors import FileRefused
from aiops.ingest.grids.steps import Steps, check_order
from aiops.ingest.report import printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_UNITS = re.compile(
    r"(?P<since>\S+\s+since\s+[+-]?\d+(?:-\d{1,2}(?:-\d{1,2})?)?)"
    r"(?:[T_\s]\s*(?P<hour>\d{1,2})(?P<rest>:\d{1,2}(?::\d{1,2}(?:\.\d*)?)?)?(?!\d))?"
    r"\s*(?P<zone>.*)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_ZONE = re.compile(r"(?:UTC|UT|GMT|Z|KST|JST)?\s*(?:[+-]\d{1,2}(?::?\d{2})?|00?(?::?00)?)?", re.ASCII | re.IGNORECASE)


def steps_in(dataset: Any, time: Any, path: Path) -> Steps:
    """The steps of a file; where it has bounds, a step is where their middle lies.

    Args:
        dataset: undecoded.
        time: its variable of time.
        path: the file, for a message.

    Raises:
        FileRefused: no times, times that cannot be read, stand twice or run backwards.
    """
    if "climatology" in time.attrs:
        raise FileRefused(
            f"{path}: time: is a climatology (means over many years); allowed: a series of days, months or years"
        )
    if time.size == 0:
        raise FileRefused(f"{path}: time: has no steps")
    numbers = _numbers(time, path, "time")
    units, calendar = str(time.attrs.get("units", "")), str(time.attrs.get("calendar", "standard")).lower()
    bounds = dataset.variables.get(time.attrs.get("bounds"))
    middles, widths = numbers, None
    if bounds is not None:
        edges = _numbers(bounds, path, "time bounds")
        if edges.shape != (numbers.size, 2):
            raise FileRefused(f"{path}: time bounds: shape {edges.shape}; allowed: ({numbers.size}, 2)")
        middles, widths = edges.mean(axis=1), edges[:, 1] - edges[:, 0]
        if np.any(widths <= 0):
            step = int(np.argmax(widths <= 0)) + 1
            raise FileRefused(f"{path}: time bounds: of step {step}: the end is not after the beginning")
    dates = _dates(middles, units, calendar, path)
    per_unit = _days_per_unit(units)
    steps = Steps(
        years=np.array([one.year for one in dates], dtype=np.int64),
        months=np.array([one.month for one in dates], dtype=np.int64),
        days=np.array([one.day for one in dates], dtype=np.int64),
        month_days=np.array([one.daysinmonth for one in dates], dtype=np.int64),
        year_days=np.array([_year_days(one, calendar) for one in dates], dtype=np.int64),
        numbers=middles * per_unit,
        widths=None if widths is None else widths * per_unit,
        calendar=calendar,
    )
    check_order(steps, path, "time")
    return steps


def _numbers(variable: Any, path: Path, field: str) -> NDArray[np.float64]:
    if variable.dtype.kind not in "iuf":
        raise FileRefused(
            f"{path}: {field}: is of type {variable.dtype}; allowed: numbers with units such as 'days since …'"
        )
    numbers = np.asarray(variable.values).astype(np.float64)
    fill = variable.attrs.get("_FillValue")
    bad = ~np.isfinite(numbers) | (np.abs(numbers) > 1e15)
    if fill is not None:
        bad |= numbers == float(np.ravel(fill)[0])
    if bad.any():
        step = int(np.argmax(bad.reshape(len(numbers), -1).any(axis=1))) + 1
        raise FileRefused(f"{path}: {field}: step {step} has no time; allowed: a number for each step")
    return numbers


def _dates(numbers: NDArray[np.float64], units: str, calendar: str, path: Path) -> list[Any]:
    import cftime  # type: ignore[import-untyped]  # noqa: PLC0415  the extra `netcdf`

    if not units:
        raise FileRefused(f"{path}: time: has no units; allowed: such as 'days since 1900-01-01'")
    local = _local(units, path)
    try:
        dates = cftime.num2date(numbers, local, calendar, only_use_cftime_datetimes=True)
    except (ValueError, OverflowError, TypeError) as error:
        said = printable(" ".join(str(error).split()))
        raise FileRefused(
            f"{path}: time: units {printable(units)!r}, calendar {printable(calendar)!r} ({said}); allowed: days, "
            "hours, minutes or seconds since a date, in a calendar of CF"
        ) from None
    return list(dates)


def _local(units: str, path: Path) -> str:
    """Units of time without the offset from UTC at their end."""
    match = _UNITS.fullmatch(units.strip())
    if match is None:
        return units
    if _ZONE.fullmatch(match["zone"].strip()) is None:
        raise FileRefused(
            f"{path}: time: units {printable(units)!r}: {printable(match['zone'])!r} is no offset from UTC; "
            "allowed: none, or such as UTC, +9, +09:00"
        )
    # The days of a product are those of the clock that its units name. cftime turns them to UTC, which has them begin
    # on the day before, or passes over an offset that it cannot read and over hours without minutes.
    clock = "" if match["hour"] is None else f" {match['hour']}{match['rest'] or ':00'}"
    return match["since"] + clock


def _days_per_unit(units: str) -> float:
    word = units.split(maxsplit=1)[0].casefold().rstrip("s")
    return {"day": 1.0, "d": 1.0, "hour": 1 / 24, "hr": 1 / 24, "h": 1 / 24, "minute": 1 / 1440, "min": 1 / 1440}.get(
        word, {"millisecond": 1 / 86_400_000, "microsecond": 1 / 86_400_000_000, "month": 30.0}.get(word, 1 / 86_400)
    )


def _year_days(date: Any, calendar: str) -> int:
    import cftime  # noqa: PLC0415

    if calendar == "360_day":
        return 360
    return 366 if cftime.is_leap_year(date.year, calendar) else 365
