"""Texts of a file become numbers, dates and scenarios; what cannot is marked, not raised.

Files repeat few dates and names very often, so each distinct text is judged once and remembered.
"""

from __future__ import annotations

import re
from datetime import date
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Cadence
from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

FIRST_YEAR, LAST_YEAR = 1850, 2300
"""Years that climate data can be of: the first of CMIP6's history, the last of its extensions."""
MISSING_WORDS = frozenset({"", "nan", "na", "n/a", "null", "none"})
"""What stands for a missing value, without regard to case."""
DATE_ALLOWED = {
    Cadence.DAILY: "YYYY-MM-DD",
    Cadence.MONTHLY: "YYYY-MM or YYYY-MM-01",
    Cadence.YEARLY: "YYYY or YYYY-01-01",
}
"""How a date is written, for a message."""
UNKNOWN = -1

_DATE = re.compile(
    r"(?P<year>\d{4})"
    r"(?:(?P<sign>[-/.])(?P<month>\d{1,2})"
    r"(?:(?P=sign)(?P<day>\d{1,2})(?:[ T]00:00(?::00(?:\.0+)?)?Z?)?)?)?",
    re.ASCII,
)
_COMPACT_DATE = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
_SCENARIO_WORDS = {
    "hist": "historical",
    "observed": "historical",
    **{name: name for name in SCENARIOS},
    **{name[:4]: name for name in SCENARIOS[1:]},
}


class DateForm(IntEnum):
    """How much of a date was written."""

    YEAR = 0
    MONTH = 1
    DAY = 2


class Codes(dict[str, int]):
    """Text → code. Only texts that have one are remembered, so that garbage does not fill the memory."""

    def __init__(self, find: Callable[[str], int]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, text: str) -> int:
        code = self._find(text)
        if code != UNKNOWN:
            self[text] = code
        return code

    def of(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """The code of each text, UNKNOWN where it has none."""
        return np.fromiter(map(self.__getitem__, texts), dtype=np.int64, count=len(texts))


class Dates:
    """Reads dates: `2021`, `2021-03`, `2021-03-09` (also with / or .), `20210309`; midnight may follow a day.

    Years are 1850 to 2300; a day must exist in the Gregorian calendar.
    """

    def __init__(self) -> None:
        self._codes = Codes(_date_code)

    def read(self, texts: Sequence[str]) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
        """Dates and how much of each was written.

        Returns:
            datetime64[D] (of a year or month the first day; NaT where the text is no date) and `DateForm`
            (UNKNOWN there).
        """
        codes = self._codes.of(texts)
        bad = codes == UNKNOWN
        days = (codes // len(DateForm) - _EPOCH).astype("datetime64[D]")
        days[bad] = np.datetime64("NaT")
        return days, np.where(bad, UNKNOWN, codes % len(DateForm))


def dates_fit(cadence: Cadence, days: NDArray[np.datetime64], forms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which dates name a period of this cadence; a month or a year may be named by its first day."""
    if cadence is Cadence.DAILY:
        return np.asarray(forms == DateForm.DAY)
    unit, form = ("M", DateForm.MONTH) if cadence is Cadence.MONTHLY else ("Y", DateForm.YEAR)
    starts = days == days.astype(f"datetime64[{unit}]").astype("datetime64[D]")
    return np.asarray((forms == form) | ((forms == DateForm.DAY) & starts))


def numbers_of(texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers; NaN where the value is missing or no finite number.

    Returns:
        The values, and where a text is neither a finite number nor one of MISSING_WORDS.
    """
    try:
        values = np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError:
        values = None
    if values is None or "_" in "".join(texts):
        # float() reads 1_000; a file that has it means something else.
        values = np.array([_number(text) for text in texts], dtype=np.float64)
    bad = np.isinf(values)
    values[bad] = np.nan
    return values, bad


def find_scenario(word: str) -> str | None:
    """The scenario of a name or alias (`SSP245`, `ssp2`, `SSP2-4.5`, `observed`); None when there is none."""
    return _SCENARIO_WORDS.get(re.sub(r"[-_. ]", "", word).casefold())


def scenario_of(word: str, *, field: str = "scenario") -> str:
    """The scenario of a name or alias.

    Raises:
        BadInput: there is none; the message lists the names.
    """
    scenario = find_scenario(word)
    if scenario is None:
        raise BadInput(f"{field}: {word!r} is not known; allowed: {' '.join(SCENARIOS)}")
    return scenario


def _number(text: str) -> float:
    """A number; NaN for a word for missing; infinity, which no climate value is, for all else."""
    word = text.strip()
    if word.casefold() in MISSING_WORDS:
        return np.nan
    try:
        return np.inf if "_" in word else float(word)
    except ValueError:
        return np.inf


def _date_code(text: str) -> int:
    match = _DATE.fullmatch(text.strip()) or _COMPACT_DATE.fullmatch(text.strip())
    if match is None:
        return UNKNOWN
    year, month, day = match["year"], match["month"], match["day"]
    form = DateForm.YEAR if month is None else DateForm.MONTH if day is None else DateForm.DAY
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return UNKNOWN
    try:
        ordinal = date(int(year), int(month or 1), int(day or 1)).toordinal()
    except ValueError:
        return UNKNOWN
    return ordinal * len(DateForm) + form
