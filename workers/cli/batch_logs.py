"""`aiops logs`: what a batch did step by step, and why chunks of it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import psycopg.errors
import typer
from psycopg.rows import dict_row

from aiops.db.batches import ENDED
from aiops.db.statements import statement
from aiops.errors import BadInput
from workers.cli.arguments import BatchId, find_batch
from workers.cli.connection import database
from workers.cli.output import Json, say, say_json, show
from workers.cli.waking import alarm
from workers.overview.units import items_of, job_name, lasting, local_to_second

if TYPE_CHECKING:
    from uuid import UUID

    from aiops.db.connect import Connection

    Row = dict[str, Any]

_SHOWN_TRACES = 3
_MOST_CHUNKS = 100
_LOOK_SECONDS = 1.0

Chunk = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Only this chunk: error, trace, attempts, who, seconds by step.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what happens until it ends, or Ctrl-C.")]


def logs(*, batch_id: BatchId, chunk: Chunk = None, follow: Follow = False, as_json: Json = False) -> None:
    """The log of a batch or request: its steps, and of failed chunks the error, the trace, and where they ran.

    Example: aiops logs 99ebba92 --chunk 3
    """
    with database() as connection:
        number = find_batch(connection, batch_id)
        if chunk is not None:
            found = _chunk(connection, number, chunk)
            show(found, as_json, lambda: _render_chunk(found, whole_trace=True))
            return
        if follow:
            _follow(connection, number, as_json=as_json)
            if as_json:
                return
        data = _read(connection, number)
    show(data, as_json, lambda: _render(data, with_log=not follow))


def _read(connection: Connection, batch_id: UUID) -> Row:
    batch = _batch(connection, batch_id)
    data: Row = {"batch": batch, "logs": _rows(connection, "batch_logs", batch_id), "chunks": None, "in_trouble": None}
    try:
        data["chunks"] = _rows(connection, "chunk_states", batch_id)
        data["in_trouble"] = _rows(connection, "chunks_in_trouble", batch_id, most=_MOST_CHUNKS)
    except psycopg.errors.InsufficientPrivilege:  # a client sees what was asked, not how it is worked on
        pass
    return data


def _batch(connection: Connection, batch_id: UUID) -> Row:
    rows = _rows(connection, "read_batch", batch_id)
    if not rows:
        raise BadInput(f"batch {batch_id}: there is none of that number; aiops batches lists them")
    return rows[0]


def _rows(connection: Connection, name: str, batch_id: UUID, **more: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), {"batch_id": batch_id, **more}).fetchall()


def _chunk(connection: Connection, batch_id: UUID, chunk_no: int) -> Row:
    rows = _rows(connection, "read_chunk", batch_id, chunk_no=chunk_no)
    if not rows:
        known = _rows(connection, "chunk_states", batch_id)
        total = sum(row["chunks"] for row in known)
        allowed = f"1 to {total}" if total else "none, as it is not split into chunks"
        raise BadInput(f"--chunk: {chunk_no}; allowed for batch {batch_id}: {allowed}")
    return {"batch_id": batch_id, **rows[0]}


def _follow(connection: Connection, batch_id: UUID, *, as_json: bool) -> None:
    told: dict[int, Any] = {}
    progress = None
    try:
        with alarm(batch_id) as wake:
            while True:
                batch = _batch(connection, batch_id)
                for row in _rows(connection, "batch_logs", batch_id):
                    if told.get(row["log_id"]) != row["completed_at"] or row["log_id"] not in told:
                        told[row["log_id"]] = row["completed_at"]
                        _tell(row, as_json=as_json)
                now = (batch["status"], batch["progress"], batch["current_step"])
                if now != progress:
                    progress = now
                    _tell_progress(batch, as_json=as_json)
                if batch["status"] in ENDED:
                    return
                wake.pause(_LOOK_SECONDS)
    except KeyboardInterrupt:  # how a look that goes on ends
        return


def _tell(row: Row, *, as_json: bool) -> None:
    if as_json:
        say_json(row)
    else:
        say(_line(row))


def _tell_progress(batch: Row, *, as_json: bool) -> None:
    if as_json:
        say_json({name: batch[name] for name in ("batch_id", "status", "progress", "current_step", "updated_at")})
        return
    step = f", {batch['current_step']}" if batch["current_step"] else ""
    say(f"{local_to_second(batch['updated_at'])}  {batch['status']}, {batch['progress']} %{step}")


def _line(row: Row) -> str:
    told = f"{local_to_second(row['started_at'])}  {row['step'] or 'the whole':<22} {row['status']:<10}"
    if row["seconds"] is not None:
        told += f" {lasting(row['seconds']):>8}"
    if row["total_grids"] is not None:
        told += f"  {row['total_grids']:,} in all"
        if row["skipped_grids"]:
            told += f", {row['skipped_grids']:,} unchanged"
        if row["failed_grids"]:
            told += f", {row['failed_grids']:,} failed"
    return f"{told}  {row['error_message']}" if row["error_message"] else told.rstrip()


def _render(data: Row, *, with_log: bool) -> None:
    batch = data["batch"]
    say(f"{job_name(batch['job_type'])} {batch['batch_id']}: {batch['status']}, {batch['progress']} %")
    told = f"asked {local_to_second(batch['created_at'])} by {batch['created_by']}"
    if batch["actual_duration_seconds"] is not None:
        told += f"; took {lasting(batch['actual_duration_seconds'])}"
    say(told)
    if batch["error_message"]:
        say(f"error: {batch['error_message']}")
    for warning in batch["warnings"] or ():
        say(f"note: {warning}")
    if with_log:
        say("")
        for row in data["logs"]:
            say(_line(row))
        if not data["logs"]:
            say("Nothing is logged: it has not begun, or its log was pruned (LOG_RETENTION_DAYS).")
    _render_chunks(batch, data["chunks"], data["in_trouble"])
    chunk_trace = any(row["trace"] for row in data["in_trouble"] or ())
    if batch["error_stack_trace"] and not chunk_trace:
        say(f"\n{batch['error_stack_trace'].rstrip()}")


def _render_chunks(batch: Row, states: list[Row] | None, in_trouble: list[Row] | None) -> None:
    if states is None or in_trouble is None:
        say("\nChunks are not shown to this account (aiops_worker and the owner see them).")
        return
    if not states:
        return
    items = items_of(batch["job_type"])
    counts = ", ".join(f"{row['chunks']:,} {row['state']} ({row['items']:,} {items})" for row in states)
    say(f"\nchunks: {counts}")
    for place, row in enumerate(in_trouble):
        _render_chunk({"batch_id": batch["batch_id"], **row}, whole_trace=place < _SHOWN_TRACES)
    if len(in_trouble) > _SHOWN_TRACES:
        say(f"\nTraces of the others: aiops logs {str(batch['batch_id'])[:8]} --chunk N")


def _render_chunk(row: Row, *, whole_trace: bool) -> None:
    who = f", by {row['worker']}" if row["worker"] else ""
    say(
        f"\nchunk {row['chunk_no']}: {row['state']}, {row['n_cells']:,} from {row['first_grid_id']} to "
        f"{row['last_grid_id']}; attempt {row['attempt']}, failures of its own {row['tries']}{who}"
    )
    if row["started_at"] is not None:
        ended = f", ended {local_to_second(row['completed_at'])}" if row["completed_at"] is not None else ""
        say(f"  started {local_to_second(row['started_at'])}{ended}")
    if row["seconds"]:
        say("  seconds: " + ", ".join(f"{step} {seconds:g}" for step, seconds in row["seconds"].items()))
    if row["error"]:
        say(f"  error: {row['error']}")
    if row["trace"] and whole_trace:
        if not row["error"]:
            say("  its last failure, which a later attempt made good:")
        say("".join(f"    {line}\n" for line in row["trace"].splitlines()).rstrip())
