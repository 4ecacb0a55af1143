"""Sea level rise: the highest water of a year over ground and defence, at a coast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.indices.sea_level import flood_depth
from aiops.risks._damage import Analytic, AnalyticSet
from aiops.risks._place import ByDistance, Flagged, Stairs, Times
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Driver, Reduced, attribute
from aiops.risks._shape import LossKind, RatesByUse, Risk, Term
from aiops.risks._shore import FEWEST, level_of_period, mean_distribution, shore_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.stats.curves import Curve, curve_of, mean_rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from aiops.risks._reader import Attributes, Reader
    from aiops.risks._shore import Shore

COAST_M = 10_000.0
"""Farther inland the sea does not come."""
EDGES = (0.0, 0.3, 1.0)
"""m of water above the ground."""
_ROUNDING_M = 1e-9
"""Levels nearer to each other are one."""

_DEPTHS = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 5, 6])
_RESIDENTIAL = np.array([0, 0.327, 0.494, 0.617, 0.721, 0.870, 0.931, 0.984, 1])
_COMMERCIAL = np.array([0, 0.377, 0.538, 0.659, 0.763, 0.884, 0.942, 0.981, 1])


def damage_by_depth(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a residential building's value, by the depth of the water, m.

    Source: Huizinga, J., de Moel, H., Szewczyk, W. (2017): Global flood depth-damage functions. EUR 28552; Asia.
    """
    rate: NDArray[np.float64] = np.interp(depth, _DEPTHS, _RESIDENTIAL)
    return rate


