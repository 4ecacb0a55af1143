"""A rough map of the southern half of the Korean peninsula, drawn by hand for the sample data set.

Everything here is approximate (some kilometres on the coast, some ten metres in height) and serves only to give
synthetic cells plausible surroundings. Points are (latitude, longitude) in degrees; heights are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""(latitude, longitude), degrees."""


@dataclass(frozen=True, slots=True)
class City:
    """A named cell of the sample grid."""

    name: str
    name_ko: str
    latitude: float
    longitude: float
    elevation_m: float
    impervious_ratio: float


@dataclass(frozen=True, slots=True)
class Ridge:
    """A mountain range: heights along a line, falling off to the sides."""

    points: tuple[tuple[float, float, float], ...]
    """(latitude, longitude, mean height in m) along the crest."""
    width_km: float
    """Distance from the crest at which the height has fallen by 63 %."""


@dataclass(frozen=True, slots=True)
class River:
    """A main river from its upper course to its mouth."""

    name: str
    basin: str
    """Of BASINS: the water of the river's surroundings."""
    points: tuple[tuple[float, float, float], ...]
    """(latitude, longitude, water level in m)."""


@dataclass(frozen=True, slots=True)
class WaterBasin:
    """A river basin, or several that are counted as one."""

    basin_id: str
    name: str
    flow_million_m3: float
    """Mean a year."""
    use_million_m3: float
    """Withdrawn a year."""


COAST: tuple[Point, ...] = (
    # East coast from the border southwards
    (38.61, 128.36), (38.45, 128.45), (38.20, 128.60), (38.08, 128.66), (37.89, 128.83), (37.79, 128.92),
    (37.68, 129.04), (37.50, 129.13), (37.43, 129.19), (37.28, 129.31), (37.10, 129.37), (36.99, 129.42),
    (36.68, 129.47), (36.50, 129.44), (36.36, 129.40), (36.20, 129.38), (36.05, 129.39), (36.02, 129.43),
    (36.08, 129.57), (35.99, 129.57), (35.80, 129.50), (35.68, 129.47), (35.49, 129.44), (35.36, 129.36),
    (35.24, 129.23), (35.16, 129.18), (35.05, 129.09),
    # South coast westwards
    (35.04, 128.97), (35.08, 128.88), (35.11, 128.68), (35.19, 128.59), (35.04, 128.58), (34.95, 128.42),
    (34.80, 128.43), (34.87, 128.28), (34.93, 128.20), (34.92, 128.06), (34.94, 127.86), (34.91, 127.72),
    (34.85, 127.72), (34.76, 127.75), (34.63, 127.68), (34.74, 127.63), (34.62, 127.60), (34.84, 127.52),
    (34.72, 127.48), (34.50, 127.50), (34.46, 127.42), (34.52, 127.13), (34.70, 127.28), (34.84, 127.36),
    (34.67, 127.10), (34.48, 126.96), (34.50, 126.85), (34.40, 126.62), (34.30, 126.53), (34.45, 126.45),
    (34.65, 126.28), (34.78, 126.37),
    # West coast northwards
    (34.95, 126.36), (35.10, 126.29), (35.22, 126.36), (35.36, 126.41), (35.53, 126.50), (35.60, 126.47),
    (35.68, 126.54), (35.80, 126.62), (35.97, 126.62), (36.07, 126.59), (36.15, 126.52), (36.31, 126.50),
    (36.50, 126.48), (36.40, 126.38), (36.55, 126.32), (36.70, 126.16), (36.78, 126.13), (36.88, 126.22),
    (36.92, 126.30), (37.01, 126.38), (37.04, 126.58), (36.97, 126.80), (37.05, 126.74), (37.17, 126.66),
    (37.25, 126.66), (37.36, 126.70), (37.45, 126.61), (37.58, 126.62), (37.68, 126.55), (37.77, 126.54),
)  # fmt: skip
"""The sea coast of the mainland."""

BORDER: tuple[Point, ...] = (
    (37.78, 126.66), (37.90, 126.70), (38.00, 126.82), (38.12, 126.90), (38.29, 127.15), (38.31, 127.45),
    (38.32, 127.75), (38.32, 128.03), (38.36, 128.25),
)  # fmt: skip
"""The land border in the north, closing the outline from west to east."""

