"""Ends this process when its work has run away, so that what it holds is rescued and another takes its place.

Two things are watched: that the event loop still turns (a computation that never lets go of the interpreter stops it,
and with it the signs of life), and that no piece of work takes longer than it may. The end comes from a timer of the
interpreter's own (`faulthandler`), which needs neither the loop nor the interpreter's lock, and writes down first
where every thread stands.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import resource
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

STUCK_SECONDS = 60.0
"""An event loop that has not turned for so long does not turn again. (A process that was stopped for less goes on.)"""
_LOOK_SECONDS = 1.0
_FAREWELL_SECONDS = 0.5
_OOM_SCORE = "500"
_MEGABYTE = 1 << 20

_deadlines: dict[object, tuple[float, str]] = {}


@contextmanager
def time_limit(seconds: float, what: str) -> Iterator[None]:
    """End the process if what stands inside takes longer; `what` is for the log."""
    piece = object()
    _deadlines[piece] = (time.monotonic() + seconds, what)
    try:
        yield
    finally:
        del _deadlines[piece]


async def watch() -> None:
    """Keep this process from being ended, for as long as all is well."""
    try:
        while not (overdue := _overdue()):
            faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
            await asyncio.sleep(_LOOK_SECONDS)
    except asyncio.CancelledError:
        faulthandler.cancel_dump_traceback_later()
        raise
    log.error("work has run away; this process is ended", work=overdue)
    faulthandler.dump_traceback_later(_FAREWELL_SECONDS, exit=True)


def _overdue() -> str | None:
    now = time.monotonic()
    return next((what for deadline, what in list(_deadlines.values()) if now > deadline), None)


def limit_memory(megabytes: int | None, processes: int) -> None:
    """Let this process have so much memory; more is refused it (MemoryError), before the machine has none left.

    Where memory runs out all the same, the system is asked to end this process rather than the database server.

    Args:
        megabytes: None: the share of one of so many processes in three quarters of the machine's memory, at least 1024.
        processes: of this kind on this machine.
    """
    if megabytes is None:
        megabytes = max(1024, _memory_of_machine() // _MEGABYTE * 3 // 4 // processes)
    if not sys.platform.startswith("linux"):
        return
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = megabytes * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    with suppress(OSError):  # a container may not let us
        Path(f"/proc/{os.getpid()}/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def _memory_of_machine() -> int:
    """Bytes: what the machine has, or what a container may use of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no control group, or "max"
        return memory