def slope_of_damage(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Its derivative, per m, within a piece."""
    piece = np.clip(np.searchsorted(_DEPTHS, depth, side="right") - 1, 0, _DEPTHS.size - 2)
    slope: NDArray[np.float64] = (np.diff(_RESIDENTIAL) / np.diff(_DEPTHS))[piece]
    return slope


def commercial_rates(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates of a commercial building, where a residential one has these.

    By the depth at which the residential curve has the rate, and the commercial curve there. The rate of a bin is a
    mean over depths: it is taken at the depth of that mean.

    Source: as `damage_by_depth`.
    """
    depth = np.interp(rates, _RESIDENTIAL, _DEPTHS)
    commercial: NDArray[np.float64] = np.interp(depth, _DEPTHS, _COMMERCIAL)
    return commercial


PIECES = (
    (0, 0.3, 3), (0.3, 0.5, 2), (0.5, 1, 3), (1, 1.5, 2), (1.5, 2, 2), (2, 3, 2), (3, 4, 2), (4, 5, 1), (5, 6, 1),
)  # fmt: skip
"""Straight parts of the curve, cut at the edges of the bins: from, to, nodes."""
JRC_ASIA = curve_of(damage_by_depth, slope_of_damage, PIECES)


@dataclass(frozen=True, slots=True)
class _Steps:
    """A staircase of damage by level, for each cell."""

    levels: NDArray[np.float64]
    """(cells, steps), m, ascending."""
    rises: NDArray[np.float64]
    """(cells, steps)."""
    edges: tuple[int, ...]
    """Which steps are the edges of the bins."""


def _steps_of(shore: Shore, damage: AnalyticSet) -> _Steps:
    """Levels at which the loss rises, and by how much.

    Behind a defence the water comes at once: the curve rises to the depth at the crest in one step, at the crest, and
    only what lies beyond is cut into nodes.
    """
    floor, wall = shore.ground[:, None], shore.crest[:, None]
    if not isinstance(damage.rates, Curve):
        levels = np.maximum(floor + damage.edges, wall)
        return _Steps(levels, np.broadcast_to(np.diff(damage.rates), levels.shape), tuple(range(len(damage.edges))))
    hidden = np.maximum(wall - floor, 0.0)
    depths: list[NDArray[np.float64]] = []
    rises: list[NDArray[np.float64]] = []
    edges: list[int] = []
    for start, end, n_nodes in PIECES:
        if start in damage.edges:
            edges.append(sum(part.shape[1] for part in depths))
            depths.append(np.full_like(floor, start))
            rises.append(damage.rates.at(hidden) if start == 0 else np.zeros_like(floor))
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
        low = np.clip(hidden, start, end)
        depths.append(low + (end - low) * (nodes + 1) / 2)
        rises.append((damage.rates.at(np.full_like(low, end)) - damage.rates.at(low)) * weights / 2)
    levels = np.maximum(floor + np.concatenate(depths, axis=1), wall)
    return _Steps(levels, np.concatenate(rises, axis=1), tuple(edges))


def estimate_flooding(reader: Reader, damage: AnalyticSet) -> Analytic:
    """P and damage rate of each bin of the year's greatest depth, and the error of the loss by the gauge's fit."""
    shore = reader.once(shore_of)
    steps = _steps_of(shore, damage)
    mean = mean_distribution(shore, steps.levels)
    edges = list(steps.edges)
    p = np.diff(mean.not_exceeded[..., edges], axis=-1, prepend=0.0, append=1.0)
    if isinstance(damage.rates, Curve):
        fine = np.diff(mean.not_exceeded, axis=-1, prepend=0.0, append=1.0)
        stairs = np.concatenate([np.zeros_like(steps.rises[:, :1]), np.cumsum(steps.rises, axis=-1)], axis=-1)
        loss = np.add.reduceat(fine * stairs, [0, *(edge + 1 for edge in edges)], axis=-1)
        ends = np.concatenate(
            [[damage.rates.lowest], damage.rates.at(np.asarray(damage.edges)), [damage.rates.highest]]
        )
        rates = mean_rates(loss, p, ends)
    else:
        rates = np.broadcast_to(np.asarray(damage.rates, dtype=np.float64), p.shape)
    # loss = Σ rise·(1 − F), so its gradient in ξ and α is −Σ rise·∂F.
    gradient = np.stack([-(steps.rises * part).sum(axis=-1) for part in (mean.by_location, mean.by_scale)], axis=-1)
    variance = np.einsum("pci,cij,pcj->pc", gradient, shore.covariance, gradient)
    known = shore.known & ~np.isnan(_coast_distance(reader))
    return Analytic(
        probabilities=np.where(known[..., None], p, np.nan),
        rates=np.where(known[..., None], rates, np.nan),
        error=np.sqrt(np.maximum(variance, 0.0)),
        n_years=np.where(known, shore.gauge_years, 0),
        is_default=shore.crest_is_default & known.any(axis=0),
        baseline=shore.baseline,
        missing=_explain(shore, _coast_distance(reader)),
    )


def _explain(shore: Shore, coast_distance: NDArray[np.float64]) -> Callable[[int, int], str]:
    def missing(projection: int, cell: int) -> str:
        if np.isnan(coast_distance[cell]):
            return "coast_distance_m is unknown: the sea may be near or far"
        if np.isnan(shore.ground[cell]):
            return "elevation_m is unknown"
        if not shore.has_gauge[cell]:
            return "no tide gauge within reach"
        if shore.gauge_years[cell] < FEWEST:
            return f"{shore.gauge_years[cell]} years of maxima at the tide gauge; at least {FEWEST} are needed"
        if np.isnan(shore.scale[cell]):
            return "the maxima of the tide gauge do not vary: no distribution can be fitted"
        window = PROJECTIONS[projection]
        return f"the rise of the sea in {window.scenario} {window.horizon} is unknown"

    return missing


def _coast_distance(reader: Reader) -> NDArray[np.float64]:
    return attribute(reader.attributes, "coast_distance_m", reader.n_cells)


def far_from_the_sea(attributes: Attributes, n_cells: int) -> tuple[NDArray[np.bool_], str]:
    """Cells known to lie far inland; an unknown distance is no distance, and decides nothing."""
    return attribute(attributes, "coast_distance_m", n_cells) > COAST_M, "no coast within 10 km"


@dataclass(frozen=True, slots=True)
class _AtTheShore:
    """A term's value from the sea at the cells."""

    value: Callable[[Shore], NDArray[np.float64]]

    @property
    def variables(self) -> frozenset[str]:
        """See `TermValue`: no yearly variable."""
        return frozenset()

    def __call__(self, reader: Reader) -> Reduced:
        """See `Term.value`."""
        shore = reader.once(shore_of)
        known = shore.known & ~np.isnan(_coast_distance(reader))
        return Reduced(np.where(known, self.value(shore), np.nan), np.where(known, shore.gauge_years, 0))


def flooded_in_a_year(shore: Shore) -> NDArray[np.float64]:
    """P(flooded in a year), (33, cells)."""
    top = np.maximum(shore.ground, shore.crest)[:, None]
    return 1 - mean_distribution(shore, top).not_exceeded[..., 0]


def depth_of_100_years(shore: Shore) -> NDArray[np.float64]:
    """Depth at the 100-year level, behind the defence, (33, cells), m.

    A crest of unknown height is that level itself, come to by another formula: what lies above it by rounding alone
    does not overtop it.
    """
    water, top = level_of_period(shore, 100), np.maximum(shore.ground, shore.crest)
    return flood_depth(np.where(np.abs(water - top) < _ROUNDING_M, top, water), shore.ground, shore.crest)


RISK = Risk(
    name="sea_level_rise",
    aliases=("coastal_flood",),
    loss_kind=LossKind.DIRECT,
    damage_sets={
        "calibrated": AnalyticSet(edges=EDGES, rates=JRC_ASIA, estimate=estimate_flooding),
        "reference": AnalyticSet(edges=EDGES, rates=(0, 0.02, 0.15, 0.35), estimate=estimate_flooding),
    },
    hazard=(
        Term("flooded_in_a_year", 0, 1, 0.5, _AtTheShore(flooded_in_a_year)),
        Term("depth_of_100_years", 0, 1, 0.5, _AtTheShore(depth_of_100_years)),
    ),
    driver=Driver.SEA,
    inapplicable=far_from_the_sea,
    proximity=Proximity(
        parts=(ByDistance("coast_distance_m", ((100, 0.8), (500, 0.6), (1000, 0.4), (10_000, 0.1)), beyond=0.0),)
    ),
    vulnerability=VulnerabilityScore(
        base=40,
        factors=(
            age_factor(over_20=0, over_30=10),
            Factor("elevation_score", Stairs("elevation_m", (3, 5, 10), (50, 30, 10, -20))),
            Factor(
                "basement_score",
                Times(Stairs("basement_floors", (0,), (0, 20), closed="right"), Stairs("elevation_m", (5,), (1, 0))),
            ),
            Factor("pilotis_score", Flagged("pilotis", -15)),
        ),
    ),
    by_use=RatesByUse("calibrated", dict.fromkeys(("office", "retail", "hotel"), commercial_rates)),
)
