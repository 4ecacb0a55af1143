"""Kinds of batches: what each is called in a sentence, and where it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiops.report.words import JOBS

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED: Final = {
    "portfolio_risk_calculation": "a portfolio",
    "ondemand_risk_calculation": "a request",
    "probability": "a probability batch",
    "hazard": "a hazard batch",
    "assessment": "an assessment batch",
    "indicators": "an indicators batch",
    "test": "a test batch",
}


def batch_named(job_type: str) -> str:
    """With its article."""
    return _NAMED.get(job_type, f"of type {job_type}")


def way_to_read(batch: Mapping[str, Any]) -> str:
    """The command that shows a batch."""
    number = batch["batch_id"]
    if batch["job_type"] == "portfolio_risk_calculation":
        return f"aiops report portfolio {number}"
    if batch["job_type"] in JOBS:
        return f"aiops report batch {number}"
    if batch["job_type"] == "ondemand_risk_calculation":
        asked = batch["input_params"]
        return f"aiops report place {asked['latitude']} {asked['longitude']}"
    return f"aiops logs {number}"
