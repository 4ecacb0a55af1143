"""What is known of 31 stations in the south-east of Korea: the hottest and the coolest, where spring is dry."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scipy.stats import spearmanr

from aiops.grid import grid_id_of
from bench import beside
from bench.plausible import Check, between

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.throwaway import Database

STATIONS = "data/asos_daily_31_stations_2011_2019.csv.gz"
WHERE = "data/asos_stations.csv"
TRACKS = "data/jma_best_track_2015_2020.txt.gz"
DAEGU, ULLEUNGDO = "143", "115"
SPRING = ("-03-", "-04-", "-05-")
DRY_AIR, DRY_DAY = 30.0, 1.0
"""% of least humidity, mm of rain: below both a spring day is a dry one."""
LOWEST = 5
"""Ulleungdo is among so many."""


def of_the_stations(database: Database) -> Iterator[Check]:
    """Checks of the assessed stations."""
    days = beside.rows_of(beside.find(STATIONS))
    stations = {row["stnId"] for row in days}
    cell_of = {
        row["station_id"]: grid_id_of(float(row["latitude"]), float(row["longitude"]))
        for row in beside.rows_of(beside.find(WHERE))
        if row["station_id"] in stations
    }
    heat = dict(
        database.rows(
            "SELECT grid_id, hazard_score_100 FROM hazard_results"
            " WHERE risk_type = 'extreme_heat' AND horizon = 'baseline'"
        )
    )
    order = sorted(stations, key=lambda station: -heat[cell_of[station]])
    names = {row["stnId"]: row["stnNm"] for row in days}
    first = f"{names[order[0]]} {heat[cell_of[order[0]]]:.1f}, then {names[order[1]]} {heat[cell_of[order[1]]]:.1f}"
    yield Check("stations: highest heat H", first, "대구", order[0] == DAEGU)
    rank = len(order) - order.index(ULLEUNGDO)
    yield Check(
        "stations: heat H of 울릉도",
        f"{rank} from below of {len(order)}",
        f"among the lowest {LOWEST}",
        rank <= LOWEST,
    )
    fire = dict(
        database.rows(
            "SELECT grid_id, avg(value) FROM climate_data, unnest(unpack_series(values)) AS value"
            " WHERE variable = 'fwi95' AND value <> 'NaN' GROUP BY grid_id"
        )
    )
    dry = Counter(row["stnId"] for row in days if is_dry_spring_day(row))
    order = sorted(stations)
    correlation = spearmanr([fire[cell_of[station]] for station in order], [dry[station] for station in order])
    yield between("stations: rank correlation of FWI95 with dry spring days", correlation.statistic, 0.5, 1.0)


def is_dry_spring_day(row: dict[str, str]) -> bool:
    """March to May, hardly any rain, dry air."""
    return (
        any(month in row["tm"] for month in SPRING)
        and float(row["sumRn"] or 0.0) < DRY_DAY
        and bool(row["minRhm"])
        and float(row["minRhm"]) < DRY_AIR
    )
