"""Sea level rise: gauges, defences, the depth curve over its bins, who is concerned at all."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from nine_risks import YEARS, nine_risk_block
from scipy import integrate, stats

from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS, SCENARIOS, Block, Tides
from aiops.indices.sea_level import depth_probabilities, detrended_maxima
from aiops.risks import find_risk
from aiops.risks._shore import level_of_period, shore_of
from aiops.risks.sea_level_rise import JRC_ASIA, damage_by_depth, depth_of_100_years
from aiops.stats import gev
from aiops.stats.codes import Estimator, ResultStatus

SEA = find_risk("sea_level_rise")
LAST = 32
nan = math.nan


def shore_block(ground: float, crest: float = nan, coast: float = 100.0, gauge: int = 0) -> Block:
    block = nine_risk_block(1)
    block.attributes["elevation_m"][:] = ground
    block.attributes["coast_distance_m"][:] = coast
    block.attributes["crest_m"] = np.array([crest])
    block.tides.of_cell[:] = gauge
    return block


def gumbel_of(block: Block) -> stats.rv_continuous:
    """The gauge's distribution, by the textbook: λ2 = α ln 2, λ1 = ξ + γα."""
    x = np.sort(detrended_maxima(block.tides.maxima[:, 0], block.tides.maxima_years))
    n = x.size
    b1 = (x * np.arange(n)).sum() / (n * (n - 1))
    scale = (2 * b1 - x.mean()) / math.log(2)
    return stats.gumbel_r(x.mean() - 0.5772156649015329 * scale, scale)


def rise_of(block: Block, scenario: int, first: int, last: int) -> np.ndarray:
    return block.tides.rise[scenario, (first <= YEARS) & (last >= YEARS), 0]


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ground", "crest"), [(4.6, 4.0), (4.6, 5.0), (2.0, 5.2), (0.5, 5.6)])
@pytest.mark.parametrize(("projection", "scenario", "first", "last"), [(0, 0, 1991, 2014), (32, 4, 2081, 2100)])
def test_p_and_aal_by_quadrature(ground, crest, projection, scenario, first, last) -> None:
    block = shore_block(ground, crest)
    found = assess_probability(block, SEA)
    water, rise = gumbel_of(block), rise_of(block, scenario, first, last)

    p = depth_probabilities([0, 0.3, 1], ground, crest, rise, water.cdf)
    assert found.probabilities[0, projection] == pytest.approx(p, abs=1e-9)

    def loss(low: float, high: float) -> float:
        """∫ f(depth) dF over the levels from low to high, averaged over the years."""

        def density(x: float, r: float) -> float:
            return float(damage_by_depth(np.array(x - ground))) * water.pdf(x - r)

        return np.mean([integrate.quad(density, low, high, args=(r,), limit=200)[0] for r in rise])

    top = max(ground, crest)
    levels = [max(ground + depth, top) for depth in (0, 0.3, 1)]
    ends = [*levels[1:], levels[-1] + 5]
    losses = [loss(low, high) if high > low else 0.0 for low, high in zip(levels, ends, strict=True)]
    assert found.aal[0, projection] == pytest.approx(sum(losses), rel=0.01)
    for i, expected in enumerate(losses, start=1):
        if found.probabilities[0, projection, i] > 1e-6:
            mean = expected / found.probabilities[0, projection, i]
            assert found.damage_rates[0, projection, i] == pytest.approx(mean, rel=0.02)
    assert found.estimator[0, projection] == Estimator.ANALYTIC


def test_the_curve_is_that_of_the_source() -> None:
    assert damage_by_depth(np.array([-1, 0, 0.25, 0.5, 1.5, 2.5, 6, 9])) == pytest.approx(
        [0, 0, 0.1635, 0.327, 0.617, 0.7955, 1, 1]
    )
    assert (JRC_ASIA.lowest, JRC_ASIA.highest) == (0, pytest.approx(1))


def test_without_a_known_crest_the_gauges_100_years_stand_for_it() -> None:
    block = shore_block(3.0)
    found = assess_probability(block, SEA)
    crest = gumbel_of(block).ppf(0.99)
    known = assess_probability(shore_block(3.0, crest), SEA)
    assert found.probabilities == pytest.approx(known.probabilities, abs=1e-9)
    assert found.is_default.tolist() == [True]
    assert known.is_default.tolist() == [False]
    # 1991-2014 is about 1995-2014: a flood in a hundred years.
    assert found.probabilities[0, 0, 0] == pytest.approx(0.99, abs=0.002)


