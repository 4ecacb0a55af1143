"""The whole of a site: scores, contributions, losses of all risks together."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nine_risks import nine_risk_block
from places import many_sites, nan

from aiops.assess.exposure import assess_exposure
from aiops.assess.hazard import assess_hazard
from aiops.assess.integrated import Integrated, integrate
from aiops.assess.loss import BaseLoss, scale_loss
from aiops.assess.probability import assess_probability
from aiops.assess.vulnerability import assess_vulnerability
from aiops.assess.windows import Windows
from aiops.risks import LossKind, all_risks
from aiops.stats.codes import ResultStatus

OK, SHORT, LACKING, NONE, FAILED = ResultStatus
DIRECT, OPERATIONAL = LossKind
ABSENT = 0


def whole(
    hazard=(50.0, 50.0),
    hazard_status=(OK, OK),
    exposure=(0.5, 0.5),
    vulnerability=(50.0, 50.0),
    aal=(0.01, 0.02),
    aal_status=(OK, OK),
    kinds=(DIRECT, OPERATIONAL),
) -> Integrated:
    """One site and projection; by risk."""
    return integrate(
        np.array(hazard, float)[None, :, None],
        np.array(hazard_status, np.int16)[None, :, None],
        np.array(exposure, float)[None],
        np.array(vulnerability, float)[None],
        np.array(aal, float)[None, :, None],
        np.array(aal_status, np.int16)[None, :, None],
        kinds,
    )


# --- scores -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hazard", "exposure", "vulnerability", "product", "score"),
    [
        (50, 0.5, 50, 0.125, 50), (100, 1, 100, 1, 100), (80, 0.27, 100, 0.216, 60), (0, 0.5, 50, 0, 0),
        (50, 0, 50, 0, 0), (50, 0.5, 0, 0, 0), (64, 0.1, 1, 0.00064, 100 * 0.00064 ** (1 / 3)),
    ],
)  # fmt: skip
def test_a_risk_score_is_the_cubic_root_of_the_product(hazard, exposure, vulnerability, product, score) -> None:
    found = whole([hazard] * 2, exposure=[exposure] * 2, vulnerability=[vulnerability] * 2)
    assert found.product[0, :, 0].tolist() == pytest.approx([product] * 2)
    assert found.risk_score[0, :, 0].tolist() == pytest.approx([score] * 2)
    assert found.total_risk_score[0, 0] == pytest.approx(score)


def test_half_of_everything_reads_50_to_the_bit() -> None:
    assert whole().risk_score[0, 0, 0] == 50
    assert whole().total_risk_score[0, 0] == 50


def test_the_total_is_the_root_mean_square_and_each_contributes_its_square() -> None:
    found = whole([30, 40], exposure=[1, 1], vulnerability=[0.09 / 0.3 * 30, 16])  # .027 and .064
    assert found.risk_score[0, :, 0] == pytest.approx([30, 40])
    assert found.total_risk_score[0, 0] == pytest.approx(math.sqrt((900 + 1600) / 2))
    assert found.contribution_percent[0, :, 0] == pytest.approx([36, 64])


def test_a_short_record_counts_like_any_other() -> None:
    assert whole(hazard_status=[OK, SHORT]).total_risk_score[0, 0] == 50
    assert whole(hazard_status=[OK, SHORT]).in_total.all()


@pytest.mark.parametrize(("exposure", "vulnerability"), [(0.5, 50), (nan, 50), (0.5, nan)])
def test_a_risk_that_a_place_cannot_have_is_0_and_counts(exposure: float, vulnerability: float) -> None:
    found = whole([50, nan], [OK, NONE], [0.5, exposure], [50, vulnerability], aal=[0.01, nan], aal_status=[OK, NONE])
    assert found.risk_score[0, :, 0].tolist() == [50, 0]
    assert found.product[0, 1, 0] == 0
    assert found.total_risk_score[0, 0] == pytest.approx(50 / math.sqrt(2))
    assert found.contribution_percent[0, :, 0].tolist() == [100, 0]
    assert found.aal_sum["operational"][0, 0] == 0
    assert found.aal_sum["all"][0, 0] == 0.01


@pytest.mark.parametrize("status", [ABSENT, LACKING, FAILED])
def test_a_risk_without_a_result_is_left_out_and_not_0(status: int) -> None:
    found = whole([50, 80], [OK, status], aal_status=[OK, status])
    assert np.isnan(found.risk_score[0, 1, 0])
    assert np.isnan(found.product[0, 1, 0])
    assert np.isnan(found.contribution_percent[0, 1, 0])
    assert found.in_total[0, :, 0].tolist() == [True, False]
    assert found.in_aal[0, :, 0].tolist() == [True, False]
    assert found.total_risk_score[0, 0] == 50
    assert found.contribution_percent[0, 0, 0] == 100
    assert found.aal_sum["all"][0, 0] == 0.01


@pytest.mark.parametrize("unknown", [{"exposure": (0.5, nan)}, {"vulnerability": (50, nan)}, {"hazard": (50, nan)}])
def test_a_score_of_something_unknown_is_unknown_and_left_out(unknown: dict[str, Any]) -> None:
    found = whole(**unknown)
    assert np.isnan(found.risk_score[0, 1, 0])
    assert found.total_risk_score[0, 0] == 50


def test_of_nothing_there_is_no_total() -> None:
    found = whole(hazard_status=[FAILED, ABSENT], aal_status=[FAILED, ABSENT])
    assert np.isnan(found.total_risk_score).all()
    for totals in (found.aal_sum, found.aal_union, found.aal_sum_change, found.aal_union_change):
        assert all(np.isnan(total).all() for total in totals.values())


@pytest.mark.parametrize("status", [ABSENT, LACKING, FAILED])
def test_a_risk_that_a_place_cannot_have_does_not_answer_for_those_left_out(status: int) -> None:
    found = whole([nan, nan], [NONE, status], aal=[nan, nan], aal_status=[NONE, status])
    assert np.isnan(found.total_risk_score).all()
    for totals in (found.aal_sum, found.aal_union, found.aal_sum_change, found.aal_union_change):
        assert np.isnan(totals["all"]).all()
        assert np.isnan(totals["operational"]).all()
        assert totals["direct"][0, 0] == 0
    left_out = found.in_total[0, :, 0].tolist(), found.in_aal[0, :, 0].tolist()
    assert left_out == ([True, False], [True, False])


def test_a_value_that_is_unknown_is_left_out_of_a_total_like_a_status() -> None:
    found = whole([nan, 50], [NONE, OK], exposure=[0.5, nan], aal=[nan, nan], aal_status=[NONE, OK])
    assert np.isnan(found.total_risk_score).all()
    assert np.isnan(found.aal_sum["all"]).all()


def test_a_place_that_cannot_have_any_risk_has_a_total_of_0() -> None:
    found = whole([nan, nan], [NONE, NONE], aal=[nan, nan], aal_status=[NONE, NONE])
    assert found.total_risk_score[0, 0] == 0
    assert {name: total[0, 0] for name, total in found.aal_sum.items()} == dict.fromkeys(found.aal_sum, 0)
    assert {name: total[0, 0] for name, total in found.aal_union.items()} == dict.fromkeys(found.aal_union, 0)


def test_nothing_contributes_to_nothing() -> None:
    found = whole([0, 0])
    assert found.total_risk_score[0, 0] == 0
    assert found.contribution_percent[0, :, 0].tolist() == [0, 0]


# --- losses -------------------------------------------------------------------------------------------------


def test_losses_by_kind_and_in_all() -> None:
    found = whole(
        [50] * 3, [OK] * 3, [0.5] * 3, [50] * 3, [0.1, 0.2, 0.3], [OK, SHORT, OK], [DIRECT, OPERATIONAL, DIRECT]
    )
    assert {name: total[0, 0] for name, total in found.aal_sum.items()} == pytest.approx(
        {"direct": 0.4, "operational": 0.2, "all": 0.6}
    )
    assert {name: total[0, 0] for name, total in found.aal_union.items()} == pytest.approx(
        {"direct": 1 - 0.9 * 0.7, "operational": 0.2, "all": 1 - 0.9 * 0.8 * 0.7}
    )


def test_without_a_risk_of_a_kind_its_loss_is_unknown_and_not_0() -> None:
    found = whole(kinds=(DIRECT, DIRECT))
    assert np.isnan(found.aal_sum["operational"][0, 0])
    assert np.isnan(found.aal_union["operational"][0, 0])
    assert found.aal_sum["all"][0, 0] == found.aal_sum["direct"][0, 0]


def test_small_losses_keep_their_digits_together() -> None:
    found = whole(aal=[1e-17, 3e-17])
    assert found.aal_union["all"][0, 0] == pytest.approx(4e-17)


def test_more_than_all_cannot_be_lost_together() -> None:
    found = whole(aal=[1.05, 0.2])
    assert found.aal_sum["all"][0, 0] == pytest.approx(1.25)
    assert found.aal_union["all"][0, 0] == 1


def through_time(aal: list[list[float]], status: list[list[int]]) -> Integrated:
    """One site; (risks, projections)."""
    shape = np.shape(aal)
    full, ok = np.full((1, *shape), 50.0), np.full((1, *shape), OK)
    half = np.full((1, shape[0]), 0.5)
    kinds = (DIRECT, OPERATIONAL)[: shape[0]]
    return integrate(full, ok, half, 100 * half, np.array(aal)[None], np.array(status)[None], kinds)


def test_the_change_of_a_total_is_against_the_baseline() -> None:
    found = through_time([[0.01, 0.03, 0.01], [0.02, 0.02, 0.01]], [[OK] * 3] * 2)
    assert found.aal_sum_change["direct"][0] == pytest.approx([0, 0.02, 0])
    assert found.aal_sum_change["operational"][0] == pytest.approx([0, 0, -0.01])
    assert found.aal_sum_change["all"][0] == pytest.approx([0, 0.02, -0.01])
    assert found.aal_union_change["all"][0] == pytest.approx([0, 0.02 * 0.98, -0.01 * 0.99])


def test_sums_of_different_risks_have_no_change() -> None:
    found = through_time([[0.01, 0.03, nan], [0.02, 0.02, 0.03]], [[OK, OK, LACKING], [OK, NONE, OK]])
    assert np.isnan(found.aal_sum_change["all"][0]).tolist() == [False, False, True]
    assert found.aal_sum_change["operational"][0] == pytest.approx([0, -0.02, 0.01])
    assert np.isnan(found.aal_union_change["direct"][0]).tolist() == [False, False, True]
    assert found.aal_sum["all"][0, 2] == pytest.approx(0.03)


# --- for all ------------------------------------------------------------------------------------------------

shares = hnp.arrays(np.float64, (3, 5, 4), elements=st.floats(0, 1.1) | st.just(nan) | st.floats(0, 1e-12))
statuses = hnp.arrays(np.int16, (3, 5, 4), elements=st.integers(0, 5))


@given(hazard=shares, aal=shares, status=statuses, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_what_holds_whatever_comes(hazard: np.ndarray, aal: np.ndarray, status: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    exposure, vulnerability = rng.uniform(0, 1, (3, 5)), rng.uniform(0, 100, (3, 5))
    kinds = [DIRECT, OPERATIONAL, DIRECT, DIRECT, OPERATIONAL]
    found = integrate(100 * np.minimum(hazard, 1), status, exposure, vulnerability, aal, status, kinds)
    score = found.risk_score[found.in_total]
    assert ((score >= 0) & (score <= 100)).all()
    computed = np.isin(status, (OK, SHORT)) & ~np.isnan(hazard)
    assert np.array_equal(found.in_total, computed | (status == NONE))
    assert (found.risk_score[status == NONE] == 0).all()
    counted = computed.any(axis=1) | (status == NONE).all(axis=1)
    assert np.array_equal(counted, ~np.isnan(found.total_risk_score))
    shared = np.nansum(found.contribution_percent, axis=1)
    assert np.allclose(shared[np.nan_to_num(found.total_risk_score) > 1e-100], 100)
    highest = np.where(found.in_total, found.risk_score, 0).max(axis=1)[counted]
    assert (found.total_risk_score[counted] <= highest * (1 + 1e-12)).all()
    for name, total in found.aal_sum.items():
        union = found.aal_union[name]
        known = ~np.isnan(total)
        assert np.array_equal(known, ~np.isnan(union))
        assert (union[known] <= total[known]).all()
        assert ((union[known] >= 0) & (union[known] <= 1)).all()
        assert (total[known] >= 0).all()


def test_one_site_has_the_bits_that_it_has_among_many() -> None:
    n = 250
    block, sites = nine_risk_block(n, 8, 0.4), many_sites(n, 8)
    risks, windows = list(all_risks().values()), Windows(block)
    hazards = [assess_hazard(block, risk, windows) for risk in risks]
    found = [assess_probability(block, risk, windows=windows) for risk in risks]
    exposure = np.stack([assess_exposure(sites, risk).exposure for risk in risks], axis=1)
    vulnerability = np.stack([assess_vulnerability(sites, risk).score for risk in risks], axis=1)
    final = np.stack(
        [
            scale_loss(
                risk,
                BaseLoss.of((p.aal, p.aal_low, p.aal_high), p.status, p.probabilities, p.damage_rates, 9),
                sites,
                vulnerability[:, place],
            ).final_aal
            for place, (risk, p) in enumerate(zip(risks, found, strict=True))
        ],
        axis=1,
    )
    arguments = (
        np.stack([hazard.score for hazard in hazards], axis=1),
        np.stack([hazard.status for hazard in hazards], axis=1),
        exposure,
        vulnerability,
        final,
        np.stack([p.status for p in found], axis=1),
    )
    kinds = [risk.loss_kind for risk in risks]
    together = integrate(*arguments, kinds)
    assert not np.isnan(together.total_risk_score).any()
    for site in range(n):
        alone = integrate(*(part[site : site + 1] for part in arguments), kinds)
        for field in dataclasses.fields(alone):
            mine, theirs = getattr(alone, field.name), getattr(together, field.name)
            if isinstance(mine, dict):
                assert all(np.array_equal(mine[kind][0], theirs[kind][site], equal_nan=True) for kind in mine)
            else:
                assert np.array_equal(mine[0], theirs[site], equal_nan=True), field.name
