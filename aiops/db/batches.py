"""Batch jobs: ask for one, follow it, end it. The caller owns the connection, so the caller decides the transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops.db.connect import Connection

Status = Literal["queued", "running", "completed", "failed", "cancelled"]
"""As `batch_jobs` allows."""
JobType = Literal[
    "probability", "hazard", "assessment", "indicators", "ondemand_risk_calculation", "portfolio_risk_calculation",
    "test",
]  # fmt: skip
"""The rows of the table `job_type`; a `test` is taken by no daemon."""

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
ENDED: Final[tuple[Status, ...]] = ("completed", "failed", "cancelled")
"""The statuses after which nothing more comes."""
JOB_TYPES: Final[tuple[JobType, ...]] = get_args(JobType)


def create_batch_job(connection: Connection, job_type: str, input_params: Mapping[str, object] | None = None) -> UUID:
    """Insert a batch job; the database checks the parameters and puts it on the queue when the caller commits.

    Raises:
        psycopg.errors.InvalidParameterValue: a parameter is not allowed; the message names it.
        psycopg.errors.UniqueViolation: a yearly batch of the same family is active.
    """
    row = connection.execute(
        statement("create_batch_job"), {"job_type": job_type, "input_params": Jsonb(dict(input_params or {}))}
    ).fetchone()
    if row is None:
        raise AssertionError("INSERT … RETURNING gave no row")
    return UUID(str(row[0]))


def start_batch(connection: Connection, job_type: str, input_params: Mapping[str, object] | None = None) -> UUID:
    """Start a yearly batch, or join the active one that asks the same. Raises as `create_batch_job`."""
    row = connection.execute(
        statement("start_batch"), {"job_type": job_type, "input_params": Jsonb(dict(input_params or {}))}
    ).fetchone()
    if row is None:
        raise AssertionError("a function call gave no row")
    return UUID(str(row[0]))


def cancel_batch(connection: Connection, batch_id: UUID | str) -> bool:
    """Cancel a batch that is queued or runs; whether this call did it. What was committed stays."""
    row = connection.execute(statement("cancel_batch"), {"batch_id": batch_id}).fetchone()
    return bool(row and row[0])


def retry_batch(connection: Connection, batch_id: UUID | str) -> int:
    """Run what failed of a failed batch again; the number of chunks, 0 when there is nothing to retry.

    Raises:
        psycopg.errors.NoDataFound: there is no such batch.
        psycopg.errors.UniqueViolation: another batch of the family is active.
    """
    row = connection.execute(statement("retry_batch"), {"batch_id": batch_id}).fetchone()
    return int(row[0]) if row else 0


def update_batch_progress(
    connection: Connection,
    batch_id: UUID | str,
    progress: int,
    current_step: str | None = None,
    completed_items: int | None = None,
    failed_items: int | None = None,
) -> None:
    """Move a batch's progress (0 to 99) forward; it never goes back, and a batch that has ended stays as it is."""
    connection.execute(
        statement("update_batch_progress"),
        {
            "batch_id": batch_id,
            "progress": progress,
            "current_step": current_step,
            "completed_items": completed_items,
            "failed_items": failed_items,
        },
    )


def complete_batch_job(connection: Connection, batch_id: UUID | str, results: Mapping[str, object]) -> None:
    """End a batch as completed, with progress 100; one that has ended already stays as it is."""
    connection.execute(statement("complete_batch_job"), {"batch_id": batch_id, "results": Jsonb(dict(results))})


def fail_batch_job(
    connection: Connection, batch_id: UUID | str, error_message: str, error_stack_trace: str | None = None
) -> None:
    """End a batch as failed; one that has ended already stays as it is."""
    connection.execute(
        statement("fail_batch_job"),
        {"batch_id": batch_id, "error_message": error_message, "error_stack_trace": error_stack_trace},
    )


def get_batch_status(connection: Connection, batch_id: UUID | str) -> dict[str, Any] | None:
    """A batch's row as `batch_status` gives it; None for an unknown id."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("get_batch_status"), {"batch_id": batch_id}).fetchone()
