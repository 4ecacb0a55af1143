"""One embedded PostgreSQL server: made, started, found again, stopped."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiops.db.embedded.account import owner_account, run_as, server_account
from aiops.db.embedded.binaries import find_binaries
from aiops.db.embedded.cluster import DATABASE, USER, last_lines, new_cluster, remove_remains
from aiops.db.embedded.configuration import render
from aiops.db.embedded.home import Home, Record, default_folder, reachable_folder, replace_file
from aiops.db.embedded.ports import HOST, free_port, is_free
from aiops.db.embedded.process import Postmaster, find_postmaster, forget_reused_number
from aiops.db.embedded.readable import readable_binaries
from aiops.db.embedded.status import ServerStatus
from aiops.errors import DatabaseUnavailable, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiops.db.embedded.account import Account
    from aiops.db.embedded.binaries import Binaries

PATIENCE = 120
"""Seconds that a start (it may have to recover from a crash) or a stop may take."""

PATIENCE_WITH_OTHERS = 15
"""Seconds to go on trying while somebody else takes our port, or a crashed server's processes end."""
STILL_AT_WORK = "is still in use"
"""What PostgreSQL says of its shared memory when processes of a server that was killed have not ended yet."""


class EmbeddedServer:
    """A PostgreSQL of our own on the loopback address, that outlives the process that started it.

    Args:
        directory: where it lives; None: the caller's data folder, `postgres-<major version>`. Where root calls
            and the server's account cannot reach it: a folder in /var/lib that stands for it.
        postgres: as the setting EMBEDDED_POSTGRES: "18", "16", or a folder of programs.
        durable: False: what is committed survives a crash of the server, not one of the machine; for tests.
        port: fixed, instead of a free one that is chosen once and kept.
        extra_settings: of the server, by PostgreSQL's own names; for whoever starts it.
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
    def home(self) -> Home:
        """The folder that it really lives in."""
        wanted = self._wanted_directory or default_folder(self._found.major)
        path = Path(os.path.abspath(wanted.expanduser()))  # noqa: PTH100  # links stay as the user wrote them
        if set(str(path)) & set('"$`\\\n'):
            # pg_ctl hands the path to a shell.
            raise SettingsError(f'setting EMBEDDED_DIRECTORY: {str(path)!r}: allowed: a path without " $ ` \\')
        return Home(reachable_folder(path, self._account))

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
        with self._explained():
            record = self._running()
            if record is None:
                self.home.prepare(self._account)
                with self.home.locked():
                    record = self._running() or self._start()
        return record.conninfo

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> bool:
        """Stop the server and wait for its end.

        Args:
            mode: fast ends the sessions and writes everything; immediate is a crash on purpose.

        Returns:
            Whether there was one to stop.

        Raises:
            DatabaseUnavailable: it does not stop.
        """
        with self._explained():
            if find_postmaster(self.home.data) is None:
                return False
            with self.home.locked():
                if find_postmaster(self.home.data) is None:
                    return False
                said = self._pg_ctl("stop", "--mode", mode)
                if find_postmaster(self.home.data) is not None:
                    raise DatabaseUnavailable(
                        f"the embedded server in {self.home.folder} does not stop: {last_lines(said)}"
                    )
        return True

    def status(self) -> ServerStatus:
        """How it stands; starts nothing."""
        with self._explained():
            record = self.home.read_record()
            postmaster = find_postmaster(self.home.data)
            return ServerStatus(
                running=postmaster is not None and postmaster.ready,
                pid=postmaster.pid if postmaster else None,
                version=record.version if record else self._found.version,
                host=HOST,
                port=postmaster.port if postmaster else record.port if record else None,
                database=DATABASE,
                directory=self.home.folder,
                size_bytes=self.home.size(),
            )

    def program(self, name: str) -> tuple[Path, dict[str, str]]:
        """One of PostgreSQL's programs of the server's version, and the environment to run it in.

        The environment is the caller's with the libraries' place. Once there is a server, its PG* variables are
        exchanged for those that lead to the server: `psql` without arguments is connected.

        Raises:
            DatabaseUnavailable: this PostgreSQL comes without that program.
        """
        path = self._found.folder / name
        if not os.access(path, os.X_OK):
            raise DatabaseUnavailable(f"PostgreSQL {self._found.version} in {path.parent} has no {name}")
        record = self.home.read_record()
        if record is None:
            return path, dict(os.environ) | self._found.library_path()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return path, inherited | self._found.library_path() | record.environment()

    # --- step by step -------------------------------------------------------------------------------------

    @cached_property
    def _found(self) -> Binaries:
        return find_binaries(self._postgres)

    @cached_property
    def _programs(self) -> Binaries:
        return readable_binaries(self._found, self._account)

    @cached_property
    def _account(self) -> Account | None:
        return server_account()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DatabaseUnavailable(f"embedded server in {self.home.folder}: {error}") from error

    def _running(self) -> Record | None:
        """The record of the server, if it runs and takes connections."""
        postmaster = find_postmaster(self.home.data)
        if postmaster is None or not postmaster.ready:
            return None
        self.home.refuse_other_version(self._found)
        record = self.home.read_record()
        return replace(record, port=postmaster.port) if record else None

    def _start(self) -> Record:
        """Under the lock: nobody else starts or stops it now; a start whose caller was killed may go on."""
        remove_remains(self.home.folder)
        if not self.home.data.is_dir():
            self._make()
        self.home.refuse_other_version(self._found)
        record = self.home.read_record()
        if record is None:
            raise DatabaseUnavailable(
                f"{self.home.data} is there, but not {self.home.record_file}, which holds its password: "
                "put it back, or move the folder away"
            )
        deadline = time.monotonic() + PATIENCE_WITH_OTHERS
        while find_postmaster(self.home.data) is None and time.monotonic() < deadline:
            record = self._choose_port(record)
            if STILL_AT_WORK in self._launch(record):
                time.sleep(0.5)
            elif is_free(record.port):
                break  # neither up, nor has anybody taken its port since that was tried: it failed for good
        postmaster = self._wait_until_ready()
        if postmaster is None:
            raise DatabaseUnavailable(
                f"the embedded server in {self.home.folder} did not start: {last_lines(self.home.log(), 3)}"
            )
        record = replace(record, port=postmaster.port)
        self.home.write_record(record)
        return record

    def _make(self) -> None:
        with new_cluster(self.home.folder, self._programs, self._account, durable=self._durable) as (data, password):
            # First the record: a cluster whose password nobody knows would be lost.
            self.home.write_record(
                Record(
                    host=HOST,
                    port=self._wanted_port or free_port(),
                    user=USER,
                    password=password,
                    database=DATABASE,
                    data_directory=str(self.home.data),
                    version=self._found.version,
                    programs=str(self._programs.folder),
                )
            )
            data.rename(self.home.data)

    def _choose_port(self, record: Record) -> Record:
        port = self._wanted_port or record.port
        if not is_free(port):
            if self._wanted_port:
                raise DatabaseUnavailable(f"port {port} of {HOST} is in use by another program")
            port = free_port()
        record = replace(
            record,
            port=port,
            data_directory=str(self.home.data),
            version=self._found.version,
            programs=str(self._programs.folder),
        )
        self.home.write_record(record)
        return record

    def _launch(self, record: Record) -> str:
        """Try once; what the server said until its log collector ran."""
        text = render(record.port, durable=self._durable, extra=self._extra_settings)
        replace_file(self.home.configuration, text, mode=0o644)
        forget_reused_number(self.home.data)
        where = shlex.quote(f"--config-file={self.home.configuration}")
        # From what this start said alone: the processes of a killed server write to the newest log when they end.
        said = self.home.data / "start.log"
        before = said.stat().st_size if said.exists() else 0
        self._pg_ctl("start", "--log", said, "--options", where)
        return said.read_bytes()[before:].decode(errors="replace") if said.exists() else ""

    def _pg_ctl(self, *arguments: str | Path) -> str:
        # The owner, should the account that is preferred today not be the one of the day it was made.
        account = owner_account(self.home.data) if self._account else None
        command = [self._programs.folder / "pg_ctl", *arguments]
        command += ["--pgdata", self.home.data, "--wait", "--timeout", str(PATIENCE)]
        return run_as(account, command, self._programs.environment(), timeout=PATIENCE + 30).stdout

    def _wait_until_ready(self) -> Postmaster | None:
        """The server once it takes connections; None if it ends before, or is not ready in time."""
        deadline = time.monotonic() + PATIENCE
        while (postmaster := find_postmaster(self.home.data)) is not None and not postmaster.ready:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
        return postmaster
