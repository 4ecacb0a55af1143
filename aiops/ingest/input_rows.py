"""Rows of input tables on their way to the database: what the formats share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aiops.db.inputs import Basin, District, Gauge, GaugeMaximum, SeaLevelRise, Warming, WaterUse
    from aiops.ingest.input_table import Facts, Row

LONGEST_GAP = 10
"""Years between two given years of a projection that are laid on a straight line: tables by decade are usual."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The usable part of a file, by table."""

    facts: Facts
    """The file."""
    cells: tuple[Mapping[str, float | str | None], ...] = ()
    gauges: tuple[Gauge, ...] = ()
    maxima: tuple[GaugeMaximum, ...] = ()
    rise: tuple[SeaLevelRise, ...] = ()
    basins: tuple[Basin, ...] = ()
    uses: tuple[WaterUse, ...] = ()
    warming: tuple[Warming, ...] = ()
    districts: tuple[District, ...] = ()
    years: tuple[int, ...] = ()
    """First and last year, where the format has years."""
    notes: tuple[str, ...] = ()
    """What was odd and kept nothing out."""


def between_given_years(
    rows: Iterable[Row], key: Sequence[str], value: str
) -> tuple[list[tuple[tuple[object, ...], int, float]], int]:
    """Values of every year, on straight lines between given years at most ten apart; and how many were laid there."""
    given: dict[tuple[object, ...], dict[int, float]] = {}
    n_given = 0
    for row in rows:
        given.setdefault(tuple(row[name] for name in key), {})[year_of(row)] = number_of(row, value)
        n_given += 1
    found: list[tuple[tuple[object, ...], int, float]] = []
    for this, by_year in given.items():
        known = sorted(by_year)
        for year, following in zip(known, [*known[1:], known[-1] + 1], strict=True):
            last = following if following - year <= LONGEST_GAP else year + 1
            step = (by_year.get(following, by_year[year]) - by_year[year]) / (following - year)
            found.extend((this, one, by_year[year] + step * (one - year)) for one in range(year, last))
    return found, len(found) - n_given


def note_between(n_between: int) -> tuple[str, ...]:
    """What a report says of values that were laid between given ones."""
    if not n_between:
        return ()
    return (f"{n_between:,} values of years between given ones (at most {LONGEST_GAP} apart) lie on straight lines",)


def with_rows(facts: Facts, rows: Iterable[tuple[Row, int]]) -> Facts:
    """The same file with other rows."""
    pairs = list(rows)
    return replace(facts, rows=tuple(row for row, _ in pairs), lines=tuple(line for _, line in pairs))


def numbered_rows(facts: Facts) -> Iterator[tuple[Row, int]]:
    """The rows with their lines."""
    return zip(facts.rows, facts.lines, strict=True)


def span_of(rows: Iterable[Row]) -> tuple[int, ...]:
    """First and last year; empty without rows."""
    years = [year_of(row) for row in rows]
    return (min(years), max(years)) if years else ()


def text_of(row: Row, name: str) -> str:
    """A text that the row has."""
    return cast("str", row[name])


def number_of(row: Row, name: str) -> float:
    """A number that the row has."""
    return cast("float", row[name])


def year_of(row: Row) -> int:
    """The row's year."""
    return cast("int", row["year"])
