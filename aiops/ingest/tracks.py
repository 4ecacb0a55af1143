"""A best track file as rows: which storms there are, and whether their fixes are what fixes can be."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import FileRefused
from aiops.indices.cyclone import read_best_track
from aiops.indices.track_steps import complete_years
from aiops.ingest.storms import fixes_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from aiops.db.inputs import Fix
    from aiops.indices.best_track import Tracks

_HEADER = "66666"
_NUMBER, _NAME = slice(6, 10), slice(30, 50)
_PLAUSIBLE = (
    ("grade", "grade", 1, 9, ""),
    ("pressure", "pressure", 850, 1060, " hPa"),
    ("wind", "wind", 0, 200, " knots"),
    ("longest_50", "longest radius of 50 knots", 0, 1500, " nautical miles"),
    ("longest_30", "longest radius of 30 knots", 0, 1500, " nautical miles"),
)


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A best track file that was read and judged whole."""

    path: Path
    sha256: str
    fixes: tuple[Fix, ...]
    complete_years: tuple[int, ...]
    """Years (UTC) of which the file has all storms."""


def read_track_file(path: Path) -> TrackFile:
    """Read a best track file of RSMC Tokyo, plain or gzipped. It is taken whole or not at all.

    Raises:
        FileRefused: not such a file, a value that cannot be, a storm that stands there twice; names the line.
    """
    tracks = read_best_track(path)
    header_lines, fix_lines = _lines(path)
    _refuse_implausible(path, tracks, [line for line, _ in fix_lines])
    began = tracks.time[np.flatnonzero(np.diff(tracks.storm, prepend=-1))]
    with_fixes = np.unique(tracks.storm).tolist()
    storms: list[tuple[str, str | None]] = []
    seen: dict[str, int] = {}
    for place, (line, text) in enumerate(header_lines):
        number = text[_NUMBER].strip()
        if not number and place in with_fixes:
            number = f"{began[with_fixes.index(place)]}Z"
        if number and number in seen:
            raise FileRefused(
                f"{path}, line {line}: storm {number} stands on line {seen[number]} already; allowed: once"
            )
        seen[number] = line
        storms.append((number, text[_NAME].strip() or None))
    with path.open("rb") as raw:
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    return TrackFile(path, sha256, tuple(fixes_of(tracks, storms)), tuple(complete_years(tracks).tolist()))


def _lines(path: Path) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Numbered headers and fixes of a file that has been read once already."""
    opener = gzip.open if path.name.endswith(".gz") else open
    with opener(path, "rt", encoding="ascii") as file:
        lines = [(number, line) for number, line in enumerate(file, start=1) if line.strip()]
    headers = [one for one in lines if one[1].startswith(_HEADER)]
    return headers, [one for one in lines if not one[1].startswith(_HEADER)]


def _refuse_implausible(path: Path, tracks: Tracks, lines: list[int]) -> None:
    for field, name, low, high, unit in _PLAUSIBLE:
        values: NDArray[np.float64] = getattr(tracks, field).astype(np.float64)
        wrong = np.flatnonzero(~np.isnan(values) & ~((values >= low) & (values <= high)))
        if wrong.size:
            given = values[wrong[0]]
            raise FileRefused(f"{path}, line {lines[wrong[0]]}: {name}: {given:g}; allowed: {low} to {high}{unit}")
