"""The loop that a user would write: a query, a fit by scipy and an INSERT for each cell, risk, scenario and decade.

As somebody competent writes it: prepared statements, one session, a commit a cell; a kernel density per sample, a
generalised extreme value distribution by maximum likelihood for the floods; samples that a density cannot be made of
are counted. Only P(H) and its mean loss, no Hazard scores, no intervals.
"""

from __future__ import annotations

import itertools
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psycopg
from scipy import stats

from aiops.climate import SCENARIOS
from aiops.risks import DamageSet, ReturnLevels, all_risks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops.risks import Risk

CELLS = 20
HISTORY = SCENARIOS[0]
LAST_PAST_YEAR = 2020
COAST_M = 10_000.0
MAKE_TABLE = (
    "CREATE TABLE user_probability (grid_id integer, risk_type text, scenario text, horizon text,"
    " bin_probabilities float8[] NOT NULL, aal float8, PRIMARY KEY (grid_id, risk_type, scenario, horizon))"
)
PUT = (
    "INSERT INTO user_probability VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (grid_id, risk_type, scenario, horizon) DO UPDATE"
    " SET bin_probabilities = excluded.bin_probabilities, aal = excluded.aal"
)
SERIES = (
    "SELECT value FROM climate_series(%(cell)s, %(variable)s, %(scenario)s)"
    " WHERE extract(year FROM date) BETWEEN %(first)s AND %(last)s AND value IS NOT NULL"
)
SERIES_WITH_PAST = f"{SERIES} UNION ALL {SERIES.replace('%(scenario)s', repr(HISTORY))}"
TIDES = (
    "SELECT level_m + datum_offset_m, (SELECT avg(rise_m) FROM sea_level_rise AS r WHERE r.gauge_id = g.gauge_id"
    " AND r.scenario = %(scenario)s AND r.year BETWEEN %(first)s AND %(last)s)"
    " FROM tide_gauge AS g JOIN tide_gauge_maximum USING (gauge_id) WHERE gauge_id = %(gauge)s"
)
NEAREST_GAUGE = (
    "SELECT elevation_m, coast_distance_m, (SELECT gauge_id FROM tide_gauge AS g"
    " ORDER BY (g.latitude - c.latitude) ^ 2 + (g.longitude - c.longitude) ^ 2 LIMIT 1)"
    " FROM location_grid AS c WHERE grid_id = %s"
)


@dataclass(frozen=True, slots=True)
class Looped:
    """What the loop took."""

    cells: int
    seconds: float
    rows: int

    @property
    def rate(self) -> float:
        """Cells a second."""
        return self.cells / self.seconds


@dataclass(frozen=True, slots=True)
class _Place:
    cell: int
    ground_m: float
    coast_m: float
    gauge: str


def user_loop(conninfo: str, n_cells: int = CELLS) -> Looped:
    """Run it on cells spread over the data."""
    rows = 0
    with psycopg.connect(conninfo) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of scipy's search for a maximum
        connection.execute("DROP TABLE IF EXISTS user_probability")
        connection.execute(MAKE_TABLE)
        cells = [row[0] for row in connection.execute("SELECT grid_id FROM location_grid WHERE has_climate ORDER BY 1")]
        horizons = connection.execute(
            "SELECT scenario, horizon, first_year, last_year FROM projection JOIN horizon USING (horizon)"
            " ORDER BY projection_id"
        ).fetchall()
        connection.commit()
        chosen = [cells[place] for place in np.linspace(0, len(cells) - 1, n_cells).round().astype(int)]
        started = time.perf_counter()
        for cell in chosen:
            ground, coast, gauge = connection.execute(NEAREST_GAUGE, (cell,)).fetchone()
            for risk in all_risks().values():
                rows += _assess(connection, _Place(cell, ground, coast, gauge), risk, horizons)
            connection.commit()
        seconds = time.perf_counter() - started
    return Looped(n_cells, seconds, rows)


def _assess(
    connection: psycopg.Connection, place: _Place, risk: Risk, horizons: Sequence[tuple[str, str, int, int]]
) -> int:
    """One risk of a cell; the number of rows."""
    damage = risk.damage_set("calibrated")
    levels = None
    written = 0
    for scenario, horizon, first, last in horizons:
        if isinstance(damage, DamageSet):
            years = _years(connection, place.cell, damage, scenario, first, last)
            if isinstance(damage.edges, ReturnLevels):
                fitted = stats.genextreme.fit(years)
                if levels is None:  # the baseline comes first
                    levels = stats.genextreme.ppf(1.0 - 1.0 / np.array(damage.edges.years), *fitted)
                below = stats.genextreme.cdf(levels, *fitted)
                p = np.diff([0.0, *below, 1.0])
            else:
                p = _bins(years, damage.edges)
        elif place.coast_m > COAST_M:
            continue
        else:
            p = _flooding(connection, place, damage.edges, scenario, first, last)
        rates = damage.rates if isinstance(damage.rates, tuple) else np.linspace(0.0, 0.1, p.size)
        connection.execute(PUT, (place.cell, risk.name, scenario, horizon, p.tolist(), float(p @ np.asarray(rates))))
        written += 1
    return written


def _years(
    connection: psycopg.Connection, cell: int, damage: DamageSet, scenario: str, first: int, last: int
) -> np.ndarray:
    """The years of a window."""
    indicator = damage.indicator
    if indicator.past_only:
        scenario, first, last = HISTORY, 1991, LAST_PAST_YEAR
    with_past = scenario != HISTORY and first <= LAST_PAST_YEAR
    rows = connection.execute(
        SERIES_WITH_PAST if with_past else SERIES,
        {"cell": cell, "variable": indicator.variable, "scenario": scenario, "first": first, "last": last},
    ).fetchall()
    years = np.array([row[0] for row in rows], dtype=np.float64)
    return years if indicator.transform is None else indicator.transform(years)


def _bins(years: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """P of each bin by a kernel density; counted where the years do not vary."""
    bounds = [-np.inf, *edges, np.inf]
    try:
        density = stats.gaussian_kde(years)
    except np.linalg.LinAlgError:
        return np.histogram(years, bounds)[0] / years.size
    return np.array([density.integrate_box_1d(low, high) for low, high in itertools.pairwise(bounds)])


def _flooding(
    connection: psycopg.Connection, place: _Place, edges: Sequence[float], scenario: str, first: int, last: int
) -> np.ndarray:
    """P of depths at a coast."""
    rows = connection.execute(
        TIDES, {"gauge": place.gauge, "scenario": scenario, "first": first, "last": last}
    ).fetchall()
    fitted = stats.genextreme.fit([row[0] for row in rows])
    rise = rows[0][1] or 0.0
    return np.diff([0.0, *stats.genextreme.cdf(place.ground_m + np.asarray(edges) - rise, *fitted), 1.0])
