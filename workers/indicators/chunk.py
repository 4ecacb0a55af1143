"""The work of an indicators batch's chunk: days and months of some cells become their indicators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aiops.climate import SCENARIOS
from aiops.db.datasets import note_computed_variables, register_dataset
from aiops.db.indicators import cells_to_derive, hold_unchanged_cells, indicators_hashes, note_indicators
from aiops.db.statements import statement
from aiops.ingest.derived import COMPUTED
from aiops.ingest.recompute import ComputedSeries, compute_indicators, read_inputs, write_indicators
from workers.chunk_work import Written
from workers.indicators import METHOD_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aiops.db.connect import Connection
    from aiops.ingest.recompute import StoredInputs
    from workers.chunk_work import Pool, Stopwatch

CELLS_AT_ONCE = 12
"""Cells whose days are in memory together: with them, a compute process takes some 350 MB."""


class IndicatorChunk:
    """Some cells: a `ChunkWork`."""

    def __init__(self, batch_id: UUID, first: int, last: int, cells: list[int] | None, params: dict[str, Any]) -> None:
        """Take what there is to do.

        Args:
            batch_id: the batch.
            first: the first grid_id of the chunk.
            last: the last.
            cells: only these of the range; None: all from which anything follows.
            params: the batch's parameters.
        """
        self._batch_id = batch_id
        self._first, self._last, self._cells = first, last, cells
        self._scenarios: Sequence[str] | None = params.get("scenarios")
        self._hashes: dict[int, bytes] = {}
        self._computed = ComputedSeries()

    def prepare(self, pool: Pool, watch: Stopwatch) -> None:
        """See `ChunkWork`. No transaction is open while it computes; `write` sees whether anything changed since."""
        cells = self._cells
        if cells is None:
            with watch.step("read"), pool.connection() as connection:
                cells = cells_to_derive(connection, self._first, self._last)
        for start in range(0, len(cells), CELLS_AT_ONCE):
            with watch.step("read"):
                inputs = self._read(pool, cells[start : start + CELLS_AT_ONCE])
            with watch.step("compute"):
                self._computed.add(compute_indicators(inputs, self._scenarios or SCENARIOS))

    def write(self, connection: Connection) -> Written:
        """See `ChunkWork`."""
        hold_unchanged_cells(connection, self._hashes, METHOD_VERSION)
        written = write_indicators(connection, self._computed, partial(self._dataset, connection))
        if self._scenarios is None:
            note_indicators(connection, list(self._hashes), METHOD_VERSION)
        return Written(written.inserted + written.updated, len(self._computed.without))

    def _read(self, pool: Pool, cells: list[int]) -> StoredInputs:
        with pool.connection() as connection, connection.transaction():
            # The hashes must be those of the very data that are read.
            connection.execute(statement("begin_snapshot"))
            self._hashes |= indicators_hashes(connection, cells, METHOD_VERSION)
            return read_inputs(connection, cells)

    def _dataset(self, connection: Connection, synthetic: bool) -> int:
        """One for the whole batch, and one more for what follows from a generator's series."""
        dataset_id = register_dataset(
            connection,
            name="indicators",
            source="computed by an indicators batch from stored series",
            file_sha256=None,
            first_year=None,
            last_year=None,
            synthetic=synthetic,
            parameters={"batch_id": str(self._batch_id), "synthetic": synthetic, "method_version": METHOD_VERSION},
        )
        note_computed_variables(connection, dataset_id, COMPUTED)
        return dataset_id
