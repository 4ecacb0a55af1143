"""One risk at many sites: exposure, vulnerability and loss, for all of them at once.

Where that fails, it is done for half of them and half of them again, until it is known for whom it fails: a site has of
a risk what a request of that site alone would have.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import structlog

from aiops.assess.exposure import assess_exposure
from aiops.assess.loss import BaseLoss, EveryBin, scale_loss
from aiops.assess.vulnerability import assess_vulnerability
from aiops.climate import PROJECTIONS
from aiops.errors import in_one_line
from aiops.stats.codes import ResultStatus
from workers.ondemand.plain import reason_of, status_name
from workers.ondemand.sites import sites_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.assess.exposure import Exposure
    from aiops.assess.loss import ScaledLoss
    from aiops.assess.sites import Sites
    from aiops.assess.vulnerability import Vulnerability
    from aiops.db.cell_columns import CellColumns, StoredCells
    from aiops.db.portfolio import PortfolioSite
    from aiops.risks import Risk

    Places = NDArray[np.intp]

log = structlog.get_logger(__name__)

N_PROJECTIONS = len(PROJECTIONS)


class AskedSites:
    """Some sites of a portfolio, and any of them as the science takes them."""

    def __init__(self, asked: Sequence[PortfolioSite]) -> None:
        self.asked = asked
        self.site_nos = np.array([one.site_no for one in asked], dtype=np.int32)
        self._surroundings = [one.surroundings for one in asked]
        self._buildings = [one.building for one in asked]
        self.whole = self._some(range(len(asked)))

    def at(self, places: Places) -> Sites:
        """The sites at some places of the list."""
        return self.whole if places.size == len(self.asked) else self._some(places.tolist())

    def _some(self, places: Sequence[int]) -> Sites:
        return sites_of(
            [self.asked[place].site for place in places],
            [self._surroundings[place] for place in places],
            [self._buildings[place] for place in places],
        )


@dataclass(slots=True)
class Part:
    """One risk at some of the sites; what has not been made is None."""

    risk: Risk
    places: Places
    """Of the sites in their list, ascending."""
    stored: CellColumns | None
    rows: Places
    """Of the sites' cells in what is stored."""
    problem: Exception | None = None
    """Why nothing is stored that could be used."""
    exposure: Exposure | None = None
    vulnerability: Vulnerability | None = None
    base: BaseLoss | None = None
    loss: ScaledLoss | None = None
    failure: str | None = None
    """Why it has no numbers; of a part of one site."""
    trace: str | None = None

    def make(self, sites: Sites, projection: int) -> None:
        """Do all steps; what the one that fails raises is left to the caller."""
        if self.problem is not None:
            raise self.problem
        self.exposure = assess_exposure(sites, self.risk)
        self.vulnerability = assess_vulnerability(sites, self.risk)
        stored, rows, two = self.whole_stored, self.rows, [0, projection]
        p, rates = stored.probabilities[rows], stored.damage_rates[rows]
        base = BaseLoss(
            aal=stored.aal[rows],
            aal_low=stored.aal_low[rows],
            aal_high=stored.aal_high[rows],
            status=stored.aal_status[rows],
            probabilities=p[:, two],
            rates=rates[:, two],
            every_bin=EveryBin(p, rates) if self.risk.by_use else None,
        )
        self.loss = scale_loss(self.risk, base, sites, self.vulnerability.score, stored.damage_set)
        self.base = base

    @property
    def whole_stored(self) -> CellColumns:
        """What is stored of its cells."""
        if self.stored is None:
            raise AssertionError("a part without stored results has failed")
        return self.stored

    def has_failed(self) -> bool:
        """Whether it has no numbers for want of a step."""
        return self.failure is not None

    def hazard(self) -> NDArray[np.float64]:
        """(sites, 33), NaN where the part has failed."""
        if self.has_failed():
            return np.full((self.places.size, N_PROJECTIONS), np.nan)
        return self.whole_stored.score[self.rows]

    def hazard_status(self) -> NDArray[np.int16]:
        """(sites, 33)."""
        return self._failed_status() if self.has_failed() else self.whole_stored.score_status[self.rows]

    def aal_status(self) -> NDArray[np.int16]:
        """(sites, 33)."""
        return self._failed_status() if self.has_failed() else self.whole_stored.aal_status[self.rows]

    def _failed_status(self) -> NDArray[np.int16]:
        return np.full((self.places.size, N_PROJECTIONS), ResultStatus.FAILED, dtype=np.int16)

    def score_statuses(self, projection: int) -> tuple[list[str], list[str | None]]:
        """Status of the score of each site in a projection, and why there is none."""
        reasons = None if self.has_failed() else [self.whole_stored.score_reason[row] for row in self.rows.tolist()]
        return self._statuses(self.hazard_status()[:, projection], reasons, projection)

    def aal_statuses(self, projection: int) -> tuple[list[str], list[str | None]]:
        """Status of the loss of each site in a projection, and why there is none."""
        reasons = None if self.has_failed() else [self.whole_stored.aal_reason[row] for row in self.rows.tolist()]
        return self._statuses(self.aal_status()[:, projection], reasons, projection)

    def _statuses(
        self, codes: NDArray[np.int16], stored: list[str | None] | None, projection: int
    ) -> tuple[list[str], list[str | None]]:
        if stored is None:
            return ["failed"] * self.places.size, [self.failure] * self.places.size
        names = [status_name(code) for code in codes.tolist()]
        return names, [reason_of(code, reason, projection) for code, reason in zip(codes.tolist(), stored, strict=True)]


