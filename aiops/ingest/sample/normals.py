"""The climate of 1991–2020 that the sample data set is tuned to, at anchor stations and interpolated to cells.

The annual figures of the anchors marked `published` are those of the KMA climatological normals 1991–2020; the other
numbers, and the seasonal shapes, are approximations that make the national picture plausible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.ingest.sample.days import DAYS, MONTH_LENGTHS
from aiops.ingest.sample.plane import to_plane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.land import SampleCell

    Floats = NDArray[np.float64]

LAPSE_RATE = 0.0058
"""Fall of the annual mean temperature with height, °C per metre."""
COASTAL_KM = 25.0
"""Distance from the sea over which its hold on the seasons falls to 37 %."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A station whose climate is known, or known roughly."""

    name: str
    latitude: float
    longitude: float
    elevation_m: float
    tas: float
    """Annual mean temperature, °C."""
    tas_range: float
    """August mean minus January mean, °C."""
    diurnal_range: float
    """Annual mean of daily maximum minus minimum, °C."""
    pr: float
    """Annual precipitation, mm."""
    published: bool = False
    """`tas` and `pr` are the published normals 1991–2020."""


ANCHORS: tuple[Anchor, ...] = (
    Anchor("Seoul", 37.57, 126.98, 38, 12.8, 28.1, 8.5, 1417.9, published=True),
    Anchor("Busan", 35.18, 129.08, 20, 15.0, 23.0, 7.3, 1576.7, published=True),
    Anchor("Daegu", 35.87, 128.60, 45, 14.5, 26.2, 10.0, 1080.8, published=True),
    Anchor("Incheon", 37.46, 126.71, 30, 12.5, 27.0, 7.1, 1207.4, published=True),
    Anchor("Gwangju", 35.16, 126.85, 40, 14.1, 25.9, 9.4, 1380.6, published=True),
    Anchor("Daejeon", 36.35, 127.38, 50, 13.1, 27.0, 9.8, 1351.2, published=True),
    Anchor("Ulsan", 35.54, 129.31, 20, 14.2, 23.8, 9.1, 1279.7, published=True),
    Anchor("Jeju", 33.50, 126.53, 25, 16.2, 20.9, 6.6, 1502.3, published=True),
    Anchor("Gangneung", 37.75, 128.88, 20, 13.5, 24.6, 8.8, 1444.9, published=True),
    Anchor("Suwon", 37.26, 127.03, 40, 12.5, 28.0, 9.4, 1320),
    Anchor("Ganghwa", 37.71, 126.45, 47, 11.4, 28.0, 10.0, 1300),
    Anchor("Paju", 37.76, 126.78, 25, 10.9, 30.0, 11.6, 1260),
    Anchor("Cheorwon", 38.15, 127.30, 154, 10.5, 29.8, 11.3, 1390),
    Anchor("Chuncheon", 37.88, 127.73, 80, 11.4, 29.3, 11.1, 1340),
    Anchor("Hongcheon", 37.68, 127.88, 141, 11.0, 29.6, 12.2, 1320),
    Anchor("Yangpyeong", 37.49, 127.49, 48, 11.8, 29.2, 11.2, 1400),
    Anchor("Icheon", 37.26, 127.48, 80, 11.8, 28.8, 11.3, 1330),
    Anchor("Wonju", 37.34, 127.92, 130, 12.1, 28.6, 10.6, 1290),
    Anchor("Jecheon", 37.16, 128.19, 264, 10.6, 29.3, 12.3, 1360),
    Anchor("Yeongwol", 37.18, 128.46, 240, 11.2, 28.8, 12.0, 1230),
    Anchor("Inje", 38.06, 128.17, 200, 10.4, 28.4, 11.2, 1170),
    Anchor("Daegwallyeong", 37.68, 128.72, 773, 7.1, 26.9, 9.2, 1650),
    Anchor("Taebaek", 37.16, 128.99, 700, 8.9, 25.9, 10.3, 1280),
    Anchor("Sokcho", 38.21, 128.59, 15, 12.5, 24.2, 7.6, 1380),
    Anchor("Donghae", 37.51, 129.12, 40, 12.9, 23.6, 8.1, 1290),
    Anchor("Uljin", 36.99, 129.41, 50, 12.8, 23.3, 8.6, 1150),
    Anchor("Ulleungdo", 37.48, 130.90, 220, 12.7, 22.7, 5.3, 1480),
    Anchor("Chungju", 36.99, 127.93, 80, 11.9, 28.7, 11.6, 1230),
    Anchor("Cheongju", 36.64, 127.49, 50, 13.1, 27.8, 9.7, 1232),
    Anchor("Seosan", 36.78, 126.45, 30, 12.1, 26.7, 10.0, 1253),
    Anchor("Boryeong", 36.33, 126.56, 15, 12.7, 25.9, 9.2, 1234),
    Anchor("Buyeo", 36.27, 126.92, 11, 12.5, 27.3, 11.2, 1350),
    Anchor("Chupungnyeong", 36.22, 127.99, 243, 12.0, 26.4, 10.2, 1190),
    Anchor("Geumsan", 36.11, 127.48, 172, 12.0, 27.4, 12.0, 1290),
    Anchor("Jeonju", 35.82, 127.15, 40, 13.7, 26.8, 10.1, 1320),
    Anchor("Gunsan", 35.97, 126.74, 10, 13.2, 26.0, 8.4, 1220),
    Anchor("Imsil", 35.61, 127.29, 248, 11.4, 26.7, 12.3, 1370),
    Anchor("Jangsu", 35.66, 127.52, 407, 10.7, 26.6, 12.2, 1460),
    Anchor("Namwon", 35.42, 127.40, 127, 12.6, 26.8, 11.5, 1380),
    Anchor("Jeongeup", 35.56, 126.87, 45, 13.4, 26.6, 10.6, 1330),
    Anchor("Mokpo", 34.81, 126.39, 15, 14.0, 24.5, 7.3, 1170),
    Anchor("Haenam", 34.55, 126.57, 13, 13.6, 24.4, 9.9, 1330),
    Anchor("Wando", 34.40, 126.70, 35, 14.5, 23.7, 7.6, 1530),
    Anchor("Goheung", 34.62, 127.28, 53, 13.9, 24.6, 10.1, 1470),
    Anchor("Yeosu", 34.76, 127.66, 20, 14.5, 23.8, 6.3, 1440),
    Anchor("Andong", 36.57, 128.73, 95, 12.3, 27.6, 11.5, 1050),
    Anchor("Bonghwa", 36.94, 128.91, 324, 10.0, 28.0, 13.0, 1170),
    Anchor("Yeongju", 36.87, 128.52, 211, 11.6, 27.2, 11.3, 1290),
    Anchor("Mungyeong", 36.63, 128.15, 171, 12.0, 26.9, 11.0, 1260),
    Anchor("Cheongsong", 36.44, 129.04, 206, 11.0, 27.3, 12.8, 1000),
    Anchor("Yeongdeok", 36.53, 129.41, 42, 13.3, 24.4, 9.8, 1060),
    Anchor("Uiseong", 36.36, 128.69, 82, 11.8, 29.0, 13.9, 1000),
    Anchor("Gumi", 36.12, 128.34, 45, 13.2, 26.8, 10.7, 1060),
    Anchor("Yeongcheon", 35.98, 128.95, 94, 12.8, 26.5, 11.8, 1040),
    Anchor("Pohang", 36.02, 129.34, 10, 14.5, 24.5, 7.9, 1170),
    Anchor("Gyeongju", 35.86, 129.22, 40, 13.3, 25.7, 11.5, 1120),
    Anchor("Geochang", 35.67, 127.91, 226, 12.0, 26.6, 12.2, 1290),
    Anchor("Hapcheon", 35.57, 128.17, 32, 13.3, 26.7, 12.4, 1290),
    Anchor("Miryang", 35.49, 128.74, 11, 13.7, 26.4, 12.0, 1200),
    Anchor("Sancheong", 35.41, 127.88, 138, 13.2, 25.3, 11.0, 1540),
    Anchor("Jinju", 35.18, 128.11, 30, 13.4, 25.9, 11.7, 1500),
    Anchor("Changwon", 35.23, 128.68, 30, 14.6, 24.6, 8.8, 1500),
    Anchor("Tongyeong", 34.85, 128.43, 20, 14.6, 23.4, 7.7, 1450),
    Anchor("Geoje", 34.89, 128.60, 46, 14.4, 24.0, 8.7, 1800),
    Anchor("Namhae", 34.82, 127.93, 46, 14.2, 24.6, 9.2, 1800),
    Anchor("Seogwipo", 33.25, 126.56, 50, 16.9, 20.0, 6.6, 1980),
    Anchor("Seongsan", 33.39, 126.88, 18, 15.7, 20.7, 6.8, 2000),
    Anchor("Gosan", 33.29, 126.16, 71, 15.8, 19.7, 5.2, 1180),
)

