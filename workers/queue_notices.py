"""What the queue's own notifications say; whoever may log in may send them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HIGHEST_JOB = 2**63 - 1


@dataclass(slots=True)
class Heard:
    """A bunch of notifications."""

    has_job: bool = False
    """Whether there may be a job to take."""
    aborts: set[int] = field(default_factory=set)
    """Jobs that are said to be wanted aborted."""
    garbage: list[str] = field(default_factory=list)
    """What says nothing."""


def understand(payloads: Iterable[str]) -> Heard:
    """Sort payloads by what they say; none is an error."""
    heard = Heard()
    for payload in payloads:
        try:
            told = json.loads(payload)
            kind, job_id = told["type"], told["job_id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            kind, job_id = None, None
        if kind == "job_inserted":
            heard.has_job = True
        elif kind == "abort_job_requested" and type(job_id) is int and 0 < job_id <= _HIGHEST_JOB:  # True is no number
            heard.aborts.add(job_id)
        else:
            heard.garbage.append(payload)
    return heard
