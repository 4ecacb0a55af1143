"""The risk types: one file each, described as data; the registry finds them by itself."""

from aiops.risks._registry import all_risks, find_risk
from aiops.risks._shape import (
    DamageSet,
    Indicator,
    LossKind,
    Reach,
    Reader,
    Reduced,
    ReturnLevels,
    Risk,
    Sample,
    Term,
)

__all__ = [
    "DamageSet",
    "Indicator",
    "LossKind",
    "Reach",
    "Reader",
    "Reduced",
    "ReturnLevels",
    "Risk",
    "Sample",
    "Term",
    "all_risks",
    "find_risk",
]
