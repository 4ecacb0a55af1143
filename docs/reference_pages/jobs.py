"""Job types, statuses, channels: the words of the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops.settings import Settings
from reference_pages.markdown import code, page, table

if TYPE_CHECKING:
    from psycopg import Connection

_MEANING = {
    "probability": "P(H) of all cells that have climate data, or of those asked for",
    "hazard": "Hazard scores of all cells that have climate data, or of those asked for",
    "assessment": "P(H) and Hazard scores in one pass over the data",
    "indicators": "yearly and monthly indicators, which hazards are computed from",
    "ondemand_risk_calculation": "the risk of one place; `request_risk` asks for it",
    "portfolio_risk_calculation": "the risk of up to 10,000 places; `request_risk_many` asks for it",
    "test": "nothing that a daemon takes: a row to compute by hand, from Python",
}
_BATCH_STATUS = {
    "queued": "asked for; nothing of it has begun",
    "running": "being computed; `progress` says how far",
    "completed": "all of it is there; `progress` is 100 exactly then",
    "failed": "`error_message` says why; what could be computed is there; `aiops retry` runs the rest again",
    "cancelled": "somebody stopped it; nothing more is written",
}
_RESULT_STATUS = {
    "ok": "a value",
    "short_record": "a value from 5 to 9 years of data",
    "insufficient_data": "no value: the cell lacks the data; `reason` says which",
    "not_applicable": "no value, counted as 0: the place cannot have this risk",
    "failed": "no value: the computation failed; `reason` says how",
}
_CHUNK_STATE = {
    "waiting": "on the queue",
    "running": "claimed by a process",
    "done": "committed",
    "failed": "given up by name; `error` and `trace` say why",
    "cancelled": "its batch was cancelled before",
}
_WORDS = re.compile(r"'([a-z_]+)'")


def jobs_page(connection: Connection) -> str:
    """The page of what can be asked for and how it may stand."""
    types = connection.execute("SELECT job_type, task, queue FROM job_type ORDER BY task IS NULL, job_type").fetchall()
    risks = connection.execute(
        "SELECT risk_type, loss_kind, name, name_ko, aliases FROM risk_type ORDER BY position"
    ).fetchall()
    scenarios = connection.execute("SELECT scenario, name, aliases FROM scenario ORDER BY position").fetchall()
    horizons = connection.execute(
        "SELECT horizon, target_year, first_year, last_year FROM horizon ORDER BY position"
    ).fetchall()
    result_codes = connection.execute(
        "SELECT code, result_status_name(code::smallint) FROM generate_series(1, 5) AS code"
    ).fetchall()
    channel = Settings.model_fields["notify_channel"].default
    return page(
        "Jobs, statuses, words",
        "the tables of words in sql/migrations",
        "## Job types\n\n"
        + table(
            ("`job_type`", "computes", "task of the queue", "queue"),
            [(code(name), _MEANING[name], code(task or ""), code(queue or "")) for name, task, queue in types],
        )
        + "\n\nParameters of requests: [requests.md](../requests.md). Of yearly batches: `risk_types`, `scenarios`, "
        "`horizons`, `cells`, `bbox` (west, south, east, north), `force`; of `indicators`: `scenarios`, `cells`, "
        "`bbox`, `force`. Of each kind of yearly result one batch is active at a time.",
        "## Statuses of batches and requests\n\n"
        + _explained(_checked(connection, "batch_jobs", "status"), _BATCH_STATUS),
        "## States of chunks\n\n" + _explained(_checked(connection, "batch_chunks", "state"), _CHUNK_STATE),
        "## Statuses of results\n\n"
        + table(
            ("status", "code", "means"),
            [(code(name), str(number), _RESULT_STATUS[name]) for number, name in result_codes],
        )
        + "\n\nCodes stand in packed results; 0 there: no data of its own for the projection, so no row in the views.",
        "## Channels\n\n"
        + table(
            ("channel", "who speaks", "payload"),
            [
                (code("aiops_progress"), "the database, at every change of a batch", "JSON: `batch_id`, `status`, …"),
                (code(str(channel)), "anyone (`NOTIFY_CHANNEL` names it)", "the job type of a yearly batch"),
            ],
        ),
        "## Risks\n\n"
        + table(
            ("`risk_type`", "losses", "", "", "also understood"),
            [
                (code(name), kind, english, korean, ", ".join(map(code, aliases)))
                for name, kind, english, korean, aliases in risks
            ],
        ),
        "## Scenarios\n\n"
        + table(
            ("`scenario`", "", "also understood"),
            [(code(name), english, ", ".join(map(code, aliases))) for name, english, aliases in scenarios],
        ),
        "## Horizons\n\n"
        + table(
            ("`horizon`", "`target_year`", "read through the years"),
            [(code(name), str(target or ""), f"{first}–{last}") for name, target, first, last in horizons],
        ),
    )


def _checked(connection: Connection, relation: str, column: str) -> list[str]:
    """The words that a column may hold, by its CHECK constraint."""
    for (text,) in connection.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'c'"
        " AND conkey = ARRAY[(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)]",
        (relation, column),
    ).fetchall():
        return _WORDS.findall(text)
    raise LookupError(f"{relation}.{column} has no CHECK constraint of its own")


def _explained(names: list[str], meaning: dict[str, str]) -> str:
    return table(("", "means"), [(code(name), meaning[name]) for name in names])
