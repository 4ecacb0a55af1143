"""The sun above a place: its radiation at the top of the air and the length of the day, for days and for months.

Source: Allen, R. G., Pereira, L. S., Raes, D. & Smith, M. (1998): Crop evapotranspiration. FAO Irrigation and
Drainage Paper 56, chapter 3. Numbers in brackets are its equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.calendar import daily_axis

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_SOLAR_CONSTANT = 0.0820  # MJ m⁻² min⁻¹
_MID_MONTH = 15


@dataclass(frozen=True, slots=True)
class TimeSteps:
    """Days or months: where they stand in the year and how long they are."""

    monthly: bool
    day_of_year: Floats
    """(time, 1), 1 to 366; of the 15th for a month."""
    n_days: Floats
    """(time, 1): 1, or the days of the month."""
    calendar_month: NDArray[np.int64]
    """(time,), 0 for January."""
    year: NDArray[np.int64]
    """(time,)."""


def time_steps(dates: ArrayLike, n_rows: int) -> TimeSteps:
    """The steps of a record, days or months as the dates say.

    Args:
        dates: datetime64[D] for daily values, datetime64[M] for monthly means; strictly increasing.
        n_rows: number of rows that the dates belong to.

    Raises:
        BadInput: other dates, not as many as the rows, or not in order; months with gaps.
    """
    given = np.asarray(dates)
    if given.dtype == np.dtype("datetime64[M]"):
        if given.shape != (n_rows,):
            raise BadInput(f"dates: shape {given.shape} given for {n_rows} rows; allowed: one month a row")
        if np.any(np.diff(given.astype(np.int64)) != 1):
            raise BadInput("dates: months do not follow each other; allowed: every month once, in order")
        days = given.astype("datetime64[D]") + (_MID_MONTH - 1)
        next_month = (given + 1).astype("datetime64[D]")
        n_days = (next_month - given.astype("datetime64[D]")).astype(np.float64)
    else:
        axis = daily_axis(given, n_rows)
        days = axis.days[axis.rows]
        n_days = np.ones(n_rows)
    years = days.astype("datetime64[Y]")
    months = days.astype("datetime64[M]")
    return TimeSteps(
        monthly=given.dtype == np.dtype("datetime64[M]"),
        day_of_year=((days - years.astype("datetime64[D]")).astype(np.float64) + 1.0)[:, np.newaxis],
        n_days=n_days[:, np.newaxis],
        calendar_month=months.astype(np.int64) % 12,
        year=years.astype(np.int64) + 1970,
    )


def extraterrestrial_radiation(day_of_year: Floats, latitude: ArrayLike) -> Floats:
    """Radiation on a horizontal surface at the top of the atmosphere, MJ m⁻² a day (21 to 25).

    Args:
        day_of_year: (time, 1).
        latitude: degrees north, a number or (cells,).
    """
    phi = np.radians(np.asarray(latitude, dtype=np.float64))
    declination, sunset = _declination_and_sunset(day_of_year, phi)
    distance = 1.0 + 0.033 * np.cos(2.0 * np.pi / 365.0 * day_of_year)
    height = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    radiation: Floats = 24.0 * 60.0 / np.pi * _SOLAR_CONSTANT * distance * height
    return radiation


def day_length(day_of_year: Floats, latitude: ArrayLike) -> Floats:
    """Hours from sunrise to sunset (34). Arguments as `extraterrestrial_radiation`."""
    _, sunset = _declination_and_sunset(day_of_year, np.radians(np.asarray(latitude, dtype=np.float64)))
    hours: Floats = 24.0 / np.pi * sunset
    return hours


def _declination_and_sunset(day_of_year: Floats, phi: Floats) -> tuple[Floats, Floats]:
    """Declination of the sun (24) and its hour angle at sunset (25), radians."""
    declination: Floats = 0.409 * np.sin(2.0 * np.pi / 365.0 * day_of_year - 1.39)
    sunset: Floats = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1.0, 1.0))
    return declination, sunset
