"""What pages show, from what is read: chosen and ordered, nothing computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aiops.climate import DECADES
from aiops.report import numbers
from workers.overview.units import lasting

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]


def overview_shown(found: Row | None) -> Row:
    """What the first page shows of an overview; None: the database is away."""
    found = found or {}
    workers, queue, waiting = found.get("workers"), found.get("queue"), found.get("waiting")
    listener, hour, data = found.get("listener"), found.get("requests_of_last_hour"), found.get("data")
    datasets = found.get("datasets") or []
    active = found.get("active") or []
    return {
        "overview": found or None,
        "alive": None if workers is None else sum(row["processes"] for row in workers),
        "roles": workers or [],
        "waiting": None if queue is None else queue["waiting"],
        "oldest": lasting(max(row["seconds"] for row in waiting)) if waiting else numbers.NONE,
        "listener": numbers.NONE if listener is None else lasting(listener["seconds_ago"]),
        "requests": numbers.NONE if hour is None else numbers.number(hour.get("completed"), 0),
        "cells": numbers.NONE if data is None else numbers.number(data["cells_with_climate"], 0),
        "datasets": ", ".join(row["name"] if "name" in row else row["dataset"] for row in datasets[:3]),
        "synthetic": any(row["synthetic"] for row in datasets),
        "active": active,
        "more": max(0, (found.get("active_total") or 0) - len(active)),
        "recent": found.get("ended") or [],
        "schedule": found.get("schedule") or [],
    }


def hazard_table(rows: Sequence[Row], risks: Sequence[str], scenario: str) -> dict[str, list[float | None]]:
    """Hazard scores of a cell by risk: the baseline, then the decades of a scenario."""
    scores = {(row["risk_type"], row["scenario"], row["target_year"]): row["hazard_score_100"] for row in rows}
    known = {row["risk_type"] for row in rows}
    return {
        risk: [scores.get((risk, "historical", None)), *(scores.get((risk, scenario, decade)) for decade in DECADES)]
        for risk in risks
        if risk in known
    }


def top_of_scores(parts: Sequence[Row]) -> float:
    """Where the axis of all charts of risk scores ends: the next multiple of 20 above the greatest."""
    scores = [score for row in parts for score in row["risk_score_by_projection"] or () if score is not None]
    known = [score for score in scores if math.isfinite(score)]
    return min(100.0, 20.0 * (1 + max(known, default=99.0) // 20))
