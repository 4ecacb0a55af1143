"""A copy of the programs that the server's account can read, for when theirs lie under a closed folder.

Root's virtual environment often lies in `/root`, which nobody else may enter. Its permissions are not ours to
change: the programs are copied, once, to a folder of root's that everybody may read.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiops.db.embedded.account import Account, run_as
from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.embedded.binaries import Binaries

CACHE = Path("/var/cache/aiops")
LEFT_OUT = ("*.a", "pkgconfig", "include", "__pycache__")


def readable_binaries(binaries: Binaries, account: Account | None) -> Binaries:
    """The programs themselves where the account can run them, else a copy in the cache.

    Raises:
        DatabaseUnavailable: the copy cannot be made, or the account cannot run it either.
    """
    if account is None or _runs(binaries, account):
        return binaries
    copied = CACHE / f"postgres-{binaries.version}-{_fingerprint(binaries)}"
    if not copied.is_dir():
        try:
            _copy(binaries, copied)
        except OSError as error:
            raise DatabaseUnavailable(
                f"{binaries.folder} is closed to the account {account.name}, and cannot be copied to {copied}: {error}"
            ) from error
    moved = replace(
        binaries,
        root=copied,
        folder=copied / binaries.folder.relative_to(binaries.root),
        libraries=tuple(copied / library.relative_to(binaries.root) for library in binaries.libraries),
    )
    if not _runs(moved, account):
        raise DatabaseUnavailable(f"the account {account.name} cannot run {moved.folder / 'postgres'}")
    return moved


def make_open_folder(folder: Path, mode: int = 0o755) -> None:
    """Create the folder and its missing parents, readable whatever the umask; what exists stays as it is."""
    missing = [folder, *folder.parents]
    for part in reversed(missing):
        try:
            part.mkdir()
        except FileExistsError:
            continue
        part.chmod(mode if part == folder else 0o755)


def _runs(binaries: Binaries, account: Account) -> bool:
    try:
        ended = run_as(account, [binaries.folder / "postgres", "--version"], binaries.environment(), timeout=30)
    except (PermissionError, FileNotFoundError):
        return False
    return ended.returncode == 0


def _fingerprint(binaries: Binaries) -> str:
    """Equal for equal programs, wherever they lie: two environments share one copy."""
    digest = hashlib.sha256()
    for part in binaries.parts:
        for file in sorted((binaries.root / part).rglob("*")):
            if file.is_file():
                digest.update(f"{file.relative_to(binaries.root)} {file.stat().st_size}\n".encode())
    digest.update((binaries.folder / "postgres").read_bytes())
    return digest.hexdigest()[:12]


def _copy(binaries: Binaries, target: Path) -> None:
    make_open_folder(target.parent)
    owner = target.parent.stat()
    if owner.st_uid != os.geteuid() or owner.st_mode & 0o022:
        # Somebody else could put their program in the place of ours.
        raise PermissionError(f"{target.parent} is not the caller's own, or others may write to it")
    with _lock(target.parent / "lock"):
        if target.is_dir():
            return
        for left in target.parent.glob("partial-*"):
            shutil.rmtree(left, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=target.parent))
        for part in binaries.parts:
            shutil.copytree(binaries.root / part, partial / part, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(target)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
