"""A gridded file that has been looked at: what it says of itself, and how its values are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiops.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from aiops.climate import Cadence
    from aiops.ingest.grids.geometry import Grid
    from aiops.ingest.grids.names import NameFacts
    from aiops.ingest.grids.plan import Chunks, Window
    from aiops.ingest.grids.steps import Steps


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a file is known again: it must not change while it is read several times."""

    sha256: str
    size: int
    changed_ns: int

    def check(self, path: Path) -> None:
        """Refuse a file that is not what it was.

        Raises:
            FileRefused: its size or time of change is another.
        """
        try:
            now = path.stat()
        except OSError as error:
            raise FileRefused(f"{path}: is gone while it was read ({error.strerror})") from None
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed_ns):
            raise FileRefused(f"{path}: was changed while it was read; run the command again")


class Reader(Protocol):
    """Reads values of one file; they are as in the file: no unit converted, NaN where missing."""

    @property
    def itemsize(self) -> int:
        """Bytes of a value as the file holds it."""

    def slabs(self, window: Window, n_bytes: int) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """First step, and (steps, points of the window), until the last step; some `n_bytes` at a time.

        Raises:
            FileRefused: the file cannot be read to its end.
        """

    def sample(self, window: Window) -> NDArray[np.floating]:
        """(steps, points of the window) of a few steps.

        Raises:
            FileRefused: as for `slabs`.
        """


@dataclass(frozen=True, slots=True)
class GridFile:
    """One file: everything that is known before its values are read."""

    path: Path
    stamp: Stamp
    name: NameFacts
    field: str
    """What the file calls its variable."""
    quantity: str | None
    """What it is by the file's name of it; None: it does not say."""
    units: str | None
    scenario: str | None
    """What the file says itself."""
    frequency: Cadence | None
    """What the file says itself."""
    steps: Steps
    grid: Grid
    chunks: Chunks
    reader: Reader
    standard_name: str = ""
    cell_methods: str = ""
