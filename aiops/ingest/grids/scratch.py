"""Time by time in, cell by cell out: a file without a name on a disk, for data that are larger than memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_SPARE = 0.02
"""Of the disk's free space: stays free."""


class Scratch:
    """Holds (steps, points) of runs of points; each run lies in one piece, so that both ways move large pieces."""

    def __init__(self, descriptor: int, runs: Sequence[range], n_steps: int) -> None:
        self._descriptor = descriptor
        self._n_steps = n_steps
        sizes = np.array([len(run) for run in runs], dtype=np.int64)
        starts = np.concatenate(([0], np.cumsum(sizes * n_steps * 4)))
        self._starts = {run: int(start) for run, start in zip(runs, starts, strict=False)}

    def put(self, run: range, first_step: int, values: NDArray[np.float32]) -> None:
        """Keep (steps, points of the run) from a step on."""
        data = np.ascontiguousarray(values, dtype=np.float32).data.cast("B")
        at = self._starts[run] + first_step * len(run) * 4
        while data:
            written = os.pwrite(self._descriptor, data, at)
            data, at = data[written:], at + written

    def get(self, run: range, n_bytes: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """First step and (steps, points of the run), all steps in turn, some `n_bytes` at a time."""
        row = len(run) * 4
        at_once = max(n_bytes // row, 1)
        for first in range(0, self._n_steps, at_once):
            count = min(at_once, self._n_steps - first)
            values = np.empty((count, len(run)), dtype=np.float32)
            data, at = values.data.cast("B"), self._starts[run] + first * row
            while data:
                got = os.preadv(self._descriptor, [data], at)
                if got == 0:
                    raise AssertionError("the scratch file is shorter than what was written")
                data, at = data[got:], at + got
            yield first, values


@contextmanager
def scratch_file(folder: Path, runs: Sequence[range], n_steps: int) -> Iterator[Scratch]:
    """A scratch file that is gone when this process is, however that ends.

    Args:
        folder: where.
        runs: of points.
        n_steps: of every run.

    Raises:
        BadInput: the folder cannot be written to, or its disk is too full.
    """
    need = sum(len(run) for run in runs) * n_steps * 4
    try:
        free = int(shutil.disk_usage(folder).free * (1 - _SPARE))
        if need > free:
            raise BadInput(
                f"--scratch: {folder} has {free / 1e9:.2f} GB free, and turning these data takes {need / 1e9:.2f} GB; "
                "allowed: a folder on a larger disk, or a larger --memory"
            )
        file = tempfile.TemporaryFile(prefix="aiops-grids-", dir=folder)  # noqa: SIM115  closed below, errors apart
    except OSError as error:
        raise BadInput(f"--scratch: {folder}: {error.strerror or error}; allowed: a folder to write to") from None
    with file:
        yield Scratch(file.fileno(), runs, n_steps)
