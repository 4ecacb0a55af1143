"""What a load of wide tables did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.climate import Written
    from aiops.ingest.wide.judge import WideRefusals


@dataclass(frozen=True, slots=True)
class TableReport:
    """The outcome for one table."""

    table: str
    """With its schema."""
    variable: str
    unit: str
    """In which the values were taken to be: the catalogue's."""
    cadence: str
    scenarios: dict[str, str]
    """By column."""
    dataset_id: int | None
    """The row of `dataset` that the written series name; None: nothing was written."""
    rows_read: int
    rows_refused: int
    values_refused: int
    refused: tuple[WideRefusals, ...]
    """By reason."""
    cells: int
    """Cells with at least one series."""
    first_year: int | None
    last_year: int | None
    series: Written
    """New, changed, as they were; of a dry run all zero."""
    series_found: int
    winds: Written
    """Series of typhoon winds of these cells, by the tracks that are stored."""
    notes: tuple[str, ...] = ()
    """What a user should know of what was written."""

    def lines(self) -> Iterator[str]:
        """For people."""
        columns = ", ".join(f"{column} → {scenario}" for column, scenario in self.scenarios.items())
        used = self.rows_read - self.rows_refused
        unit = "no unit" if self.unit == "1" else self.unit
        yield f"{self.table}: {self.variable}, {self.cadence}, taken as {unit} ({columns})"
        period = "no year" if self.first_year is None else f"{self.first_year} to {self.last_year}"
        yield f"  {used:,} of {self.rows_read:,} rows used, {self.cells:,} cells, {period}"
        if self.dataset_id is not None:
            yield (
                f"  series: {self.series.inserted:,} new, {self.series.updated:,} changed, "
                f"{self.series.unchanged:,} as they were (data set {self.dataset_id})"
            )
        else:
            yield f"  series: {self.series_found:,} found, none written"
        for note in self.notes:
            yield f"  note: {note}"
        for group in self.refused:
            yield f"  refused: {group.count:,} × {group.what}: {group.reason}"
            yield from (f"    {example}" for example in group.examples)


@dataclass(frozen=True, slots=True)
class WideReport:
    """The outcome of one load."""

    source: str
    """Host, port and name of the database."""
    dry_run: bool
    tables: tuple[TableReport, ...]
    skipped: tuple[tuple[str, str], ...]
    """Tables with cells and times that were passed over, with the reason."""
    next_command: str | None
    """What has to be run for indicators to follow from months and days."""
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        what = "dry run, nothing was written" if self.dry_run else f"{self.seconds:.1f} s"
        yield f"{self.source}: {len(self.tables):,} tables ({what})"
        for table in self.tables:
            yield from table.lines()
        for name, reason in self.skipped:
            yield f"skipped: {name}: {reason}"
        if self.next_command is not None:
            yield f"Indicators follow from days and months with: {self.next_command}"
