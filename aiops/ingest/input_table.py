"""CSV tables of documented columns, a row a fact: what can be used, and what is wrong with the rest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aiops.ingest.input_columns import IMPLAUSIBLE, MISSING, SCENARIO, YEAR, Column, Kind, judge_column
from aiops.ingest.reading import find_column, need_column, open_table
from aiops.ingest.report import Refusals, printable
from aiops.ingest.units import missing_hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from aiops.ingest.input_columns import Value
    from aiops.ingest.reading import RowBlock, Table

    Row = dict[str, Value]

__all__ = ["SCENARIO", "YEAR", "Column", "FactStream", "Facts", "Kind", "each_once", "open_facts", "read_facts"]


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


@dataclass(frozen=True, slots=True)
class FactStream:
    """A table that is open and judged as it is read: memory is bounded by a block of rows, whatever the file is."""

    facts: Facts
    """All but the rows; its refusals grow while they are read."""
    names: Mapping[str, str]
    """By column of the format that the file has: what the file calls it."""
    blocks: Iterator[list[tuple[Row, int]]]
    """The usable rows with their lines, some at a time, in the order of the file; can be gone through once."""


@contextmanager
def open_facts(path: Path, columns: Sequence[Column]) -> Iterator[FactStream]:
    """Open a CSV table too large to be held.

    Args:
        path: the file, plain or gzipped.
        columns: of the format; columns of the file beside them are passed over and named in a note.

    Raises:
        FileRefused: no such file, not a CSV file, or a needed column is missing.
    """
    refusals = Refusals()
    with open_table(path, refusals) as table:
        names = _names(table, columns)
        present = [column for column in columns if column.name in names]
        passed_over = [name for name in table.header if name and name not in names.values()]
        notes = (f"columns passed over: {printable(', '.join(passed_over))}",) if passed_over else ()
        found = tuple(column.name for column in present)
        yield FactStream(
            facts=Facts(path, table.sha256, table.encoding, (), (), found, refusals, notes),
            names=names,
            blocks=(list(_judged(block, present, names, refusals)) for block in table.blocks(tuple(names.values()))),
        )


def read_facts(path: Path, columns: Sequence[Column]) -> Facts:
    """Read a CSV table whole. Arguments and errors as `open_facts`."""
    with open_facts(path, columns) as stream:
        pairs = [pair for block in stream.blocks for pair in block]
        return replace(stream.facts, rows=tuple(row for row, _ in pairs), lines=tuple(line for _, line in pairs))


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


def _hint(column: Column, text: str) -> str:
    """What a number beyond the bounds may be, for the end of a message; mostly empty."""
    if column.hint:
        return f" ({column.hint}?)"
    # A field that a row needs is no place for nothing.
    return missing_hint(float(text)) if column.kind is Kind.NUMBER and not column.needed else ""


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
        values[column.name], faults = judge_column(column, texts)
        for row in np.flatnonzero(usable & [fault is not None for fault in faults]).tolist():
            reason = faults[row] or ""
            if reason == MISSING and not column.needed:
                continue
            refuse = refusals.refuse_row if column.needed else refusals.refuse_value
            hint = _hint(column, texts[row]) if reason == IMPLAUSIBLE else ""
            refuse(block.lines[row], names[column.name], reason, texts[row], f"{column.allowed}{hint}")
            usable[row] &= not column.needed
    for row in np.flatnonzero(usable).tolist():
        yield {name: column[row] for name, column in values.items()}, block.lines[row]
