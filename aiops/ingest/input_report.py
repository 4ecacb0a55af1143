"""What a load of inputs other than climate series did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiops.ingest.report import refused_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiops.db.climate import Written
    from aiops.ingest.report import RefusedGroup


@dataclass(frozen=True, slots=True)
class InputReport:
    """The outcome of one load."""

    kind: str
    """Which format the file was read as: attributes, tracks, gauges, sea-level, water or warming."""
    file: str
    """The path as it was given."""
    sha256: str
    """Hash of the file's bytes."""
    encoding: str
    """`utf-8`, `cp949`, or `ascii` for best tracks."""
    dataset_id: int
    """The row of `dataset` that the written rows name."""
    rows_read: int
    """Rows below the header; fixes of best tracks."""
    rows_refused: int
    """Rows left out whole."""
    values_refused: int
    """Values left out of rows otherwise used."""
    refused: tuple[RefusedGroup, ...]
    """By reason."""
    warnings: tuple[str, ...]
    """What was odd and did not keep anything out."""
    tables: Mapping[str, Written]
    """By table: rows that were new, changed, as they were."""
    indicators: tuple[str, ...]
    """Yearly variables that were computed anew from what is stored now."""
    series: Written
    """Series of these that were new, changed, as they were."""
    seconds: float
    """Duration of reading, judging, computing and writing."""

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        used = self.rows_read - self.rows_refused
        yield (
            f"{self.file}: {used:,} of {self.rows_read:,} rows used (data set {self.dataset_id}, {self.seconds:.1f} s)"
        )
        for table, written in self.tables.items():
            yield (
                f"  {table}: {written.inserted:,} new, {written.updated:,} changed, {written.unchanged:,} as they were"
            )
        if self.indicators:
            yield (
                f"  computed: {' '.join(self.indicators)}: {self.series.inserted:,} series new, "
                f"{self.series.updated:,} changed, {self.series.unchanged:,} as they were"
            )
        for warning in self.warnings:
            yield f"  note: {warning}"
        yield from refused_lines(self.refused)