MONTHLY_RAIN: tuple[tuple[float, float, tuple[float, ...]], ...] = (
    # Seoul: the published monthly normals; the other rows are rounded shapes of their region.
    (37.57, 126.98, (16.8, 28.2, 36.9, 72.9, 103.6, 129.5, 414.4, 348.2, 141.5, 52.2, 51.1, 22.6)),
    (37.75, 128.88, (45, 48, 60, 75, 80, 110, 240, 300, 240, 120, 85, 42)),
    (36.35, 127.38, (26, 37, 50, 83, 92, 160, 335, 305, 150, 55, 48, 31)),
    (35.87, 128.60, (19, 26, 47, 73, 77, 128, 223, 238, 147, 56, 31, 17)),
    (35.16, 126.85, (33, 42, 61, 86, 92, 165, 305, 320, 150, 56, 50, 36)),
    (35.18, 129.08, (35, 48, 90, 130, 148, 190, 325, 265, 178, 78, 52, 36)),
    (33.50, 126.53, (67, 59, 88, 96, 98, 172, 208, 268, 226, 92, 72, 54)),
    (37.48, 130.90, (118, 84, 72, 81, 102, 118, 173, 170, 180, 92, 122, 140)),
)
"""(latitude, longitude, mm of each month): how a region's rain is spread over the year."""

