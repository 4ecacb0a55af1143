"""The work of a portfolio's chunk: a range of sites, read, assessed and written together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from aiops.db.cell_columns import read_cell_columns
from aiops.db.portfolio import keep_summary, note_unanswered, read_portfolio_sites, write_runs
from aiops.db.statements import statement
from workers.chunk_work import Written
from workers.ondemand.cell import compute_cells
from workers.ondemand.runner import settled
from workers.portfolio.answers import answer_sites
from workers.portfolio.rows import run_rows, step_rows
from workers.portfolio.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aiops.db.cell_columns import StoredCells
    from aiops.db.connect import Connection
    from aiops.db.portfolio import PortfolioSite
    from workers.chunk_work import Pool, Stopwatch

    Row = dict[str, Any]

log = structlog.get_logger(__name__)


class PortfolioChunk:
    """Some sites of a portfolio: a `ChunkWork`."""

    def __init__(self, batch_id: UUID, chunk_no: int, first: int, last: int, question: dict[str, Any]) -> None:
        """Take what there is to do.

        Args:
            batch_id: the portfolio.
            chunk_no: the chunk.
            first: number of its first site.
            last: number of its last site.
            question: the portfolio's parameters.
        """
        self._batch_id, self._chunk_no = batch_id, chunk_no
        self._first, self._last = first, last
        self._question = question
        self._settled = settled("chunk")
        self._risk_types: list[str] = question["risk_types"]
        self._buffers: dict[str, list[bytes]] = {}
        self._summary: Row = {}
        self._reasons: dict[int, str] = {}

    def prepare(self, pool: Pool, watch: Stopwatch) -> None:
        """See `ChunkWork`. Cells without H or P(H) are computed first, and stored whatever becomes of the chunk."""
        with pool.connection() as connection:
            with watch.step("read"):
                sites, stored = self._read(connection, even_if_missing=False)
            if stored is None:
                with watch.step("cells"):
                    self._compute_cells(connection, sites)
                with watch.step("read"):
                    sites, stored = self._read(connection, even_if_missing=True)
        with watch.step("compute"):
            self._assess(sites, stored)

    def write(self, connection: Connection) -> Written:
        """See `ChunkWork`."""
        rows = write_runs(connection, self._buffers)
        note_unanswered(connection, self._batch_id, self._reasons)
        keep_summary(connection, self._batch_id, self._chunk_no, self._summary)
        return Written(rows, len(self._reasons))

    def _read(self, connection: Connection, *, even_if_missing: bool) -> tuple[list[PortfolioSite], StoredCells | None]:
        """The sites and what is stored of their cells, as of one moment; None: some of that has to be made first."""
        with connection.transaction():
            connection.execute(statement("begin_snapshot"))
            sites = read_portfolio_sites(
                connection, self._batch_id, self._first, self._last, self._question, self._settled
            )
            on_land = [one for one in sites if one.has_climate]
            if any(one.missing for one in on_land) and not even_if_missing:
                return sites, None
            grid_ids = sorted({one.grid_id for one in on_land})
            return sites, read_cell_columns(connection, grid_ids, self._risk_types)

    def _compute_cells(self, connection: Connection, sites: Sequence[PortfolioSite]) -> None:
        """H and P(H) of cells that the yearly batches have not come to; cells that lack the same risks together."""
        lacking: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        for one in sites:
            if one.has_climate and one.missing:
                lacking[tuple(one.missing)].add(one.grid_id)
        for risk_types, grid_ids in lacking.items():
            compute_cells(connection, sorted(grid_ids), risk_types, self._batch_id)
            log.info("cells computed", step="cells", cells=len(grid_ids), risk_types=list(risk_types))

    def _assess(self, sites: Sequence[PortfolioSite], stored: StoredCells | None) -> None:
        on_land = [one for one in sites if one.has_climate]
        self._reasons = {one.site_no: _no_climate(one) for one in sites if not one.has_climate}
        damage_set = self._settled.damage_set
        answers = answer_sites(on_land, stored, self._risk_types) if on_land and stored is not None else None
        if answers is not None:
            batch_id = self._batch_id.bytes
            self._reasons |= answers.unanswered()
            self._buffers = step_rows(batch_id, answers)
            if answers.answered.any():
                self._buffers["run"] = [run_rows(batch_id, answers, self._risk_types, damage_set)]
        self._summary = summary_of(answers, damage_set)


def _no_climate(one: PortfolioSite) -> str:
    latitude, longitude = one.site["latitude"], one.site["longitude"]
    return (
        f"no climate data at {latitude}, {longitude} (cell {one.grid_id}): a place at sea, or outside what was loaded"
    )
