"""PgBouncer in transaction mode, in front of a database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from daemons import wait_for
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.db.embedded.account import server_account
from aiops.db.embedded.ports import free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None, reason="there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)"
)


class Unwatched:
    """Stands for who ends left-over processes, where nobody does."""

    def watch(self, pid):
        """A process has been started."""

    def forget(self, pid):
        """It has ended."""


@contextmanager
def pooler(database, guardian=None):
    """A PgBouncer for a database; the connection string past which it lies."""
    guardian = guardian or Unwatched()
    reach = conninfo_to_dict(database)
    account = server_account()
    with tempfile.TemporaryDirectory(prefix="aiops-pooler-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        port = free_port()
        (folder / "users.txt").write_text(f'"{reach["user"]}" "{reach["password"]}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n{reach['dbname']} = host={reach['host']} port={reach['port']}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
            "max_client_conn = 200\ndefault_pool_size = 20\nserver_login_retry = 1\n"
        )
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, folder / "pgbouncer.ini"],
                stdout=log,
                stderr=log,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        guardian.watch(process.pid)
        try:
            url = make_conninfo(database, host="127.0.0.1", port=port)
            wait_for(lambda: _answers(url), 20, pause=0.1)
            yield url
        finally:
            process.terminate()
            process.wait(20)
            guardian.forget(process.pid)


def _answers(url):
    try:
        psycopg.connect(url, autocommit=True).close()
    except psycopg.OperationalError:
        return False
    return True
