"""What a shell offers at Tab: names that do not change, and the numbers of the latest batches."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from aiops.climate import HORIZONS, SCENARIOS
from aiops.db import batches
from aiops.db.statements import statement
from aiops.errors import AiopsError
from aiops.risks import all_risks
from workers.health.reading import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

JOB_TYPES = tuple(job_type for job_type in batches.JOB_TYPES if job_type != "test")


def risk_types(incomplete: str) -> list[str]:
    """The risk types."""
    return _beginning_with(all_risks(), incomplete)


def scenarios(incomplete: str) -> list[str]:
    """The past, and the four scenarios of emissions."""
    return _beginning_with(SCENARIOS, incomplete)


def horizons(incomplete: str) -> list[str]:
    """The baseline, and the decades."""
    return _beginning_with(HORIZONS, incomplete)


def statuses(incomplete: str) -> list[str]:
    """What a batch may be."""
    return _beginning_with(batches.STATUSES, incomplete)


def job_types(incomplete: str) -> list[str]:
    """What may be asked for."""
    return _beginning_with(JOB_TYPES, incomplete)


def schedules(incomplete: str) -> list[str]:
    """The runs that start by themselves."""
    return _beginning_with(("probability", "hazard"), incomplete)


def batch_ids(incomplete: str) -> list[tuple[str, str]]:
    """The latest batches, with what they are; nothing where there is no database to ask."""
    found: list[tuple[str, str]] = []
    with suppress(AiopsError), reading() as connection:
        found = [
            (str(batch_id), f"{job_type} {status}")
            for batch_id, job_type, status, *_ in connection.execute(statement("recent_batches"))
        ]
    return [one for one in found if one[0].startswith(incomplete)]


def _beginning_with(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
