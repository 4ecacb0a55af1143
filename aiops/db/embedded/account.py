"""Which account the server's programs run as, and how they are run.

PostgreSQL refuses to run as root. When root calls, an unprivileged account that exists already is used:
`postgres`, or else `nobody`. None is created, and no folder of anybody else is opened for it.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine that the server runs as when root starts it."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account to run the server as: None is the caller's own.

    Raises:
        DatabaseUnavailable: root calls, and there is no unprivileged account to use.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        f"PostgreSQL does not run as root, and this machine has none of the accounts {', '.join(CANDIDATES)}: "
        "run as an ordinary user, or set DATABASE_URL"
    )


def owner_account(folder: Path) -> Account | None:
    """The account that owns an existing data folder, when root calls; None for root's own or an unknown one."""
    uid = folder.stat().st_uid
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid) if uid else None


def run_as(
    account: Account | None,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    text_in: str = "",
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as the account; its two outputs come back as one text.

    It runs in a session of its own, so that what kills the caller's terminal or process group passes it by;
    in `/`, since the account may not be able to enter the caller's folder; and without its groups.

    Raises:
        DatabaseUnavailable: the system does not let it be run as the account, or it takes too long.
        PermissionError, FileNotFoundError: the program cannot be reached by the account.
    """
    try:
        return subprocess.run(
            [os.fspath(part) for part in command],
            check=False,
            input=text_in,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=dict(environment),
            cwd="/",
            umask=0o077,
            timeout=timeout,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except subprocess.TimeoutExpired:
        raise DatabaseUnavailable(f"{os.fspath(command[0])} did not end within {timeout:.0f} s") from None
    except subprocess.SubprocessError as error:
        who = f" as the account {account.name}" if account else ""
        raise DatabaseUnavailable(f"{os.fspath(command[0])} cannot be run{who}: {error}") from error


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether the account can really pass through the folder: tried, so access lists count too."""
    environment = {"PATH": "/usr/bin:/bin"}
    return run_as(account, ["/bin/sh", "-c", 'cd "$0"', folder], environment, timeout=10).returncode == 0
