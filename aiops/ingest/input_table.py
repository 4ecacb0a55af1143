"""CSV tables of documented columns, a row a fact: what can be used, and what is wrong with the rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.ingest.reading import find_column, need_column, open_table
from aiops.ingest.report import Refusals, printable
from aiops.ingest.texts import FIRST_YEAR, LAST_YEAR, MISSING_WORDS, find_scenario, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from aiops.ingest.reading import RowBlock, Table

    Value = float | str | None
    Row = dict[str, Value]


class Kind(Enum):
    """What stands in a column."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    SCENARIO = "scenario"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a format."""

    name: str
    kind: Kind
    minimum: float = -np.inf
    """Of numbers."""
    maximum: float = np.inf
    unit: str = ""
    needed: bool = True
    """A row without a usable value is refused. Else the value alone is left out, and the column may be absent."""
    hint: str = ""
    """What a number beyond the bounds usually turns out to be."""
    aliases: tuple[str, ...] = ()
    """Other names of the column."""

    @property
    def allowed(self) -> str:
        """What may stand there, for a message."""
        match self.kind:
            case Kind.TEXT:
                return "a text"
            case Kind.SCENARIO:
                return " ".join(SCENARIOS)
            case _:
                whole = "a whole number, " if self.kind is Kind.WHOLE else ""
                return f"{whole}{self.minimum:g} to {self.maximum:g}{f' {self.unit}' if self.unit else ''}"


YEAR = Column("year", Kind.WHOLE, FIRST_YEAR, LAST_YEAR)
SCENARIO = Column("scenario", Kind.SCENARIO)


@dataclass(frozen=True, slots=True)
class Facts:
    """A table that was read and judged whole."""

    path: Path
    sha256: str
    encoding: str
    """`utf-8` or `cp949`."""
    rows: tuple[Row, ...]
    """The usable rows in the order of the file: a value for every column that the file has."""
    lines: tuple[int, ...]
    """Their lines."""
    columns: tuple[str, ...]
    """Columns of the format that the file has."""
    refusals: Refusals
    notes: tuple[str, ...]
    """What was odd and kept nothing out."""


def read_facts(path: Path, columns: Sequence[Column]) -> Facts:
    """Read a CSV table.

    Args:
        path: the file, plain or gzipped.
        columns: of the format; columns of the file beside them are passed over and named in a note.

    Raises:
        FileRefused: no such file, not a CSV file, or a needed column is missing.
    """
    refusals = Refusals()
    rows: list[Row] = []
    lines: list[int] = []
    with open_table(path, refusals) as table:
        names = _names(table, columns)
        present = [column for column in columns if column.name in names]
        for block in table.blocks(tuple(names.values())):
            for row, line in _judged(block, present, names, refusals):
                rows.append(row)
                lines.append(line)
        passed_over = [name for name in table.header if name and name not in names.values()]
        notes = (f"columns passed over: {printable(', '.join(passed_over))}",) if passed_over else ()
        found = tuple(column.name for column in present)
        return Facts(path, table.sha256, table.encoding, tuple(rows), tuple(lines), found, refusals, notes)


def each_once(facts: Facts, key: Sequence[str], values: Sequence[str]) -> dict[tuple[Value, ...], Row]:
    """Rows by key; of rows that say the same the first is kept, of rows that contradict each other none.

    Args:
        facts: their refusals get the rows left out.
        key: columns that tell one fact from another.
        values: columns in which two rows can contradict each other.
    """
    kept: dict[tuple[Value, ...], tuple[Row, int]] = {}
    contradicted: set[tuple[Value, ...]] = set()
    for row, line in zip(facts.rows, facts.lines, strict=True):
        this = tuple(row.get(name) for name in key)
        first = kept.get(this)
        if first is None:
            kept[this] = row, line
            continue
        differs = any(row.get(name) != first[0].get(name) for name in values)
        if differs and this not in contradicted:
            contradicted.add(this)
            _refuse_twice(facts.refusals, key, this, first[1], differs=True)
        _refuse_twice(facts.refusals, key, this, line, differs=differs)
    return {this: row for this, (row, _) in kept.items() if this not in contradicted}


def _refuse_twice(refusals: Refusals, key: Sequence[str], this: tuple[Value, ...], line: int, *, differs: bool) -> None:
    given = " ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in this)
    reason = "different values for the same key" if differs else "the same row again"
    refusals.refuse_row(line, key[-1], reason, given, f"one row for each {', '.join(key)}")


def _names(table: Table, columns: Sequence[Column]) -> dict[str, str]:
    """By column of the format: what the file calls it."""
    names: dict[str, str] = {}
    for column in columns:
        if column.needed:
            names[column.name] = need_column(table, column.name, *column.aliases)
        else:
            found = find_column(table, column.name, *column.aliases)
            if found is not None:
                names[column.name] = found
    return names


def _judged(
    block: RowBlock, columns: Sequence[Column], names: Mapping[str, str], refusals: Refusals
) -> Iterator[tuple[Row, int]]:
    """The usable rows of a block with their lines."""
    usable = np.ones(len(block.lines), dtype=np.bool_)
    values: dict[str, list[Value]] = {}
    for column in columns:
        texts = block.columns[names[column.name]]
        values[column.name], faults = _column(column, texts)
        for row in np.flatnonzero(usable & [fault is not None for fault in faults]).tolist():
            reason = faults[row] or ""
            if reason == _MISSING and not column.needed:
                continue
            refuse = refusals.refuse_row if column.needed else refusals.refuse_value
            hint = f" ({column.hint}?)" if column.hint and reason == _IMPLAUSIBLE else ""
            refuse(block.lines[row], names[column.name], reason, texts[row], f"{column.allowed}{hint}")
            usable[row] &= not column.needed
    for row in np.flatnonzero(usable).tolist():
        yield {name: column[row] for name, column in values.items()}, block.lines[row]


_MISSING, _IMPLAUSIBLE = "missing", "implausible"


def _column(column: Column, texts: Sequence[str]) -> tuple[list[Value], list[str | None]]:
    """Values, None where there is none, and what is wrong with the text there."""
    if column.kind is Kind.TEXT:
        words: list[Value] = [text.strip() or None for text in texts]
        return words, [None if word else _MISSING for word in words]
    empty = [text.strip().casefold() in MISSING_WORDS for text in texts]
    if column.kind is Kind.SCENARIO:
        found: list[Value] = [find_scenario(text) for text in texts]
        faults = ["not known" if name is None else None for name in found]
        return found, [_MISSING if blank else fault for blank, fault in zip(empty, faults, strict=True)]
    numbers, bad = numbers_of(texts)
    values: list[Value] = []
    wrong: list[str | None] = []
    for number, is_bad in zip(numbers.tolist(), bad.tolist(), strict=True):
        fault = None
        if is_bad:
            fault = "not a number"
        elif np.isnan(number):
            fault = _MISSING
        elif column.kind is Kind.WHOLE and not number.is_integer():
            fault = "not a whole number"
        elif not column.minimum <= number <= column.maximum:
            fault = _IMPLAUSIBLE
        wrong.append(fault)
        values.append(None if fault else int(number) if column.kind is Kind.WHOLE else number)
    return values, wrong