def test_behind_a_defence_shallow_floods_do_not_occur() -> None:
    found = assess_probability(shore_block(2.0, 5.2), SEA)
    assert found.probabilities[0, LAST, 1:3].tolist() == [0, 0]
    assert found.probabilities[0, LAST, 3] > 0
    assert found.damage_rates[0, LAST, 1:3].tolist() == pytest.approx([0, 0.327 * 0.6])
    assert found.damage_rates[0, LAST, 3] >= 0.870


def test_high_ground_is_never_flooded_and_that_is_computed() -> None:
    found = assess_probability(shore_block(40.0), SEA)
    assert found.probabilities[0].tolist() == [[1, 0, 0, 0]] * 33
    assert (found.aal == 0).all()
    assert (found.aal_high == 0).all()
    assert (found.status == ResultStatus.OK).all()


def test_ground_below_the_sea_without_a_defence_floods_every_year() -> None:
    found = assess_probability(shore_block(-2.0, -5.0), SEA)
    assert found.probabilities[0, :, 0] == pytest.approx(np.zeros(33), abs=1e-12)
    assert found.aal[0] == pytest.approx(np.full(33, 1.0), abs=0.02)  # more than 6 m of water


def test_losses_rise_with_the_sea_and_rates_with_them() -> None:
    found = assess_probability(shore_block(4.8, 4.0), SEA)
    assert (np.diff(found.aal[0, 25:]) > 0).all()
    assert len({tuple(rates) for rates in found.damage_rates[0, 25:]}) == 8
    at_edges = damage_by_depth(np.array([0, 0, 0.3, 1, 6]))
    assert (found.damage_rates >= at_edges[:-1]).all()
    assert (found.damage_rates <= at_edges[1:] + 1e-12).all()


def test_the_reference_set_has_rates_by_bin() -> None:
    found = assess_probability(shore_block(4.6, 4.0), SEA, "reference")
    assert found.damage_rates[0, 0].tolist() == [0, 0.02, 0.15, 0.35]
    assert found.probabilities == pytest.approx(assess_probability(shore_block(4.6, 4.0), SEA).probabilities, abs=1e-12)
    assert found.aal_low[0, 0] < found.aal[0, 0] < found.aal_high[0, 0]


def test_the_hazard_score_by_hand() -> None:
    block = shore_block(4.5, 4.0)
    found = assess_hazard(block, SEA)
    water, rise = gumbel_of(block), rise_of(block, 4, 2081, 2100)
    flooded = np.mean(water.sf(4.5 - rise))
    low, high = 4.0, 9.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean(water.cdf(middle - rise)) < 0.99 else (low, middle)
    assert found.score[0, LAST] == pytest.approx(100 * (0.5 * flooded + 0.5 * min(low - 4.5, 1)), rel=1e-6)
    assert level_of_period(shore_of(Windows(block)), 100)[LAST, 0] == pytest.approx(low, abs=1e-9)
    held = assess_hazard(shore_block(4.5, 40.0), SEA)
    assert held.score[0].tolist() == pytest.approx([0] * 33, abs=1e-12)


def gauges_block(maxima: np.ndarray) -> Block:
    """A cell at each gauge, 4 m above the sea, which does not rise; the crests are unknown."""
    n_years, n = maxima.shape
    cells = np.arange(n, dtype=np.int32)
    tides = Tides(cells, maxima, np.arange(1990, 1990 + n_years, dtype=np.int32), np.zeros((5, YEARS.size, n)))
    attributes = {"elevation_m": np.full(n, 4.0), "coast_distance_m": np.zeros(n)}
    return Block(cells, YEARS, {}, np.ones((5, n), bool), attributes, tides=tides)


def test_the_100_years_of_a_sea_that_does_not_rise_do_not_overtop_a_crest_of_100_years() -> None:
    rng = np.random.default_rng(4)
    shore = shore_of(Windows(gauges_block(rng.gumbel(4.7, rng.uniform(0.05, 0.5, 500), (30, 500)))))
    assert shore.crest_is_default.all()
    assert (depth_of_100_years(shore) == 0).all()
    # A crest that is lower by more than rounding is overtopped, and the water stands to its full depth behind it.
    lower = depth_of_100_years(dataclasses.replace(shore, crest=shore.crest - 1e-6))
    assert lower[0] == pytest.approx(shore.crest - 4)


# --- the gauge's fit ----------------------------------------------------------------------------------------


