"""One request, from its claim to its end."""

from __future__ import annotations

import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import psycopg.errors
import structlog

from aiops.assess import METHOD_VERSION
from aiops.db import requests
from aiops.db.transient import is_transient
from aiops.errors import in_one_line
from aiops.settings import settings
from workers.ondemand.answer import Answer
from workers.ondemand.cell import compute_cell
from workers.ondemand.result import result_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from aiops.db.connect import Connection
    from aiops.db.requests import Begun

    Row = dict[str, Any]

log = structlog.get_logger(__name__)

STEPS = {"exposure": (10, 40), "vulnerability": (50, 30), "aal": (80, 15)}
"""By step: progress before it, and what the whole of it adds."""


MOST_ATTEMPTS = 60
"""After so many a request is not sent to wait for its cell any more; twice what failures of the server may cost."""


class Ending(StrEnum):
    """What became of a run."""

    COMPLETED = "completed"
    CACHED = "cached"
    FAILED = "failed"
    GONE = "gone"
    """There was nothing to do: it has ended, or another holds it."""
    WAITING = "waiting"
    """A compute process makes the cell's H and P(H) first."""


class NoAnswerError(Exception):
    """Nothing could be computed for the place; says why."""

    def __init__(self, message: str, trace: str | None = None) -> None:
        super().__init__(message)
        self.trace = trace