MONTHLY_TEMPERATURE: dict[str, tuple[tuple[float, float, tuple[float, ...]], ...]] = {
    # Seoul and Busan: the published monthly normals; the other rows are near them, to some tenths.
    "inland": (
        (37.57, 126.98, (-2.0, 0.7, 6.1, 12.6, 18.3, 22.7, 25.3, 26.1, 21.6, 15.1, 7.5, 0.2)),
        (35.87, 128.60, (1.0, 3.4, 8.4, 14.6, 19.9, 23.6, 26.3, 26.8, 22.1, 16.2, 9.2, 2.9)),
        (35.16, 126.85, (1.0, 2.9, 7.4, 13.3, 18.7, 22.7, 26.0, 26.6, 22.3, 16.4, 9.8, 3.3)),
    ),
    "coast": (
        (35.18, 129.08, (3.6, 5.4, 9.1, 13.8, 17.9, 20.9, 24.4, 26.1, 22.6, 17.9, 11.9, 5.8)),
        (33.50, 126.53, (6.1, 6.8, 9.8, 14.2, 18.3, 21.7, 26.2, 27.2, 23.3, 18.6, 13.3, 8.2)),
        (34.81, 126.39, (2.0, 3.3, 7.3, 12.7, 17.7, 21.7, 25.0, 26.4, 22.6, 17.0, 10.7, 4.4)),
        (37.46, 126.71, (-1.5, 0.7, 5.4, 11.2, 16.6, 21.1, 24.4, 25.7, 21.6, 15.4, 8.2, 1.2)),
        (37.75, 128.88, (0.9, 2.7, 7.0, 13.1, 18.0, 21.2, 24.5, 25.0, 20.5, 15.8, 9.7, 3.1)),
    ),
}
"""(latitude, longitude, mean of each month, °C), inland and by the sea: only how they go through the year counts."""
_SEASON_DIURNAL = (0.036, 0.100, -0.104, -0.090)
"""cos and sin of one and two cycles a year of the diurnal range, relative to its annual mean."""
MEAN_ABOVE_MINIMUM = (0.466, 0.474, 0.482, 0.482, 0.480, 0.452, 0.437, 0.430, 0.440, 0.446, 0.455, 0.468)
"""Where the daily mean lies between minimum (0) and maximum (1), by month: a fit to Korean stations."""


@dataclass(frozen=True, slots=True)
class Climatology:
    """The mean annual course 1991–2020 of a set of cells; every array is (366, cells) unless said otherwise."""

    tasmax: Floats
    """°C."""
    tasmin: Floats
    """°C."""
    pr: Floats
    """Mean daily rain, mm."""
    diurnal_range: Floats
    """Annual mean, °C, (cells,)."""
    coastal: Floats
    """Hold of the sea on the seasons, 0 inland to 1, (cells,)."""


def climatology(cells: Sequence[SampleCell]) -> Climatology:
    """The mean annual course of temperature and rain at cells, interpolated between the anchors."""
    places = to_plane([cell.latitude for cell in cells], [cell.longitude for cell in cells])
    elevation = np.array([cell.elevation_m for cell in cells])
    coastal = np.exp(-np.array([cell.coast_distance_m for cell in cells]) / (COASTAL_KM * 1000.0))

    weights = _weights(places, [(anchor.latitude, anchor.longitude) for anchor in ANCHORS], near_km=6.0)
    at_sea_level = np.array([anchor.tas + LAPSE_RATE * anchor.elevation_m for anchor in ANCHORS])
    tas = weights @ at_sea_level - LAPSE_RATE * elevation
    tas_range = weights @ np.array([anchor.tas_range for anchor in ANCHORS])
    diurnal = weights @ np.array([anchor.diurnal_range for anchor in ANCHORS])

    coast, inland = (_season(places, MONTHLY_TEMPERATURE[group]) for group in ("coast", "inland"))
    mean = tas + tas_range * (coastal * coast + (1.0 - coastal) * inland)
    spread = diurnal * (1.0 + _cycles(_SEASON_DIURNAL))
    tasmin = mean - monthly_to_daily(MEAN_ABOVE_MINIMUM)[:, None] * spread
    return Climatology(
        tasmax=tasmin + spread,
        tasmin=tasmin,
        pr=_daily_rain_course(_monthly_rain(places, weights @ np.array([anchor.pr for anchor in ANCHORS]))),
        diurnal_range=diurnal,
        coastal=coastal,
    )


