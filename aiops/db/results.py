"""Results of the yearly batches: written by the block, read by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from psycopg.rows import dict_row

from aiops.db import copy_rows as binary
from aiops.db.statements import statement
from aiops.grid import grid_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import LiteralString
    from uuid import UUID

    from numpy.typing import NDArray

    from aiops.db.connect import Connection


class ProbabilityColumns(Protocol):
    """P(H) of one risk for a block of cells; shapes in cells, projections, bins."""

    @property
    def risk_type(self) -> str:
        """Name of the risk."""

    @property
    def damage_set(self) -> str:
        """Name of the damage set."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """(cells, projections, bins)."""

    @property
    def damage_rates(self) -> NDArray[np.float64]:
        """(cells, projections, bins)."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """(cells, projections, bins − 1)."""

    @property
    def aal(self) -> NDArray[np.float64]:
        """(cells, projections)."""

    @property
    def aal_low(self) -> NDArray[np.float64]:
        """(cells, projections)."""

    @property
    def aal_high(self) -> NDArray[np.float64]:
        """(cells, projections)."""

    @property
    def estimator(self) -> NDArray[np.integer[Any]]:
        """(cells, projections), codes."""

    @property
    def n_years(self) -> NDArray[np.integer[Any]]:
        """(cells, projections)."""

    @property
    def status(self) -> NDArray[np.integer[Any]]:
        """(cells, projections), codes."""

    @property
    def baseline(self) -> Sequence[str | None]:
        """(cells,)."""

    @property
    def reach(self) -> NDArray[np.float64]:
        """(cells,), NaN: the risk has none."""

    @property
    def is_default(self) -> NDArray[np.bool_]:
        """(cells,)."""

    @property
    def reason(self) -> Sequence[str | None]:
        """(cells,)."""


class HazardColumns(Protocol):
    """Hazard scores of one risk for a block of cells."""

    @property
    def risk_type(self) -> str:
        """Name of the risk."""

    @property
    def score(self) -> NDArray[np.float64]:
        """(cells, projections), 0–100."""

    @property
    def coverage(self) -> NDArray[np.float64]:
        """(cells, projections)."""

    @property
    def status(self) -> NDArray[np.integer[Any]]:
        """(cells, projections), codes."""

    @property
    def reason(self) -> Sequence[str | None]:
        """(cells,)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a write has in common."""

    method_version: str
    """Of the program that computed it."""
    batch_id: UUID
    """The batch that it belongs to."""
    input_hashes: Sequence[bytes]
    """Of each cell's inputs."""


def keep_others_from_results(connection: Connection) -> None:
    """Let nobody else write results until the transaction ends.

    The chunks of a batch have cells of their own, and write side by side. Who writes cells that a batch may be writing,
    too, comes between its chunks: of two that delete and write the same rows at once, one would fail.
    """
    connection.execute(statement("lock_results"))


def share_results(connection: Connection) -> None:
    """Keep those out, until the transaction ends, who want results to themselves; before what stands is read."""
    connection.execute(statement("share_results"))


def replace_probability(
    connection: Connection,
    grid_ids: NDArray[np.int32],
    results: Sequence[ProbabilityColumns],
    stamp: Stamp,
) -> int:
    """Put the P(H) of these cells and risks in the place of what stood there, in the caller's transaction.

    Returns:
        The number of rows (cells × risks).
    """
    n = grid_ids.size
    buffers = [
        binary.copy_buffer(
            [
                binary.integers(grid_ids),
                binary.constant(one.risk_type, n),
                binary.constant(one.damage_set, n),
                binary.integers(np.full(n, one.probabilities.shape[2]), 2),
                binary.float_arrays(_one_for_all(one.edges)),
                binary.float_arrays(one.probabilities.reshape(n, -1)),
                binary.float_arrays(_one_for_all(one.damage_rates)),
                binary.float_arrays(one.aal),
                binary.float_arrays(one.aal_low),
                binary.float_arrays(one.aal_high),
                binary.integer_arrays(one.estimator),
                binary.integer_arrays(one.n_years),
                binary.integer_arrays(one.status),
                binary.texts(one.baseline),
                binary.floats(one.reach),
                binary.booleans(one.is_default),
                binary.texts(one.reason),
                binary.constant(stamp.method_version, n),
                binary.texts(stamp.input_hashes),
                binary.constant(stamp.batch_id.bytes, n),
            ],
            n,
        )
        for one in results
    ]
    risk_types = [one.risk_type for one in results]
    return _replace(connection, "probability", grid_ids, risk_types, buffers)


