"""Parameters in paths and queries."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AwareDatetime, BeforeValidator

from aiops.climate import Scenario
from aiops.db.batches import JobType, Status
from aiops.grid import FRAME
from workers.api.shapes import BATCH_ID


def _written_out(given: object) -> object:
    """A number would be read as seconds since 1970, and is more likely a mistake."""
    if isinstance(given, str) and "-" not in given[1:]:
        raise ValueError("a date and time such as 2026-11-01T00:00:00Z is allowed")
    return given


BatchId = Annotated[UUID, Path(description="the number that asking gave", examples=[BATCH_ID])]
Family = Literal["probability", "hazard", "assessment"]

Latitude = Annotated[
    float, Query(ge=FRAME.south, le=FRAME.north, allow_inf_nan=False, description="degrees north", examples=[37.5665])
]
Longitude = Annotated[
    float, Query(ge=FRAME.west, le=FRAME.east, allow_inf_nan=False, description="degrees east", examples=[126.978])
]
RiskTypes = Annotated[
    list[str] | None, Query(max_length=20, description="names or aliases; all", examples=[["extreme_heat"]])
]
OneScenario = Annotated[Scenario | None, Query(description="all")]
TargetYear = Annotated[int | None, Query(ge=2020, le=2100, description="any year means its decade; all")]
Statuses = Annotated[list[Status] | None, Query(max_length=5, description="all")]
JobTypes = Annotated[list[JobType] | None, Query(max_length=7, description="all")]
Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(_written_out),
    Query(description="made since", examples=["2026-11-01T00:00:00Z"]),
]
Limit = Annotated[int, Query(ge=1, le=500, description="batches a page, at most")]
Cursor = Annotated[
    str | None, Query(max_length=200, pattern=r"^[A-Za-z0-9_-]*={0,2}$", description="`next` of the page before")
]
WithResults = Annotated[bool, Query(description="false: leave a long answer out")]
