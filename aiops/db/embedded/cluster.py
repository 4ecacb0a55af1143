"""Make the cluster of an embedded server: superuser, password, database, in one step or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiops.db.embedded.account import run_as
from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.embedded.account import Account
    from aiops.db.embedded.binaries import Binaries

USER = "aiops"
DATABASE = "aiops"
PATIENCE = 120
"""Seconds that initdb may take."""


@contextmanager
def new_cluster(
    home: Path, programs: Binaries, account: Account | None, *, durable: bool
) -> Iterator[tuple[Path, str]]:
    """Initialise a cluster in a folder of its own beside its later place; the caller moves it there.

    A run that was killed leaves a folder `making-…` behind, for `remove_remains`; a folder `data` is therefore
    always whole. For one run at a time: the caller holds the server's lock.

    Args:
        home: where to work; the account can pass through it.
        programs: PostgreSQL's, which the account can run.
        account: who is to own the cluster; None: the caller.
        durable: whether to wait until the disk has it.

    Yields:
        The new data folder, and the superuser's password.

    Raises:
        DatabaseUnavailable: it cannot be made; with the last lines of what the program said.
    """
    staging = Path(tempfile.mkdtemp(prefix="making-", dir=home))
    try:
        password = secrets.token_urlsafe(32)
        password_file = staging / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password + "\n", encoding="ascii")
        if account:
            os.chown(password_file, account.uid, account.gid)
            os.chown(staging, account.uid, account.gid)
        data = staging / "data"
        options = _options(programs.major, durable=durable)
        command: list[str | Path] = [programs.folder / "initdb", "--pgdata", data, "--pwfile", password_file]
        command += options
        made = run_as(account, command, programs.environment(), timeout=PATIENCE)
        if made.returncode:
            raise DatabaseUnavailable(f"initdb failed in {home}: {last_lines(made.stdout)}")
        _create_database(data, programs, account)
        yield data, password
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def remove_remains(home: Path) -> None:
    """Remove what killed runs of `new_cluster` left; an initdb whose caller was killed may still be writing.

    What cannot be removed for that reason now will be at a later start.
    """
    for left in home.glob("making-*"):
        shutil.rmtree(left, ignore_errors=True)


def _options(major: int, *, durable: bool) -> list[str]:
    options = ["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8"]
    options += ["--no-instructions", "--data-checksums"]
    # The same order of text on every machine, whatever its C library.
    options += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"] if major >= 17 else ["--no-locale"]
    if major >= 16:
        # As in our configuration; or else a killed initdb leaves a segment in /dev/shm for ever.
        options += ["--set", "dynamic_shared_memory_type=mmap"]
    if not durable:
        options += ["--no-sync"]
        if major >= 16:
            # Iterations slow down who guesses a weak password; against 256 random bits they only slow down
            # each connection, by some milliseconds. Durable servers keep the usual 4096 (RFC 7677) all the
            # same: Java's clients refuse fewer.
            options += ["--set", "scram_iterations=1"]
    return options


def _create_database(data: Path, programs: Binaries, account: Account | None) -> None:
    """In single-user mode, before anybody can connect: no cluster is ever met without its database."""
    command = (programs.folder / "postgres", "--single", "-F", "-D", data, "postgres")
    said = run_as(account, command, programs.environment(), text_in=f"CREATE DATABASE {DATABASE}\n", timeout=PATIENCE)
    # An error of the statement does not show in the exit code.
    if said.returncode or "ERROR:" in said.stdout:
        raise DatabaseUnavailable(f"the database {DATABASE} could not be created: {last_lines(said.stdout)}")


def last_lines(text: str, count: int = 4) -> str:
    """The end of what a program said, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "it said nothing"