@dataclass(slots=True)
class Steps:
    """The log of a run: what was done from when to when."""

    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; one that raises is logged as failed."""
        began = time.perf_counter()
        row = {"step": name, "started_at": _now(), "completed_at": None, "status": "completed", "error_message": None}
        self.rows.append(row)
        try:
            yield
        except Exception as error:
            row["status"], row["error_message"] = "failed", in_one_line(error)
            raise
        finally:
            row["completed_at"] = _now()
            log.debug("step ended", step=name, status=row["status"], seconds=round(time.perf_counter() - began, 4))

    def failed(self, name: str, reason: str) -> None:
        """Note what failed by itself, while the run went on."""
        now = _now()
        row = {"step": name, "started_at": now, "completed_at": now, "status": "failed", "error_message": reason}
        self.rows.append(row)


def settled(worker: str) -> requests.Settled:
    """What a claim by this program says of it."""
    return requests.Settled(
        worker=worker,
        method_version=METHOD_VERSION,
        damage_set=settings().damage_set,
        building_within_m=settings().building_search_m,
    )


def run_request(
    connection: Connection, batch_id: UUID | str, worker: str, *, here: bool = False, last_attempt: bool = True
) -> Ending:
    """Answer a request, or find that there is nothing to do.

    Args:
        connection: in autocommit.
        batch_id: the request.
        worker: who claims; the same name may claim again what it holds.
        here: compute a cell without H or P(H) in this process, instead of handing that to a compute process.
        last_attempt: a failure that might pass is final, too.

    Raises:
        Exception: a failure that may pass, or one that is the program's own; noted at the request before.
    """
    # Every line that is logged on the way, wherever that is, says which request it is about.
    with structlog.contextvars.bound_contextvars(batch_id=str(batch_id)):
        return _run(connection, batch_id, worker, here=here, last_attempt=last_attempt)


def _run(connection: Connection, batch_id: UUID | str, worker: str, *, here: bool, last_attempt: bool) -> Ending:
    steps = Steps()
    began = time.perf_counter()
    attempt = None  # not claimed yet
    try:
        with steps.step("read"):
            begun = requests.begin_request(connection, batch_id, settled(worker))
        attempt = begun.attempt
        while here and begun.outcome == "missing":
            with steps.step("hazard and probability"):
                compute_cell(connection, begun.grid_id, begun.missing, batch_id)
            begun = requests.begin_request(connection, batch_id, settled(worker))
            attempt = begun.attempt
        ending = _answer(connection, batch_id, begun, steps)
    except NoAnswerError as error:
        trace = error.trace or traceback.format_exc()
        requests.fail_request(connection, batch_id, attempt, str(error), trace, steps.rows)
        log.warning("request has no answer", reason=str(error), seconds=round(time.perf_counter() - began, 4))
        return Ending.FAILED
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        log.warning("request was not written", reason=in_one_line(error), attempt=attempt)
        return Ending.GONE
    except Exception as error:
        if not connection.closed:
            _note_failure(connection, batch_id, attempt, error, steps, for_good=last_attempt)
        raise
    log.info("request done", outcome=ending, attempt=attempt, seconds=round(time.perf_counter() - began, 4))
    return ending


def _answer(connection: Connection, batch_id: UUID | str, begun: Begun, steps: Steps) -> Ending:
    match begun.outcome:
        case "gone":
            return Ending.GONE
        case "cached":
            return Ending.CACHED
        case "missing":
            if begun.attempt > MOST_ATTEMPTS:
                raise NoAnswerError(
                    f"hazard and probability of {', '.join(begun.missing)} were computed again and again, and are "
                    "still missing: the daemons are of several versions, or have several DAMAGE_SETs"
                )
            requests.await_cell_results(connection, batch_id, begun)
            return Ending.WAITING
        case "no_data" | "no_previous":
            raise NoAnswerError(begun.reason or begun.outcome)
    _make(connection, batch_id, begun, steps)
    return Ending.COMPLETED


def _make(connection: Connection, batch_id: UUID | str, begun: Begun, steps: Steps) -> None:
    results = requests.read_cell_results(connection, [begun.grid_id], begun.params["risk_types"])
    previous = None
    if begun.previous is not None and begun.previous_site_no is not None:
        previous = requests.read_run(connection, begun.previous, begun.previous_site_no)
    answer = Answer(begun, results, previous)
    makers: dict[str, Callable[[], list[Row]]] = {
        "exposure": answer.exposure,
        "vulnerability": answer.vulnerability,
        "aal": answer.aal,
    }
    for name, make in makers.items():
        with steps.step(name):
            requests.write_request_step(connection, batch_id, begun.attempt, name, STEPS[name], make())
    with steps.step("integrated"):
        rows = answer.integrate()
        for part in answer.parts:
            if part.failure is not None:
                steps.failed(part.risk.name, part.failure)
        if not answer.has_any_number():
            raise NoAnswerError(_why_nothing(answer), answer.first_trace())
        damage_set = settings().damage_set
        warnings = warnings_of(answer)
        result = result_of(answer, batch_id, damage_set, warnings)
    # The last step's time ends before the transaction that writes it down.
    requests.finish_request(
        connection,
        batch_id,
        begun,
        run=run_of(answer, damage_set),
        rows=rows,
        results=result,
        warnings=warnings,
        logs=steps.rows,
    )


def fail_waiting_request(connection: Connection, batch_id: UUID | str, error: Exception) -> None:
    """End a request whose cell cannot be computed; whoever holds it finds out."""
    requests.fail_request(connection, batch_id, None, in_one_line(error), traceback.format_exc())


def warnings_of(answer: Answer) -> list[str]:
    """What the reader of an answer should know."""
    found = []
    defaulted = answer.sites.buildings.defaulted_fields(0)
    if defaulted:
        found.append(f"building: not known, so a default stands for {', '.join(defaulted)}")
    if answer.begun.stale:
        found.append(
            f"{', '.join(answer.begun.stale)}: hazard and probability were computed from earlier inputs than there "
            "are now; the next yearly batch renews them"
        )
    for part in answer.parts:
        status, reason = part.score_status(answer.projection)
        if status in {"failed", "insufficient_data"}:
            found.append(f"{part.risk.name}: {status}: {reason}")
        loss = part.rows["aal"]
        if status != "failed" and loss["status"] != status and loss["status"] in {"failed", "insufficient_data"}:
            found.append(f"{part.risk.name}: no average annual loss: {loss['reason']}")
    return found


def _why_nothing(answer: Answer) -> str:
    reasons = "; ".join(f"{part.risk.name}: {part.score_status(answer.projection)[1]}" for part in answer.parts)
    return f"no risk could be computed: {reasons}"


def _note_failure(
    connection: Connection, batch_id: UUID | str, attempt: int | None, error: Exception, steps: Steps, *, for_good: bool
) -> None:
    if for_good or not is_transient(error):
        requests.fail_request(connection, batch_id, attempt, in_one_line(error), traceback.format_exc(), steps.rows)
    elif attempt is not None:
        requests.release_request(connection, batch_id, attempt, "waiting to be tried again")


def _now() -> str:
    return datetime.now(UTC).isoformat()
