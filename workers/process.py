"""One worker process, started and watched by the supervisor: `python -m workers.process ROLE`."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from dataclasses import dataclass

import structlog

from workers.logs import configure_logs
from workers.queue import COMPUTE, CONTROL, app

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """What a process of the daemon does."""

    queues: tuple[str, ...]
    """The queues it takes jobs from."""
    concurrency: int
    """Jobs at a time."""


ROLES = {
    # Plans batches; waits for the database more than it works.
    "control": Role((CONTROL,), concurrency=4),
    # One chunk at a time: a second would only wait for the processor, and double the memory.
    "compute": Role((COMPUTE,), concurrency=1),
}

GRACE_SECONDS = 20.0
"""How long a process that was asked to stop goes on with the job at hand."""

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


async def _work(name: str, role: Role) -> None:
    async with app.open_async():
        await app.run_worker_async(
            queues=list(role.queues),
            name=name,
            concurrency=role.concurrency,
            shutdown_graceful_timeout=GRACE_SECONDS,
            fetch_job_polling_interval=2.0,
        )


def main() -> None:
    """Take jobs until told to stop (SIGTERM), or until the parent ends."""
    if len(sys.argv) != 3 or sys.argv[1] not in ROLES:  # role, parent's process id
        sys.exit(f"usage: python -m workers.process {'|'.join(ROLES)} PARENT_PID")
    role = sys.argv[1]
    die_with_parent(int(sys.argv[2]))
    configure_logs()
    name = f"{role} {socket.gethostname()} {os.getpid()}"
    structlog.contextvars.bind_contextvars(process=name)
    log.debug("process started")
    asyncio.run(_work(name, ROLES[role]))


if __name__ == "__main__":
    main()
