"""The small numbers that results are stored with; 0 is not used, absent is NULL."""

from __future__ import annotations

from enum import IntEnum


class ResultStatus(IntEnum):
    """How far a result could be computed."""

    OK = 1
    SHORT_RECORD = 2
    """5 to 9 years; where return levels of a GEV are asked about, 5 to 14."""
    INSUFFICIENT_DATA = 3
    """Fewer than 5 years, or an input absent."""
    NOT_APPLICABLE = 4
    """The place cannot have this risk."""
    FAILED = 5
    """An error, named elsewhere."""


class Estimator(IntEnum):
    """What turned a sample of years into a distribution function."""

    SHRUNK = 1
    """Gaussian kernels, shrunk towards the mean so that the variance is the sample's."""
    HURDLE = 2
    """The share of zeros, and shrunk kernels on the logarithms of the positive years."""
    COUNT = 3
    """The share of years."""
    GEV = 4
    """Generalised extreme values by L-moments."""
    ANALYTIC = 5
    """A distribution known in closed form (sea level)."""
    KDE = 6
    """Gaussian kernels in their plain Scott form; for comparison."""

    @classmethod
    def named(cls, name: str | Estimator) -> Estimator:
        """The estimator of a (lower-case) name.

        Raises:
            ValueError: there is none of that name.
        """
        if isinstance(name, cls):
            return name
        for member in cls:
            if member.name.lower() == name:
                return member
        allowed = " ".join(member.name.lower() for member in cls)
        raise ValueError(f"estimator: {name!r} is none; allowed: {allowed}")
