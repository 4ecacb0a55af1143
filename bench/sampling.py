"""How far chance alone moves an AAL: bias and coverage by Monte-Carlo, `python -m bench.sampling`.

Years are drawn from distributions whose bin probabilities are exact, so the true AAL is known.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.signal import lfilter

from aiops.indices import spells
from aiops.indices.drought import spei, spei_minimum
from aiops.indices.wind_field import GALE
from aiops.risks import find_risk
from aiops.stats import gev
from aiops.stats.bins import estimate, probabilities
from aiops.stats.codes import Estimator
from aiops.stats.curves import Curve
from aiops.stats.intervals import bounds
from aiops.stats.kernels import kernels_of, smooth_cdf
from bench.measure import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

HEAD = ("years drawn from", "estimator", "n", "bias of the AAL", "90 % intervals hold", "mean ± 1.645 sd/√n holds")
STORMS_HEAD = ("winds of years", "n", "bias of the AAL", "median", "90 % intervals hold", "truth above them")
FLOOD_PERIODS = (20.0, 50.0, 100.0, 200.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A distribution of years and the risk that reads it."""

    name: str
    risk: str
    estimator: Estimator
    draw: Draw
    below: Callable[[Floats], Floats]
    """P(X < e) for bins that hold their lower edge."""


def _normal(mean: float, sd: float) -> tuple[Draw, Callable[[Floats], Floats]]:
    return lambda rng, shape: rng.normal(mean, sd, shape), lambda e: stats.norm.cdf(e, mean, sd)


def _gumbel(mean: float, scale: float) -> tuple[Draw, Callable[[Floats], Floats]]:
    return lambda rng, shape: rng.gumbel(mean, scale, shape), lambda e: stats.gumbel_r.cdf(e, mean, scale)


def _hurdle(zeros: float, mean: float, sd: float) -> tuple[Draw, Callable[[Floats], Floats]]:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        return np.where(rng.random(shape) < zeros, 0.0, np.exp(rng.normal(mean, sd, shape)))

    return draw, lambda e: zeros + (1.0 - zeros) * stats.norm.cdf(np.log(e), mean, sd)


def _poisson(mean: float) -> tuple[Draw, Callable[[Floats], Floats]]:
    return lambda rng, shape: rng.poisson(mean, shape).astype(float), lambda e: stats.poisson.cdf(e - 1.0, mean)


CASES = (
    Case("normal 18 ± 4 (FWI95)", "wildfire", Estimator.SHRUNK, *_normal(18.0, 4.0)),
    Case("normal 22 ± 5 (FWI95)", "wildfire", Estimator.SHRUNK, *_normal(22.0, 5.0)),
    Case("normal 1.2 ± 0.6 (−SPEI)", "drought", Estimator.SHRUNK, *_normal(1.2, 0.6)),
    Case("Gumbel 18, 4 (FWI95)", "wildfire", Estimator.SHRUNK, *_gumbel(18.0, 4.0)),
    Case("normal 18 ± 4 (FWI95)", "wildfire", Estimator.KDE, *_normal(18.0, 4.0)),
    Case("40 % zeros, else e^(2 ± 0.8) (WSDI)", "extreme_heat", Estimator.HURDLE, *_hurdle(0.4, 2.0, 0.8)),
    Case("Poisson 0.3 (RAIN80)", "urban_flood", Estimator.COUNT, *_poisson(0.3)),
    Case("Poisson 0.8 (RAIN80)", "urban_flood", Estimator.COUNT, *_poisson(0.8)),
    Case("Poisson 2 (RAIN80)", "urban_flood", Estimator.COUNT, *_poisson(2.0)),
    Case("Poisson 4 (RAIN80)", "urban_flood", Estimator.COUNT, *_poisson(4.0)),
)


