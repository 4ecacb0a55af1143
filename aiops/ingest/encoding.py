"""Is this text, and in which encoding? One pass over the bytes, bounded memory."""

from __future__ import annotations

import codecs
import gzip
import re
from typing import IO, TYPE_CHECKING, TypeAlias

from aiops.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ByteStream: TypeAlias = IO[bytes] | gzip.GzipFile
LONGEST_LINE = 1 << 20
"""Bytes; a CSV file has shorter lines, and a reader holds one line at a time."""
_CHUNK = 1 << 20
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"\x89HDF": "a NetCDF file",
    b"CDF\x01": "a NetCDF file",
    b"CDF\x02": "a NetCDF file",
    b"%PDF": "a PDF file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
# ASCII, then one run of letters that UTF-8 writes in two bytes.
_OPENING = re.compile(r"[\x00-\x7f]*[\x80-\u07ff]*")


def encoding_of(stream: ByteStream, path: Path) -> str:
    """The encoding of a text file: `utf-8`, or `cp949` when the whole file is that and no part of it UTF-8.

    Windows programs in Korea write CP949. Its letters are hardly ever valid UTF-8, so a file whose very first
    letter beyond ASCII is not UTF-8 was never UTF-8; one that turns invalid later is a damaged UTF-8 file. Some
    syllables (those that begin 청주, 천안, 풍속) are valid UTF-8 by chance, of two bytes, and betray themselves only by
    the next one; UTF-8 writes Korean in three bytes. So CP949 is tried as well where the first word beyond ASCII
    turns invalid and has had letters of two bytes alone.

    Args:
        stream: the file's bytes from the start; seekable.
        path: for the message.

    Raises:
        FileRefused: empty, another format, neither encoding, or lines too long for a CSV file.
    """
    start = stream.read(8)
    if not start:
        raise FileRefused(f"{path}: is empty; allowed: a header line, then rows")
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise FileRefused(f"{path}: is {what}; allowed: CSV text in UTF-8 or CP949, plain or gzipped")
    stream.seek(0)
    broken = _first_undecodable(stream, "utf-8", path)
    if broken is None:
        return "utf-8"
    line, in_opening = broken
    stream.seek(0)
    if in_opening and _first_undecodable(stream, "cp949", path) is None:
        return "cp949"
    raise FileRefused(f"{path}, line {line}: not UTF-8 text; allowed: UTF-8, or CP949 throughout")


def _first_undecodable(stream: ByteStream, encoding: str, path: Path) -> tuple[int, bool] | None:
    """Line of the first bytes that are not of this encoding, and whether no more than an `_OPENING` stands before."""
    decoder = codecs.getincrementaldecoder(encoding)()
    opening: str | None = ""
    line = 1
    for chunk in _checked_chunks(stream, path):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # The decoder held back a part of a letter of the chunk before; a line end is never such a part.
            before = bytes(error.object[: error.start])
            return line + before.count(b"\n"), _opening_of(opening, before.decode(encoding)) is not None
        opening = _opening_of(opening, text)
        line += chunk.count(b"\n")
    return None


def _opening_of(before: str | None, text: str) -> str | None:
    """What counts of an `_OPENING` as far as it has been read: its last letter beyond ASCII, if any; None: it ended.

    Args:
        before: the same of what stands before.
        text: what follows.
    """
    if before is None or not _OPENING.fullmatch(read := before + text):
        return None
    return "" if read.isascii() else read[-1]


def _checked_chunks(stream: ByteStream, path: Path) -> Iterator[bytes]:
    """The stream in chunks, and an empty one at its end; refuses NUL bytes and endless lines."""
    line = 1
    unended = 0
    while True:
        chunk = stream.read(_CHUNK)
        if b"\0" in chunk:
            line += chunk[: chunk.index(b"\0")].count(b"\n")
            raise FileRefused(f"{path}, line {line}: holds a NUL byte; allowed: CSV text in UTF-8 or CP949")
        lengths = [len(piece) for piece in chunk.replace(b"\r", b"\n").split(b"\n")]
        lengths[0] += unended
        if max(lengths) > LONGEST_LINE:
            raise FileRefused(f"{path}, line {line}: too long for a CSV file; allowed: {LONGEST_LINE} bytes")
        unended = lengths[-1]
        line += chunk.count(b"\n")
        yield chunk
        if not chunk:
            return
