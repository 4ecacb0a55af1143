"""Comparisons with published tables and real observations in the folder beside the checkout."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import calendar_days
from aiops.indices.cyclone import read_best_track, wind_by_year
from aiops.indices.evapotranspiration import thornthwaite
from aiops.indices.rainfall import rain80, rx1day
from aiops.indices.temperature import tx33
from bench import beside
from bench.agreement import Agreement, equal, skipped, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

STATIONS = "data/asos_daily_31_stations_2011_2019.csv.gz"
TRACKS = "data/jma_best_track_2015_2020.txt.gz"
STORMS_OF_YEAR = {2015: 27, 2016: 26, 2017: 27, 2018: 29, 2019: 29, 2020: 23}
"""Named storms by the year in which they became storms."""
STORM_GRADES = (3, 4, 5)
ULLEUNGDO = "115"


def fire_weather() -> Iterator[Agreement]:
    """The 48 printed days."""
    source = "Van Wagner & Pickett 1985, 48 days, 4 digits"
    published = beside.fire_table()
    if published is None:
        yield skipped("fire weather codes", source, "no oracles/fwi_48_days.csv")
        return
    for name, (difference, missed) in published.differences().items():
        told = equal(name.upper(), source, missed, len(published.rows), "days beyond the digits")
        yield Agreement(told.what, source, f"{difference:.2g}; {told.difference}", told.required, told.ok)


def drought() -> Iterator[Agreement]:
    """The example of the R package SPEI."""
    source = "R package SPEI, Wichita 1980–2011"
    published = beside.wichita()
    if published is None:
        yield skipped("SPEI-12", source, "no oracles/spei_wichita.csv")
        return
    yield within("SPEI-12", source, published.spei_difference(), 1e-9)
    months = np.arange(published.temperature.size) + np.datetime64("1980-01", "M")
    pet = thornthwaite(published.temperature, months, 37.6475)
    difference = np.abs(pet - published.thornthwaite)
    years = difference.size // 12 * 12
    sums = (values[:years].reshape(-1, 12).sum(axis=1) for values in (pet, published.thornthwaite))
    yearly = np.abs(np.divide(*sums) - 1.0)
    # The package gives every February 28.25 days and takes the sun from an older table.
    yield within("Thornthwaite PET, a month", source, float(difference.max()), 1.0, "mm")
    yield within("Thornthwaite PET, a year", source, 100.0 * float(yearly.max()), 1.0, "%")


class Stations:
    """Daily observations of 31 stations: side by side for the indices, and row by row as the file has them."""

    def __init__(self, path: Path) -> None:
        self.rows = beside.rows_of(path)
        self.names = sorted({row["stnId"] for row in self.rows})
        self.dates = calendar_days(2011, 9)

    def side_by_side(self, column: str, *, empty: float) -> NDArray[np.float64]:
        """(days, stations); an empty value is `empty`, an absent day NaN."""
        values = np.full((self.dates.size, len(self.names)), np.nan)
        for row in self.rows:
            place = int(np.searchsorted(self.dates, np.datetime64(row["tm"])))
            values[place, self.names.index(row["stnId"])] = float(row[column] or empty)
        return values

    def by_year(self, of: Callable[[list[dict[str, str]]], float]) -> dict[tuple[str, int], float]:
        """A plain figure of each station and year, from the file's rows."""
        rows: dict[tuple[str, int], list[dict[str, str]]] = defaultdict(list)
        for row in self.rows:
            rows[row["stnId"], int(row["tm"][:4])].append(row)
        return {key: of(some) for key, some in rows.items()}

    def compared(
        self, found: tuple[NDArray[np.int64], NDArray[np.float64]], expected: dict[tuple[str, int], float]
    ) -> tuple[int, int]:
        """How many years differ, and of how many that have a value."""
        years, values = found
        pairs = [
            (values[year - years[0], self.names.index(station)], figure) for (station, year), figure in expected.items()
        ]
        known = [(value, figure) for value, figure in pairs if not np.isnan(value)]
        return sum(value != figure for value, figure in known), len(known)


def stations() -> Iterator[Agreement]:
    """Yearly figures of 31 stations, counted over the file's own rows without any index."""
    source = "KMA ASOS, 31 stations 2011–19, counted row by row"
    path = beside.find(STATIONS)
    if path is None:
        yield skipped("RX1day, RAIN80, days TX ≥ 33 °C", source, f"no {STATIONS}")
        return
    observed = Stations(path)
    rain = observed.side_by_side("sumRn", empty=0.0)
    wettest = observed.by_year(lambda rows: max(float(row["sumRn"] or 0.0) for row in rows))
    heavy = observed.by_year(lambda rows: float(sum(float(row["sumRn"] or 0.0) >= 80.0 for row in rows)))
    hot = observed.by_year(lambda rows: float(sum(float(row["maxTa"] or "nan") >= 33.0 for row in rows)))
    highest = observed.side_by_side("maxTa", empty=np.nan)
    yield equal("RX1day", source, *observed.compared(rx1day(rain, observed.dates), wettest), "station-years")
    yield equal("RAIN80", source, *observed.compared(rain80(rain, observed.dates), heavy), "station-years")
    yield equal("days TX ≥ 33 °C", source, *observed.compared(tx33(highest, observed.dates), hot), "station-years")


def tracks() -> Iterator[Agreement]:
    """Storms by year, and the wind that they brought to an island."""
    source = "RSMC Tokyo, annual reports 2015–2020"
    path = beside.find(TRACKS)
    if path is None:
        yield skipped("named storms of a year", source, f"no {TRACKS}")
        return
    read = read_best_track(path)
    storms = np.isin(read.grade, STORM_GRADES)
    years = read.time[storms].astype("datetime64[Y]").astype(int) + 1970
    _, first = np.unique(read.storm[storms], return_index=True)
    counted = {year: int(np.count_nonzero(years[first] == year)) for year in STORMS_OF_YEAR}
    unequal = sum(counted[year] != number for year, number in STORMS_OF_YEAR.items())
    yield equal("named storms of a year", source, unequal, len(STORMS_OF_YEAR), "years")

    what, source = "largest wind of a year at Ulleungdo", "KMA ASOS 115, largest 10-minute wind 2015–19"
    files = beside.find(STATIONS), beside.find("data/asos_stations.csv")
    if files[0] is None or files[1] is None:
        yield skipped(what, source, f"no {STATIONS} or stations")
        return
    place = next(row for row in beside.rows_of(files[1]) if row["station_id"] == ULLEUNGDO)
    of_year, wind = wind_by_year(read, float(place["latitude"]), float(place["longitude"]))
    measured = Stations(files[0]).by_year(lambda rows: max(float(row["maxWs"] or 0.0) for row in rows))
    pairs = [
        (float(wind[of_year == year][0]), measured[ULLEUNGDO, year]) for year in range(2015, 2020) if year in of_year
    ]
    told = ", ".join(f"{ours:.0f}/{theirs:.0f}" for ours, theirs in pairs)
    # The island's winter gales are in what was measured, and in no best track: no figure to hold the model to.
    yield Agreement(what, source, f"{told} m/s (ours/measured)", "shown only", ok=None)
