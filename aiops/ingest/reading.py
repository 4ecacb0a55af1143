"""Opening a CSV file: what it must be before a row is looked at.

A file is gone over twice. The first pass hashes it and finds out whether it is text at all, complete, and in
which encoding; the second reads it in blocks of rows. Memory is bounded by a block, whatever the file is.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from aiops.errors import FileRefused
from aiops.ingest.encoding import encoding_of
from aiops.ingest.report import Refusals, printable, shortened

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aiops.ingest.encoding import ByteStream

BLOCK_ROWS = 1_000
"""Rows that are judged together; with many more, the garbage collector walks over them again and again."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Some rows of a file, column by column."""

    lines: tuple[int, ...]
    """Line of the file on which each row ends."""
    columns: dict[str, tuple[str, ...]]
    """By column name: the texts, stripped of nothing."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file that is open behind its header."""

    path: Path
    sha256: str
    """Hash of the file's bytes, compressed or not as they lie there."""
    encoding: str
    """`utf-8` or `cp949`."""
    header: tuple[str, ...]
    """Column names, stripped; unnamed columns are empty."""
    refusals: Refusals
    """Where rows of a wrong width are noted; readers add theirs."""
    _reader: Reader

    def blocks(self, names: Sequence[str]) -> Iterator[RowBlock]:
        """The rows from here to the end, in blocks, with the named columns.

        Blank lines are passed over; a row with more or fewer fields than the header is refused and noted.

        Raises:
            FileRefused: the file has broken quoting.
        """
        rows: list[list[str]] = []
        lines: list[int] = []
        width = len(self.header)
        line = self._reader.line_num
        try:
            for row in self._reader:
                line = self._reader.line_num
                if len(row) != width:
                    self._refuse_width(row, line)
                    continue
                rows.append(row)
                lines.append(line)
                if len(rows) == BLOCK_ROWS:
                    yield self._block(names, rows, lines)
                    rows, lines = [], []
        except csv.Error as error:
            raise _broken(self.path, line + 1, error) from None
        if rows:
            yield self._block(names, rows, lines)

    def _block(self, names: Sequence[str], rows: list[list[str]], lines: list[int]) -> RowBlock:
        self.refusals.rows_read += len(rows)
        columns = tuple(zip(*rows, strict=True))
        return RowBlock(tuple(lines), {name: columns[self.header.index(name)] for name in names})

    def _refuse_width(self, row: list[str], line: int) -> None:
        if not any(text.strip() for text in row):
            return
        self.refusals.rows_read += 1
        allowed = f"{len(self.header)} fields, as in the header"
        self.refusals.refuse_row(line, "row", "wrong number of fields", ",".join(row), allowed)


@contextmanager
def open_table(path: Path, refusals: Refusals | None = None) -> Iterator[Table]:
    """Open a CSV file, plain or gzipped, UTF-8 (with or without a byte order mark) or CP949.

    Args:
        path: the file.
        refusals: where refused rows are noted.

    Raises:
        FileRefused: there is no such file, it is not a CSV file, it is empty or ends early, its header
            names a column twice.
    """
    with _refusing(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise FileRefused(f"{path}: is not a regular file; allowed: a CSV file, plain or gzipped")
        with path.open("rb") as raw:
            sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
            with _contents(raw) as stream:
                encoding = encoding_of(stream, path)
            with _contents(raw) as stream:
                text = io.TextIOWrapper(stream, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
                reader = csv.reader(text, strict=True, skipinitialspace=True)
                yield Table(path, sha256, encoding, _header(reader, path), refusals or Refusals(), reader)


def find_column(table: Table, *names: str) -> str | None:
    """The column that bears one of these names, exactly or else without regard to case; None if none does."""
    for name in names:
        if name in table.header:
            return name
    folded = {column.casefold(): column for column in reversed(table.header)}
    return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


def need_column(table: Table, *names: str) -> str:
    """The column that bears one of these names.

    Raises:
        FileRefused: there is none; the message lists the columns there are.
    """
    column = find_column(table, *names)
    if column is None:
        there = printable(", ".join(name for name in table.header if name))
        raise FileRefused(f"{table.path}: column {' or '.join(names)} is missing; the file has: {there}")
    return column


@contextmanager
def _contents(raw: IO[bytes]) -> Iterator[ByteStream]:
    """The file's bytes from its start, unpacked if they are gzipped; leaves the file itself open."""
    raw.seek(0)
    gzipped = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    if gzipped:
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream
    else:
        yield raw


def _header(reader: Reader, path: Path) -> tuple[str, ...]:
    try:
        header = tuple(name.strip() for name in next(reader, []))
    except csv.Error as error:
        raise _broken(path, 1, error) from None
    if not any(header):
        raise FileRefused(f"{path}, line 1: has no column names; allowed: a header line, then rows")
    named = [name for name in header if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise FileRefused(f"{path}, line 1: column {printable(', '.join(twice))} stands twice; allowed: once")
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        raise FileRefused(f"{path}, line 1: {shortened(header[0])!r} has no commas; allowed: columns apart by ','")
    return header


def _broken(path: Path, line: int, error: csv.Error) -> FileRefused:
    return FileRefused(f"{path}, line {line}: broken CSV ({error}); allowed: quotes in pairs")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what opening and reading can meet into FileRefused."""
    try:
        yield
    except FileNotFoundError:
        raise FileRefused(f"{path}: no such file") from None
    except IsADirectoryError:
        raise FileRefused(f"{path}: is a folder; allowed: a CSV file, plain or gzipped") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefused(f"{path}: the gzip data are cut off or damaged ({error})") from None
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read ({error.strerror or error})") from None
