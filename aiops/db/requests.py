"""Requests of one place: claimed, answered step by step, ended. The caller owns the connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from aiops.climate import PROJECTIONS
from aiops.db.statements import statement
from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

    Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """A claimed request, and all that its answer follows from but the results of its cell."""

    outcome: str
    """`gone`, `cached`, `no_data`, `no_previous`, `missing` or `ready`; see `begin_request` in the database."""
    attempt: int
    """The fence: only the latest claim may write."""
    params: Row
    """The normal form of what was asked."""
    grid_id: int
    projection_id: int
    """1 to 33."""
    surroundings: Row
    """Attributes of the cell; None unknown."""
    building: Row
    """What is known of it."""
    building_source: Row
    """Which building of the register, which fields it gave, and which the request."""
    population: Row | None
    inputs: Row
    """Versions of the inputs."""
    missing: list[str]
    """Risks without H or P(H) in the cell."""
    stale: list[str]
    """Risks whose H or P(H) was computed from earlier inputs."""
    answer_hash: bytes
    previous: UUID | None
    """The run whose steps are taken over, when only some are asked for."""
    previous_site_no: int | None
    reason: str | None
    """Why there can be no answer, in plain words."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a claim needs to know of the program that makes it."""

    worker: str
    """Who claims: the same name may claim again."""
    method_version: str
    damage_set: str
    building_within_m: float
    """A building of the register farther from the place is not it."""
    lease_seconds: float = 30.0
    """After so long a silent claim is taken to be lost."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """Stored P(H) and Hazard score of a cell and risk, by projection; NaN missing, status 0 absent."""

    grid_id: int
    risk_type: str
    aal: NDArray[np.float64]
    """(33,)."""
    aal_low: NDArray[np.float64]
    aal_high: NDArray[np.float64]
    aal_status: NDArray[np.int16]
    probabilities: NDArray[np.float64]
    """(33, bins)."""
    damage_rates: NDArray[np.float64]
    """(33, bins)."""
    bin_edges: NDArray[np.float64]
    """(33, bins − 1)."""
    estimator: NDArray[np.int16]
    """(33,): codes."""
    n_years: NDArray[np.int16]
    baseline: str | None
    damage_set: str
    is_default: bool
    aal_reason: str | None
    score: NDArray[np.float64]
    """(33,), 0 to 100."""
    score_status: NDArray[np.int16]
    coverage: NDArray[np.float64]
    score_reason: str | None


class MalformedResultError(Exception):
    """A stored result is not of the shape that every result has."""

    def __init__(self, grid_id: int, risk_type: str, problem: object) -> None:
        super().__init__(f"the stored result of cell {grid_id} is malformed: {problem}")
        self.risk_type = risk_type


def begin_request(connection: Connection, batch_id: UUID | str, settled: Settled) -> Begun:
    """Claim a request, read its inputs, and answer it at once where a stored run does."""
    row = connection.execute(
        statement("begin_request"),
        {
            "batch_id": batch_id,
            "worker": settled.worker,
            "lease": f"{settled.lease_seconds} seconds",
            "within_m": settled.building_within_m,
            "method_version": settled.method_version,
            "damage_set": settled.damage_set,
        },
    ).fetchone()
    if row is None:
        raise AssertionError("a function call gave no row")
    return Begun(*row)


def read_cell_results(
    connection: Connection, grid_ids: Sequence[int], risk_types: Sequence[str]
) -> list[CellResult | MalformedResultError]:
    """Stored results of cells and risks; one that is malformed comes as an error in its place."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement("read_cell_results"), {"grid_ids": list(grid_ids), "risk_types": list(risk_types)})
        return [_cell_result(row) for row in cursor]


def write_request_step(
    connection: Connection,
    begun_batch: UUID | str,
    attempt: int,
    step: str,
    share: tuple[int, int],
    rows: Sequence[Row],
) -> None:
    """Write the rows of a step, each committed with the progress that speaks of it.

    Args:
        connection: in autocommit.
        begun_batch: the request.
        attempt: the fence.
        step: `exposure`, `vulnerability` or `aal`.
        share: progress before the step, and how much the whole of it adds.
        rows: one a risk.

    Raises:
        psycopg.errors.ObjectNotInPrerequisiteState: the attempt does not hold the request any more.
    """
    connection.execute(
        statement("write_request_step"),
        {
            "batch_id": begun_batch,
            "attempt": attempt,
            "step": step,
            "first": share[0],
            "span": share[1],
            "rows": Jsonb(list(rows)),
        },
    )


def finish_request(
    connection: Connection,
    batch_id: UUID | str,
    begun: Begun,
    *,
    run: Row,
    rows: Sequence[Row],
    results: Row,
    warnings: Sequence[str],
    logs: Sequence[Row],
) -> None:
    """The last transaction of a request; raises as `write_request_step`."""
    connection.execute(
        statement("finish_request"),
        {
            "batch_id": batch_id,
            "attempt": begun.attempt,
            "run": Jsonb(run),
            "answer_hash": None if "steps" in begun.params else begun.answer_hash,
            "rows": Jsonb(list(rows)),
            "results": Jsonb(results),
            "warnings": Jsonb(list(warnings)),
            "logs": Jsonb(list(logs)),
        },
    )