def monthly_to_daily(values: Sequence[float] | Floats) -> Floats:
    """A smooth course (366,) through twelve mid-month values."""
    course: Floats = _interpolation() @ np.asarray(values, dtype=np.float64)
    return course


def _monthly_rain(places: Floats, annual: Floats) -> Floats:
    """Mean rain a day of each month (12, cells), mm."""
    weights = _weights(places, [(row[0], row[1]) for row in MONTHLY_RAIN], near_km=40.0)
    shapes = np.array([row[2] for row in MONTHLY_RAIN])
    shares = weights @ (shapes / shapes.sum(axis=1, keepdims=True))
    a_day: Floats = (shares * annual[:, None]).T / (MONTH_LENGTHS[:, None] * 365.25 / 366.0)
    return a_day


def _season(places: Floats, rows: Sequence[tuple[float, float, tuple[float, ...]]]) -> Floats:
    """The annual course of temperature (366, cells) between places: mean 0, August 1 above January."""
    weights = _weights(places, [(row[0], row[1]) for row in rows], near_km=40.0)
    shapes = np.array([row[2] for row in rows])
    shapes -= ((shapes * MONTH_LENGTHS).sum(axis=1) / DAYS)[:, None]
    shapes /= (shapes[:, 7] - shapes[:, 0])[:, None]
    return _daily_course((weights @ shapes).T)


def _daily_rain_course(monthly: Floats) -> Floats:
    """The smooth daily course (366, cells) of monthly rain, never below a tenth of its month."""
    course = np.maximum(_daily_course(monthly), 0.1 * np.repeat(monthly, MONTH_LENGTHS, axis=0))
    kept: Floats = course * np.repeat(monthly / _month_means(course), MONTH_LENGTHS, axis=0)
    return kept


def _daily_course(monthly: Floats) -> Floats:
    """The smooth daily course (366, …) whose monthly means are those given (12, …)."""
    interpolation = _interpolation()
    course: Floats = interpolation @ np.linalg.solve(_month_means(interpolation), monthly)
    return course


def _month_means(daily: Floats) -> Floats:
    """Means of the months (12, …) of an annual course (366, …)."""
    sums: Floats = np.add.reduceat(daily, np.cumsum(MONTH_LENGTHS) - MONTH_LENGTHS, axis=0)
    means: Floats = sums / MONTH_LENGTHS[:, None]
    return means


def _interpolation() -> Floats:
    """Matrix (366, 12) of the straight lines from mid-month to mid-month, around the year."""
    middles = np.cumsum(MONTH_LENGTHS) - MONTH_LENGTHS / 2.0
    knots = np.concatenate([[middles[-1] - DAYS], middles, [middles[0] + DAYS]])
    table = np.vstack([np.eye(12)[-1:], np.eye(12), np.eye(12)[:1]])
    days = np.arange(DAYS) + 0.5
    return np.stack([np.interp(days, knots, column) for column in table.T], axis=1)


def _cycles(coefficients: Sequence[float]) -> Floats:
    """Sum of annual, half-yearly … cycles at the middle of each day: (366, 1)."""
    angle = 2.0 * np.pi * (np.arange(DAYS) + 0.5) / DAYS
    pairs = zip(coefficients[::2], coefficients[1::2], strict=True)
    total: Floats = np.sum([a * np.cos(k * angle) + b * np.sin(k * angle) for k, (a, b) in enumerate(pairs, 1)], axis=0)
    return total[:, None]


def _weights(places: Floats, points: Sequence[tuple[float, float]], near_km: float) -> Floats:
    """Inverse-distance weights (places, points), rows summing to 1; within `near_km` all count as equally near."""
    table = np.asarray(points)
    offset = places[:, None] - to_plane(table[:, 0], table[:, 1])
    weight = ((offset**2).sum(axis=2) + near_km**2) ** -1.5
    relative: Floats = weight / weight.sum(axis=1, keepdims=True)
    return relative
