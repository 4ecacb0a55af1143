"""The shapes of what is asked and answered, as the OpenAPI document shows them.

Answers are written by the database, so these describe and do not convert. What is asked is judged by the database's
own validator; its bounds stand here a second time, for readers and for tools. The names are those of their owners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiops.assess.levels import LEVELS
from aiops.climate import HORIZONS, SCENARIOS
from aiops.db.batches import JOB_TYPES, STATUSES
from aiops.report import words
from aiops.stats.codes import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

RISKS: Final = tuple(words.RISKS)
"""Those of the database, in its order."""
_NUMBER_OF_RISKS: Final = {9: "nine", 10: "ten"}.get(len(RISKS), str(len(RISKS)))
RESULT_STATUSES: Final = (*(status.name.lower() for status in ResultStatus), "absent")

Shape = dict[str, Any]

BATCH_ID: Final = "3f0b6a4e-6a36-4b0f-9d0e-6f3f4f1f2a11"


def one_of(names: Iterable[str], *, null: bool = False) -> Shape:
    """A name out of some."""
    return {"type": ["string", "null"], "enum": [*names, None]} if null else {"type": "string", "enum": list(names)}


def _maybe(kind: str, **more: Any) -> Shape:
    return {"type": [kind, "null"], **more}


def _object(properties: Shape, *, required: list[str] | None = None, closed: bool = True, **more: Any) -> Shape:
    shape: Shape = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        **more,
    }
    if closed:
        shape["additionalProperties"] = False
    return shape


def _list(items: Shape, **more: Any) -> Shape:
    return {"type": "array", "items": items, **more}


def _maybe_list(items: Shape, **more: Any) -> Shape:
    return {"type": ["array", "null"], "items": items, **more}


_TIME: Final = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Final = _maybe("string", format="date-time")
_UUID: Final = {"type": "string", "format": "uuid"}
_ANY_OBJECT: Final = {"type": ["object", "null"], "additionalProperties": True}
_LEVEL: Final = one_of(LEVELS, null=True)

_BUILDING: Final = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "floor_area_m2": _maybe("number", minimum=1, maximum=10_000_000),
        "built_year": _maybe("integer", minimum=1800, maximum=2100, description="either this or age_years"),
        "age_years": _maybe("number", minimum=0, maximum=300),
        "floors": _maybe("integer", minimum=1, maximum=200),
        "basement_floors": _maybe("integer", minimum=0, maximum=20),
        "structure": _maybe(
            "string", minLength=1, maxLength=200, description="reinforced_concrete, wood, …, 철근콘크리트"
        ),
        "use": _maybe("string", minLength=1, maxLength=200, description="office, factory, …, 업무시설"),
        "water_tank": _maybe("boolean"),
        "pilotis": _maybe("boolean"),
        "in_flood_zone": _maybe("boolean"),
    },
}
_PLACE: Final = {
    "latitude": {"type": "number", "minimum": 33, "maximum": 39, "description": "degrees north"},
    "longitude": {"type": "number", "minimum": 124.5, "maximum": 132, "description": "degrees east"},
}
_WORTH: Final = {
    "insurance_rate": _maybe("number", minimum=0, maximum=1, description="share of a loss that is insured; 0"),
    "asset_value": _maybe("number", minimum=0, maximum=1e18, description="KRW; without it there is no expected loss"),
    "building": _BUILDING,
}
_RISK_LIST: Final = _maybe_list(
    {"type": "string", "description": "a name or an alias: extreme_heat, typhoon, …"},
    minItems=1, description=f"all {_NUMBER_OF_RISKS}", examples=[["extreme_heat", "typhoon"]],
)  # fmt: skip
_QUESTION: Final = {
    "risk_types": _RISK_LIST,
    "scenario": _maybe("string", description="ssp126, ssp245, ssp370, ssp585 or historical (then no year); ssp245"),
    "target_year": _maybe("integer", minimum=2020, maximum=2100, description="any year means its decade; 2050"),
    "force": _maybe("boolean", description="compute, even if a stored run answers"),
    "notify": {
        "type": ["object", "null"], "additionalProperties": False,
        "properties": {"webhook": _maybe("string"), "email": _maybe("string")},
    },
}  # fmt: skip

CALCULATE: Final = _object(
    {
        **_PLACE,
        **_QUESTION,
        **_WORTH,
        "steps": _maybe_list(
            one_of(("exposure", "vulnerability", "aal")), minItems=1, description="recompute only these"
        ),
        "projections": _maybe("boolean", description="every scenario and decade, risk by risk"),
    },
    required=["latitude", "longitude"],
)
CALCULATE_EXAMPLES: Final = {
    "place": {
        "summary": f"A place: {_NUMBER_OF_RISKS} risks, SSP2-4.5, the 2050s",
        "value": {"latitude": 37.5665, "longitude": 126.978},
    },
    "building": {
        "summary": "An office building worth KRW 50 billion",
        "value": {
            "latitude": 37.5665, "longitude": 126.978, "risk_types": ["extreme_heat", "typhoon"], "scenario": "ssp585",
            "target_year": 2090, "asset_value": 50_000_000_000,
            "building": {"use": "office", "built_year": 2005, "floors": 12, "floor_area_m2": 8000},
        },
    },
}  # fmt: skip
PORTFOLIO: Final = _object(
    {
        "sites": _list(
            _object({"site_id": _maybe("string", minLength=1, maxLength=200), **_PLACE, **_WORTH},
                    required=["latitude", "longitude"]),
            minItems=1, maxItems=10_000,
        ),
        **_QUESTION,
        "insurance_rate": _WORTH["insurance_rate"],
    },
    required=["sites"],
)  # fmt: skip
PORTFOLIO_EXAMPLES: Final = {
    "two sites": {
        "value": {
            "sites": [
                {"site_id": "HQ", "latitude": 37.5665, "longitude": 126.978, "asset_value": 50_000_000_000},
                {"site_id": "plant 2", "latitude": 35.5384, "longitude": 129.3114, "building": {"use": "factory"}},
            ],
            "scenario": "ssp585",
        }
    }
}
YEARLY: Final = _object(
    {
        "risk_types": {**_RISK_LIST, "type": "array"},
        "scenarios": _list({"type": "string"}, minItems=1),
        "horizons": _list(one_of(HORIZONS), minItems=1),
        "cells": _list({"type": "integer", "minimum": 1, "maximum": 451_351}, minItems=1),
        "bbox": _list({"type": "number"}, minItems=4, maxItems=4, description="west, south, east, north in degrees"),
        "force": {"type": "boolean", "description": "compute also what has not changed"},
    },
    required=[],
)
YEARLY_EXAMPLES: Final = {
    "whole country": {"value": {}},
    "one risk": {"value": {"risk_types": ["drought"]}},
    "a box": {"value": {"bbox": [126.5, 37.0, 127.5, 38.0]}},
}

ACCEPTED: Final = _object(
    {"batch_id": _UUID, "status": {"type": "string", "const": "queued"}, "message": {"type": "string"}},
    examples=[{"batch_id": BATCH_ID, "status": "queued", "message": f"follow it at /api/batch/{BATCH_ID}/events"}],
)
STARTED: Final = _object({"batch_id": _UUID, "status": one_of(STATUSES), "message": {"type": "string"}})
CANCELLED: Final = _object({"batch_id": _UUID, "status": {"type": "string", "const": "cancelled"}})
RETRIED: Final = _object(
    {"batch_id": _UUID, "parts": {"type": "integer", "minimum": 1, "description": "that run again"}}
)

_BATCH: Final = {
    "batch_id": _UUID,
    "job_type": one_of(JOB_TYPES),
    "status": one_of(STATUSES),
    "progress": {"type": "integer", "minimum": 0, "maximum": 100},
    "current_step": _maybe("string"),
    "total_items": _maybe("integer"),
    "completed_items": {"type": "integer"},
    "failed_items": {"type": "integer"},
    "error_message": _maybe("string"),
    "created_at": _TIME,
    "started_at": _MAYBE_TIME,
    "completed_at": _MAYBE_TIME,
}
STATUS: Final = _object(
    {
        **_BATCH,
        "results": {**_ANY_OBJECT, "description": "of a completed batch"},
        "warnings": _list({"type": "string"}),
    },
    examples=[
        {
            "batch_id": BATCH_ID, "job_type": "ondemand_risk_calculation", "status": "running", "progress": 36,
            "current_step": "exposure", "total_items": 9, "completed_items": 0, "failed_items": 0, "results": None,
            "warnings": [], "error_message": None, "created_at": "2026-11-22T02:00:00.000000+00:00",
            "started_at": "2026-11-22T02:00:00.010000+00:00", "completed_at": None,
        }
    ],
)  # fmt: skip
STATE: Final = _object(
    {
        "batch_id": _UUID, "status": one_of(STATUSES), "progress": _BATCH["progress"], "current_step": _maybe("string"),
        "error_message": _maybe("string"), "completed_at": _MAYBE_TIME,
    }
)  # fmt: skip
PAGE: Final = _object(
    {
        "batches": _list(_object({**_BATCH, "skipped_items": {"type": "integer"}})),
        "next": _maybe("string", description="`cursor` of the next page; null: there is none"),
    }
)
LOG: Final = _object(
    {
        "batch_id": _UUID,
        "steps": _list(_ANY_OBJECT),
        "chunks": {
            **_list(_ANY_OBJECT),
            "type": ["array", "null"],
            "description": "null: this account may not see them",
        },
        "in_trouble": {
            **_list(_ANY_OBJECT),
            "type": ["array", "null"],
            "description": "chunks that failed, at most 100",
        },
    }
)
_OF_PROJECTION: Final = {
    "risk_type": one_of(RISKS), "scenario": one_of(SCENARIOS), "horizon": one_of(HORIZONS),
    "target_year": _maybe("integer"), "status": one_of(RESULT_STATUSES), "reason": _maybe("string"),
    "batch_id": _UUID, "calculated_at": _TIME,
}  # fmt: skip
_NUMBERS: Final = _maybe_list(_maybe("number"))
RESULTS: Final = _object(
    {
        "latitude": {"type": "number"},
        "longitude": {"type": "number"},
        "grid_id": {"type": "integer"},
        "hazard": _list(
            _object(
                {**_OF_PROJECTION, "hazard_score_100": _maybe("number", minimum=0, maximum=100), "hazard_level": _LEVEL,
                 "coverage": _maybe("number")}
            )
        ),
        "probability": _list(
            _object(
                {**_OF_PROJECTION, "aal": _maybe("number"), "aal_low": _maybe("number"), "aal_high": _maybe("number"),
                 **dict.fromkeys(("bin_edges", "bin_probabilities", "bin_base_damage_rates"), _NUMBERS),
                 "estimator": _maybe("string"), "n_years": _maybe("integer"), "baseline": _maybe("string"),
                 "damage_set": _maybe("string")}
            )
        ),
        "risk": _list(
            _object({**_OF_PROJECTION, "risk_score": _maybe("number"), "risk_level": _LEVEL}, closed=False),
            description="by the run that speaks for the place; empty: nobody has asked for it yet",
        ),
    }
)  # fmt: skip
SITES: Final = _object({"batch_id": _UUID, "status": one_of(STATUSES), "sites": _list(_object({}, closed=False))})
OVERVIEW: Final = _object({"at": _TIME, "server": {"type": "string"}}, closed=False)
READY: Final = _object(
    {
        "ready": {"type": "boolean"},
        "failing": _list({"type": "string"}),
        "checks": _list(
            _object({"name": {"type": "string"}, "state": {"type": "string"}, "detail": {"type": "string"},
                     "remedy": _maybe("string")})
        ),
    }
)  # fmt: skip
ALIVE: Final = _object({"live": {"type": "boolean", "const": True}})
PROBLEM: Final = _object(
    {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string", "description": "what the server's log has it under"},
        "errors": _list(_object({"field": {"type": "string"}, "detail": {"type": "string"}})),
        "batch_id": {"type": "string"},
        "active_batch_id": _UUID,
    },
    required=["type", "title", "status", "detail", "instance", "request_id"],
    closed=False,
    examples=[
        {
            "type": "urn:aiops:problem:invalid-parameter", "title": "A parameter cannot be used", "status": 422,
            "detail": "latitude: 91 is not allowed; allowed: a number, 33 to 39 degrees north",
            "instance": "/api/risk/calculate", "request_id": "8f2c1d0e",
            "errors": [{"field": "latitude", "detail": "91 is not allowed; allowed: a number, 33 to 39 degrees north"}],
        }
    ],
)  # fmt: skip

SCHEMAS: Final = {
    "Calculate": CALCULATE, "Portfolio": PORTFOLIO, "Yearly": YEARLY, "Accepted": ACCEPTED, "Started": STARTED,
    "Cancelled": CANCELLED, "Retried": RETRIED, "Status": STATUS, "State": STATE, "Page": PAGE, "Log": LOG,
    "Results": RESULTS, "Sites": SITES, "Overview": OVERVIEW, "Ready": READY, "Alive": ALIVE, "Problem": PROBLEM,
}  # fmt: skip