ISLANDS: dict[str, tuple[Point, ...]] = {
    "Jeju": (
        (33.52, 126.53), (33.56, 126.77), (33.52, 126.90), (33.45, 126.94), (33.33, 126.85), (33.25, 126.62),
        (33.23, 126.43), (33.20, 126.29), (33.30, 126.16), (33.40, 126.24), (33.48, 126.38),
    ),
    "Geoje": ((35.03, 128.70), (34.85, 128.74), (34.72, 128.61), (34.79, 128.49), (34.96, 128.53)),
    "Namhae": ((34.93, 127.88), (34.86, 128.04), (34.72, 127.99), (34.78, 127.83)),
    "Jindo": ((34.55, 126.26), (34.49, 126.38), (34.37, 126.28), (34.41, 126.12)),
    "Wando": ((34.40, 126.71), (34.30, 126.76), (34.29, 126.65), (34.38, 126.62)),
    "Ganghwa": ((37.82, 126.40), (37.78, 126.52), (37.62, 126.53), (37.61, 126.40), (37.72, 126.38)),
    "Ulleungdo": ((37.54, 130.87), (37.52, 130.92), (37.48, 130.92), (37.46, 130.87), (37.49, 130.81)),
}  # fmt: skip
"""Outlines of islands large enough to matter here."""

RIDGES: tuple[Ridge, ...] = (
    Ridge(
        (
            (38.60, 128.20, 750), (38.12, 128.43, 1050), (37.75, 128.68, 950), (37.30, 128.95, 1000),
            (37.00, 129.02, 850), (36.50, 129.18, 500), (36.00, 129.20, 400), (35.60, 129.05, 550),
            (35.30, 129.05, 350),
        ),
        19.0,
    ),
    Ridge(
        (
            (37.00, 128.75, 850), (36.88, 128.38, 800), (36.65, 128.00, 600), (36.25, 127.93, 500),
            (35.95, 127.78, 800), (35.65, 127.68, 850), (35.33, 127.68, 950), (35.15, 127.62, 500),
        ),
        15.0,
    ),
    Ridge(((37.85, 128.35, 850), (37.55, 128.15, 600), (37.30, 127.85, 300), (36.95, 127.45, 200)), 16.0),
    Ridge(((38.25, 127.65, 650), (38.00, 127.45, 700), (37.70, 127.45, 350)), 14.0),
    Ridge(((35.80, 127.55, 650), (35.60, 127.05, 350), (35.45, 126.85, 350), (35.10, 127.00, 400)), 12.0),
    Ridge(((36.60, 126.95, 250), (36.40, 126.75, 280)), 10.0),
    Ridge(((33.36, 126.50, 1350), (33.36, 126.56, 1350)), 8.5),
)  # fmt: skip
"""Taebaek, Sobaek, Charyeong, Gwangju and Noryeong ranges, Hallasan."""

RIVERS: tuple[River, ...] = (
    River(
        "Han",
        "sample-han",
        (
            (37.38, 128.66, 300), (37.18, 128.46, 190), (36.98, 128.37, 120), (37.00, 127.87, 70),
            (37.30, 127.64, 40), (37.49, 127.49, 28), (37.53, 127.30, 18), (37.52, 126.99, 5),
            (37.60, 126.82, 3), (37.76, 126.66, 1),
        ),
    ),
    River(
        "Bukhan",
        "sample-han",
        ((38.10, 127.71, 100), (37.89, 127.70, 72), (37.82, 127.52, 45), (37.53, 127.30, 18)),
    ),
    River("Imjin", "sample-han", ((38.10, 127.00, 30), (37.93, 126.75, 8), (37.79, 126.67, 1))),
    River(
        "Nakdong",
        "sample-nakdong",
        (
            (37.00, 129.05, 500), (36.55, 128.73, 90), (36.45, 128.27, 45), (36.12, 128.37, 28),
            (35.99, 128.40, 22), (35.83, 128.46, 17), (35.50, 128.37, 9), (35.38, 128.48, 6),
            (35.38, 128.84, 3), (35.31, 128.97, 2), (35.10, 128.93, 0),
        ),
    ),
    River("Nam", "sample-nakdong", ((35.42, 127.88, 110), (35.19, 128.08, 20), (35.38, 128.45, 7))),
    River("Geumho", "sample-nakdong", ((35.96, 128.93, 80), (35.89, 128.62, 30), (35.84, 128.46, 18))),
    River(
        "Geum",
        "sample-geum",
        (
            (35.99, 127.66, 190), (36.30, 127.62, 100), (36.48, 127.48, 50), (36.47, 127.26, 17),
            (36.45, 127.12, 12), (36.28, 126.90, 6), (36.00, 126.72, 0),
        ),
    ),
    River(
        "Yeongsan",
        "sample-yeongsan",
        ((35.33, 126.98, 40), (35.15, 126.83, 16), (35.02, 126.71, 6), (34.80, 126.45, 0)),
    ),
    River(
        "Seomjin",
        "sample-seomjin",
        ((35.60, 127.22, 170), (35.33, 127.25, 70), (35.20, 127.46, 25), (35.07, 127.74, 4), (34.97, 127.76, 0)),
    ),
    River("Mangyeong", "sample-geum", ((35.85, 127.10, 15), (35.87, 126.80, 2))),
    River("Taehwa", "sample-nakdong", ((35.56, 129.10, 50), (35.55, 129.33, 4), (35.50, 129.39, 0))),
    River("Hyeongsan", "sample-nakdong", ((35.84, 129.20, 30), (36.01, 129.37, 1))),
)  # fmt: skip

