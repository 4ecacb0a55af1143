"""The one screen of `aiops status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aiops.settings import settings
from workers.cli.output import compact_table
from workers.overview.reading import MOST_ACTIVE
from workers.overview.units import items_of, job_name, lasting, local, seconds_left

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    Row = dict[str, Any]

_DATASETS = 3
_UNSEEN = "not shown to this account (aiops_worker and the owner see it)"
_STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow"}


def screen_of(found: Row) -> Group:
    """Lines of words, then what runs, then what ran.

    Args:
        found: by `read_overview`.
    """
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(style="bold", no_wrap=True)
    head.add_column(overflow="fold")
    for name, told in (
        ("Server", f"{found['server']}   {local(found['at'], zone=True)}"),
        ("Workers", _workers(found["workers"])),
        ("Listener", _listener(found["listener"])),
        ("Queue", _queue(found["queue"], found["waiting"])),
        ("Next due", _next_due(found["schedule"])),
        ("Data", _data(found["data"])),
        ("Data sets", _datasets(found["datasets"])),
        ("Requests", _requests(found["requests_of_last_hour"])),
    ):
        head.add_row(name, told)
    return Group(head, Text(""), *_active(found["active"], found["workers"]), Text(""), *_last_runs(found["last_runs"]))


def progress_in_words(batch: Row, workers: Sequence[Row] | None) -> str:
    """How far a batch is, at what rate, and how long it will take: in one line."""
    items = items_of(batch["job_type"])
    told = [str(batch["status"]), f"{batch['progress']} %"]
    if batch["total_items"] is not None:
        told.append(f"{batch['completed_items']:,} of {batch['total_items']:,} {items}")
        if batch["items_per_second"]:
            told.append(f"{batch['items_per_second']:,.0f} {items}/s")
    elif batch["current_step"]:
        told.append(str(batch["current_step"]))
    left = seconds_left(batch, workers)
    if left is not None:
        told.append(f"{lasting(max(left, 1))} left")
    return ", ".join(told)


def _workers(rows: list[Row] | None) -> str | Text:
    if rows is None:
        return _UNSEEN
    if not rows:
        return Text("none alive: start the daemon with aiops worker", style="yellow")
    by_host: dict[str, list[str]] = {}
    for row in rows:
        by_host.setdefault(row["host"] or "elsewhere", []).append(f"{row['processes']} {row['role'] or 'processes'}")
    alive = sum(row["processes"] for row in rows)
    return f"{alive} alive: " + "; ".join(f"{host}: {', '.join(roles)}" for host, roles in by_host.items())


def _listener(row: Row | None) -> str:
    if row is None:
        return "no NOTIFY has come back yet"
    return f"the last NOTIFY on {row['channel']} came back {lasting(row['seconds_ago'])} ago"


def _queue(lengths: Row | None, waiting: list[Row] | None) -> str:
    if lengths is None or waiting is None:
        return _UNSEEN
    oldest = max((row["seconds"] for row in waiting), default=None)
    since = "" if oldest is None else f" (the oldest for {lasting(oldest)})"
    return f"{lengths['waiting']:,} jobs wait{since}, {lengths['running']:,} run"


def _next_due(rows: list[Row] | None) -> str:
    if rows is None:
        return _UNSEEN
    return ", ".join(
        f"{row['schedule']} {local(row['next_due_at'], zone=True) if row['next_due_at'] is not None else 'paused'}"
        for row in rows
    )


def _data(row: Row | None) -> str | Text:
    if row is None:
        return _UNSEEN
    if not row["cells_with_climate"]:
        return Text("no climate data yet: aiops ingest --help, or aiops demo", style="yellow")
    return (
        f"{row['cells_with_climate']:,} cells; results: {row['probability_rows']:,} P(H), "
        f"{row['hazard_rows']:,} Hazard (cells × risks)"
    )


def _datasets(rows: list[Row] | None) -> str:
    if rows is None:
        return _UNSEEN
    told = []
    for row in rows[:_DATASETS]:
        years = f" {row['first_year']}–{row['last_year']}" if row["first_year"] else ""
        told.append(f"{row['name']}{' (SYNTHETIC)' if row['synthetic'] else ''}{years}")
    hidden = rows[_DATASETS:]
    if hidden:
        synthetic = " (some SYNTHETIC)" if any(row["synthetic"] for row in hidden) else ""
        told.append(f"{len(hidden)} more{synthetic}: aiops status --json")
    return ", ".join(told) or "none"


def _requests(row: Row | None) -> str:
    if row is None:
        return _UNSEEN
    told = [f"{number:,} {state}" for state, number in row.items() if number]
    return f"in the last hour: {', '.join(told) or 'none'}"


def _active(rows: list[Row] | None, workers: Sequence[Row] | None) -> Sequence[RenderableType]:
    if not rows:
        return [Text("Nothing is running." if rows is not None else _UNSEEN, style="bold")]
    made = compact_table("batch", "type", "", ">%", ">done", ">a second", ">left")
    for row in rows:
        rate, left = row["items_per_second"], seconds_left(row, workers)
        done = str(row["current_step"] or row["status"])
        if row["total_items"] is not None:
            done = f"{row['completed_items']:,}/{row['total_items']:,} {items_of(row['job_type'])}"
        made.add_row(
            str(row["batch_id"])[:8],
            job_name(row["job_type"]),
            ProgressBar(total=100, completed=row["progress"], width=12),
            str(row["progress"]),
            done,
            f"{rate:,.0f}" if rate and row["total_items"] is not None else "",
            "" if left is None else lasting(max(left, 1)),
        )
    title = "Running" if len(rows) < MOST_ACTIVE else "Running (aiops batches lists all)"
    return [Text(title, style="bold"), made]


def _last_runs(rows: list[Row] | None) -> Sequence[RenderableType]:
    if not rows:
        return [Text("Nothing has run yet." if rows is not None else _UNSEEN, style="bold")]
    made = compact_table(
        "batch", "type", "status", ">done", ">failed", ">took", f"ended, {settings().schedule_timezone}"
    )
    for row in rows:
        seconds = row["actual_duration_seconds"]
        made.add_row(
            str(row["batch_id"])[:8],
            job_name(row["job_type"]),
            Text(row["status"], style=_STYLES.get(row["status"], "")),
            f"{row['completed_items']:,} {items_of(row['job_type'])}",
            f"{row['failed_items']:,}" if row["failed_items"] else "",
            "" if seconds is None else lasting(seconds),
            local(row["completed_at"]),
        )
    return [Text("Last runs", style="bold"), made]
