"""The steps of a file in time: days, months or years, in the calendar that the file counts by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.errors import FileRefused
from aiops.ingest.texts import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TRUE_CALENDARS = frozenset({"standard", "gregorian", "proleptic_gregorian"})
NO_LEAP = frozenset({"noleap", "365_day"})
_UNIT = {Cadence.DAILY: "D", Cadence.MONTHLY: "M", Cadence.YEARLY: "Y"}
LENGTHS = {Cadence.DAILY: (0.99, 1.01), Cadence.MONTHLY: (27.5, 31.5), Cadence.YEARLY: (359.5, 366.5)}
"""Days that one step of each cadence lasts."""


@dataclass(frozen=True, slots=True)
class Steps:
    """When the steps of one file are; all arrays are (steps,)."""

    years: NDArray[np.int64]
    months: NDArray[np.int64]
    days: NDArray[np.int64]
    """Of the month; up to 30 in every month of a 360-day calendar."""
    month_days: NDArray[np.int64]
    """Length of the step's month in the file's calendar."""
    year_days: NDArray[np.int64]
    """Length of the step's year in the file's calendar."""
    numbers: NDArray[np.float64]
    """Days since some day, for distances within the file."""
    widths: NDArray[np.float64] | None
    """How long each step lasts by its bounds, days; None: the file has no bounds."""
    calendar: str

    @property
    def size(self) -> int:
        """How many."""
        return int(self.years.size)

    def places(self, cadence: Cadence) -> NDArray[np.int64]:
        """Days, months or years since 1970, of the true Gregorian calendar."""
        if cadence is Cadence.YEARLY:
            return self.years - 1970
        months = (self.years - 1970) * 12 + self.months - 1
        if cadence is Cadence.MONTHLY:
            return months
        return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + self.days - 1

    def lengths(self, cadence: Cadence) -> NDArray[np.float64]:
        """How many days each step lasts."""
        days = {
            Cadence.DAILY: np.ones_like(self.years),
            Cadence.MONTHLY: self.month_days,
            Cadence.YEARLY: self.year_days,
        }
        return days[cadence].astype(np.float64)

    def label(self, place: int) -> str:
        """The date of a step, for a message."""
        return f"{self.years[place]:04d}-{self.months[place]:02d}-{self.days[place]:02d}"


def label_of(cadence: Cadence, place: int) -> str:
    """The date of a place, for a message: 2021-01-01, 2021-01 or 2021."""
    return str(np.array(place).astype(f"datetime64[{_UNIT[cadence]}]"))


def true_steps(cadence: Cadence, first: int, n_steps: int) -> Steps:
    """Consecutive steps of the true calendar, from a place on."""
    starts = (first + np.arange(n_steps)).astype(f"datetime64[{_UNIT[cadence]}]").astype("datetime64[D]")
    months = starts.astype("datetime64[M]")
    years = starts.astype("datetime64[Y]")
    one_month, one_year = np.timedelta64(1, "M"), np.timedelta64(1, "Y")
    return Steps(
        years=years.astype(np.int64) + 1970,
        months=months.astype(np.int64) % 12 + 1,
        days=(starts - months.astype("datetime64[D]")).astype(np.int64) + 1,
        month_days=((months + one_month).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64),
        year_days=((years + one_year).astype("datetime64[D]") - years.astype("datetime64[D]")).astype(np.int64),
        numbers=starts.astype(np.int64).astype(np.float64),
        widths=None,
        calendar="standard",
    )


def check_order(steps: Steps, path: Path, field: str) -> None:
    """Refuse times that stand still or run backwards, and years that climate data cannot be of.

    Raises:
        FileRefused: names the first such time.
    """
    gaps = np.diff(steps.numbers)
    if np.any(gaps <= 0):
        place = int(np.argmax(gaps <= 0)) + 1
        what = "stands twice" if gaps[place - 1] == 0 else f"comes after {steps.label(place - 1)}"
        raise FileRefused(
            f"{path}: {field}: step {place + 1}, {steps.label(place)}, {what}; allowed: times that increase"
        )
    outside = (steps.years < FIRST_YEAR) | (steps.years > LAST_YEAR)
    if outside.any():
        raise FileRefused(
            f"{path}: {field}: {steps.label(int(np.argmax(outside)))}; allowed: years {FIRST_YEAR} to {LAST_YEAR}"
        )


def cadence_of(steps: Steps, path: Path, field: str) -> Cadence | None:
    """How often a file has a value, by its bounds or else the distances of its times; None for a single time.

    Raises:
        FileRefused: it is neither daily nor monthly nor yearly.
    """
    if steps.widths is not None:
        lengths, what = steps.widths, "steps last"
    elif steps.size > 1:
        lengths, what = np.diff(steps.numbers), "times are apart"
    else:
        return None
    typical = float(np.median(lengths))
    for cadence, (low, high) in LENGTHS.items():
        # Gaps only lengthen distances; a step itself is never longer than its cadence.
        if low <= typical <= high and lengths.min() >= low and (steps.widths is None or lengths.max() <= high):
            return cadence
    spread = f"{lengths.min():g}" if lengths.min() == lengths.max() else f"{lengths.min():g} to {lengths.max():g}"
    raise FileRefused(
        f"{path}: {field}: {what} {spread} days; allowed: 1 (daily), 28 to 31 (monthly), 360 to 366 (yearly)"
    )


def cadence_of_days(days: NDArray[np.int64]) -> Cadence | None:
    """How often days (since 1970, ascending) recur; None for a single one, or no cadence."""
    if days.size < 2:
        return None
    apart = np.diff(days)
    for cadence, (low, high) in LENGTHS.items():
        if low <= float(np.median(apart)) <= high and apart.min() >= low:
            return cadence
    return None


def check_calendar(calendar: str, cadence: Cadence, path: Path, field: str) -> None:
    """Refuse days that the true calendar does not have.

    Raises:
        FileRefused: daily steps in a calendar of 360 days, or another that cannot be used.
    """
    if calendar in TRUE_CALENDARS or (calendar in NO_LEAP and cadence is Cadence.DAILY):
        return
    if cadence is not Cadence.DAILY:
        return
    if calendar == "360_day":
        raise FileRefused(
            f"{path}: {field}: calendar 360_day with daily steps: its 30 February is no day, and every index that "
            "counts days would be off; allowed: daily steps in a true or noleap calendar (convert the file, for "
            "instance with xarray's convert_calendar), or monthly and yearly means"
        )
    raise FileRefused(
        f"{path}: {field}: calendar {calendar!r} with daily steps; allowed: standard gregorian "
        "proleptic_gregorian noleap"
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """The common axis of the files of one load: whole years of the true calendar."""

    cadence: Cadence
    first_year: int
    last_year: int
    places: tuple[NDArray[np.int64], ...]
    """By file: where on the axis each of its steps lies."""
    first: str
    """First step with a value, for people."""
    last: str
    """Last step with a value."""
    gaps: int
    """Steps between these for which no file has a value, not counting leap days that a calendar does not have."""
    leap_days: int
    """29 February of years in a calendar without it."""

    @property
    def length(self) -> int:
        """Values of each series."""
        return _place(self.cadence, self.last_year + 1) - _place(self.cadence, self.first_year)


def axis_of(cadence: Cadence, steps: Sequence[Steps], paths: Sequence[Path]) -> Axis:
    """Join the steps of files.

    Raises:
        FileRefused: a step stands twice, in one file or in two.
    """
    absolute = [one.places(cadence) for one in steps]
    joined = np.concatenate(absolute)
    order = np.argsort(joined, kind="stable")
    ordered = joined[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if twice.size:
        owners = np.repeat(np.arange(len(steps)), [one.size for one in steps])
        first, second = (paths[owners[order[twice[0] + side]]] for side in (0, 1))
        date = label_of(cadence, ordered[twice[0]])
        where = f"twice in {first}" if first == second else f"in {first}, too"
        raise FileRefused(f"{second}: time: {date} stands {where}; allowed: each {_NOUN[cadence]} once")
    first_year, last_year = (int(np.min([s.years.min() for s in steps])), int(np.max([s.years.max() for s in steps])))
    origin = _place(cadence, first_year)
    leap_days = _leap_days(steps) if cadence is Cadence.DAILY else 0
    return Axis(
        cadence=cadence,
        first_year=first_year,
        last_year=last_year,
        places=tuple(one - origin for one in absolute),
        first=label_of(cadence, ordered[0]),
        last=label_of(cadence, ordered[-1]),
        gaps=int(ordered[-1] - ordered[0] + 1 - ordered.size) - leap_days,
        leap_days=leap_days,
    )


_NOUN = {Cadence.DAILY: "day", Cadence.MONTHLY: "month", Cadence.YEARLY: "year"}


def _place(cadence: Cadence, year: int) -> int:
    return int(np.array(year - 1970).astype("datetime64[Y]").astype(f"datetime64[{_UNIT[cadence]}]").astype(np.int64))


def _leap_days(steps: Sequence[Steps]) -> int:
    """29 February between the first and the last day of files whose calendar has none."""
    count = 0
    for one in steps:
        if one.calendar in NO_LEAP:
            places = one.places(Cadence.DAILY)
            days = np.arange(places[0], places[-1] + 1).astype("datetime64[D]")
            months = days.astype("datetime64[M]")
            in_month = (days - months.astype("datetime64[D]")).astype(np.int64)
            count += int(np.count_nonzero((months.astype(np.int64) % 12 == 1) & (in_month == 28)))
    return count
