"""The blocks of a load: read from all its files, or from a scratch file, and written one after the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Series
from aiops.db.climate import NOTHING, Overruled, write_series
from aiops.db.ingest_progress import note_block
from aiops.db.packing import PACKED
from aiops.errors import FileRefused
from aiops.ingest.grids.judge import Judge
from aiops.ingest.grids.plan import PASSES, Memory, blocks_of, passes_of
from aiops.ingest.grids.scratch import scratch_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.ingest.grids.options import GridOptions
    from aiops.ingest.grids.plan import Window
    from aiops.ingest.grids.prepared import Prepared
    from aiops.ingest.grids.scratch import Scratch

_FLOAT = 4


@dataclass(frozen=True, slots=True)
class _Slab:
    """Judged values of some points, from a step on."""

    places: NDArray[np.int64]
    """(steps,): where on the axis of the series."""
    values: NDArray[np.float32]
    """(steps, points)."""


class Run:
    """Writes the blocks of one load that are not written yet."""

    def __init__(
        self,
        connection: Connection,
        load: Prepared,
        options: GridOptions,
        dataset_id: int,
        tell: Callable[[float], None],
    ) -> None:
        self._connection = connection
        self._load = load
        self._memory = Memory(options.memory_bytes)
        self._dataset_id = dataset_id
        self._tell = tell
        self._places = np.concatenate(load.axis.places)
        self._to_do = 1
        self._done = 0
        self.folder = options.scratch
        self.judge = Judge(load.variable)
        self.overruled = Overruled()
        self.values_read = 0
        self.scratch_bytes = 0

    def blocks_after(self, done: Sequence[range]) -> None:
        """Write all blocks but those that are done."""
        load, memory = self._load, self._memory
        blocks = blocks_of(load.points, load.axis.length, memory, done)
        self._to_do = sum(map(len, blocks)) * load.n_steps
        with ExitStack() as stack:
            slabs: Callable[[range], Iterator[tuple[range, _Slab]]] = self._from_files
            if passes_of(load.points, blocks) > (PASSES if load.cheap_passes else 1) or self._too_large(blocks):
                self._to_do *= 2
                runs = list(self._runs_in(blocks))
                scratch = stack.enter_context(scratch_file(self.folder, runs, load.n_steps))
                self.scratch_bytes = sum(map(len, runs)) * load.n_steps * _FLOAT
                self._fill(scratch, blocks, runs)
                by_block = {block: [run for run in runs if run.start in block] for block in blocks}
                slabs = lambda block: self._from_scratch(scratch, by_block[block])  # noqa: E731
            for block in blocks:
                self._write(block, slabs(block))

    def _too_large(self, blocks: Sequence[range]) -> bool:
        """Whether a file's chunk, which is unpacked as a whole, and the series of a block do not fit side by side."""
        chunk = max(file.chunks.size * file.reader.itemsize for file in self._load.files)
        block = max(map(len, blocks), default=0) * self._load.axis.length * _FLOAT
        return chunk + block > self._memory.budget

    def _write(self, block: range, slabs: Iterator[tuple[range, _Slab]]) -> None:
        load = self._load
        series = np.full((len(block), load.axis.length), np.nan, dtype=PACKED)
        has_data = np.zeros(len(block), dtype=bool)
        for points, slab in slabs:
            rows = slice(points.start - block.start, points.stop - block.start)
            first, last = int(slab.places[0]), int(slab.places[-1])
            columns = slice(first, last + 1) if last - first + 1 == slab.places.size else slab.places
            series[rows, columns] = slab.values.T
            has_data[rows] |= ~np.isnan(slab.values).all(axis=0)
            self._advance(slab.values.size)
        inside = np.flatnonzero((load.place_of_cell >= block.start) & (load.place_of_cell < block.stop))
        inside = inside[has_data[load.place_of_cell[inside] - block.start]]
        at_once = max(self._memory.write // (load.axis.length * _FLOAT), 1)
        with self._connection.transaction():
            written = NOTHING
            for first in range(0, inside.size, at_once):
                written += write_series(
                    self._connection,
                    self._series(inside[first : first + at_once], block, series),
                    self._dataset_id,
                    overruled=self.overruled,
                )
            note_block(self._connection, self._dataset_id, block, inside.size, written)

    def _series(self, cells: NDArray[np.int64], block: range, series: NDArray[np.float32]) -> Iterator[Series]:
        load = self._load
        rows = load.place_of_cell[cells] - block.start
        for grid_id, row in zip(load.frame.grid_ids[cells].tolist(), rows.tolist(), strict=True):
            yield Series(load.variable.name, load.scenario, grid_id, load.axis.first_year, series[row])

    def _from_files(self, block: range) -> Iterator[tuple[range, _Slab]]:
        for points, first, values in self._judged(block):
            self.values_read += values.size
            yield points, _Slab(self._places[first : first + values.shape[0]], values)

    def _from_scratch(self, scratch: Scratch, runs: Sequence[range]) -> Iterator[tuple[range, _Slab]]:
        for run in runs:
            for first, values in scratch.get(run, self._memory.slab):
                yield run, _Slab(self._places[first : first + values.shape[0]], values)

    def _fill(self, scratch: Scratch, blocks: Sequence[range], runs: Sequence[range]) -> None:
        starts = np.array([run.start for run in runs])
        for stretch in _joined(blocks):
            for points, first, values in self._judged(stretch):
                low, high = np.searchsorted(starts, [points.start, points.stop])
                for run in runs[low:high]:
                    scratch.put(run, first, values[:, run.start - points.start : run.stop - points.start])
                self.values_read += values.size
                self._advance(values.size)
                del values

    def _runs_in(self, blocks: Sequence[range]) -> Iterator[range]:
        """The parts of blocks that are read together from the files."""
        for stretch in _joined(blocks):
            cuts = {part.start for part, _ in self._windows(stretch)} | {block.start for block in blocks}
            edges = sorted(cut for cut in cuts if cut in stretch)
            yield from (range(a, b) for a, b in zip(edges, [*edges[1:], stretch.stop], strict=True))

    def _windows(self, points: range) -> Iterator[tuple[range, Window]]:
        return self._load.points.windows(points, self._memory.slab, self._load.files[0].reader.itemsize)

    def _judged(self, wanted: range) -> Iterator[tuple[range, int, NDArray[np.float32]]]:
        """Points, first step counted over all files, and judged values of all files."""
        load = self._load
        offset = 0
        for file, conversion in zip(load.files, load.conversions, strict=True):
            lengths = file.steps.lengths(load.axis.cadence)
            for points, window in self._windows(wanted):
                arrived = 0
                for first, numbers in file.reader.slabs(window, self._memory.slab):
                    arrived = first + numbers.shape[0]
                    describe = load.describer(file, first, points)
                    values = self.judge.values(numbers, conversion, lengths[first:arrived], describe)
                    del numbers  # nothing of this slab is held while the next one is read
                    yield points, offset + first, values
                    del values
                if arrived != file.steps.size:
                    raise FileRefused(
                        f"{file.path}: has {arrived:,} steps of values; allowed: {file.steps.size:,}, as of times"
                    )
            offset += file.steps.size

    def _advance(self, n_values: int) -> None:
        self._done += n_values
        self._tell(min(self._done / max(self._to_do, 1), 1.0))


def _joined(blocks: Sequence[range]) -> Iterator[range]:
    """Blocks that follow each other, as one."""
    start = stop = -1
    for block in blocks:
        if block.start != stop:
            if stop > start:
                yield range(start, stop)
            start = block.start
        stop = block.stop
    if stop > start:
        yield range(start, stop)
