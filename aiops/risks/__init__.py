"""The risk types: one file each, described as data; the registry finds them by itself."""

from aiops.risks._damage import Analytic, AnalyticSet, DamageSet, ReturnLevels, range_of
from aiops.risks._place import Place, SiteValue
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Driver, Indicator, Reader, Reduced, Sample, Sea, Warming
from aiops.risks._registry import all_risks, find_risk
from aiops.risks._shape import LossKind, RatesByUse, Reach, Risk, Term
from aiops.risks._vulnerability import Factor, VulnerabilityScore

__all__ = [
    "Analytic",
    "AnalyticSet",
    "DamageSet",
    "Driver",
    "Factor",
    "Indicator",
    "LossKind",
    "Place",
    "Proximity",
    "RatesByUse",
    "Reach",
    "Reader",
    "Reduced",
    "ReturnLevels",
    "Risk",
    "Sample",
    "Sea",
    "SiteValue",
    "Term",
    "VulnerabilityScore",
    "Warming",
    "all_risks",
    "find_risk",
    "range_of",
]