def test_the_error_of_a_fit_is_that_of_the_jackknife_trend_and_all() -> None:
    block = shore_block(4.6, 4.9)
    shore = shore_of(Windows(block))
    maxima, years = block.tides.maxima[:, 0], block.tides.maxima_years
    fits = []
    for left_out in range(40):
        x = np.delete(maxima, left_out)
        fits.append(gev.fit(detrended_maxima(x, np.delete(years, left_out)), shape=(0.0, 0.0))[:2])
    covariance = np.cov(np.array(fits).T, ddof=0) * 39
    assert shore.covariance[0] == pytest.approx(covariance, rel=1e-9)
    assert (shore.location[0], shore.scale[0]) == pytest.approx(gumbel_of(block).args)


def test_10_years_lose_their_trend_in_every_sample_of_the_jackknife() -> None:
    # A steep trend: a sample with and one without it are far apart.
    years = np.arange(1990, 2000)
    maxima = 4.7 + 0.05 * (years - 1990) + np.random.default_rng(6).gumbel(0, 0.1, 10)
    fits = []
    for left_out in range(10):
        x, t = np.delete(maxima, left_out), np.delete(years, left_out)
        straight = np.polyfit(t - 2004.5, x, 1)[0] * (t - 2004.5)
        fits.append(gev.fit(x - straight, shape=(0.0, 0.0))[:2])
    covariance = np.cov(np.array(fits).T, ddof=0) * 9
    assert shore_of(Windows(gauges_block(maxima[:, None]))).covariance[0] == pytest.approx(covariance, rel=1e-9)


def _coverage(n: int, crest: float | None, repetitions: int = 1500) -> tuple[float, float]:
    """Bias of the AAL and coverage of its interval, at the baseline, for ground of 4.8 m; crest None: the default."""
    rng = np.random.default_rng(3)
    truth = stats.gumbel_r(4.7, 0.15)
    gauge_years = np.arange(2005 - n // 2, 2005 - n // 2 + n, dtype=np.int32)
    tides = Tides(
        np.arange(repetitions, dtype=np.int32),
        rng.gumbel(4.7, 0.15, (n, repetitions)),
        gauge_years,
        np.full((5, YEARS.size, repetitions), 0.0),
    )
    attributes = {
        "elevation_m": np.full(repetitions, 4.8),
        "coast_distance_m": np.zeros(repetitions),
        "crest_m": np.full(repetitions, nan if crest is None else crest),
    }
    block = Block(
        np.arange(repetitions, dtype=np.int32), YEARS, {}, np.ones((5, repetitions), bool), attributes, tides=tides
    )
    found = assess_probability(block, SEA)
    crests = shore_of(Windows(block)).crest
    depth = np.linspace(0, 2.5, 4001)
    rates = damage_by_depth(depth)
    middle = (rates[1:] + rates[:-1]) / 2
    expected = np.array([
        (np.diff(truth.cdf(np.maximum(4.8 + depth, wall))) * middle).sum() for wall in crests
    ])  # fmt: skip
    held = (found.aal_low[:, 0] <= expected) & (expected <= found.aal_high[:, 0])
    return float(found.aal[:, 0].mean() / expected.mean() - 1), float(held.mean())


@pytest.mark.parametrize("n", [20, 40])
@pytest.mark.parametrize("crest", [4.0, 5.0, None])
def test_the_intervals_of_a_gauge_hold(n: int, crest: float | None) -> None:
    _, coverage = _coverage(n, crest)
    assert 0.85 <= coverage <= 0.95


@pytest.mark.parametrize("n", [20, 40])
def test_the_loss_without_a_defence_is_without_bias(n: int) -> None:
    bias, _ = _coverage(n, 4.0)
    assert abs(bias) <= 0.02


# --- who is concerned ---------------------------------------------------------------------------------------


def test_no_coast_within_10_km_is_not_applicable() -> None:
    for block in (shore_block(3.0, coast=10_001), dataclasses.replace(shore_block(3.0, coast=50_000), tides=None)):
        found = assess_probability(block, SEA)
        assert (found.status == ResultStatus.NOT_APPLICABLE).all()
        assert found.reason == ["no coast within 10 km"]
        assert not found.is_default.any()
        assert (assess_hazard(block, SEA).status == ResultStatus.NOT_APPLICABLE).all()
    assert (assess_probability(shore_block(3.0, coast=10_000), SEA).status == ResultStatus.OK).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"coast": nan}, "coast_distance_m is unknown: the sea may be near or far"),
        ({"ground": nan}, "elevation_m is unknown"),
        ({"gauge": -1}, "no tide gauge within reach"),
    ],
)
def test_what_is_unknown_is_named(change: dict[str, float], reason: str) -> None:
    block = shore_block(**{"ground": 3.0, **change})
    found = assess_probability(block, SEA)
    assert (found.status == ResultStatus.INSUFFICIENT_DATA).all()
    assert found.reason == [reason]
    assert np.isnan(found.aal).all()
    assert not found.is_default.any()
    assert (assess_hazard(block, SEA).status == ResultStatus.INSUFFICIENT_DATA).all()