def coverage(repetitions: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table."""
    for case in CASES:
        damage = find_risk(case.risk).damage_set("calibrated")
        edges, rates = np.asarray(damage.edges, float), np.asarray(damage.rates, float)
        cdf = np.concatenate([[0.0], case.below(edges), [1.0]])
        truth = float(np.diff(cdf) @ rates)
        for n in (20, 30):
            x = case.draw(np.random.default_rng(20), (repetitions, n))
            found = estimate(x, edges, rates, case.estimator)
            mean = (found.probabilities * rates).sum(axis=-1)
            aal = bounds(mean, found.error, found.n_years, rates[0], rates[-1])
            held = np.mean((aal.low <= truth) & (truth <= aal.high))
            plain = _plain_interval(x, edges, rates, case.estimator)
            told = ~np.isnan(plain)
            held_plainly = np.mean(np.abs(mean - truth)[told] <= plain[told])
            yield (
                case.name,
                case.estimator.name.lower(),
                str(n),
                f"{100.0 * (mean.mean() / truth - 1.0):+.1f} %",
                f"{100.0 * held:.1f} %",
                f"{100.0 * held_plainly:.1f} %",
            )


def _storms(zeros: float, excess: Draw) -> Draw:
    """Site winds of years, m/s: none that is analysed lies below 30 kt."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        return np.where(rng.random(shape) < zeros, 0.0, GALE + excess(rng, shape))

    return draw


def _lognormal_winds(median: float, spread: float, *, cut: bool) -> Draw:
    """30 % of the years without a storm; where cut, those below 30 kt as well."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        wind = np.where(rng.random(shape) < 0.3, 0.0, median * np.exp(spread * rng.standard_normal(shape)))
        return np.where(wind < GALE, 0.0, wind) if cut else wind

    return draw


STORMS = (
    ("30 % none, else 15.4 + exponential 5", _storms(0.3, lambda rng, shape: rng.exponential(5.0, shape))),
    ("30 % none, else 15.4 + 7 Weibull 1.5", _storms(0.3, lambda rng, shape: 7.0 * rng.weibull(1.5, shape))),
    ("30 % none, else log-normal 20, 0.25, cut at 15.4", _lognormal_winds(20.0, 0.25, cut=True)),
    ("30 % none, else log-normal 24, 0.25", _lognormal_winds(24.0, 0.25, cut=False)),
)


def storms(repetitions: int) -> Iterator[tuple[str, ...]]:
    """The same of typhoon, whose rates are a curve; the truth is the mean of four million years."""
    damage = find_risk("typhoon").damage_set("calibrated")
    curve = damage.rates
    if not isinstance(curve, Curve):
        raise TypeError("typhoon has no curve any more")
    for name, draw in STORMS:
        winds = draw(np.random.default_rng(5), (4_000_000, 1))
        truth = float(np.where(winds > 0.0, curve.at(winds), 0.0).mean())
        for n in (24, 44):
            x = draw(np.random.default_rng(20), (repetitions, n))
            found = estimate(x, np.asarray(damage.edges, float), curve, Estimator.HURDLE, "right")
            mean = (found.probabilities * found.rates).sum(axis=-1)
            aal = bounds(mean, found.error, found.n_years, curve.lowest, curve.highest)
            yield (
                name,
                str(n),
                f"{100.0 * (mean.mean() / truth - 1.0):+.0f} %",
                f"{np.median(mean) / truth:.2f}",
                f"{100.0 * np.mean((aal.low <= truth) & (truth <= aal.high)):.0f} %",
                f"{100.0 * np.mean(truth > aal.high):.0f} %",
            )


def _plain_interval(x: Floats, edges: Floats, rates: Floats, estimator: Estimator) -> Floats:
    """1.645 sd/√n of what each year's own kernel adds; NaN in samples whose years are counted instead."""
    n = x.shape[1]
    if estimator is Estimator.COUNT:
        own = rates[np.searchsorted(edges, x, side="right")]
    else:
        kernels = kernels_of(x, np.full(len(x), n), estimator)
        own = np.full(x.shape, rates[-1])
        for layer, step in zip(smooth_cdf(kernels, x, edges[np.newaxis], "left"), np.diff(rates), strict=True):
            own -= step * layer
    return 1.645 * own.std(axis=1, ddof=1) / np.sqrt(n)


def flood_noise(repetitions: int) -> Iterator[str]:
    """River flood in a climate that does not change: independent decades against a 30-year baseline."""
    rates = np.asarray(find_risk("river_flood").damage_set("calibrated").rates, float)
    for shape in (-0.2, -0.1, 0.0):
        params = gev.Gev(np.array(120.0), np.array(40.0), np.array(shape))
        rng = np.random.default_rng(7)
        past, future = (
            gev.return_level(params, 1.0 / (1.0 - rng.random((repetitions, n)).ravel())).reshape(repetitions, n)
            for n in (30, 20)
        )
        edges = gev.return_level(gev.fit(past, axis=1), FLOOD_PERIODS)
        at_baseline = probabilities(past, edges, "gev", axis=1) @ rates
        ratio = probabilities(future, edges, "gev", axis=1) @ rates / at_baseline
        yield f"k = {shape:+.1f}: mean {100.0 * (ratio.mean() - 1.0):+.0f} %, median ratio {np.median(ratio):.2f}"


def own_years(places: int) -> Iterator[str]:
    """Years judged by thresholds that they made themselves, in weather that does not change.

    The baseline's years against as many later ones as there are: spells of at least 6 days beyond the calendar day's
    percentile, and the year's lowest SPEI-12. Days have the memory of an autoregression of .7, months none.
    """
    rng = np.random.default_rng(11)
    for baseline in (24, 30):
        n_years = baseline + 20
        dates = np.arange(np.datetime64("1991-01-01"), np.datetime64(f"{1991 + n_years}-01-01"))
        weather = lfilter([1.0], [1.0, -0.7], rng.standard_normal((dates.size, places)), axis=0)
        years = (1991, 1990 + baseline)
        rain_less_pet = rng.gamma(4.0, 25.0, (12 * n_years, places)) - 70.0
        index = spei(rain_less_pet, 12, years, first_year=1991)
        for risk, x in (
            ("extreme_heat", spells.warm_spell_duration(weather, dates, years)[1]),
            ("extreme_cold", spells.cold_spell_duration(weather, dates, years)[1]),
            ("drought", -spei_minimum(index, 1991)[1]),
        ):
            damage = find_risk(risk).damage_set("calibrated")
            rates = np.asarray(damage.rates, float)
            own, later = (
                probabilities(part, damage.edges, damage.estimator, closed=damage.closed) @ rates
                for part in (x[:baseline], x[baseline:])
            )
            ratio = later.mean() / own.mean()
            yield f"{risk}, {baseline} years: mean AAL of later years over the baseline's {ratio:.2f}"


def main(arguments: list[str] | None = None) -> int:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=4000)
    options = parser.parse_args(arguments)
    print(table(HEAD, list(coverage(options.repetitions))))
    print("\nRiver flood, no climate change: AAL of an independent 20 years over that of the 30-year baseline")
    for line in flood_noise(options.repetitions):
        print(f"  {line}")
    print("\nTyphoon")
    print(table(STORMS_HEAD, list(storms(options.repetitions))))
    print("\nNo climate change, 20 years judged by an earlier baseline that is judged by itself")
    for line in own_years(options.repetitions // 10):
        print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