def fail_request(
    connection: Connection,
    batch_id: UUID | str,
    attempt: int | None,
    error: str,
    trace: str | None,
    logs: Sequence[Row] = (),
) -> bool:
    """End a request as failed; whether this attempt still held it (None: whoever holds it)."""
    row = connection.execute(
        statement("fail_request"),
        {"batch_id": batch_id, "attempt": attempt, "error": error, "trace": trace, "logs": Jsonb(list(logs))},
    ).fetchone()
    return bool(row and row[0])


def release_request(connection: Connection, batch_id: UUID | str, attempt: int, step: str) -> None:
    """Let go of a request that will be taken up again."""
    connection.execute(statement("release_request"), {"batch_id": batch_id, "attempt": attempt, "step": step})


def await_cell_results(connection: Connection, batch_id: UUID | str, begun: Begun) -> None:
    """Have a compute process make H and P(H) of the request's cell; the request goes on afterwards."""
    connection.execute(
        statement("await_cell_results"), {"batch_id": batch_id, "attempt": begun.attempt, "grid_id": begun.grid_id}
    )


def resume_request(connection: Connection, batch_id: UUID | str) -> None:
    """Put a request that waited for its cell back on its queue."""
    connection.execute(statement("resume_request"), {"batch_id": batch_id})


def cell_of_request(connection: Connection, batch_id: UUID | str, settled: Settled) -> tuple[int, list[str]] | None:
    """The cell of a running request, and the risks that lack H or P(H) there now; None: it has ended."""
    row = connection.execute(
        statement("read_request_site"),
        {
            "batch_id": batch_id,
            "within_m": settled.building_within_m,
            "method_version": settled.method_version,
            "damage_set": settled.damage_set,
        },
    ).fetchone()
    return None if row is None else (row[0], row[1])


def ask_by_hand(connection: Connection, batch_id: UUID | str, input_params: Mapping[str, object]) -> None:
    """Give a batch of type `test`, which nobody runs by itself, the question that it is to answer."""
    connection.execute(statement("ask_by_hand"), {"batch_id": batch_id, "input_params": Jsonb(dict(input_params))})


def refuse_other_question(connection: Connection, batch_id: UUID | str, input_params: Mapping[str, object]) -> None:
    """Make sure that a request asks what the caller believes it does.

    Raises:
        BadInput: it asks about another place or other risks, by name of the field.
    """
    row = connection.execute(
        statement("refuse_other_question"), {"batch_id": batch_id, "input_params": Jsonb(dict(input_params))}
    ).fetchone()
    if row is None:
        return
    asked, given = row
    for name in input_params:
        if asked.get(name) != given.get(name):
            raise BadInput(f"{name}: {given.get(name)!r} is not what the request asks; allowed: {asked.get(name)!r}")


def read_run(connection: Connection, batch_id: UUID | str, site_no: int) -> dict[str, dict[str, Row]]:
    """The rows of a stored run: by table (`exposure`, `vulnerability`, `aal_scaled`, `risk`), then by risk."""
    found: dict[str, dict[str, Row]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for table, query in _RUN_QUERIES.items():
            cursor.execute(query, {"batch_id": batch_id, "site_no": site_no})
            found[table] = {row["risk_type"]: row for row in cursor}
    return found


_RUN_QUERIES = {
    "exposure": statement("read_exposure_run"),
    "vulnerability": statement("read_vulnerability_run"),
    "aal_scaled": statement("read_aal_scaled_run"),
    "risk": statement("read_risk_run"),
}


def _cell_result(row: tuple[Any, ...]) -> CellResult | MalformedResultError:
    grid_id, risk_type, aal, low, high, status, n_bins, p, rates, edges, estimator, n_years = row[:12]
    baseline, damage_set, is_default, reason, score, score_status, coverage, score_reason = row[12:]
    try:
        n = len(PROJECTIONS)
        return CellResult(
            grid_id=grid_id,
            risk_type=risk_type,
            aal=_floats(aal, (n,)),
            aal_low=_floats(low, (n,)),
            aal_high=_floats(high, (n,)),
            aal_status=np.array(status, dtype=np.int16).reshape(n),
            probabilities=_floats(p, (n, n_bins)),
            damage_rates=_of_every_projection(rates, n, n_bins),
            bin_edges=_of_every_projection(edges, n, n_bins - 1),
            estimator=np.array(estimator, dtype=np.int16).reshape(n),
            n_years=np.array(n_years, dtype=np.int16).reshape(n),
            baseline=baseline,
            damage_set=damage_set,
            is_default=is_default,
            aal_reason=reason,
            score=_floats(score, (n,)),
            score_status=np.array(score_status, dtype=np.int16).reshape(n),
            coverage=_floats(coverage, (n,)),
            score_reason=score_reason,
        )
    except (TypeError, ValueError) as error:
        return MalformedResultError(grid_id, risk_type, error)


def _floats(values: Iterable[float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    return _finite(np.array(values, dtype=np.float64)).reshape(shape)


def _of_every_projection(values: Sequence[float], n: int, width: int) -> NDArray[np.float64]:
    """(n, width), of a packed array that may hold one projection's values, good for all."""
    array = _finite(np.array(values, dtype=np.float64))
    return np.broadcast_to(array, (n, width)) if array.size == width else array.reshape(n, width)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same; NaN is no number and may stand there, infinity would be one that JSON has no word for."""
    if np.isinf(values).any():
        raise ValueError("a number is not finite")
    return values