def test_short_and_empty_gauges() -> None:
    for n, status in ((4, ResultStatus.INSUFFICIENT_DATA), (9, ResultStatus.SHORT_RECORD), (10, ResultStatus.OK)):
        block = shore_block(3.0)
        block.tides.maxima[n:, 0] = nan
        found = assess_probability(block, SEA)
        assert (found.status == status).all()
        assert np.isnan(found.aal_low).all() == (n < 10)
    block.tides.maxima[4:, 0] = nan
    assert assess_probability(block, SEA).reason == ["4 years of maxima at the tide gauge; at least 5 are needed"]
    block.tides.maxima[:, 0] = 4.7
    assert assess_probability(block, SEA).reason == [
        "the maxima of the tide gauge do not vary: no distribution can be fitted"
    ]


def test_a_scenario_is_present_with_its_rise() -> None:
    block = shore_block(3.0)
    block.present[1:] = False
    block.tides.rise[3] = nan
    found = assess_probability(block, SEA)
    by_scenario = {p.scenario: found.status[0, i] for i, p in enumerate(PROJECTIONS)}
    assert by_scenario == {"historical": 1, "ssp126": 1, "ssp245": 1, "ssp370": 0, "ssp585": 1}


@pytest.mark.parametrize("without", [slice(3, 4), slice(0, 5)])
def test_a_scenario_of_the_cell_without_a_rise_is_not_absent(without: slice) -> None:
    lacking = np.isin([p.scenario for p in PROJECTIONS], SCENARIOS[max(without.start, 1) : without.stop])
    inland, coast = shore_block(3.0, coast=50_000), shore_block(3.0)
    for block in (inland, coast):
        block.tides.rise[without] = nan
    for assess in (assess_probability, assess_hazard):
        assert (assess(inland, SEA).status == ResultStatus.NOT_APPLICABLE).all()
        assert (assess(coast, SEA).status[0, lacking] == ResultStatus.INSUFFICIENT_DATA).all()
        assert (assess(coast, SEA).status[0, ~lacking] == ResultStatus.OK).all()
    first = PROJECTIONS[int(np.argmax(lacking))].scenario
    assert assess_probability(coast, SEA).reason == [f"the rise of the sea in {first} 2020s is unknown"]


@pytest.mark.parametrize("n_years", [0, 1, 4])
def test_a_baseline_without_a_rise_is_that_of_1995_to_2014(n_years: int) -> None:
    block = shore_block(4.6, 4.0)
    block.tides.rise[0] = nan
    block.tides.rise[0, np.isin(YEARS, 2005 + np.arange(n_years))] = 0.3
    found = assess_probability(block, SEA)
    assert found.baseline == ["1995-2014"]
    assert found.probabilities[0, 0, 0] == pytest.approx(gumbel_of(block).cdf(4.6))

    assert found.status[0, 0] == ResultStatus.OK


def test_5_years_of_a_rise_are_a_baseline() -> None:
    block = shore_block(4.6, 4.0)
    block.tides.rise[0] = nan
    block.tides.rise[0, (YEARS >= 2005) & (YEARS < 2010)] = 0.3
    found = assess_probability(block, SEA)
    assert found.baseline == ["first_5_years"]
    assert found.probabilities[0, 0, 0] == pytest.approx(gumbel_of(block).cdf(4.3))


def test_a_decade_without_a_rise_says_so() -> None:
    block = shore_block(3.0)
    block.tides.rise[1, YEARS > 2060] = nan
    found = assess_probability(block, SEA)
    assert found.reason == ["the rise of the sea in ssp126 2070s is unknown"]
    assert found.status[0, :7].tolist() == [ResultStatus.OK] * 6 + [ResultStatus.INSUFFICIENT_DATA]


def test_no_gauge_at_all_is_insufficient_where_the_cell_has_data() -> None:
    block = dataclasses.replace(shore_block(3.0), tides=None)
    block.present[2] = False
    found = assess_probability(block, SEA)
    assert found.status[0, 0] == ResultStatus.INSUFFICIENT_DATA
    assert (found.status[0, 9:17] == 0).all()
    assert found.reason == ["no tide gauge within reach"]
