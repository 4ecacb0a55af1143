"""`aiops status`: one screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row

from aiops.db.statements import statement
from workers.cli.connection import database
from workers.cli.output import Json, console, say, show, table


def status(as_json: Json = False) -> None:
    """What runs, what ran, what waits, and what data there are.

    Example: aiops status --json
    """
    with database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        data: dict[str, Any] = {
            "server": f"PostgreSQL {connection.info.parameter_status('server_version')}, "
            f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}",
            "batches": cursor.execute(statement("recent_batches")).fetchall(),
            "queue": cursor.execute(statement("queue_lengths")).fetchone(),
            "data": cursor.execute(statement("data_summary")).fetchone(),
            "datasets": cursor.execute(statement("list_datasets")).fetchall(),
        }
    show(data, as_json, lambda: _render(data))


def _render(data: dict[str, Any]) -> None:
    queue, stored = data["queue"], data["data"]
    say(data["server"])
    say(f"Workers alive: {queue['workers_alive']}. Jobs waiting: {queue['waiting']}, running: {queue['running']}.")
    say(
        f"Cells with climate data: {stored['cells_with_climate']:,}. Results: {stored['probability_rows']:,} P(H), "
        f"{stored['hazard_rows']:,} Hazard (cells × risks)."
    )
    if data["datasets"]:
        made = table("Data", "data set", "years", "loaded (UTC)")
        for one in data["datasets"]:
            mark = " (synthetic)" if one["synthetic"] else ""
            years = f"{one['first_year']}–{one['last_year']}" if one["first_year"] else ""
            made.add_row(one["name"] + mark, years, _minute(one["loaded_at"]))
        console.print(made)
    if data["batches"]:
        made = table("Batches", "batch", "type", "status", ">%", ">cells", ">seconds", "created (UTC)")
        for one in data["batches"]:
            seconds = one["actual_duration_seconds"]
            made.add_row(
                str(one["batch_id"])[:8],
                one["job_type"],
                one["status"],
                str(one["progress"]),
                f"{one['completed_items']:,}/{one['total_items']:,}" if one["total_items"] is not None else "",
                "" if seconds is None else f"{seconds:.1f}",
                _minute(one["created_at"]),
            )
        console.print(made)


def _minute(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"
