"""What is known of Korea's climate risk as a whole, asked of the sample: sizes of losses, and that they move."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from aiops.climate import PROJECTIONS, SCENARIOS, Series
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.grid import grid_id_of
from aiops.indices.cyclone import exposure_by_year, wind_by_year
from aiops.ingest.sample import SAMPLE_SEED
from aiops.ingest.sample.tracks import sample_tracks
from aiops.risks import LossKind, all_risks
from bench.plausible import Check, between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.throwaway import Database

    Floats = NDArray[np.float64]

FAR_CELL = (39.0, 124.5)
"""A corner of the frame, where the sample has no cell …"""
FAR_AWAY = (60.0, 80.0)
"""… gets the storms of Siberia."""
INLAND_M = 10_000.0
BANDS = {LossKind.DIRECT: (0.01, 0.3), LossKind.OPERATIONAL: (0.01, 0.5)}
"""% of the asset's value a year; Korea's losses are .013 to .06 %."""
BASELINE = 0
FUTURES = {
    scenario: [place for place, one in enumerate(PROJECTIONS) if one.scenario == scenario] for scenario in SCENARIOS[1:]
}
"""The eight decades of each scenario."""
SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Results:
    """Of one risk, all cells of the sample in the order of their ids."""

    probabilities: Floats
    """(cells, 33, bins), NaN where there is none."""
    aal: Floats
    """(cells, 33)."""
    status: NDArray[np.int64]
    """(cells, 33)."""
    reasons: Counter[str | None]
    coast_m: Floats
    """(cells,)."""


def add_far_cell(database: Database) -> None:
    """A cell with the storms of a place that none of the sample's ever came near."""
    tracks, cell = sample_tracks(SAMPLE_SEED), grid_id_of(*FAR_CELL)
    with psycopg.connect(database.conninfo) as connection:
        dataset_id = register_dataset(
            connection,
            name="sanity",
            source="SYNTHETIC: a place far from all typhoons",
            file_sha256=None,
            first_year=1991,
            last_year=2020,
            synthetic=True,
            parameters={},
        )
        years = {
            "max_site_wind": wind_by_year(tracks, *FAR_AWAY),
            "s_tc": exposure_by_year(tracks, *FAR_AWAY),
        }
        series = [
            Series(variable, SCENARIOS[0], cell, int(at[0]), values.astype(np.float32))
            for variable, (at, values) in years.items()
        ]
        write_series(connection, series, dataset_id)


def of_the_sample(database: Database) -> Iterator[Check]:
    """Checks of the assessed sample."""
    (far,) = database.rows(
        "SELECT bin_probabilities FROM probability_results"
        " WHERE grid_id = %(cell)s AND risk_type = 'typhoon' AND horizon = 'baseline'",
        {"cell": grid_id_of(*FAR_CELL)},
    )
    yield Check("sample: P(no storm) far from every track", f"{far[0][0]:g}", "1", far[0][0] == 1.0)
    results = {name: read(database, name) for name in all_risks()}
    yield Check("sample: risks with results", f"{len(results)}", "9", len(results) == 9)
    yield from sizes(results)
    heat = results["extreme_heat"]
    rises = heat.aal[:, FUTURES["ssp585"][-1]] - heat.aal[:, BASELINE]
    yield Check(
        "sample: heat AAL at ssp585 2090s less that of today",
        f"{100 * rises.min():.3f} to {100 * rises.max():.3f} %",
        "above 0 in every cell",
        bool((rises > 0.0).all()),
    )
    for name, result in results.items():
        yield moves(name, result)
        yield differs(name, result)


def sizes(results: dict[str, Results]) -> Iterator[Check]:
    """Sums of the losses of a kind, over the cells away from the sea."""
    for kind, band in BANDS.items():
        risks = [name for name, risk in all_risks().items() if risk.loss_kind is kind]
        total = sum(np.nan_to_num(results[name].aal) for name in risks)
        inland = results[risks[0]].coast_m > INLAND_M
        now, later = (100 * float(np.median(total[inland, place])) for place in (BASELINE, FUTURES["ssp585"][-1]))
        yield between(
            f"sample: sum of {kind} AAL, median of {inland.sum()} inland cells",
            now,
            *band,
            "% a year",
            f"ssp585 2090s {later:.3g} %",
        )


