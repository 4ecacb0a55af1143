"""What a file's name says: that of the Korea Meteorological Administration's grids, and of CMIP and CORDEX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.climate import SCENARIOS, Cadence
from aiops.ingest.texts import find_scenario

if TYPE_CHECKING:
    from pathlib import Path

_KMA = re.compile(
    r"(?:(?P<observed>MKPRISM)|AR6_(?P<scenario>[A-Za-z0-9.\-]+)(?:_[A-Za-z0-9\-]+)*?)"
    r"_(?P<variable>[A-Za-z0-9]+)_grid[a-z]*_(?P<cadence>daily|monthly|yearly)"
    r"_(?P<date>\d{4}(?:\d{2}(?:\d{2})?)?)(?:[-_](?P<end>\d{4})\d*)?",
    re.ASCII,
)
_CMIP = re.compile(
    r"(?P<variable>[A-Za-z0-9]+)_(?P<between>[A-Za-z0-9\-_.]+?)_(?P<date>\d{4}(?:\d{2}(?:\d{2})?)?)-(?P<end>\d{4})\d*",
    re.ASCII,
)
_FREQUENCIES = {
    **dict.fromkeys(("day", "daily"), Cadence.DAILY),
    **dict.fromkeys(("mon", "month", "monthly", "amon"), Cadence.MONTHLY),
    **dict.fromkeys(("yr", "year", "yearly", "annual"), Cadence.YEARLY),
}
ENDINGS = (".nc", ".nc4", ".cdf", ".netcdf", ".asc", ".asc.gz", ".txt", ".txt.gz")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a name says; None where it says nothing."""

    variable: str | None = None
    """A word, not yet looked up."""
    scenario: str | None = None
    cadence: Cadence | None = None
    first_year: int | None = None
    last_year: int | None = None
    date: str | None = None
    """Of the first step: YYYY, YYYYMM or YYYYMMDD."""


def facts_of_name(path: Path) -> NameFacts:
    """`AR6_SSP585_5ENSMN_skorea_TAMAX_gridraw_daily_2021.nc`, `MKPRISM_TA_gridraw_daily_2010.nc`,
    `tasmax_day_MODEL_ssp585_r1i1p1f1_gn_20150101-20201231.nc`; another name says nothing.
    """  # noqa: D205  names are long
    name = path.name
    ending = max((e for e in ENDINGS if name.lower().endswith(e)), key=len, default="")
    stem = name.removesuffix(name[len(name) - len(ending) :]) if ending else name
    match = _KMA.fullmatch(stem)
    if match is not None:
        scenario = "historical" if match["observed"] else find_scenario(match["scenario"])
        return _facts(match, match["variable"], scenario, Cadence(match["cadence"]))
    match = _CMIP.fullmatch(stem)
    if match is not None:
        parts = match["between"].split("_")
        scenario = next((part for part in parts if part in SCENARIOS), None)
        cadence = next((found for part in parts if (found := frequency_of(part)) is not None), None)
        if cadence is not None:
            return _facts(match, match["variable"], scenario, cadence)
    return NameFacts()


def frequency_of(word: str) -> Cadence | None:
    """The cadence that a word for a frequency means (`day`, `Amon`, `yr`); None for any other."""
    return _FREQUENCIES.get(word.strip().casefold())


def _facts(match: re.Match[str], variable: str, scenario: str | None, cadence: Cadence) -> NameFacts:
    first_year = int(match["date"][:4])
    return NameFacts(variable, scenario, cadence, first_year, int(match["end"] or first_year), match["date"])
