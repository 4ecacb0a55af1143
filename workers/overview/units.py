"""Times, numbers and names as people read them on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

JOB_NAMES = {"ondemand_risk_calculation": "request", "portfolio_risk_calculation": "portfolio"}
"""Short names of job types; of the others, their own."""


def job_name(job_type: str) -> str:
    """What a job type is called on a screen."""
    return JOB_NAMES.get(job_type, job_type)


def items_of(job_type: str) -> str:
    """What a batch of this type goes through."""
    return {"portfolio_risk_calculation": "sites", "ondemand_risk_calculation": "risks"}.get(job_type, "cells")


def lasting(seconds: float) -> str:
    """A duration: 40 ms, 4.2 s, 37 s, 12 min, 3.2 h."""
    if seconds < 1:
        return f"{1000 * max(seconds, 0):.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def local(moment: datetime, *, zone: bool = False) -> str:
    """A moment in the time zone of the schedule (SCHEDULE_TIMEZONE)."""
    return f"{moment.astimezone(settings().timezone):{'%Y-%m-%d %H:%M %Z' if zone else '%Y-%m-%d %H:%M'}}"


def local_to_second(moment: datetime) -> str:
    """The same to the second."""
    return f"{moment.astimezone(settings().timezone):%Y-%m-%d %H:%M:%S %Z}"


def seconds_left(batch: Mapping[str, Any], workers: Sequence[Any] | None = None) -> float | None:
    """How long a running batch will take from here at its rate so far; None: not known, or nobody computes.

    Args:
        batch: of `read_overview`.
        workers: living processes, likewise; None: not known.
    """
    rate = batch["items_per_second"]
    if workers is not None and not workers:
        return None
    if batch["status"] != "running" or batch["total_items"] is None or not rate:
        return None
    return float((batch["total_items"] - batch["completed_items"]) / rate)
