"""A durable server that a measurement may restart, real daemons on it, and what both of them take of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aiops.db.embedded import EmbeddedServer
from bench.throwaway import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_SECONDS = 120.0


class BenchServer:
    """A server of its own that waits for the disk, as one in use does."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedServer(folder / "server", durable=True)
        self._server.start()

    @contextmanager
    def database(self, name: str) -> Iterator[Database]:
        """A migrated database that is dropped at the end; the server may have been restarted meanwhile."""
        with psycopg.connect(self._server.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        database = Database(make_conninfo(self._server.conninfo, dbname=name))
        database.run("db", "migrate")
        yield database
        with psycopg.connect(self._server.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def go_cold(self) -> float:
        """Stop, hand every page of its files back to the disk, start again.

        The files' pages leave the system's cache one file at a time, so that nobody else's do.

        Returns:
            GB of files that were let go.
        """
        self._server.stop("fast")
        let_go = sum(_let_go(path) for path in self._server.home.folder.rglob("*") if path.is_file())
        self._server.start()
        return let_go / 1e9

    def cpu_seconds(self) -> float:
        """Processor time of the server and all its sessions so far, ended ones included."""
        postmaster = psutil.Process(self._server.status().pid)
        return _seconds(postmaster, ended=True) + sum(_seconds_of_live(one) for one in postmaster.children())

    def psql(self) -> tuple[Path, dict[str, str]]:
        """The client that comes with it, and the environment to run it in."""
        return self._server.program("psql")

    def close(self) -> None:
        """Stop it and remove what it had."""
        self._server.stop("immediate")
        shutil.rmtree(self._server.home.folder, ignore_errors=True)


@contextmanager
def bench_server() -> Iterator[tuple[BenchServer, Path]]:
    """A server, and a folder beside it; both are gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-bench-"))
    folder.chmod(0o711)  # the server may run under an account of its own, which has to pass through
    try:
        server = BenchServer(folder)
        try:
            yield server, folder
        finally:
            server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Daemon:
    """A daemon that runs."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def compute(self) -> list[psutil.Process]:
        """Its compute processes."""
        return [one for one in psutil.Process(self.process.pid).children() if "compute" in one.cmdline()]

    def compute_seconds(self) -> float:
        """Processor time of the compute processes so far."""
        return sum(_seconds_of_live(one) for one in self.compute())

    def other_seconds(self) -> float:
        """Processor time of everything else of the daemon."""
        parent = psutil.Process(self.process.pid)
        own = {one.pid for one in self.compute()}
        return _seconds(parent) + sum(_seconds_of_live(one) for one in parent.children() if one.pid not in own)

    def peak_megabytes(self) -> float:
        """The most resident memory that one of the compute processes ever had."""
        return max(_peak_bytes(one) for one in self.compute()) / 1e6


@contextmanager
def daemon(conninfo: str, processes: int) -> Iterator[Daemon]:
    """`aiops worker` with so many compute processes, all at their places."""
    ondemand = 2
    environment = {
        **os.environ,
        "DATABASE_URL": conninfo,
        "LOG_LEVEL": "warning",
        "PARALLEL_WORKERS": str(processes),
        "ONDEMAND_WORKERS": str(ondemand),
    }
    process = subprocess.Popen([sys.executable, "-m", "workers"], env=environment)
    try:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            deadline = time.monotonic() + READY_SECONDS
            new = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '10 s'"
            while connection.execute(new).fetchone()[0] < 1 + ondemand + processes:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the daemon is not at work (exit code {process.poll()})")
                time.sleep(0.05)
        yield Daemon(process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def steal_share(before: object, after: object) -> float:
    """Share of the processors' time that the machine's host gave to others, %."""
    total = sum(after) - sum(before)
    return 100.0 * (getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)) / total if total else 0.0


def state_of_machine() -> str:
    """Load average, and what others take at this moment."""
    others = psutil.cpu_percent(interval=1.0)
    return f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())}; busy without us {others:.0f} %"


def _let_go(path: Path) -> int:
    """Have the system forget a file's pages; its size. Nothing happens where it cannot (other systems than Linux)."""
    with suppress(OSError), path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return path.stat().st_size
    return 0


def _seconds(process: psutil.Process, *, ended: bool = False) -> float:
    times = process.cpu_times()
    return times.user + times.system + (times.children_user + times.children_system if ended else 0.0)


def _seconds_of_live(process: psutil.Process) -> float:
    try:
        return _seconds(process)
    except psutil.NoSuchProcess:
        return 0.0


def _peak_bytes(process: psutil.Process) -> int:
    """The kernel's own high-water mark; where there is none, what is resident now."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)