def make_parts(risks: Sequence[Risk], sites: AskedSites, stored: StoredCells, projection: int) -> list[list[Part]]:
    """All risks at all sites: by risk, the parts that together hold each site once.

    Args:
        risks: which.
        sites: where.
        stored: results of the sites' cells.
        projection: the place in `PROJECTIONS` of the one that was asked for.
    """
    return [
        [made for part in _unmade(risk, sites, stored) for made in _made(part, sites, projection)] for risk in risks
    ]


def _unmade(risk: Risk, sites: AskedSites, stored: StoredCells) -> Iterator[Part]:
    """The sites by what is stored of their cells."""
    cells = np.array([one.grid_id for one in sites.asked], dtype=np.int64)
    left = np.ones(cells.size, dtype=np.bool_)
    for columns in stored.columns:
        if columns.risk_type != risk.name:
            continue
        rows = _rows_of(cells, columns.row_of)
        places = np.flatnonzero(rows >= 0)
        left[places] = False
        yield Part(risk, places, columns, rows[places])
    for place in np.flatnonzero(left).tolist():
        malformed = stored.malformed.get((int(cells[place]), risk.name))
        problem = malformed or LookupError("the cell has no stored hazard and probability of this risk")
        yield Part(risk, np.array([place]), None, np.array([-1]), problem)


def _rows_of(cells: NDArray[np.int64], row_of: Mapping[int, int]) -> Places:
    return np.array([row_of.get(cell, -1) for cell in cells.tolist()], dtype=np.intp)


def _made(part: Part, sites: AskedSites, projection: int) -> list[Part]:
    if part.places.size == 0:
        return []
    try:
        part.make(sites.at(part.places), projection)
    except Exception as error:  # as in an answer for one site: a risk's failure is its status
        if part.places.size > 1:
            halves = np.array_split(np.arange(part.places.size), 2)
            return [
                made
                for half in halves
                for made in _made(
                    Part(part.risk, part.places[half], part.stored, part.rows[half], part.problem), sites, projection
                )
            ]
        part.failure = in_one_line(error)
        part.trace = "".join(traceback.format_exception(error))
        log.exception("risk failed", risk=part.risk.name, site_no=int(sites.site_nos[part.places[0]]))
    return [part]
