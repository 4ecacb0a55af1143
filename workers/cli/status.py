"""`aiops status`: one screen."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row
from rich.table import Table

from aiops.db.statements import statement
from workers.cli.connection import database
from workers.cli.output import Json, console, show


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
    console.print(data["server"])
    console.print(
        f"Workers alive: {queue['workers_alive']}. Jobs waiting: {queue['waiting']}, running: {queue['running']}."
    )
    console.print(
        f"Cells with climate data: {stored['cells_with_climate']:,}. Results: {stored['probability_rows']:,} P(H), "
        f"{stored['hazard_rows']:,} Hazard (cells × risks)."
    )
    if data["datasets"]:
        table = Table("data set", "years", "loaded", title="Data", title_justify="left", title_style="bold")
        for one in data["datasets"]:
            mark = " (synthetic)" if one["synthetic"] else ""
            years = f"{one['first_year']}–{one['last_year']}" if one["first_year"] else ""
            table.add_row(one["name"] + mark, years, f"{one['loaded_at']:%Y-%m-%d %H:%M}")
        console.print(table)
    if data["batches"]:
        table = Table(
            "batch", "type", "status", "%", "cells", "seconds", "created",
            title="Batches", title_justify="left", title_style="bold",
        )  # fmt: skip
        for one in data["batches"]:
            seconds = one["actual_duration_seconds"]
            table.add_row(
                str(one["batch_id"]),
                one["job_type"],
                one["status"],
                str(one["progress"]),
                f"{one['completed_items']:,}/{one['total_items']:,}" if one["total_items"] is not None else "",
                "" if seconds is None else f"{seconds:.1f}",
                f"{one['created_at']:%Y-%m-%d %H:%M:%S}",
            )
        console.print(table)
