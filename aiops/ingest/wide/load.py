"""Wide tables of another database into `climate_data`, some cells at a time.

A table is read in the order of its cells, all of it as of one moment; the cells that are in memory together are written
in one transaction. A load that ended on the way is simply run again: what is there with the same values stays as it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from aiops.climate import Cadence
from aiops.db.climate import NOTHING, write_series
from aiops.db.datasets import register_dataset
from aiops.errors import BadInput
from aiops.ingest.derived import Deriver
from aiops.ingest.wide.cadence import variable_of_table
from aiops.ingest.wide.judge import Judge
from aiops.ingest.wide.report import TableReport, WideReport
from aiops.ingest.wide.source import name_of, open_source, source_cells, wide_rows, wide_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aiops.climate import Series
    from aiops.db.connect import Connection
    from aiops.ingest.variables import Variable
    from aiops.ingest.wide.source import SourceCells, WideRow, WideTable

    Tell = Callable[[str, float], None]

AT_ONCE = 12_000_000
"""Bytes of a table that are fetched together; in Python's hands they become three times as many."""
NEXT = "aiops run indicators"


@dataclass(frozen=True, slots=True)
class _Chosen:
    table: WideTable
    variable: Variable


def load_wide(
    connection: Connection,
    source: str,
    tables: Sequence[str] = (),
    *,
    dry_run: bool = False,
    tell: Tell = lambda _, __: None,
) -> WideReport:
    """Load wide tables: yearly, monthly or daily, a column a scenario.

    Args:
        connection: in autocommit mode; every block of cells is a transaction.
        source: the other database, as libpq has it.
        tables: names, with or without schema; none: all whose name is a variable's.
        dry_run: read and judge, and write nothing.
        tell: called with what is read and the share of it that is done.

    Raises:
        BadInput: no such table, two tables of one variable, no table that says where cells lie.
        DatabaseUnavailable: the other database cannot be reached.
    """
    started = time.monotonic()
    with open_source(source) as other:
        chosen, skipped = _choose(other, tables)
        name = name_of(other)
        cells: dict[str, SourceCells] = {}
        reports = []
        for one in chosen:
            schema = one.table.schema
            if schema not in cells:
                cells = {schema: source_cells(other, schema)}
            run = _Run(connection, one, cells[schema], name, dry_run=dry_run)
            reports.append(run.go(other, tell))
    wants_more = any(one.variable.cadence is not Cadence.YEARLY for one in chosen) and not dry_run
    return WideReport(
        source=name,
        dry_run=dry_run,
        tables=tuple(reports),
        skipped=tuple(skipped),
        next_command=NEXT if wants_more else None,
        seconds=time.monotonic() - started,
    )


class _Run:
    """One table."""

    def __init__(
        self, connection: Connection, chosen: _Chosen, cells: SourceCells, source: str, *, dry_run: bool
    ) -> None:
        self._connection, self._cells, self._dry_run = connection, cells, dry_run
        self._table, self._variable, self._source = chosen.table, chosen.variable, source
        self._judge = Judge(chosen.table, chosen.variable)
        self._found = 0
        self._with_series = 0
        self._written = NOTHING
        self._deriver: Deriver | None = None

    def go(self, other: Connection, tell: Tell) -> TableReport:
        """Read, judge and write the table."""
        dataset_id = None if self._dry_run else self._register()
        if dataset_id is not None:
            self._deriver = Deriver(self._connection, dataset_id)
        done = 0
        for rows in wide_rows(other, self._table, AT_ONCE):
            self._block(rows, dataset_id)
            done += len(rows)
            tell(str(self._table), min(done / self._cells.numbers.size, 1.0))
        judge = self._judge
        return TableReport(
            table=str(self._table),
            variable=self._variable.name,
            unit=self._variable.unit,
            cadence=self._variable.cadence.value,
            scenarios=self._table.scenarios,
            dataset_id=dataset_id,
            rows_read=judge.rows_read,
            rows_refused=judge.rows_refused,
            values_refused=judge.values_refused,
            refused=judge.groups(),
            cells=self._with_series,
            first_year=judge.first_year,
            last_year=judge.last_year,
            series=self._written,
            series_found=self._found,
            winds=self._deriver.derived.total() if self._deriver is not None else NOTHING,
            notes=tuple(self._deriver.derived.overruled.notes()) if self._deriver is not None else (),
        )

    def _block(self, rows: Sequence[WideRow], dataset_id: int | None) -> None:
        series = list(chain.from_iterable(self._series(rows)))
        touched = sorted({one.grid_id for one in series})
        self._found += len(series)
        self._with_series += len(touched)
        if dataset_id is None or self._deriver is None or not series:
            return
        with self._connection.transaction():
            overruled = self._deriver.derived.overruled
            part = write_series(self._connection, series, dataset_id, overruled=overruled)
            self._deriver.storms(touched, again=False)
        self._written += part

    def _series(self, rows: Iterable[WideRow]) -> Iterator[Iterator[Series]]:
        for row in rows:
            self._judge.rows_read += row.n_rows
            grid_id = self._cells.find(row.cell)
            if grid_id is None:
                reason = "no grid_id" if row.cell is None else "grid_id not in location_grid"
                self._judge.refuse_cell(row, reason, f"grid_id {row.cell}")
            elif grid_id == 0:
                self._judge.refuse_cell(row, "cell outside the frame", f"grid_id {row.cell}")
            elif grid_id < 0:
                example = next((one for one in self._cells.doubled if f" {row.cell} " in one), f"grid_id {row.cell}")
                self._judge.refuse_cell(row, "two cells of the source in one of the frame", example)
            else:
                yield self._judge.series(row, grid_id)

    def _register(self) -> int:
        return register_dataset(
            self._connection,
            name=self._table.name,
            source=f"table {self._table} of the database {self._source}",
            file_sha256=None,
            first_year=None,
            last_year=None,
            synthetic=False,
            parameters={
                "source": self._source,
                "table": str(self._table),
                "variable": self._variable.name,
                "unit": self._variable.unit,
                "scenarios": self._table.scenarios,
            },
        )


def _choose(other: Connection, wanted: Sequence[str]) -> tuple[list[_Chosen], list[tuple[str, str]]]:
    """The tables to load, and those that are passed over with the reason."""
    tables, skipped = wide_tables(other)
    if wanted:
        skipped = [one for one in skipped if _is_named(one[0], wanted)]
        named = [table for table in tables if _is_named(str(table), wanted)]
        known = [str(table) for table in named] + [name for name, _ in skipped]
        for name in wanted:
            if not any(_is_named(one, [name]) for one in known):
                allowed = " ".join(map(str, tables)) or "none has grid_id, year or date, and a column a scenario"
                raise BadInput(f"--table: {name!r} is no wide table there; allowed: {allowed}")
        tables = named
    chosen: list[_Chosen] = []
    for table in tables:
        variable = variable_of_table(table, other)
        if isinstance(variable, str):
            skipped.append((str(table), variable))
        else:
            chosen.append(_Chosen(table, variable))
    for place, one in enumerate(chosen):
        for other_one in chosen[:place]:
            if one.variable is other_one.variable and set(one.table.scenarios.values()) & set(
                other_one.table.scenarios.values()
            ):
                raise BadInput(
                    f"{other_one.table} and {one.table} are both {one.variable.name}; allowed: one of them (--table)"
                )
    return chosen, skipped


def _is_named(table: str, names: Iterable[str]) -> bool:
    return any(name.casefold() in (table.casefold(), table.split(".", 1)[1].casefold()) for name in names)
