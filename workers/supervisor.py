"""The daemon's parent: it holds no work, and keeps the processes that do alive."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import structlog

from aiops.db.connect import connect, refuse_pooler
from aiops.db.transient import is_transient
from aiops.errors import DatabaseUnavailable, SchemaError
from aiops.settings import settings
from workers.lifetime import GRACE_SECONDS, HAND_BACK_SECONDS, SCHEMA_REFUSED
from workers.schema import apply_schema, pending_migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import FrameType

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
"""Short: what is lost is found within 45 seconds by processes that have to be there."""
_STEADY_SECONDS = 30.0
"""A process that lived so long is taken to be well: its next end is met with the first pause again."""

STOP_SECONDS = GRACE_SECONDS + HAND_BACK_SECONDS + 1
"""How long a stop takes at most."""
_HURRIED_STOP_SECONDS = HAND_BACK_SECONDS + 1
"""The same once a second signal has come."""


@dataclass(slots=True)
class _Child:
    """One place in the daemon: the process that fills it now, and how often it had to be filled."""

    role: str
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    starts: int = 0
    failures: int = 0
    start_again_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Starts the daemon's processes, starts them again with growing pauses when they end, stops them in order."""

    children: list[_Child] = field(default_factory=list)
    stop_signals: int = 0
    seen_at: float = field(default_factory=time.monotonic)
    refused: bool = False
    """Whether a process has found that the database's schema is not this program's."""

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT; after a second signal the children give back their work at once.

        Raises:
            SchemaError: the database's schema is not this program's any more.
        """
        self.children = [
            _Child("control"),
            *(_Child("ondemand") for _ in range(settings().ondemand_workers)),
            *(_Child("compute") for _ in range(settings().parallel_workers)),
        ]
        log.info("daemon started", compute_processes=settings().parallel_workers)
        self.seen_at = time.monotonic()
        while not self.stop_signals and not self.refused:
            for child in self.children:
                self._keep_alive(child)
            self.seen_at = time.monotonic()
            time.sleep(0.1)
        self._stop_all()
        log.info("daemon stopped")
        if self.refused:
            raise SchemaError("the database's schema is not this program's any more; see the log")

    def listen_for_signals(self) -> None:
        """From now on SIGTERM and SIGINT are counted."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)

    def wait_for_database(self) -> bool:
        """Wait until there is a server, and give it this version's schema; False when told to stop before.

        Raises:
            SchemaError: the database is newer than this program, or holds something else.
            SettingsError: behind a connection pooler without the server's own address.
        """
        failures = 0
        while not self.stop_signals:
            try:
                with connect("migrate", direct=True, autocommit=True) as connection:
                    refuse_pooler(connection)
                    if pending_migrations(connection):
                        apply_schema(connection)
            except (DatabaseUnavailable, SchemaError, psycopg.Error) as error:
                if not isinstance(error, DatabaseUnavailable) and not is_transient(error):
                    raise
                failures += 1
                pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
                log.warning("no database yet", error=" ".join(str(error).split()), times=failures)
                until = time.monotonic() + pause
                while time.monotonic() < until and not self.stop_signals:
                    time.sleep(0.1)
            else:
                return True
        return False

    def silent_seconds(self) -> float:
        """Since the processes were last looked after; 0 while it waits for a database, and while it stops."""
        return time.monotonic() - self.seen_at if self.children and not self.stop_signals else 0.0

    def is_stopping(self) -> bool:
        """Whether it has been asked to stop."""
        return self.stop_signals > 0

    def missing(self) -> dict[str, int]:
        """Processes that are not running, by role."""
        return self._by_role(lambda child: int(child.process is None))

    def restarts(self) -> dict[str, int]:
        """How often processes were started again, by role."""
        return self._by_role(lambda child: max(0, child.starts - 1))

    def _by_role(self, number: Callable[[_Child], int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for child in self.children:
            found[child.role] = found.get(child.role, 0) + number(child)
        return found

    def health(self) -> AbstractContextManager[None]:
        """Answer over HTTP for as long as the block lasts, if there is a port to do it at."""
        port = settings().health_port
        if port is None:
            return nullcontext()
        # Only a daemon that serves it pays for loading it.
        from workers.health.server import health_over_http  # noqa: PLC0415

        return health_over_http(self, settings().health_host, port)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self.stop_signals += 1
        log.info("asked to stop", signal=signal.Signals(number).name, times=self.stop_signals)

    def _keep_alive(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_again_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        child.failures = 1 if now - child.started_at > _STEADY_SECONDS else child.failures + 1
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** (child.failures - 1))
        child.start_again_at = now + pause * random.uniform(0.75, 1.25)  # noqa: S311 (jitter)
        log.warning(
            "process ended",
            role=child.role,
            pid=child.process.pid,
            exit_code=code,
            next_start_in=round(pause, 1),
        )
        child.process = None
        self.refused = self.refused or code == SCHEMA_REFUSED

    def _start(self, child: _Child) -> None:
        environment = {
            **os.environ,
            # One process, one core: parallel linear algebra inside each would only fight for the same cores.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        child.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workers.process", child.role, str(os.getpid())],
            env=environment,
            # Ctrl-C in a terminal reaches the whole process group; the children hear of it from us, in order.
            start_new_session=True,
        )
        child.started_at = time.monotonic()
        child.starts += 1
        log.info("process started", role=child.role, pid=child.process.pid)

    def _stop_all(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        self._signal_all(signal.SIGTERM)
        while self._alive() and time.monotonic() < deadline and self.stop_signals < 2:
            time.sleep(0.05)
        if self.stop_signals > 1:
            deadline = min(deadline, time.monotonic() + _HURRIED_STOP_SECONDS)
            self._signal_all(signal.SIGTERM)
            while self._alive() and time.monotonic() < deadline:
                time.sleep(0.05)
        self._signal_all(signal.SIGKILL)
        for child in self.children:
            if child.process is not None:
                child.process.wait()

    def _alive(self) -> list[_Child]:
        return [child for child in self.children if child.process is not None and child.process.poll() is None]

    def _signal_all(self, number: signal.Signals) -> None:
        for child in self._alive():
            if child.process is not None:
                child.process.send_signal(number)


def run_daemon() -> None:
    """Run the daemon in this process until it is told to stop.

    First the server is waited for, or started where the embedded one is used, and the schema brought up to date.

    Raises:
        SchemaError: the database is newer than this program, or holds something else.
    """
    supervisor = Supervisor()
    supervisor.listen_for_signals()
    with supervisor.health():
        if supervisor.wait_for_database():
            supervisor.run()
