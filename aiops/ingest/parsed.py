"""What a reader hands over: a file that was read and judged whole, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from aiops.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.ingest.report import Refusals


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The usable part of a file, and what was refused."""

    kind: Literal["asos", "csv", "place"]
    """The format."""
    path: Path
    """As it was given."""
    sha256: str
    """Hash of the file's bytes."""
    encoding: str
    """`utf-8` or `cp949`."""
    parameters: dict[str, object]
    """What else the outcome depends on: stations, place, column mapping."""
    series: Iterable[Series]
    """Can be gone through more than once."""
    variables: tuple[str, ...]
    """In the catalogue's order."""
    scenarios: tuple[str, ...]
    """In the order of SCENARIOS."""
    grid_ids: NDArray[np.int64]
    """(cells,), ascending."""
    first_day: np.datetime64
    """Of the first value."""
    last_day: np.datetime64
    """Of the last value."""
    refusals: Refusals
    """Rows and values that were left out."""
    warnings: tuple[str, ...]
    """What was odd and kept nothing out."""
    names: dict[int, str] = field(default_factory=dict)
    """What people call a cell's place, by grid_id, where the file says so."""


def nothing_left(path: Path, refusals: Refusals) -> FileRefused:
    """The error for a file of which nothing can be used: the most frequent reason, with its first line."""
    if refusals.rows_read == 0:
        return FileRefused(f"{path}: has no rows below the header; allowed: at least one")
    groups = refusals.groups()
    if not groups:
        return FileRefused(f"{path}: none of {refusals.rows_read:,} rows has a value; allowed: at least one")
    return FileRefused(f"{path}: none of {refusals.rows_read:,} rows can be used; {groups[0].examples[0]}")
