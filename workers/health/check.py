"""What one check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ends."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should know something about it (`aiops doctor` only)."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Another check has failed that this one needs, or it cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `aiops health` or `aiops doctor`."""

    name: str
    state: State
    detail: str
    """What was found."""
    remedy: str | None = None
    """What mends it, where something is wrong."""

    @property
    def is_ok(self) -> bool:
        """Whether all is well."""
        return self.state is State.OK

    def __str__(self) -> str:
        line = f"{self.state.value:<8} {self.name:<10} {self.detail}"
        return f"{line}; {self.remedy}" if self.remedy else line


def ok(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, State.OK, detail)


def warning(name: str, detail: str, remedy: str | None = None) -> Check:
    """It works, but."""
    return Check(name, State.WARNING, detail, remedy)


def failed(name: str, detail: str, remedy: str | None = None) -> Check:
    """Something is wrong."""
    return Check(name, State.FAILED, detail, remedy)


def unseen(name: str, detail: str, remedy: str | None = None) -> Check:
    """It cannot be seen from here."""
    return Check(name, State.UNKNOWN, detail, remedy)


def unknown(name: str, needed: str) -> Check:
    """It cannot be told before another check is mended."""
    return Check(name, State.UNKNOWN, f"not known until {needed} is mended")
