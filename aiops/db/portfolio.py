"""Portfolios: sites read, and results written, a chunk of sites at a time. The caller owns the connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from aiops.db.copy_nulls import one_buffer
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from aiops.db.connect import Connection
    from aiops.db.requests import Settled

    Row = dict[str, Any]

TABLES = ("exposure", "vulnerability", "aal_scaled", "risk", "run")
"""What a site's answer is written to: `…_results_runs`, and `risk_run`."""


@dataclass(frozen=True, slots=True)
class PortfolioSite:
    """A site, and all that its answer follows from but the results of its cell."""

    site_no: int
    """Its place in the portfolio, from 0."""
    site_id: str | None
    site: Row
    """What was asked: latitude, longitude, insurance_rate, and asset_value and building where given."""
    grid_id: int
    projection_id: int
    """1 to 33."""
    has_climate: bool
    surroundings_text: str
    """JSON: attributes of the cell."""
    building_text: str
    """JSON: what is known of the building."""
    building_source_text: str
    """JSON: which building of the register, which fields it gave, and which the request."""
    population_text: str | None
    """JSON."""
    inputs_text: str
    """JSON: versions of the inputs."""
    missing: Sequence[str]
    """Risks without H or P(H) in the cell."""
    stale: Sequence[str]
    """Risks whose H or P(H) was computed from earlier inputs."""

    @property
    def surroundings(self) -> Row:
        """Attributes of the cell; None unknown."""
        found: Row = json.loads(self.surroundings_text)
        return found

    @property
    def building(self) -> Row:
        """What is known of the building."""
        found: Row = json.loads(self.building_text)
        return found


def read_portfolio_sites(
    connection: Connection, batch_id: UUID | str, first: int, last: int, question: Row, settled: Settled
) -> list[PortfolioSite]:
    """The sites from number `first` to `last`, in order.

    Args:
        connection: the caller's.
        batch_id: the portfolio.
        first: number of a site.
        last: number of a site.
        question: the portfolio's parameters: risk_types, scenario, target_year, and the insurance_rate of a site that
            has none of its own.
        settled: what the answer depends on beside them.
    """
    rows = connection.execute(
        statement("read_portfolio_sites"),
        {
            "batch_id": batch_id,
            "first": first,
            "last": last,
            "question": Jsonb(question),
            "defaults": Jsonb({"insurance_rate": question["insurance_rate"]}),
            "within_m": settled.building_within_m,
            "method_version": settled.method_version,
            "damage_set": settled.damage_set,
        },
    )
    return [PortfolioSite(*row) for row in rows]


def write_runs(connection: Connection, buffers: Mapping[str, Sequence[bytes]]) -> int:
    """Write rows of answers; returns how many.

    Args:
        connection: in the transaction that ends the chunk.
        buffers: by table of `TABLES`, inputs of a binary COPY in the order of its statement's columns.
    """
    written = 0
    for table, parts in buffers.items():
        if not parts:
            continue
        name = "copy_runs" if table == "run" else f"copy_{table}_runs"
        with connection.cursor() as cursor:
            with cursor.copy(statement(name)) as copy:
                copy.write(one_buffer(parts))
            written += cursor.rowcount
    return written


def note_unanswered(connection: Connection, batch_id: UUID | str, reasons: Mapping[int, str]) -> None:
    """Say of sites, by number, why they have no answer."""
    if reasons:
        connection.execute(
            statement("note_unanswered_sites"),
            {"batch_id": batch_id, "site_nos": list(reasons), "reasons": list(reasons.values())},
        )


def keep_summary(connection: Connection, batch_id: UUID | str, chunk_no: int, summary: Row) -> None:
    """Keep what the whole needs to know of a chunk; the caller holds the chunk."""
    connection.execute(
        statement("keep_chunk_summary"), {"batch_id": batch_id, "chunk_no": chunk_no, "summary": Jsonb(summary)}
    )


def fetch_portfolio_results(connection: Connection, batch_id: UUID | str) -> list[Row]:
    """One row per site of a portfolio, in the order of its list, as `portfolio_results` gives it."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("portfolio_results"), {"batch_id": batch_id}).fetchall()
