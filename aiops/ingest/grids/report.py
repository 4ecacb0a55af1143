"""What a load of gridded files did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from aiops.ingest.grids.judge import RefusedValues


@dataclass(frozen=True, slots=True)
class GridReport:
    """The outcome of one load: one variable of one scenario, from any number of files."""

    kind: str
    """netcdf or asc."""
    files: tuple[str, ...]
    """The paths, by time."""
    sha256: str
    """Hash of the file; of several: of their hashes."""
    dataset_id: int
    """The row of `dataset` that the written series name."""
    already_loaded: bool
    """The same load was finished before: nothing was read or written."""
    variable: str
    scenario: str
    cadence: str
    conversions: tuple[str, ...]
    """How the files' units became the stored one."""
    steps: int
    """Days, months or years that the files bring."""
    steps_absent: int
    """Days, months or years between the first and the last that no file brings; they are missing."""
    leap_days_absent: int
    """29 February that the files' calendar does not have; they are missing."""
    first_date: str
    last_date: str
    points: int
    """Points of the grid that cells take their values from."""
    points_outside: int
    """Points of the grid beyond the frame."""
    cells: int
    """Cells of the frame with a point within reach."""
    cells_without_data: int
    """Of these, cells whose point has no value at all: they are not written."""
    reach_km: float
    """How far a cell's point may be."""
    farthest_km: float
    """How far the farthest is."""
    values_accepted: int
    """Values at these points; as the next two, of this run."""
    values_missing: int
    values_refused: int
    refused: tuple[RefusedValues, ...]
    warnings: tuple[str, ...]
    blocks: int
    """Pieces in which the load was written, each in a transaction of its own."""
    blocks_before: int
    """Of these, pieces that an earlier run had written."""
    scratch_bytes: int
    """Size of the scratch file; 0: none was needed."""
    series_inserted: int
    series_updated: int
    series_unchanged: int
    seconds: float
    megabytes_per_second: float
    """Values read, at 4 bytes each, over the whole duration."""
    next_command: str | None
    """What computes the indicators that follow."""

    def as_dict(self) -> dict[str, object]:
        """The report for `--json`."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        files = self.files[0] if len(self.files) == 1 else f"{self.files[0]} and {len(self.files) - 1:,} more files"
        yield f"{files}: {self.variable}, {self.scenario}, {self.cadence}, {self.first_date} to {self.last_date}"
        if self.already_loaded:
            yield (
                f"  already loaded (data set {self.dataset_id}): the same files in the same way; nothing was written "
                "(--again writes it anew)"
            )
            return
        yield f"  {self.steps:,} steps, {len(self.files):,} files; units: {'; '.join(self.conversions)}"
        yield (
            f"  cells: {self.cells:,} from {self.points:,} points, the farthest {self.farthest_km:.2f} km away (up to "
            f"{self.reach_km:.2f} km); {self.points_outside:,} points lie outside the frame"
        )
        yield (
            f"  series: {self.series_inserted:,} new, {self.series_updated:,} changed, "
            f"{self.series_unchanged:,} as they were (data set {self.dataset_id}, {self.seconds:.1f} s, "
            f"{self.megabytes_per_second:.1f} MB/s)"
        )
        yield (
            f"  values: {self.values_accepted:,} used, {self.values_missing:,} missing, {self.values_refused:,} refused"
        )
        if self.blocks_before:
            yield f"  note: {self.blocks_before:,} of {self.blocks:,} blocks were written by an earlier run"
        for warning in self.warnings:
            yield f"  note: {warning}"
        for group in self.refused:
            yield f"  refused: {group.count:,} × value, {self.variable}: {group.reason}"
            yield from (f"    {example}" for example in group.examples)
        if self.next_command:
            yield f"  next: {self.next_command} computes the indicators that follow"


def with_files(notes: Iterable[tuple[Path, Iterable[str]]]) -> tuple[str, ...]:
    """Notes on files, each once: with the first file that it is of, and how many more there are."""
    of_note: dict[str, list[Path]] = {}
    for path, texts in notes:
        for text in texts:
            of_note.setdefault(text, []).append(path)
    return tuple(
        f"{paths[0].name}{f' and {len(paths) - 1:,} more files' if len(paths) > 1 else ''}: {text}"
        for text, paths in of_note.items()
    )
