"""The whole of a site: risk scores, what each contributes, and the losses of all risks together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.risks import LossKind
from aiops.stats.codes import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ALL: Final = "all"
"""The key of the losses of both kinds together."""


@dataclass(frozen=True, slots=True)
class Integrated:
    """Results by site (and risk) and projection; NaN unknown."""

    risk_score: NDArray[np.float64]
    """(sites, risks, 33): 100·(H/100 · E · V/100)^(1/3), 0 to 100."""
    product: NDArray[np.float64]
    """(sites, risks, 33): H/100 · E · V/100 itself, 0 to 1."""
    contribution_percent: NDArray[np.float64]
    """(sites, risks, 33): the share of the squared scores; 0 when all are 0."""
    total_risk_score: NDArray[np.float64]
    """(sites, 33): the root mean square of the scores, 0 to 100; NaN with `nothing_known`."""
    in_total: NDArray[np.bool_]
    """(sites, risks, 33): whether the risk stands in the total score; the others are left out of it."""
    aal_sum: Mapping[str, NDArray[np.float64]]
    """By loss kind, and `all`: (sites, 33), Σ final_aal, an upper bound; NaN with `nothing_known` of the kind."""
    aal_union: Mapping[str, NDArray[np.float64]]
    """Likewise: 1 − Π(1 − final_aal), as if the risks struck independently."""
    aal_sum_change: Mapping[str, NDArray[np.float64]]
    """Likewise: aal_sum less that of the baseline; NaN where they are not sums of the same risks."""
    aal_union_change: Mapping[str, NDArray[np.float64]]
    """Likewise, of aal_union."""
    in_aal: NDArray[np.bool_]
    """(sites, risks, 33): whether the risk stands in the sums of losses."""


def integrate(
    hazard: NDArray[np.float64],
    hazard_status: NDArray[np.integer],
    exposure: NDArray[np.float64],
    vulnerability: NDArray[np.float64],
    final_aal: NDArray[np.float64],
    aal_status: NDArray[np.integer],
    loss_kinds: Sequence[LossKind],
) -> Integrated:
    """Put the risks of each site together.

    `ok` and `short_record` count with their value, `not_applicable` counts with 0 whatever E and V are; any other
    status, or a value that is NaN, is left out. A total is NaN with `nothing_known` of its risks.

    Args:
        hazard: (sites, risks, 33), H of 0 to 100.
        hazard_status: (sites, risks, 33): a ResultStatus; 0 absent.
        exposure: (sites, risks), E of 0 to 1.
        vulnerability: (sites, risks), V of 0 to 100.
        final_aal: (sites, risks, 33), fraction of the asset's value a year.
        aal_status: (sites, risks, 33), as hazard_status.
        loss_kinds: of each risk.
    """
    product = hazard / 100 * (exposure * (vulnerability / 100))[..., None]
    product = _by_status(product, hazard_status)
    score = 100 * np.cbrt(product)
    in_total = ~np.isnan(score)
    unknown = nothing_known(in_total, hazard_status == ResultStatus.NOT_APPLICABLE)
    squares = np.where(in_total, score * score, 0.0)
    sum_of_squares = squares.sum(axis=1)
    counted = np.count_nonzero(in_total, axis=1)
    total = np.sqrt(sum_of_squares / np.where(unknown, np.nan, counted))
    whole = np.where(sum_of_squares > 0, sum_of_squares, 1.0)
    contribution = np.where(in_total, squares / whole[:, None] * 100, np.nan)

    aal = _by_status(final_aal, aal_status)
    in_aal = ~np.isnan(aal)
    none_here = aal_status == ResultStatus.NOT_APPLICABLE
    sums, unions, sum_changes, union_changes = _totals(np.where(in_aal, aal, 0.0), in_aal, none_here, loss_kinds)
    return Integrated(
        risk_score=score,
        product=product,
        contribution_percent=contribution,
        total_risk_score=total,
        in_total=in_total,
        aal_sum=sums,
        aal_union=unions,
        aal_sum_change=sum_changes,
        aal_union_change=union_changes,
        in_aal=in_aal,
    )


def nothing_known(counted: NDArray[np.bool_], not_applicable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a total would say nothing: no risk is computed, and not every one is known to be none.

    Risks that a place cannot have are 0 beside others; by themselves they are not the answer for those left out.

    Args:
        counted: (…, risks, 33): whether the risk has a value, one that is not applicable included.
        not_applicable: (…, risks, 33).

    Returns:
        (…, 33); also of no risks at all.
    """
    computed = counted & ~not_applicable
    all_none = np.all(counted, axis=-2) & np.any(not_applicable, axis=-2)
    nothing: NDArray[np.bool_] = ~(np.any(computed, axis=-2) | all_none)
    return nothing


def _by_status(values: NDArray[np.float64], status: NDArray[np.integer]) -> NDArray[np.float64]:
    computed = (status == ResultStatus.OK) | (status == ResultStatus.SHORT_RECORD)
    return np.where(status == ResultStatus.NOT_APPLICABLE, 0.0, np.where(computed, values, np.nan))


_Totals = dict[str, "NDArray[np.float64]"]


def _totals(
    aal: NDArray[np.float64],
    counted: NDArray[np.bool_],
    not_applicable: NDArray[np.bool_],
    loss_kinds: Sequence[LossKind],
) -> tuple[_Totals, _Totals, _Totals, _Totals]:
    """Sums and unions by loss kind, and their changes; risks that do not count have an AAL of 0."""
    totals: tuple[_Totals, _Totals, _Totals, _Totals] = ({}, {}, {}, {})
    shape = (aal.shape[0], aal.shape[2])
    whole_sum, whole_union = np.zeros(shape), np.zeros(shape)
    for kind in LossKind:
        places = [place for place, of_risk in enumerate(loss_kinds) if of_risk is kind]
        total, union = np.zeros(shape), np.zeros(shape)
        for place in places:
            total += aal[:, place]
            # 1 − (1 − u)(1 − a) without the loss of digits; it cannot exceed the sum by rounding either.
            union += np.minimum(aal[:, place], 1.0) * (1 - union)
        whole_sum += total
        whole_union += union * (1 - whole_union)
        _keep(totals, kind.value, (total, union), counted[:, places], not_applicable[:, places])
    _keep(totals, ALL, (whole_sum, whole_union), counted, not_applicable)
    return totals


def _keep(
    totals: tuple[_Totals, _Totals, _Totals, _Totals],
    name: str,
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    counted: NDArray[np.bool_],
    not_applicable: NDArray[np.bool_],
) -> None:
    nothing = nothing_known(counted, not_applicable)
    others = (counted != counted[..., :1]).any(axis=1)
    for kept, changes, value in zip(totals[:2], totals[2:], values, strict=True):
        kept[name] = np.where(nothing, np.nan, value)
        changes[name] = np.where(others | nothing, np.nan, value - value[:, :1])
