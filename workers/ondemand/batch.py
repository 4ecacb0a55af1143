"""`OnDemandRiskBatch`: a request answered here and now, from Python."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import structlog

from aiops.db import requests
from aiops.db.batches import ENDED, get_batch_status
from aiops.db.connect import connect
from aiops.errors import BadInput, BatchFailed
from workers.ondemand.runner import run_request

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5
_TYPES = ("ondemand_risk_calculation", "test")


class OnDemandRiskBatch:
    """One request of `batch_jobs`, of type `ondemand_risk_calculation` or, run by hand only, `test`."""

    def __init__(self, batch_id: UUID | str) -> None:
        self.batch_id = UUID(str(batch_id))

    def run(
        self,
        latitude: float,
        longitude: float,
        risk_types: Sequence[str] | None = None,
        *,
        wait_seconds: float = 120,
        **question: object,
    ) -> dict[str, Any]:
        """Claim the request and answer it in this process; when a daemon has it already, wait for the daemon's answer.

        Args:
            latitude: degrees north.
            longitude: degrees east.
            risk_types: names or aliases; None: all.
            wait_seconds: for a daemon that holds it.
            question: further parameters as in `input_params` (scenario, target_year, building, …), for a batch of
                type `test`; one of the other type was asked its question when it was inserted.

        Returns:
            The result as `batch_jobs.results` holds it, with status `success`.

        Raises:
            BadInput: there is no such request, it is a batch of another type, or it was asked about another place.
            BatchFailed: it failed, was cancelled, or did not end in time.
            psycopg.errors.InvalidParameterValue: a parameter is not allowed; the message names it.
        """
        _log_as_the_program_does()
        if "notify" in question:
            raise BadInput("notify: not allowed here; allowed: in input_params, when the request is inserted")
        asked: dict[str, object] = {"latitude": latitude, "longitude": longitude, **question}
        if risk_types is not None:
            asked["risk_types"] = list(risk_types)
        with connect("request", autocommit=True) as connection:
            status = get_batch_status(connection, self.batch_id)
            if status is None:
                raise BadInput(f"batch_id: {self.batch_id} does not exist")
            if status["job_type"] not in _TYPES:
                raise BadInput(
                    f"batch_id: {self.batch_id} is of type {status['job_type']}; allowed: {', '.join(_TYPES)}"
                )
            if status["status"] in {"failed", "cancelled"}:
                raise BatchFailed(_ending(self.batch_id, status))
            requests.ask_by_hand(connection, self.batch_id, asked)
            requests.refuse_other_question(connection, self.batch_id, asked)
            run_request(connection, self.batch_id, f"{socket.gethostname()} {os.getpid()} {uuid4()}", here=True)
            deadline, pause = time.monotonic() + wait_seconds, _PAUSE_SECONDS
            while (status := get_batch_status(connection, self.batch_id)) and status["status"] not in ENDED:
                if time.monotonic() > deadline:
                    raise BatchFailed(f"request {self.batch_id} did not end within {wait_seconds:g} s")
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        if status is None:
            raise BatchFailed(f"request {self.batch_id} is gone")
        if status["status"] != "completed":
            raise BatchFailed(_ending(self.batch_id, status))
        results: dict[str, Any] = status["results"]
        return results


def _ending(batch_id: UUID, status: dict[str, Any]) -> str:
    reason = f": {status['error_message']}" if status["error_message"] else ""
    return f"request {batch_id} {status['status']}{reason}"


def _log_as_the_program_does() -> None:
    """In somebody else's program log by its own logging; what structlog does by default is print to its output."""
    if not structlog.is_configured():
        structlog.stdlib.recreate_defaults(log_level=None)
