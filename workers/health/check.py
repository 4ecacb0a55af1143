"""What one check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check ends."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Another check has failed that this one needs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `aiops health`."""

    name: str
    state: State
    detail: str
    """What was found."""
    remedy: str | None = None
    """What mends it, where it has failed."""

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


def failed(name: str, detail: str, remedy: str | None = None) -> Check:
    """Something is wrong."""
    return Check(name, State.FAILED, detail, remedy)


def unknown(name: str, needed: str) -> Check:
    """It cannot be told before another check is mended."""
    return Check(name, State.UNKNOWN, f"not known until {needed} is mended")
