"""The rows of many sites' answers, as inputs of a binary COPY: the same rows as of a request for each of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess import METHOD_VERSION
from aiops.assess.levels import LEVELS, level_indices
from aiops.db import copy_nulls as nullable
from aiops.db import copy_rows as binary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.assess.integrated import Integrated
    from aiops.assess.loss import BaseLoss, ScaledLoss
    from aiops.db.copy_rows import Fields
    from workers.portfolio.answers import Answers
    from workers.portfolio.parts import Part


@dataclass(frozen=True, slots=True)
class PartRows:
    """Makes the rows of a part, for those of its sites that have an answer."""

    batch_id: bytes
    site_nos: NDArray[np.int32]
    """(sites,): of all sites of the chunk."""
    projection: int
    insurance_rate: NDArray[np.float64]
    """(sites,)."""
    part: Part
    pick: NDArray[np.intp]
    """Which of the part's sites have an answer."""

    def exposure(self) -> bytes:
        """For `exposure_results_runs`."""
        made, pick = self.part.exposure, self.pick
        if made is None:
            return self._failed(4)
        return self._buffer(
            binary.floats(made.exposure[pick]),
            binary.floats(made.normalized_asset_value[pick]),
            binary.floats(made.proximity_factor[pick]),
            nullable.text_arrays(_names(made.defaulted, pick)),
            *self._plain_end(made.is_default[pick]),
        )

    def vulnerability(self) -> bytes:
        """For `vulnerability_results_runs`."""
        made, pick = self.part.vulnerability, self.pick
        if made is None:
            return self._failed(4)
        names = list(made.factors)
        points = np.stack([made.factors[name][pick] for name in names], axis=1).tolist() if names else [()] * pick.size
        return self._buffer(
            binary.floats(made.score[pick]),
            binary.floats(np.full(pick.size, made.base)),
            nullable.documents([json.dumps(dict(zip(names, row, strict=True))) for row in points]),
            nullable.text_arrays(_names(made.defaulted, pick)),
            *self._plain_end(made.is_default[pick]),
        )

    def aal_scaled(self) -> bytes:
        """For `aal_scaled_results_runs`."""
        loss, base = self.part.loss, self.part.base
        if loss is None or base is None:
            return self._failed(21)
        return self._buffer(*self._losses(loss, base), *self._loss_end())

    def risk(self, made: Integrated, place: int) -> bytes:
        """For `risk_results_runs`.

        Args:
            made: of all sites and risks.
            place: of the risk.
        """
        part, pick, at = self.part, self.pick, self.projection
        sites = part.places[pick]
        hazard = part.hazard()[pick]
        statuses, reasons = part.score_statuses(at)
        nothing = np.full(pick.size, np.nan)
        failed = part.has_failed()
        loss = part.loss
        score = made.risk_score[sites, place]
        return self._buffer(
            nullable.nullable_floats(hazard[:, at]),
            binary.texts(levels_of(hazard[:, at])),
            nullable.nullable_floats(nothing if failed or part.exposure is None else part.exposure.exposure[pick]),
            nullable.nullable_floats(
                nothing if failed or part.vulnerability is None else part.vulnerability.score[pick]
            ),
            nullable.nullable_floats(score[:, at]),
            binary.texts(levels_of(score[:, at])),
            nullable.nullable_floats(made.product[sites, place, at]),
            nullable.nullable_floats(made.contribution_percent[sites, place, at]),
            nullable.nullable_floats(nothing if loss is None else loss.final_aal[pick, at]),
            nullable.nullable_floats(nothing if loss is None else loss.expected_loss[pick, at]),
            nullable.nullable_float_arrays(hazard),
            binary.integer_arrays(part.hazard_status()[pick]),
            nullable.nullable_float_arrays(score),
            binary.booleans(self._is_default()),
            binary.texts([statuses[site] for site in pick.tolist()]),
            binary.texts([reasons[site] for site in pick.tolist()]),
        )

    # --- pieces -------------------------------------------------------------------------------------------

    def _losses(self, loss: ScaledLoss, base: BaseLoss) -> list[Fields]:
        pick, at, n = self.pick, self.projection, self.pick.size
        bins = base if base.every_bin is None else base.every_bin
        bounds = np.stack([base.aal_low, base.aal_high], axis=-1)[pick][:, [0, at]]
        scalars = [
            loss.base_aal[pick, at],
            loss.base_aal_low[pick, at],
            loss.base_aal_high[pick, at],
            loss.vulnerability_factor[pick],
            self.insurance_rate[self.part.places[pick]],
            loss.final_aal[pick, at],
            loss.final_aal_low[pick, at],
            loss.final_aal_high[pick, at],
            loss.expected_loss[pick, at],
            loss.final_aal[pick, 0],
            loss.change[pick, at],
            loss.change_low[pick, at],
            loss.change_high[pick, at],
        ]
        return [
            *(nullable.nullable_floats(values) for values in scalars),
            nullable.nullable_float_arrays(loss.return_period_losses[pick, 1]),
            nullable.nullable_float_arrays(loss.final_aal[pick]),
            binary.integer_arrays(base.status[pick]),
            nullable.nullable_float_arrays(base.aal[pick]),
            nullable.nullable_float_arrays(bounds.reshape(n, -1)),
            nullable.nullable_float_arrays(bins.probabilities[pick].reshape(n, -1)),
            nullable.nullable_float_arrays(bins.rates[pick].reshape(n, -1)),
        ]

    def _loss_end(self) -> list[Fields]:
        statuses, reasons = self.part.aal_statuses(self.projection)
        stored, pick = self.part.whole_stored, self.pick
        return [
            binary.constant(stored.damage_set, pick.size),
            binary.booleans(stored.is_default[self.part.rows[pick]]),
            binary.texts([statuses[site] for site in pick.tolist()]),
            binary.texts([reasons[site] for site in pick.tolist()]),
        ]

    def _is_default(self) -> NDArray[np.bool_]:
        """(picked,): whether a default stands in any of the steps that were made."""
        part, pick = self.part, self.pick
        found = np.zeros(pick.size, dtype=np.bool_)
        if part.exposure is not None:
            found |= part.exposure.is_default[pick]
        if part.vulnerability is not None:
            found |= part.vulnerability.is_default[pick]
        if part.loss is not None:
            found |= part.whole_stored.is_default[part.rows[pick]]
        return found

    def _plain_end(self, is_default: NDArray[np.bool_]) -> list[Fields]:
        n = self.pick.size
        return [binary.booleans(is_default), binary.constant("ok", n), nullable.nulls(n)]

    def _failed(self, empty_columns: int) -> bytes:
        """Rows of a step that was not made."""
        n = self.pick.size
        return self._buffer(
            *[nullable.nulls(n)] * empty_columns,
            binary.booleans(np.zeros(n, dtype=np.bool_)),
            binary.constant("failed", n),
            binary.constant(self.part.failure, n),
        )

    def _buffer(self, *columns: Fields) -> bytes:
        n = self.pick.size
        head = [
            binary.constant(self.batch_id, n),
            binary.integers(self.site_nos[self.part.places[self.pick]]),
            binary.constant(self.part.risk.name, n),
        ]
        return binary.copy_buffer([*head, *columns], n)


