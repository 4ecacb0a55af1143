"""The risk types: one file each, described as data; the registry finds them by itself."""

from aiops.risks._damage import Analytic, AnalyticSet, DamageSet, ReturnLevels, range_of
from aiops.risks._reader import Driver, Indicator, Reader, Reduced, Sample, Sea, Warming
from aiops.risks._registry import all_risks, find_risk
from aiops.risks._shape import LossKind, Reach, Risk, Term

__all__ = [
    "Analytic",
    "AnalyticSet",
    "DamageSet",
    "Driver",
    "Indicator",
    "LossKind",
    "Reach",
    "Reader",
    "Reduced",
    "ReturnLevels",
    "Risk",
    "Sample",
    "Sea",
    "Term",
    "Warming",
    "all_risks",
    "find_risk",
    "range_of",
]