BASINS: tuple[WaterBasin, ...] = (
    WaterBasin("sample-han", "한강", 26_000, 5_230),
    WaterBasin("sample-nakdong", "낙동강", 21_500, 5_100),
    WaterBasin("sample-geum", "금강", 13_000, 2_610),
    WaterBasin("sample-yeongsan", "영산강", 5_600, 1_500),
    WaterBasin("sample-seomjin", "섬진강", 6_600, 900),
    WaterBasin("sample-jeju", "제주", 1_400, 230),
)
"""Use: published of 2011 by basin (National Atlas of Korea), Jeju's approximate. Flow: the country's 76 km³ a year
shared out by area and rain, approximate; Jeju's with the ground water that is renewed."""
JEJU = "sample-jeju"

CITIES: tuple[City, ...] = (
    City("Seoul", "서울", 37.5665, 126.9780, 38, 0.75),
    City("Busan", "부산", 35.1796, 129.0756, 20, 0.65),
    City("Daegu", "대구", 35.8714, 128.6014, 45, 0.60),
    City("Incheon", "인천", 37.4563, 126.7052, 30, 0.60),
    City("Gwangju", "광주", 35.1595, 126.8526, 40, 0.50),
    City("Daejeon", "대전", 36.3504, 127.3845, 50, 0.50),
    City("Ulsan", "울산", 35.5384, 129.3114, 20, 0.45),
    City("Sejong", "세종", 36.4800, 127.2890, 40, 0.30),
    City("Suwon", "수원", 37.2636, 127.0286, 40, 0.60),
    City("Paju", "파주", 37.7599, 126.7802, 25, 0.20),
    City("Chuncheon", "춘천", 37.8813, 127.7300, 80, 0.30),
    City("Wonju", "원주", 37.3422, 127.9202, 130, 0.30),
    City("Gangneung", "강릉", 37.7519, 128.8761, 20, 0.30),
    City("Sokcho", "속초", 38.2070, 128.5918, 15, 0.35),
    City("Daegwallyeong", "대관령", 37.6771, 128.7183, 773, 0.05),
    City("Taebaek", "태백", 37.1641, 128.9856, 700, 0.08),
    City("Cheongju", "청주", 36.6424, 127.4890, 50, 0.45),
    City("Chungju", "충주", 36.9910, 127.9259, 80, 0.20),
    City("Cheonan", "천안", 36.8151, 127.1139, 30, 0.35),
    City("Seosan", "서산", 36.7849, 126.4503, 30, 0.15),
    City("Jeonju", "전주", 35.8242, 127.1480, 40, 0.45),
    City("Gunsan", "군산", 35.9677, 126.7366, 10, 0.30),
    City("Mokpo", "목포", 34.8118, 126.3922, 15, 0.45),
    City("Suncheon", "순천", 34.9506, 127.4872, 20, 0.20),
    City("Yeosu", "여수", 34.7604, 127.6622, 20, 0.30),
    City("Andong", "안동", 36.5684, 128.7294, 95, 0.15),
    City("Gumi", "구미", 36.1195, 128.3446, 45, 0.40),
    City("Pohang", "포항", 36.0190, 129.3435, 10, 0.40),
    City("Gyeongju", "경주", 35.8562, 129.2247, 40, 0.20),
    City("Changwon", "창원", 35.2281, 128.6811, 30, 0.45),
    City("Jinju", "진주", 35.1800, 128.1076, 30, 0.30),
    City("Tongyeong", "통영", 34.8544, 128.4332, 20, 0.20),
    City("Jeju", "제주", 33.4996, 126.5312, 25, 0.35),
    City("Seogwipo", "서귀포", 33.2541, 126.5601, 50, 0.20),
    City("Ulleungdo", "울릉도", 37.4813, 130.8986, 220, 0.05),
)
"""Places with a name; heights of their weather stations or centres."""