def run_rows(batch_id: bytes, answers: Answers, risk_types: Sequence[str], damage_set: str) -> bytes:
    """For `risk_run`: a row for each site that has an answer."""
    pick = np.flatnonzero(answers.answered)
    n, at = pick.size, answers.projection
    asked = [answers.sites.asked[place] for place in pick.tolist()]
    whole, made = answers.sites.whole, answers.integrated
    total = made.total_risk_score[pick, at]
    columns = [
        binary.constant(batch_id, n),
        binary.integers(answers.sites.site_nos[pick]),
        binary.texts([one.site_id for one in asked]),
        binary.floats(whole.latitude[pick]),
        binary.floats(whole.longitude[pick]),
        binary.integers(np.array([one.grid_id for one in asked])),
        binary.integers(np.full(n, at + 1), 2),
        nullable.text_arrays([risk_types] * n),
        binary.floats(whole.insurance_rate[pick]),
        nullable.nullable_floats(whole.asset_value[pick]),
        nullable.documents([one.building_text for one in asked]),
        nullable.documents([one.building_source_text for one in asked]),
        nullable.documents([one.surroundings_text for one in asked]),
        nullable.documents([one.population_text for one in asked]),
        nullable.documents([one.inputs_text for one in asked]),
        binary.constant(METHOD_VERSION, n),
        binary.constant(damage_set, n),
        nullable.nullable_floats(total),
        binary.texts(levels_of(total)),
        nullable.nullable_floats(made.aal_sum["all"][pick, at]),
        nullable.nullable_floats(answers.total_expected_loss[pick, at]),
    ]
    return binary.copy_buffer(columns, n)


def step_rows(batch_id: bytes, answers: Answers) -> dict[str, list[bytes]]:
    """By table of `aiops.db.portfolio.TABLES` but the last: rows of each site that has an answer, and risk."""
    buffers: dict[str, list[bytes]] = {"exposure": [], "vulnerability": [], "aal_scaled": [], "risk": []}
    for place, parts in enumerate(answers.parts):
        for part in parts:
            pick = np.flatnonzero(answers.answered[part.places])
            if not pick.size:
                continue
            sites = answers.sites
            rows = PartRows(batch_id, sites.site_nos, answers.projection, sites.whole.insurance_rate, part, pick)
            buffers["exposure"].append(rows.exposure())
            buffers["vulnerability"].append(rows.vulnerability())
            buffers["aal_scaled"].append(rows.aal_scaled())
            buffers["risk"].append(rows.risk(answers.integrated, place))
    return buffers


def levels_of(scores: NDArray[np.float64]) -> list[str | None]:
    """The level of each score; None for NaN."""
    return [None if index < 0 else LEVELS[index] for index in level_indices(scores).tolist()]


def _names(defaulted: Mapping[str, NDArray[np.bool_]], pick: NDArray[np.intp]) -> Sequence[Sequence[Any]]:
    """Of each site, the names of what a default stands for."""
    known = [(name, where[pick].tolist()) for name, where in defaulted.items()]
    return [[name for name, where in known if where[site]] for site in range(pick.size)]
