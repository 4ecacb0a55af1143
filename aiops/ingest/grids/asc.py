"""ESRI ASCII grids: a header, then rows from north to south; one step, or several below each other, plain or .gz."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from aiops.climate import Cadence
from aiops.errors import BadInput, FileRefused
from aiops.ingest.grids.geometry import grid_of
from aiops.ingest.grids.names import facts_of_name
from aiops.ingest.grids.plan import Chunks
from aiops.ingest.grids.quantities import quantity_of
from aiops.ingest.grids.source import GridFile, Stamp
from aiops.ingest.grids.steps import check_order, true_steps
from aiops.ingest.report import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from aiops.ingest.grids.plan import Window
    from aiops.ingest.grids.steps import Steps

_PIECE = 1 << 20
_LONGEST_LINE = 1 << 26
_GZIP = b"\x1f\x8b"
_DATE = re.compile(r"(?P<year>\d{4})(?:-?(?P<month>\d{2})(?:-?(?P<day>\d{2}))?)?", re.ASCII)
_NEEDED = ("ncols", "nrows", "cellsize")
_KEYS = (*_NEEDED, "xllcorner", "xllcenter", "yllcorner", "yllcenter", "nodata_value")
_ALLOWED = "ncols nrows xllcorner (or xllcenter) yllcorner (or yllcenter) cellsize NODATA_value"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the numbers."""

    columns: int
    rows: int
    west: float
    """Longitude of the first column's centres."""
    south: float
    """Latitude of the last row's centres."""
    cell: float
    """Degrees."""
    nodata: float | None
    lines: int
    """Lines of the header."""


def scan_asc(path: Path, stamp: Stamp, date: str | None, cadence: Cadence | None) -> GridFile:
    """Look at a file: its header, how many steps it has, of which dates.

    Args:
        path: the file.
        stamp: its hash, size and time.
        date: of the first step, YYYY[-MM[-DD]]; None: the name says it.
        cadence: of the variable that is asked for; None: the name says it.

    Raises:
        BadInput: the date is none.
        FileRefused: the file cannot be used, or its name does not say what the options do not.
    """
    name = facts_of_name(path)
    with _text(path) as stream:
        header = _header(stream, path)
        n_values = sum(len(piece.split()) for _, piece in _pieces(stream, header.lines, path))
    per_step = header.rows * header.columns
    if n_values == 0 or n_values % per_step:
        raise FileRefused(
            f"{path}: holds {n_values:,} numbers below its header; allowed: {header.rows:,} rows × {header.columns:,} "
            f"columns = {per_step:,}, or a whole multiple"
        )
    given = date or name.date
    if given is None:
        raise FileRefused(f"{path}: the name has no date; allowed: --date YYYY[-MM[-DD]], or a name with …_daily_2021")
    first_day, written = parse_date(given)
    cadence = name.cadence or cadence or written
    steps = _steps(path, n_values // per_step, first_day, written, cadence)
    latitudes = header.south + header.cell * np.arange(header.rows - 1, -1, -1, dtype=np.float64)
    longitudes = header.west + header.cell * np.arange(header.columns, dtype=np.float64)
    return GridFile(
        path=path,
        stamp=stamp,
        name=name,
        field="values",
        quantity=quantity_of(name.variable) if name.variable else None,
        units=None,
        scenario=None,
        frequency=cadence,
        steps=steps,
        grid=grid_of(latitudes, longitudes, path),
        chunks=Chunks(1, header.rows, header.columns),
        reader=AscReader(path, stamp, header),
    )


def parse_date(text: str, field: str = "--date") -> tuple[np.datetime64, Cadence]:
    """The first day of a date, and how much of it was written: 2021, 2021-03, 2021-03-09 (or 20210309).

    Raises:
        BadInput: it is no date.
    """
    match = _DATE.fullmatch(text.strip())
    refused = BadInput(f"{field}: {shortened(text)!r}; allowed: YYYY, YYYY-MM or YYYY-MM-DD")
    if match is None:
        raise refused
    try:
        day = np.datetime64(f"{match['year']}-{match['month'] or '01'}-{match['day'] or '01'}", "D")
    except ValueError:
        raise refused from None
    return day, Cadence.DAILY if match["day"] else Cadence.MONTHLY if match["month"] else Cadence.YEARLY


def _steps(path: Path, n_steps: int, first_day: np.datetime64, written: Cadence, cadence: Cadence) -> Steps:
    """Consecutive steps; of days (months) that begin with a month or a year, exactly that month or year."""
    unit = {Cadence.DAILY: "D", Cadence.MONTHLY: "M", Cadence.YEARLY: "Y"}[cadence]
    first = first_day.astype(f"datetime64[{unit}]")
    order = list(Cadence)
    if order.index(written) < order.index(cadence):
        allowed = {Cadence.MONTHLY: "YYYY-MM", Cadence.YEARLY: "YYYY"}[cadence]
        raise FileRefused(f"{path}: date: {first_day} is too fine for {cadence} steps; allowed: {allowed}")
    if written is not cadence:
        # "2021" of daily steps is that whole year: fewer, or more, would not say which days they are.
        period = first_day.astype("datetime64[M]" if written is Cadence.MONTHLY else "datetime64[Y]")
        end = (period + 1).astype(f"datetime64[{unit}]")
        wanted = int((end - first).astype(np.int64))
        if n_steps != wanted:
            raise FileRefused(f"{path}: holds {n_steps:,} steps; allowed: {wanted} {cadence} ones for {period}")
    steps = true_steps(cadence, int(first.astype(np.int64)), n_steps)
    check_order(steps, path, "date")
    return steps


@contextmanager
def _text(path: Path) -> Iterator[IO[bytes]]:
    """The unpacked bytes.

    Raises:
        FileRefused: the file cannot be read to its end.
    """
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            if gzipped:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused(f"{path}: the gzip data are cut off or damaged ({error})") from None
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror or error})") from None


