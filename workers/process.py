"""One worker process, started and watched by the supervisor: `python -m workers.process ROLE`."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import structlog

from aiops.settings import settings
from workers.lifetime import GRACE_SECONDS, live
from workers.listener import Listener
from workers.logs import configure_logs
from workers.ondemand.tasks import REQUESTS_AT_A_TIME, warm_up
from workers.queue import COMPUTE, CONTROL, ONDEMAND, app, jobs, take_notes_without_waiting
from workers.rescue import HEARTBEAT_SECONDS, Rescue
from workers.retention import Retention
from workers.schedule import Schedule
from workers.watchdog import limit_memory, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from procrastinate import PsycopgConnector
    from psycopg_pool import AsyncConnectionPool

    from workers.service import Service

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """What a process of the daemon does."""

    queues: tuple[str, ...]
    """The queues it takes jobs from."""
    concurrency: int
    """Jobs at a time."""
    services: Callable[[AsyncConnectionPool], tuple[Service, ...]] | None = None
    """What runs beside them."""
    nice: int = 0
    """How far it stands back when others want the processor."""
    limits_memory: bool = False
    """Whether its memory is limited: data decide how much a computation takes."""


POLL_SECONDS = 2.0
"""Jobs are announced; this is how long one whose announcement was lost waits at most."""

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, however that happens (Linux; elsewhere: nothing)."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it was gone before the kernel knew
        sys.exit(1)


def stand_back(nice: int) -> None:
    """Let others have the processor first.

    Where Linux shares it out between sessions (autogroup), niceness counts within a session only, and each of the
    daemon's processes has its own: the session is made nice, too.
    """
    os.nice(nice)
    with suppress(OSError):  # no autogroup here
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


async def _work(name: str, role: Role) -> None:
    async with app.open_async():
        services = [
            asyncio.create_task(service.run(), name=f"aiops {service.name}")
            for service in (role.services(cast("PsycopgConnector", app.connector).pool) if role.services else ())
        ]
        services.append(asyncio.create_task(watch(), name="aiops watchdog"))
        try:
            await app.run_worker_async(
                queues=list(role.queues),
                name=name,
                concurrency=role.concurrency,
                shutdown_graceful_timeout=GRACE_SECONDS - 2,
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                install_signal_handlers=False,
            )
        finally:
            for service in services:
                service.cancel()
            await asyncio.gather(*services, return_exceptions=True)


def _control_services(pool: AsyncConnectionPool) -> tuple[Service, ...]:
    return (Rescue(pool), Schedule(pool), Listener(pool), Retention(pool))


ROLES = {
    # Plans batches, notifies, keeps the schedule, listens, rescues; waits for others more than it works. So many at a
    # time that slow receivers of notifications do not keep a batch from being planned.
    "control": Role((CONTROL,), concurrency=16, services=_control_services),
    # Answers requests: somebody waits for each of them.
    "ondemand": Role((ONDEMAND,), concurrency=REQUESTS_AT_A_TIME),
    # One chunk at a time: a second would only wait for the processor, and double the memory. Behind those that somebody
    # waits for: the yearly batch takes what they leave.
    "compute": Role((COMPUTE,), concurrency=1, nice=10, limits_memory=True),
}


def main() -> None:
    """Take jobs until told to stop (SIGTERM), or until the parent ends."""
    if len(sys.argv) != 3 or sys.argv[1] not in ROLES:  # role, parent's process id
        sys.exit(f"usage: python -m workers.process {'|'.join(ROLES)} PARENT_PID")
    role = sys.argv[1]
    die_with_parent(int(sys.argv[2]))
    configure_logs()
    name = f"{role} {socket.gethostname()} {os.getpid()}"
    structlog.contextvars.bind_contextvars(process=name)
    jobs.role = role
    stand_back(ROLES[role].nice)
    if role == "ondemand":
        take_notes_without_waiting()
        warm_up()
    log.debug("process started")
    faulthandler.enable()  # a crash says where
    if ROLES[role].limits_memory:
        limit_memory(settings().compute_memory_mb, settings().parallel_workers)
    sys.exit(asyncio.run(live(_work(name, ROLES[role]), jobs)))


if __name__ == "__main__":
    main()
