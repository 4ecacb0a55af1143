"""PgBouncer in transaction mode, in front of the test's server."""

from __future__ import annotations

import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.db.embedded.account import server_account
from aiops.db.embedded.ports import free_port


@contextmanager
def pooler(program, rig):
    """A PgBouncer for the test's database; its connection string."""
    reach = conninfo_to_dict(rig.url)
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
                [program, folder / "pgbouncer.ini"],
                stdout=log,
                stderr=log,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        rig.server.guardian.watch(process.pid)
        try:
            url = make_conninfo(rig.url, host="127.0.0.1", port=port)
            rig.wait(lambda: answers(url), 20)
            yield url
        finally:
            process.terminate()
            process.wait(20)
            rig.server.guardian.forget(process.pid)


def answers(url):
    try:
        psycopg.connect(url, autocommit=True).close()
    except psycopg.OperationalError:
        time.sleep(0.2)
        return False
    return True
