"""The answers for some sites of a portfolio, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.assess.integrated import integrate
from aiops.risks import find_risk
from aiops.stats.codes import ResultStatus
from workers.portfolio.parts import N_PROJECTIONS, AskedSites, make_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.assess.integrated import Integrated
    from aiops.db.cell_columns import StoredCells
    from aiops.db.portfolio import PortfolioSite
    from aiops.risks import Risk
    from workers.portfolio.parts import Part


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found out about some sites."""

    sites: AskedSites
    risks: Sequence[Risk]
    projection: int
    """The place in `PROJECTIONS` of the one that was asked for."""
    parts: Sequence[Sequence[Part]]
    """By risk: parts that together hold each site once."""
    integrated: Integrated
    aal: NDArray[np.float64]
    """(sites, risks, 33), as it counts in the totals: 0 where the risk is not applicable, NaN where it is left out."""
    total_expected_loss: NDArray[np.float64]
    """(sites, 33), KRW a year, whole; of the sum of all risks."""
    answered: NDArray[np.bool_]
    """(sites,): whether there is a total: a risk could be computed, or the place cannot have any of them."""

    def unanswered(self) -> dict[int, str]:
        """By number of the site: why nothing could be computed."""
        found: dict[int, list[str]] = {place: [] for place in np.flatnonzero(~self.answered).tolist()}
        for parts in self.parts if found else ():
            for part in parts:
                _, reasons = part.score_statuses(self.projection)
                for place, reason in zip(part.places.tolist(), reasons, strict=True):
                    if place in found:
                        found[place].append(f"{part.risk.name}: {reason}")
        return {
            int(self.sites.site_nos[place]): f"no risk could be computed: {'; '.join(reasons)}"
            for place, reasons in found.items()
        }

    def first_trace(self) -> str | None:
        """Of the first risk that failed at a site without an answer."""
        return next(
            (
                part.trace
                for parts in self.parts
                for part in parts
                if part.trace is not None and not self.answered[part.places[0]]
            ),
            None,
        )


def answer_sites(asked: Sequence[PortfolioSite], stored: StoredCells, risk_types: Sequence[str]) -> Answers:
    """Exposure, vulnerability, losses and the whole of some sites.

    Args:
        asked: sites whose cells have climate data; at least one.
        stored: results of their cells.
        risk_types: names, in the order of the answer.
    """
    sites = AskedSites(asked)
    risks = [find_risk(name) for name in risk_types]
    projection = asked[0].projection_id - 1
    parts = make_parts(risks, sites, stored, projection)
    shape = (len(asked), len(risks), N_PROJECTIONS)
    hazard, final_aal = (np.full(shape, np.nan) for _ in range(2))
    hazard_status, aal_status = (np.zeros(shape, dtype=np.int16) for _ in range(2))
    exposure, vulnerability = (np.full(shape[:2], np.nan) for _ in range(2))
    for place, of_risk in enumerate(parts):
        for part in of_risk:
            at = part.places
            hazard[at, place] = part.hazard()
            hazard_status[at, place] = part.hazard_status()
            aal_status[at, place] = part.aal_status()
            if part.exposure is None or part.vulnerability is None or part.loss is None:
                continue
            exposure[at, place] = part.exposure.exposure
            vulnerability[at, place] = part.vulnerability.score
            final_aal[at, place] = part.loss.final_aal
    made = integrate(
        hazard, hazard_status, exposure, vulnerability, final_aal, aal_status, [risk.loss_kind for risk in risks]
    )
    return Answers(
        sites=sites,
        risks=risks,
        projection=projection,
        parts=parts,
        integrated=made,
        aal=np.where(aal_status == ResultStatus.NOT_APPLICABLE, 0.0, np.where(made.in_aal, final_aal, np.nan)),
        total_expected_loss=np.rint(made.aal_sum["all"] * sites.whole.asset_value[:, None]),
        answered=np.any(~np.isnan([made.total_risk_score[:, projection], made.aal_sum["all"][:, projection]]), axis=0),
    )