def moves(name: str, result: Results) -> Check:
    """Whether P changes from decade to decade at ssp585, in every cell that the hazard comes to at all."""
    decades = result.probabilities[:, FUTURES["ssp585"]]
    known = ~np.isnan(decades).any(axis=(1, 2))
    spread = np.ptp(decades[known], axis=1).max(axis=1)
    never = (decades[known, :, 0] == 1.0).all(axis=1)
    stuck = (spread < SAME) & ~never
    note = f", {never.sum()} never struck" if never.any() else ""
    return Check(
        f"sample: {name}, P over the decades of ssp585",
        f"{stuck.sum()} of {known.sum()} cells constant{note}",
        "none constant where it strikes",
        not stuck.any() and not never.all() and known.any(),
    )


def differs(name: str, result: Results) -> Check:
    """Whether losses differ between cells, scenarios and decades; cells without one must say why."""
    has = ~np.isnan(result.aal).any(axis=1)
    aal = result.aal[has]
    exposed = aal[aal.max(axis=1) > 0.0]
    late = exposed[:, [places[-1] for places in FUTURES.values()]]
    by_decade = exposed[:, FUTURES["ssp585"]]
    numbers = [
        np.unique(np.round(aal[:, BASELINE], 12)).size,
        np.count_nonzero(np.ptp(late, axis=1) > 0.0),
        np.count_nonzero(np.ptp(by_decade, axis=1) > 0.0),
    ]
    without = int(np.count_nonzero(~has))
    why = "; ".join(str(reason) for reason in result.reasons if reason)
    told = f"{numbers[0]} values; {numbers[1]}, {numbers[2]} of {len(exposed)} cells"
    return Check(
        f"sample: {name}, AAL by cell; scenario, decade",
        told + (f"; {without} without: {why}" if without else ""),
        "more than one; some; a reason",
        min(numbers) > 1 and (without == 0 or bool(why)),
    )


def read(database: Database, risk: str) -> Results:
    """The packed results of a risk."""
    rows = database.rows(
        "SELECT probabilities, n_bins, aal, status, reason, coast_distance_m FROM probability_packed"
        " JOIN location_grid USING (grid_id) WHERE risk_type = %(risk)s AND grid_id <> %(far)s ORDER BY grid_id",
        {"risk": risk, "far": grid_id_of(*FAR_CELL)},
    )
    return Results(
        probabilities=np.array([row[0] for row in rows], dtype=float).reshape(len(rows), len(PROJECTIONS), rows[0][1]),
        aal=np.array([row[2] for row in rows], dtype=float),
        status=np.array([row[3] for row in rows]),
        reasons=Counter(row[4] for row in rows),
        coast_m=np.array([row[5] for row in rows], dtype=float),
    )


def summary_of_risks(database: Database) -> list[tuple[str, ...]]:
    """What `SELECT risk_type, status, count(*), …` tells, and the losses now and at the end of the century, in %."""
    statuses: dict[str, list[str]] = {}
    for risk, status, count in database.rows(
        "SELECT risk_type, status, count(*) FROM probability_results WHERE grid_id <> %(far)s"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        {"far": grid_id_of(*FAR_CELL)},
    ):
        statuses.setdefault(risk, []).append(f"{count:,} {status}")
    rows = []
    for risk, told in statuses.items():
        aal = 100.0 * read(database, risk).aal
        aal = aal[~np.isnan(aal[:, BASELINE])]
        low, middle, high = np.quantile(aal[:, BASELINE], [0.1, 0.5, 0.9])
        late = (np.median(aal[:, FUTURES[scenario][-1]]) for scenario in ("ssp126", "ssp585"))
        rows.append(
            (
                risk,
                ", ".join(told),
                f"{middle:.4f} %",
                f"{low:.4f} … {high:.4f}",
                *(f"{one:.4f}" for one in late),
            )
        )
    return rows
