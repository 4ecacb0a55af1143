"""Published values and real observations in a folder beside the checkout; nothing of them is part of the project.

The folder holds `oracles` and `data`; `--data` names it, else AIOPS_ORACLE_DATA. Where it is absent, what needs it is
skipped by name.
"""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aiops.indices.drought import spei
from aiops.indices.fire_weather import fire_weather_index
from bench.weather import FireWeatherDays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

VARIABLE = "AIOPS_ORACLE_DATA"
HELP = f"folder with `oracles` and `data`; else {VARIABLE}, else a folder beside the checkout"
_CHECKOUT = Path(__file__).resolve().parents[1]
_folder = Path(os.environ.get(VARIABLE) or _CHECKOUT.parent / "shared")


def look_in(folder: Path | None) -> None:
    """Use another folder."""
    global _folder  # noqa: PLW0603 - one run, one folder
    _folder = folder or _folder


def find(name: str) -> Path | None:
    """A file of the folder, such as `oracles/fwi_48_days.csv`; None where it is not."""
    path = _folder / name
    return path if path.exists() else None


def rows_of(path: Path) -> list[dict[str, str]]:
    """A CSV file with a head, plain or compressed."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> Floats:
    """Numbers, NaN where empty."""
    return np.array([float(row[name] or "nan") for row in rows])


@dataclass(frozen=True, slots=True)
class Wichita:
    """The example of the R package SPEI, January 1980 on; (months,) each."""

    precipitation: Floats
    temperature: Floats
    thornthwaite: Floats
    spei_12: Floats

    def spei_difference(self) -> float:
        """Largest difference of our SPEI-12."""
        index = spei(self.precipitation - self.thornthwaite, scale=12)
        if not np.array_equal(np.isnan(index), np.isnan(self.spei_12)):
            return float("inf")
        return float(np.nanmax(np.abs(index - self.spei_12)))


def wichita() -> Wichita | None:
    """The monthly example; None where the file is not."""
    path = find("oracles/spei_wichita.csv")
    if path is None:
        return None
    rows = rows_of(path)
    names = ("precipitation_mm", "mean_temperature_c", "thornthwaite_pet_mm", "spei_12")
    return Wichita(*(column(rows, name) for name in names))


@dataclass(frozen=True, slots=True)
class FireTable:
    """The 48 days of Van Wagner & Pickett (1985), as printed."""

    rows: list[dict[str, str]]

    def weather(self) -> FireWeatherDays:
        """What the codes are computed from, (48, 1) each."""
        first = "{YR}-{MON:0>2}-{DAY:0>2}".format(**self.rows[0])
        temperature, humidity, wind, rain = (
            column(self.rows, name)[:, np.newaxis] for name in ("TEMP", "RH", "WS", "PREC")
        )
        dates = np.datetime64(first, "D") + np.arange(len(self.rows))
        return FireWeatherDays(dates, temperature, humidity, wind, rain)

    def differences(self, found: dict[str, Floats] | None = None) -> dict[str, tuple[float, int]]:
        """By code: the largest difference, and how many values miss the printed digits (of four significant ones).

        Args:
            found: somebody's codes, (48, 1) each; ours without.
        """
        days = self.weather()
        if found is None:
            codes = fire_weather_index(days.temperature, days.humidity, days.wind_kmh, days.rain, days.month)
            found = codes._asdict()
        told: dict[str, tuple[float, int]] = {}
        for name, values in found.items():
            printed = [row[name.upper()] for row in self.rows]
            half = np.array([0.5 * 10.0 ** -len(text.partition(".")[2]) for text in printed])
            difference = np.abs(values[:, 0] - np.array([float(text) for text in printed]))
            told[name] = float(difference.max()), int(np.count_nonzero(difference > half + 1e-9))
        return told

    def digits_missed(self) -> int:
        """How many of the 288 values miss their printed digits."""
        return sum(missed for _, missed in self.differences().values())


def fire_table() -> FireTable | None:
    """The 48 days; None where the file is not."""
    path = find("oracles/fwi_48_days.csv")
    return None if path is None else FireTable(rows_of(path))
