"""Where an embedded server lives, and the record of how to reach it.

home/                 0711 when root made it for the server's account, else 0700
    postgresql.conf   ours, written at every start; the cluster's own is included first
    data/             the cluster, 0700, owned by the account the server runs as
    private/          0700, the caller's
        server.json   0600: port, password, …
        lock          held while a server is made, started or stopped
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from psycopg.conninfo import make_conninfo

from aiops.db.embedded.account import can_enter
from aiops.db.embedded.readable import make_open_folder
from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.embedded.account import Account
    from aiops.db.embedded.binaries import Binaries

SHARED = Path("/var/lib/aiops")


@dataclass(frozen=True, slots=True)
class Record:
    """What a client needs to know of the server; kept in a file that only the caller can read."""

    host: str
    port: int
    user: str
    database: str
    data_directory: str
    version: str
    programs: str
    """The folder of the programs it was last started with."""
    password: str = field(repr=False)

    @property
    def conninfo(self) -> str:
        """A libpq connection string, with the password."""
        return make_conninfo(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=self.database,
            sslmode="disable",  # the loopback address; whatever PGSSLMODE asks for elsewhere
        )

    def environment(self) -> dict[str, str]:
        """The variables that lead libpq to the server."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one server."""

    folder: Path

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.folder / "data"

    @property
    def configuration(self) -> Path:
        """Our settings of the server."""
        return self.folder / "postgresql.conf"

    @property
    def record_file(self) -> Path:
        """Port and password."""
        return self.folder / "private" / "server.json"

    def prepare(self, account: Account | None) -> None:
        """Create what is missing of the folders; what exists keeps its permissions.

        Raises:
            DatabaseUnavailable: the folder is itself a PostgreSQL data folder, not one made by this module.
        """
        if (self.folder / "PG_VERSION").exists():
            raise DatabaseUnavailable(
                f"{self.folder} is itself a PostgreSQL data folder: "
                "set EMBEDDED_DIRECTORY to a folder of the embedded server's own"
            )
        if account:
            make_open_folder(self.folder, 0o711)
        else:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.record_file.parent.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the server's lock: one start or stop at a time, in whatever process."""
        path = self.record_file.parent / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read_record(self) -> Record | None:
        """The record, or None when no server was ever made here.

        Raises:
            DatabaseUnavailable: the file is there and cannot be read as a record.
        """
        try:
            return Record(**json.loads(self.record_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DatabaseUnavailable(f"{self.record_file} is damaged: {error}") from error

    def write_record(self, record: Record) -> None:
        """Replace the record as a whole: a reader sees the old one or the new one."""
        text = json.dumps(asdict(record), indent=2) + "\n"
        replace_file(self.record_file, text, mode=0o600)

    def refuse_other_version(self, programs: Binaries) -> None:
        """A cluster belongs to the major version that made it.

        Raises:
            DatabaseUnavailable: these programs cannot run it; says which could.
        """
        made_by = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != str(programs.major):
            raise DatabaseUnavailable(
                f"{self.data} was made by PostgreSQL {made_by}, and the programs in {programs.folder} are "
                f"{programs.version}: set EMBEDDED_POSTGRES to a PostgreSQL {made_by}, "
                "or EMBEDDED_DIRECTORY to another folder"
            )

    def log(self) -> str:
        """The end of the server's log: what it said before its log collector ran, and after."""
        logs = [self.data / "start.log", *(self.data / "log").glob("*.log")]
        newest = sorted((log for log in logs if log.is_file()), key=lambda log: log.stat().st_mtime)[-2:]
        return "".join(log.read_text(encoding="utf-8", errors="replace")[-2000:] for log in newest)

    def size(self) -> int:
        """Bytes of the cluster's files."""
        total = 0
        for folder, _, files in os.walk(self.data):
            for name in files:
                try:
                    total += (Path(folder) / name).lstat().st_size
                except FileNotFoundError:  # a living server removes files
                    continue
        return total


def replace_file(path: Path, text: str, *, mode: int) -> None:
    """Write the file whole, or not at all, with these permissions."""
    descriptor, temporary = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    Path(temporary).replace(path)


def default_folder(major: int) -> Path:
    """The caller's own data folder, one for each major version."""
    return Path(platformdirs.user_data_dir("aiops")) / f"postgres-{major}"


def reachable_folder(wanted: Path, account: Account | None) -> Path:
    """The wanted folder, or one under /var/lib that stands for it.

    Root's home is mostly closed to the account that the server runs as, and stays so. The stand-in's name is
    made of the wanted path, so that two homes never share a server.
    """
    if account is None:
        return wanted
    nearest = next(folder for folder in (wanted, *wanted.parents) if folder.is_dir())
    if can_enter(account, nearest):
        return wanted
    return SHARED / hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12] / wanted.name
