"""In which order and in what pieces a grid is read, so that memory is bounded and no chunk is unpacked often.

The points that cells take values from are put in the order of the file's chunks: chunk by chunk, and row by row within
one. A block is a run of points in that order; so blocks of any size cover a chunk without its neighbours, and what a
load has done is known by numbers of points, whatever its memory was.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PASSES = 4
"""A chunk is unpacked so many times at most; where it would be more, the data are turned through a scratch file."""
_FLOAT = 4


@dataclass(frozen=True, slots=True)
class Chunks:
    """How a file stores its values: pieces that are read as a whole."""

    steps: int
    rows: int
    columns: int
    whole: bool = False
    """There are no pieces: any part of the file can be read on its own."""

    @property
    def size(self) -> int:
        """Values that are unpacked at once."""
        return 1 if self.whole else self.steps * self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Memory:
    """What may be held at once, bytes."""

    budget: int

    @property
    def block(self) -> int:
        """Series of one block."""
        return self.budget // 3

    @property
    def slab(self) -> int:
        """What is read at once, as 8-byte values."""
        return self.budget // 16

    @property
    def write(self) -> int:
        """Series that are handed to the server at once; stored ones that they are joined with are as many again."""
        return max(self.budget // 24, 1 << 20)  # each costs a few statements


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the grid, and the points in it that are wanted."""

    rows: slice
    columns: slice
    picks: NDArray[np.int64]
    """(points,): where each lies in the flattened rectangle."""

    @property
    def size(self) -> int:
        """Points of the rectangle."""
        return int((self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start))


@dataclass(frozen=True, slots=True)
class Points:
    """The points that are wanted, in the order in which they are read; all arrays are (points,)."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    chunks: Chunks

    @property
    def size(self) -> int:
        """How many."""
        return int(self.rows.size)

    @property
    def bands(self) -> NDArray[np.int64]:
        """Which row of chunks each lies in."""
        return self.rows // self.chunks.rows

    @property
    def tiles(self) -> NDArray[np.int64]:
        """A number for the chunk that each lies in; it grows along the order."""
        across = int(self.columns.max()) // self.chunks.columns + 1
        return np.asarray(self.bands * across + self.columns // self.chunks.columns)

    def windows(self, block: range, n_bytes: int, itemsize: int) -> Iterator[tuple[range, Window]]:
        """The rectangles that hold a block, with which part of it each holds.

        Whole rows of chunks where all steps of a chunk fit into `n_bytes`, else chunk by chunk; of a file without
        chunks as many rows as fit.
        """
        limit = max(n_bytes // (self.chunks.steps * itemsize), 1)
        if self.chunks.whole:
            inside = slice(block.start, block.stop)
            width = int(np.ptp(self.columns[inside])) + 1
            groups = (self.rows[inside] - self.rows[block.start]) // max(limit // width, 1)
            yield from ((part, self._window(part)) for part in _runs(groups, block.start))
            return
        for band in self._parts(self.bands, block):
            parts = [band] if self._window(band).size <= limit else self._parts(self.tiles, band)
            yield from ((part, self._window(part)) for part in parts)

    def _parts(self, labels: NDArray[np.int64], block: range) -> list[range]:
        return _runs(labels[block.start : block.stop], block.start)

    def _window(self, run: range) -> Window:
        rows, columns = (array[run.start : run.stop] for array in (self.rows, self.columns))
        top, left = int(rows.min()), int(columns.min())
        right = int(columns.max()) + 1
        picks = (rows - top) * (right - left) + (columns - left)
        return Window(slice(top, int(rows.max()) + 1), slice(left, right), picks)


def order_points(points: NDArray[np.int64], n_columns: int, chunks: Chunks) -> tuple[Points, NDArray[np.int64]]:
    """Put points (row × columns + column, each once) into the order of reading.

    Returns:
        The points, and (points,) which place in that order each given one has.
    """
    rows, columns = np.divmod(points, n_columns)
    order = np.lexsort((columns, rows, columns // chunks.columns, rows // chunks.rows))
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    return Points(rows[order], columns[order], chunks), places


def blocks_of(points: Points, length: int, memory: Memory, done: Sequence[range] = ()) -> list[range]:
    """Runs of points that are still to be done; each fits into memory and ends with a chunk or a row where it can.

    Args:
        points: all points of the load.
        length: values of each series.
        memory: what may be held.
        done: runs that were done before.
    """
    capacity = max(memory.block // (length * _FLOAT), 1)
    edges = [_edges(points.tiles), _edges(points.rows)]
    blocks = []
    for gap in _gaps(points.size, done):
        start = gap.start
        while start < gap.stop:
            stop = min(start + capacity, gap.stop)
            if stop < gap.stop:
                for edge in edges:
                    last = edge[edge <= stop][-1]
                    if last > start:
                        stop = int(last)
                        break
            blocks.append(range(start, stop))
            start = stop
    return blocks


def passes_of(points: Points, blocks: Sequence[range]) -> float:
    """How many times each chunk is unpacked on average when these blocks are read one after the other."""
    if points.chunks.whole or not blocks:
        return 1.0
    tiles = points.tiles
    touched = sum(int(np.unique(tiles[block.start : block.stop]).size) for block in blocks)
    needed = np.concatenate([tiles[block.start : block.stop] for block in blocks])
    return touched / int(np.unique(needed).size)


def _gaps(size: int, done: Sequence[range]) -> Iterator[range]:
    start = 0
    for block in sorted(done, key=lambda one: one.start):
        if block.start > start:
            yield range(start, block.start)
        start = max(start, block.stop)
    if start < size:
        yield range(start, size)


def _edges(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the label changes."""
    return np.concatenate(([0], np.flatnonzero(labels[1:] != labels[:-1]) + 1))


def _runs(labels: NDArray[np.int64], first: int) -> list[range]:
    """Runs of one label each, counted from `first`."""
    edges = [*(_edges(labels) + first).tolist(), first + labels.size]
    return [range(start, stop) for start, stop in pairwise(edges)]
