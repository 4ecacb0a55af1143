"""What the HTTP server has to know of the daemon that it speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workers.health.check import Check, failed, ok

if TYPE_CHECKING:
    from collections.abc import Mapping


class Daemon(Protocol):
    """Facts out of the parent's memory; asked for by other threads."""

    def silent_seconds(self) -> float:
        """Since the parent last looked after its processes; 0 while it has none, and while it stops."""

    def is_stopping(self) -> bool:
        """Whether it has been asked to stop."""

    def missing(self) -> Mapping[str, int]:
        """How many processes of each role do not run; nothing before the first is started."""

    def restarts(self) -> Mapping[str, int]:
        """How often processes of each role were started again."""


def check_processes(daemon: Daemon) -> Check:
    """Whether every process of this daemon is there."""
    if daemon.is_stopping():
        return failed("processes", "the daemon is stopping")
    if not daemon.missing():
        return failed("processes", "none is started before the database is there")
    missing = {role: number for role, number in daemon.missing().items() if number}
    if missing:
        told = ", ".join(f"{number} {role}" for role, number in missing.items())
        return failed("processes", f"not running: {told}", "they are started again; see the daemon's log for why")
    return ok("processes", "all running")
