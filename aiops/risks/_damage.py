"""What turns years into a loss: indicator, bins, damage rates."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aiops.stats.curves import Curve

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from aiops.risks._reader import Indicator, Reader
    from aiops.stats.codes import Estimator
    from aiops.stats.kernels import Closed


@dataclass(frozen=True, slots=True)
class ReturnLevels:
    """Edges that are the cell's own: levels of its baseline GEV."""

    years: tuple[float, ...]
    """Return periods, ascending."""


@dataclass(frozen=True, slots=True)
class DamageSet:
    """Years of an indicator, sorted into bins by an estimator."""

    indicator: Indicator
    edges: tuple[float, ...] | ReturnLevels
    """Ascending, in the unit of the indicator."""
    rates: tuple[float, ...] | Curve
    """Base damage rate of each bin, a fraction of the asset's value, one more than edges; or by intensity."""
    estimator: Estimator
    closed: Closed = "left"
    """The side on which a bin holds its edge."""

    def __post_init__(self) -> None:
        edges = self.edges.years if isinstance(self.edges, ReturnLevels) else self.edges
        _check(edges, self.rates)
        if isinstance(self.edges, ReturnLevels) and isinstance(self.rates, Curve):
            raise ValueError("a curve needs edges in the unit of its intensity; got return periods")  # noqa: TRY004

    @property
    def variables(self) -> frozenset[str]:
        """The yearly variables that it reads."""
        return frozenset({self.indicator.variable})


class Analytic(NamedTuple):
    """Bins and losses that a risk knows in closed form, by projection and cell."""

    probabilities: NDArray[np.float64]
    """(33, cells, bins); NaN where unknown."""
    rates: NDArray[np.float64]
    """(33, cells, bins): base damage rates."""
    error: NDArray[np.float64]
    """(33, cells): standard error of Σ P·rates."""
    n_years: NDArray[np.int64]
    """(33, cells): the years that the distribution was fitted to."""
    is_default: NDArray[np.bool_]
    """(cells,)."""
    baseline: list[str | None]
    """(cells,)."""
    missing: Callable[[int, int], str]
    """Why there is none for a projection and cell."""


@dataclass(frozen=True, slots=True)
class AnalyticSet:
    """A distribution in closed form, integrated over bins."""

    edges: tuple[float, ...]
    """Ascending; bins are (e_i, e_i+1]."""
    rates: tuple[float, ...] | Curve
    """As in `DamageSet`."""
    estimate: Callable[[Reader, AnalyticSet], Analytic]
    """Reads the block for itself."""

    def __post_init__(self) -> None:
        _check(self.edges, self.rates)

    @property
    def variables(self) -> frozenset[str]:
        """The yearly variables that it reads: none."""
        return frozenset()


def _check(edges: tuple[float, ...], rates: tuple[float, ...] | Curve) -> None:
    if any(low >= high for low, high in itertools.pairwise(edges)):
        raise ValueError(f"edges must ascend: {edges}")
    if isinstance(rates, Curve):
        return
    if len(rates) != len(edges) + 1:
        raise ValueError(f"{len(edges)} edges need {len(edges) + 1} rates; got {len(rates)}")
    if any(low > high for low, high in zip((0.0, *rates), (*rates, 1.0), strict=True)):
        raise ValueError(f"rates must not fall, and lie in 0 to 1: {rates}")


def range_of(rates: tuple[float, ...] | Curve) -> tuple[float, float]:
    """The least and the greatest damage rate."""
    return (rates.lowest, rates.highest) if isinstance(rates, Curve) else (rates[0], rates[-1])