def replace_hazard(
    connection: Connection,
    grid_ids: NDArray[np.int32],
    results: Sequence[HazardColumns],
    stamp: Stamp,
) -> int:
    """Put the Hazard scores of these cells and risks in the place of what stood there; as `replace_probability`."""
    n = grid_ids.size
    buffers = [
        binary.copy_buffer(
            [
                binary.integers(grid_ids),
                binary.constant(one.risk_type, n),
                binary.float_arrays(one.score),
                binary.float_arrays(one.coverage),
                binary.integer_arrays(one.status),
                binary.texts(one.reason),
                binary.constant(stamp.method_version, n),
                binary.texts(stamp.input_hashes),
                binary.constant(stamp.batch_id.bytes, n),
            ],
            n,
        )
        for one in results
    ]
    return _replace(connection, "hazard", grid_ids, [one.risk_type for one in results], buffers)


def fetch_probability_results(
    connection: Connection, latitude: float, longitude: float, risk_types: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """P(H) of the cell of a place, as the rows of `probability_results`.

    Raises:
        BadInput: the place lies outside the frame.
    """
    return _fetch(connection, statement("fetch_probability_results"), latitude, longitude, risk_types)


def fetch_hazard_results(
    connection: Connection, latitude: float, longitude: float, risk_types: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Hazard scores of the cell of a place, as the rows of `hazard_results`; raises as the above."""
    return _fetch(connection, statement("fetch_hazard_results"), latitude, longitude, risk_types)


def fetch_population_data(connection: Connection, latitude: float, longitude: float) -> dict[str, Any] | None:
    """How many people live in the administrative district of a place.

    Returns:
        `admin_code`, `name`, `name_ko`, `population`, `population_year` (names and year may be None); None where the
        cell's district or its population is not known.

    Raises:
        BadInput: the place lies outside the frame.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("fetch_population_data"), {"grid_id": grid_id_of(latitude, longitude)})
        return cursor.fetchone()


def _one_for_all(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(cells, projections, k) as (cells, k) where the projections do not differ, else flat."""
    n = values.shape[0]
    if np.array_equal(values, np.broadcast_to(values[:, :1], values.shape)):
        return values[:, 0]
    return values.reshape(n, -1)


def _replace(
    connection: Connection,
    kind: LiteralString,
    grid_ids: NDArray[np.int32],
    risk_types: Sequence[str],
    buffers: Sequence[bytes],
) -> int:
    if grid_ids.size == 0:
        return 0
    share_results(connection)
    connection.execute(
        statement(f"delete_{kind}"),
        {
            "grid_ids": grid_ids.tolist(),
            "first": int(grid_ids[0]),
            "last": int(grid_ids[-1]),
            "risk_types": risk_types,
        },
    )
    with connection.cursor() as cursor:
        with cursor.copy(statement(f"copy_{kind}")) as copy:
            for part in binary.as_one(buffers):
                copy.write(part)
        return cursor.rowcount


def _fetch(
    connection: Connection,
    query: LiteralString,
    latitude: float,
    longitude: float,
    risk_types: Sequence[str] | None,
) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            query,
            {
                "grid_id": grid_id_of(latitude, longitude),
                "risk_types": None if risk_types is None else list(risk_types),
            },
        )
        return cursor.fetchall()