def _header(stream: IO[bytes], path: Path) -> Header:
    found: dict[str, float] = {}
    line = 0
    while True:
        at = stream.tell()
        text = stream.readline(200).decode("latin-1")
        words = text.split()
        if not words and text:
            line += 1
            continue
        if len(words) != 2 or words[0].casefold() not in _KEYS:
            if words and words[0][:1].isalpha() and words[0].casefold() != "nan":
                raise FileRefused(f"{path}, line {line + 1}: {shortened(text.strip())!r}; allowed: {_ALLOWED}")
            stream.seek(at)
            break
        line += 1
        key = words[0].casefold()
        if key in found:
            raise FileRefused(f"{path}, line {line}: {key} stands twice; allowed: once")
        try:
            found[key] = float(words[1])
        except ValueError:
            raise FileRefused(f"{path}, line {line}: {key}: {shortened(words[1])!r}; allowed: a number") from None
    return _checked(found, line, path)


def _checked(found: dict[str, float], lines: int, path: Path) -> Header:
    for key in _NEEDED:
        if key not in found:
            raise FileRefused(f"{path}: {key} is missing in the header; allowed: {_ALLOWED}")
    sizes = {}
    for key in ("ncols", "nrows"):
        if not (found[key].is_integer() and 1 <= found[key] <= 1_000_000):
            raise FileRefused(f"{path}: {key}: {found[key]:g}; allowed: a whole number, 1 to 1,000,000")
        sizes[key] = int(found[key])
    cell = found["cellsize"]
    if not 1e-6 <= cell <= 90:
        raise FileRefused(f"{path}: cellsize: {cell:g}; allowed: degrees, 0.000001 to 90")
    corner = {}
    for axis, name in (("x", "longitude"), ("y", "latitude")):
        keys = [key for key in (f"{axis}llcorner", f"{axis}llcenter") if key in found]
        if len(keys) != 1:
            raise FileRefused(f"{path}: {axis}llcorner and {axis}llcenter: {len(keys)} of them; allowed: one ({name})")
        corner[axis] = found[keys[0]] + (cell / 2 if keys[0].endswith("corner") else 0.0)
    return Header(sizes["ncols"], sizes["nrows"], corner["x"], corner["y"], cell, found.get("nodata_value"), lines)


def _pieces(stream: IO[bytes], line: int, path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines, some at a time, each with the number of the line before it."""
    rest = b""
    while data := stream.read(_PIECE):
        whole, newline, tail = data.rpartition(b"\n")
        if not newline:
            rest += data
            if len(rest) > _LONGEST_LINE:
                raise FileRefused(
                    f"{path}, line {line + 1}: is longer than {_LONGEST_LINE >> 20} MB; allowed: rows of a grid"
                )
            continue
        piece = rest + whole + newline
        yield line, piece
        line += piece.count(b"\n")
        rest = tail
    if rest:
        yield line, rest


@dataclass(frozen=True, slots=True)
class AscReader:
    """Reads a file from its beginning to its end."""

    path: Path
    stamp: Stamp
    header: Header
    itemsize: int = 8

    def slabs(self, window: Window, n_bytes: int) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """As `Reader` has it."""
        n_steps = max(n_bytes // (max(window.picks.size, 1) * self.itemsize), 1)
        first, gathered = 0, []
        for grid in self._grids():
            gathered.append(self._picked(grid, window))
            if len(gathered) == n_steps:
                yield first, np.stack(gathered)
                first, gathered = first + n_steps, []
        if gathered:
            yield first, np.stack(gathered)

    def sample(self, window: Window) -> NDArray[np.floating]:
        """As `Reader` has it: the first step, since later ones would cost as much as the whole file."""
        return self._picked(next(self._grids()), window)[None]

    def _picked(self, grid: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
        values = grid[window.rows, window.columns].reshape(-1)[window.picks]
        if self.header.nodata is not None:
            values[values == self.header.nodata] = np.nan
        return values

    def _grids(self) -> Iterator[NDArray[np.float64]]:
        self.stamp.check(self.path)
        header = self.header
        size = header.rows * header.columns
        with _text(self.path) as stream:
            _header(stream, self.path)
            numbers = np.zeros(0)
            for line, piece in _pieces(stream, header.lines, self.path):
                numbers = np.concatenate([numbers, _parsed(piece, line, self.path)])
                while numbers.size >= size:
                    yield numbers[:size].reshape(header.rows, header.columns)
                    numbers = numbers[size:]


def _parsed(piece: bytes, line: int, path: Path) -> NDArray[np.float64]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # how numpy says that a text is no number
            return np.fromstring(piece.decode("ascii"), dtype=np.float64, sep=" ")
    except (UnicodeDecodeError, DeprecationWarning, ValueError):
        pass
    for number, row in enumerate(piece.split(b"\n"), line + 1):
        for word in row.split():
            try:
                float(word)
            except ValueError:
                given = shortened(word.decode("latin-1"))
                raise FileRefused(f"{path}, line {number}: {given!r}; allowed: numbers apart by spaces") from None
    raise FileRefused(f"{path}, line {line + 1}: cannot be read; allowed: numbers apart by spaces")
