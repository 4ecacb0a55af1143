"""Best tracks of tropical cyclones as RSMC Tokyo publishes them: one text file of fixed columns.

Format: Japan Meteorological Agency, RSMC Tokyo–Typhoon Center, "Format of RSMC Best Track Data". A header line
(66666) names a storm and the number of its fixes; each fix is a line with time (UTC), grade, position, pressure,
and, where analysed, maximum wind and the longest and shortest radii of the 50 and 30 knot winds.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_HEADER = "66666"
_COUNT = slice(12, 15)
_CENTURY = 51
"""The archive begins in 1951: smaller two-digit years are of this century."""
_FIELDS = {
    "grade": slice(13, 14),
    "latitude": slice(15, 18),
    "longitude": slice(19, 23),
    "pressure": slice(24, 28),
    "wind": slice(33, 36),
    "direction_50": slice(41, 42),
    "longest_50": slice(42, 46),
    "shortest_50": slice(47, 51),
    "direction_30": slice(52, 53),
    "longest_30": slice(53, 57),
    "shortest_30": slice(58, 62),
}
_NEEDED = ("grade", "latitude", "longitude", "pressure")


@dataclass(frozen=True, slots=True)
class Tracks:
    """Fixes of all storms, in the file's order: storm after storm, each in time; arrays (fixes,)."""

    storm: NDArray[np.int64]
    """Which storm of the file, counted from 0."""
    time: NDArray[np.datetime64]
    """UTC, datetime64[m]."""
    grade: NDArray[np.int64]
    """2 tropical depression, 3 to 5 storm to typhoon, 6 extratropical, 7 entering the region, 9 storm or more."""
    latitude: Floats
    """Degrees north."""
    longitude: Floats
    """Degrees east, 0 to 360."""
    pressure: Floats
    """Central pressure, hPa."""
    wind: Floats
    """Maximum 10-minute wind, knots; NaN where not analysed."""
    direction_50: NDArray[np.int64]
    """Towards which side the longest radius of 50 knots points: 1 NE, 2 E … 8 N; 0 and 9 none."""
    longest_50: Floats
    """Nautical miles; NaN where there is no such area or none is analysed; so the next ones."""
    shortest_50: Floats
    direction_30: NDArray[np.int64]
    longest_30: Floats
    shortest_30: Floats


def read_best_track(path: Path | str) -> Tracks:
    """Read a best track file, plain or compressed (`.gz`).

    Args:
        path: the file.

    Raises:
        FileRefused: the file is missing, no text, empty, cut off, or has a line that is no fix; names the line.
    """
    fixes: list[dict[str, float]] = []
    times: list[str] = []
    expected = 0
    storm = -1
    for number, line in _lines(path):
        if line.startswith(_HEADER):
            if expected:
                raise FileRefused(f"{path}, line {number}: a new storm, but {expected} fixes of the last are due")
            storm += 1
            expected = _count(line, path, number)
        elif storm < 0:
            raise FileRefused(f"{path}, line {number}: not a best track file; it starts with a line 66666 …")
        else:
            if not expected:
                raise FileRefused(f"{path}, line {number}: more fixes than the storm's header announces")
            expected -= 1
            times.append(_time(line, path, number))
            fixes.append({"storm": storm, **_numbers(line, path, number)})
    if not fixes:
        raise FileRefused(f"{path}: no fixes; allowed: an RSMC best track file")
    if expected:
        raise FileRefused(f"{path}: cut off, {expected} fixes of the last storm are missing")
    return _tracks(path, fixes, times)


def _lines(path: Path | str) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not empty."""
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="ascii") as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise FileRefused(f"{path}, line {number}: holds a NUL byte; allowed: an RSMC best track file")
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FileRefused(f"{path}: cannot be read as text ({error})") from error


def _count(header: str, path: Path | str, number: int) -> int:
    """Fixes that a header announces."""
    text = header[_COUNT].strip()
    if not text.isdigit():
        raise FileRefused(f"{path}, line {number}: {text!r} is no number of fixes; allowed: columns 13 to 15")
    return int(text)


def _time(line: str, path: Path | str, number: int) -> str:
    """Time of a fix in ISO form."""
    text = line[:8]
    if not text.isdigit():
        raise FileRefused(f"{path}, line {number}: {text!r} is no time; allowed: YYMMDDHH")
    century = 19 if int(text[:2]) >= _CENTURY else 20
    return f"{century}{text[:2]}-{text[2:4]}-{text[4:6]}T{text[6:8]}:00"


def _numbers(line: str, path: Path | str, number: int) -> dict[str, float]:
    """The numbers of a fix; NaN where the columns are blank."""
    values: dict[str, float] = {}
    for name, place in _FIELDS.items():
        text = line[place].strip()
        if text and not text.isdigit():
            raise FileRefused(f"{path}, line {number}: {name} {text!r} is no number")
        if not text and name in _NEEDED:
            raise FileRefused(f"{path}, line {number}: {name} is missing; allowed: an RSMC best track line")
        values[name] = float(text) if text else np.nan
    if values["latitude"] > 900.0 or values["longitude"] > 3600.0:
        raise FileRefused(f"{path}, line {number}: a position outside the globe")
    return values


def _tracks(path: Path | str, fixes: list[dict[str, float]], times: list[str]) -> Tracks:
    """Lists of fixes as arrays, tenths of degrees as degrees, zeros that mean "none" as NaN."""
    column = {name: np.array([fix[name] for fix in fixes]) for name in ("storm", *_FIELDS)}
    try:
        time = np.array(times, dtype="datetime64[m]")
    except ValueError as error:
        raise FileRefused(f"{path}: {error}; allowed: times YYMMDDHH") from error
    storm = column["storm"].astype(np.int64)
    going_back = (np.diff(time) <= np.timedelta64(0, "m")) & (np.diff(storm) == 0)
    if going_back.any():
        raise FileRefused(f"{path}: the fix of {times[int(np.argmax(going_back)) + 1]} is not after the last")
    return Tracks(
        storm=storm,
        time=time,
        grade=column["grade"].astype(np.int64),
        latitude=column["latitude"] / 10.0,
        longitude=column["longitude"] / 10.0,
        pressure=column["pressure"],
        direction_50=np.nan_to_num(column["direction_50"]).astype(np.int64),
        direction_30=np.nan_to_num(column["direction_30"]).astype(np.int64),
        **{
            name: np.where(column[name] > 0.0, column[name], np.nan)
            for name in ("wind", "longest_50", "shortest_50", "longest_30", "shortest_30")
        },
    )
