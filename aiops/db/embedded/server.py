"""One embedded PostgreSQL server: made, started, found again, stopped."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiops.db.embedded import configuration
from aiops.db.embedded.account import owner_account, run_as, server_account
from aiops.db.embedded.binaries import find_binaries
from aiops.db.embedded.home import Home, Record, default_folder, reachable_folder, replace_file
from aiops.db.embedded.process import Postmaster, find_postmaster
from aiops.db.embedded.readable import readable_binaries
from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops.db.embedded.account import Account
    from aiops.db.embedded.binaries import Binaries

USER = "aiops"
DATABASE = "aiops"
PATIENCE = 120
"""Seconds that a start (it may have to recover from a crash) or a stop may take."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What `aiops db status` tells."""

    running: bool
    pid: int | None
    """The server's process number."""
    version: str
    """PostgreSQL's: 18.4."""
    host: str
    port: int | None
    """None: no server was ever made in this folder."""
    database: str
    directory: Path
    """Holds the data and the record of how to reach the server."""
    size_bytes: int
    """Of the data on disk."""


class EmbeddedServer:
    """A PostgreSQL of our own on the loopback address, that outlives the process that started it.

    Args:
        directory: where it lives; None: the caller's data folder, `postgres-<major version>`. Where root calls
            and the server's account cannot reach it: a folder in /var/lib that stands for it.
        postgres: as the setting EMBEDDED_POSTGRES: "18", "16", or a folder of programs.
        durable: False gives up what a crash of the machine would lose, for speed: tests.
        port: fixed, instead of a free one that is chosen once and kept.
        extra_settings: of the server, by PostgreSQL's own names.
    """

    def __init__(
        self,
        directory: Path | None = None,
        postgres: str = "18",
        durable: bool = True,
        port: int | None = None,
        extra_settings: Mapping[str, str] | None = None,
    ) -> None:
        self._wanted_directory = directory
        self._postgres = postgres
        self._durable = durable
        self._wanted_port = port
        self._extra_settings = dict(extra_settings or {})

    @cached_property
    def _found(self) -> Binaries:
        return find_binaries(self._postgres)

    @cached_property
    def _account(self) -> Account | None:
        return server_account()

    @cached_property
    def home(self) -> Home:
        """The folder that it really lives in."""
        wanted = self._wanted_directory or default_folder(self._found.major)
        return Home(reachable_folder(Path(os.path.abspath(wanted.expanduser())), self._account))

    @property
    def conninfo(self) -> str:
        """The connection string, whether the server runs or not.

        Raises:
            DatabaseUnavailable: no server was ever made here.
        """
        record = self.home.read_record()
        if record is None:
            raise DatabaseUnavailable(f"there is no embedded server in {self.home.folder} yet: aiops db start")
        return record.conninfo

    def start(self) -> str:
        """Make the server if there is none, start it if it does not run, and return its connection string.

        Raises:
            DatabaseUnavailable: it cannot be started; the message ends with the last lines of its log.
            SettingsError: there are no such programs as the constructor was told to use.
        """
        try:
            running = self._running()
            if running is None:
                self.home.prepare(self._account)
                with self.home.locked():
                    running = self._running() or self._start()
        except OSError as error:
            raise DatabaseUnavailable(f"embedded server in {self.home.folder}: {error}") from error
        return running.conninfo

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> bool:
        """Stop the server and wait for its end.

        Args:
            mode: fast ends the sessions and writes everything; immediate is a crash on purpose.

        Returns:
            Whether there was one to stop.

        Raises:
            DatabaseUnavailable: it does not stop.
        """
        if find_postmaster(self.home.data) is None:
            return False
        with self.home.locked():
            if find_postmaster(self.home.data) is None:
                return False
            said = self._pg_ctl("stop", "--mode", mode)
            if find_postmaster(self.home.data) is not None:
                raise DatabaseUnavailable(f"the embedded server in {self.home.folder} does not stop: {said}")
        return True

    def status(self) -> ServerStatus:
        """How it stands; starts nothing."""
        record = self.home.read_record()
        postmaster = find_postmaster(self.home.data)
        return ServerStatus(
            running=postmaster is not None and postmaster.ready,
            pid=postmaster.pid if postmaster else None,
            version=record.version if record else self._found.version,
            host=configuration.HOST,
            port=postmaster.port if postmaster else record.port if record else None,
            database=DATABASE,
            directory=self.home.folder,
            size_bytes=self.home.size(),
        )

    def program(self, name: str) -> tuple[Path, dict[str, str]]:
        """One of PostgreSQL's programs of the server's version, and the environment to run it in.

        The environment is the caller's, with the libraries' place and, once there is a server, PGHOST, PGPORT,
        PGUSER, PGPASSWORD and PGDATABASE: `psql` without arguments is connected.

        Raises:
            DatabaseUnavailable: this PostgreSQL comes without that program.
        """
        path = self._found.folder / name
        if not os.access(path, os.X_OK):
            raise DatabaseUnavailable(f"PostgreSQL {self._found.version} in {path.parent} has no {name}")
        environment = dict(os.environ)
        if self._found.libraries:
            environment["LD_LIBRARY_PATH"] = self._found.environment()["LD_LIBRARY_PATH"]
        record = self.home.read_record()
        if record is not None:
            environment |= {
                "PGHOST": record.host,
                "PGPORT": str(record.port),
                "PGUSER": record.user,
                "PGPASSWORD": record.password,
                "PGDATABASE": record.database,
            }
        return path, environment

    # --- one by one -------------------------------------------------------------------------------------

    def _running(self) -> Record | None:
        """The record of the server if it runs and takes connections."""
        postmaster = find_postmaster(self.home.data)
        if postmaster is None or not postmaster.ready:
            return None
        self._refuse_other_version()
        record = self.home.read_record()
        return replace(record, port=postmaster.port) if record else None

    def _start(self) -> Record:
        """Under the lock: no other start or stop is on its way, but one whose caller was killed may be."""
        if not self.home.data.is_dir():
            self._make()
        self._refuse_other_version()
        record = self.home.read_record()
        if record is None:
            raise DatabaseUnavailable(
                f"{self.home.data} is there, but not {self.home.record_file}, which holds its password: "
                "put it back, or move the folder away"
            )
        for _ in range(3):
            if find_postmaster(self.home.data) is not None:
                break
            record = self._with_free_port(record)
            said = self._launch(record)
            if find_postmaster(self.home.data) is not None or "could not create any TCP/IP sockets" not in said:
                break  # else somebody took the port since it was tried
        postmaster = self._wait_until_ready()
        if postmaster is None:
            raise DatabaseUnavailable(
                f"the embedded server in {self.home.folder} did not start: {self._last_lines()}"
            )
        record = replace(record, port=postmaster.port)
        self.home.write_record(record)
        return record

    def _make(self) -> None:
        """Initialise a cluster beside its place, and move it there when it is whole.

        A run that was killed leaves a folder of another name behind, which the next run removes.
        """
        for left in self.home.folder.glob("making-*"):
            shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix="making-", dir=self.home.folder))
        try:
            password = secrets.token_urlsafe(32)
            password_file = staging / "password"
            password_file.touch(mode=0o600)
            password_file.write_text(password + "\n", encoding="ascii")
            if self._account:
                for path in (password_file, staging):
                    os.chown(path, self._account.uid, self._account.gid)
            self._initialise(staging / "data", password_file)
            self.home.write_record(self._record(password))
            (staging / "data").rename(self.home.data)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _initialise(self, data: Path, password_file: Path) -> None:
        options = ["--username", USER, "--pwfile", password_file, "--auth", "scram-sha-256"]
        options += ["--encoding", "UTF8", "--no-instructions", "--data-checksums"]
        # The same order of text on every machine and version of its C library.
        options += (
            ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
            if self._found.major >= 17
            else ["--no-locale"]
        )
        if self._found.major >= 16:
            # Iterations slow down who guesses a weak password. Ours is 256 random bits and never leaves the
            # machine: they would only slow down each of our connections.
            options += ["--set", f"scram_iterations={configuration.SCRAM_ITERATIONS}"]
        if not self._durable:
            options += ["--no-sync"]
        made = run_as(
            self._account,
            [self._programs.folder / "initdb", "--pgdata", data, *options],
            self._programs.environment(),
            timeout=PATIENCE,
        )
        if made.returncode:
            raise DatabaseUnavailable(f"initdb failed in {self.home.folder}: {_tail(made.stdout)}")
        # Without the network, so that no cluster without its database can ever be met.
        single = run_as(
            self._account,
            [self._programs.folder / "postgres", "--single", "-D", data, "-F", "postgres"],
            self._programs.environment(),
            text_in=f"CREATE DATABASE {DATABASE}\n",
            timeout=PATIENCE,
        )
        if single.returncode or "ERROR" in single.stdout:
            raise DatabaseUnavailable(f"database {DATABASE} could not be made: {_tail(single.stdout)}")

    @cached_property
    def _programs(self) -> Binaries:
        return readable_binaries(self._found, self._account)

    def _record(self, password: str) -> Record:
        return Record(
            host=configuration.HOST,
            port=self._wanted_port or _free_port(),
            user=USER,
            password=password,
            database=DATABASE,
            data_directory=str(self.home.data),
            version=self._found.version,
            programs=str(self._programs.folder),
        )

    def _with_free_port(self, record: Record) -> Record:
        port = self._wanted_port or record.port
        if not _is_free(port):
            if self._wanted_port:
                raise DatabaseUnavailable(f"port {port} is in use by another program")
            port = _free_port()
        record = replace(record, port=port, version=self._found.version, programs=str(self._programs.folder))
        self.home.write_record(record)
        return record

    def _launch(self, record: Record) -> str:
        text = configuration.render(record.port, durable=self._durable, extra=self._extra_settings)
        replace_file(self.home.configuration, text, mode=0o644)
        # PostgreSQL would refuse to start if the number in a left-over file is in use by any other program.
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)
        where = shlex.quote(f"--config-file={self.home.configuration}")
        return self._pg_ctl("start", "--log", self.home.data / "start.log", "--options", where)

    def _pg_ctl(self, *arguments: str | Path) -> str:
        account = owner_account(self.home.data) if self._account else None
        command = [self._programs.folder / "pg_ctl", *arguments]
        command += ["--pgdata", self.home.data, "--wait", "--timeout", str(PATIENCE)]
        said = run_as(account, command, self._programs.environment(), timeout=PATIENCE + 30).stdout
        return said + self._last_lines()

    def _wait_until_ready(self) -> Postmaster | None:
        """The server once it takes connections; None if it ended before, or is not ready in time."""
        deadline = time.monotonic() + PATIENCE
        while (postmaster := find_postmaster(self.home.data)) is not None and time.monotonic() < deadline:
            if postmaster.ready:
                return postmaster
            time.sleep(0.05)
        return None

    def _refuse_other_version(self) -> None:
        of_data = (self.home.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if of_data != str(self._found.major):
            raise DatabaseUnavailable(
                f"{self.home.data} was made by PostgreSQL {of_data}, and the programs in {self._found.folder} are "
                f"{self._found.version}: set EMBEDDED_POSTGRES to a PostgreSQL {of_data}, "
                "or EMBEDDED_DIRECTORY to another folder"
            )

    def _last_lines(self) -> str:
        logs = [self.home.data / "start.log", *(self.home.data / "log").glob("*.log")]
        logs = sorted((log for log in logs if log.is_file()), key=lambda log: log.stat().st_mtime)
        return _tail("".join(log.read_text(encoding="utf-8", errors="replace")[-2000:] for log in logs[-2:]))


def _tail(text: str, lines: int = 6) -> str:
    return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip()) or "it said nothing"


def _free_port() -> int:
    """A port that nobody listens on, below the range that systems take clients' ports from.

    From within that range a client that tries again and again while the server is down can meet itself
    (a TCP simultaneous open), and would then hold the port.
    """
    for _ in range(200):
        port = 20_000 + secrets.randbelow(10_000)
        if _is_free(port):
            return port
    raise DatabaseUnavailable("no free port between 20000 and 29999")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((configuration.HOST, port))
        except OSError:
            return False
    return True
