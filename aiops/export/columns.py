"""The columns of what is exported: names as in the views, with unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["float", "int", "text", "bool", "floats", "bytes", "uuid", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    """In the notation of UDUNITS; empty: none, `1`: a pure number."""


_CELL: Final = (
    Column("grid_id", "int", "number of the 0.01 degree cell"),
    Column("latitude", "float", "latitude", "degrees_north"),
    Column("longitude", "float", "longitude", "degrees_east"),
    Column("risk_type", "text", "hazard"),
    Column("scenario", "text", "climate scenario"),
    Column("horizon", "text", "baseline, or decade"),
    Column("target_year", "int", "first year of the decade; missing for the baseline"),
)
_STATUS: Final = Column("status", "text", "how far the result could be computed")
_REASON: Final = Column("reason", "text", "why there is none")
_STAMP: Final = (
    Column("method_version", "text", "version of the method"),
    Column("input_hash", "bytes", "hash of the inputs, hexadecimal"),
    Column("batch_id", "uuid", "batch that computed it"),
    Column("calculated_at", "time", "when it was computed"),
)
_YEARLY: Final = "year-1"

PROBABILITY: Final = (
    *_CELL,
    Column("aal", "float", "average annual loss, fraction of the asset's value", _YEARLY),
    Column("aal_low", "float", "lower bound of its 90 % interval", _YEARLY),
    Column("aal_high", "float", "upper bound of its 90 % interval", _YEARLY),
    Column("bin_probabilities", "floats", "probability of each intensity bin in a year", "1"),
    Column("bin_base_damage_rates", "floats", "base damage rate of each bin, fraction of the asset's value", "1"),
    Column("bin_edges", "floats", "edges between the bins, in the unit of the risk's indicator"),
    Column("estimator", "text", "how the probabilities were estimated"),
    Column("n_years", "int", "years that they were estimated from"),
    Column("baseline", "text", "baseline years"),
    Column("reach", "float", "share of the hazard that reaches the cell; part of the damage rates", "1"),
    Column("damage_set", "text", "set of damage rates"),
    _STATUS,
    Column("is_default", "bool", "whether a default stands for something unknown"),
    _REASON,
    *_STAMP,
)
HAZARD: Final = (
    *_CELL,
    Column("hazard_score", "float", "Hazard score, 0 to 1", "1"),
    Column("hazard_score_100", "float", "Hazard score, 0 to 100", "1"),
    Column("hazard_level", "text", "level of the Hazard score"),
    Column("coverage", "float", "share of the score's weight that had data", "1"),
    _STATUS,
    _REASON,
    *_STAMP,
)
RISK: Final = (
    Column("latitude", "float", "latitude", "degrees_north"),
    Column("longitude", "float", "longitude", "degrees_east"),
    *(column for column in _CELL if column.name not in {"latitude", "longitude"}),
    Column("hazard_score_100", "float", "Hazard score, 0 to 100", "1"),
    Column("hazard_level", "text", "level of the Hazard score"),
    Column("exposure_score", "float", "Exposure, 0 to 1", "1"),
    Column("vulnerability_score", "float", "Vulnerability, 0 to 100", "1"),
    Column("risk_score", "float", "risk score, 0 to 100", "1"),
    Column("risk_level", "text", "level of the risk score"),
    Column("risk_product", "float", "H x E x V, each 0 to 1", "1"),
    Column("contribution_percent", "float", "share of the risk in the whole", "percent"),
    Column("final_aal", "float", "average annual loss of the asset, fraction of its value", _YEARLY),
    Column("expected_loss", "float", "expected loss, KRW"),
    Column("total_risk_score", "float", "total risk score of the place, 0 to 100", "1"),
    Column("total_risk_level", "text", "level of the total risk score"),
    Column("total_aal", "float", "sum of the place's average annual losses, fraction of the value", _YEARLY),
    _STATUS,
    _REASON,
    Column("is_default", "bool", "whether a default stands for something unknown"),
    Column("batch_id", "uuid", "request that was answered"),
    Column("site_no", "int", "number of the site in a portfolio, 0 of a request"),
    Column("calculated_at", "time", "when it was computed"),
)

TABLES: Final = {"probability": PROBABILITY, "hazard": HAZARD, "risk": RISK}
"""By what is exported; in the order of the view's columns."""
