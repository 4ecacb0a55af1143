"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiops.errors import AiopsError, BadInput, CannotWrite

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Errors that another argument would not mend."""


def refuse_place(file: Path, *, force: bool) -> None:
    """Before anything is computed: make sure that the file may be written.

    Raises:
        BadInput: it is there already and `force` is not given, it lies in no folder or in one that this account may
            not write to, or it is `-`, a device or a pipe, which would be replaced by a file.
    """
    if str(file) == "-":
        raise BadInput("--out: - would be a file of that name, not the standard output; allowed: the name of a file")
    try:
        no_place = not file.parent.is_dir() or (file.exists() and not file.is_file())
    except OSError as error:
        raise _unwritten(file, error) from None
    if no_place:
        raise BadInput(f"--out: {file} is no place for a file; allowed: a file in a folder that exists")
    if not os.access(file.parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise BadInput(f"--out: {file}: this account may not write to {file.parent}; allowed: a folder that it may")
    if file.exists() and not force:
        raise BadInput(f"--out: {file} is there already; --force overwrites it, -o names another")


@contextmanager
def write_whole(file: Path, *, force: bool) -> Iterator[Path]:
    """A file beside `file` to write to, which takes its name when the block ends well, and goes when it does not.

    Raises:
        BadInput: it may not be written, or `file` came to be meanwhile and `force` is not given.
        CannotWrite: the disk is full, or broken.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name[:80]}.", dir=file.parent)
    except OSError as error:
        raise _unwritten(file, error) from None
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        # What a temporary file is closed to, a report is not: as any file that the user makes.
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)
        refuse_place(file, force=force)
        unfinished.replace(file)
    except OSError as error:
        raise _unwritten(file, error) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _unwritten(file: Path, error: OSError) -> AiopsError:
    kind = CannotWrite if error.errno in _OF_THE_DISK else BadInput
    return kind(f"--out: {file} cannot be written ({error.strerror or error})")
