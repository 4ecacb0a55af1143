"""The check that every test ends with."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

RESCUE_SECONDS = 45.0
LISTENING_SECONDS = 15.0
FILES = [Path(__file__).parent / name for name in ("invariants.sql", "request_invariants.sql")]


def _check(file):
    """The statement of a file, for psycopg."""
    percent_signs_are_meant = file.read_text(encoding="utf-8").replace("%", "%%")
    return re.sub(r"(?<!:):(rescue_seconds|is_alive)", r"%(\1)s", percent_signs_are_meant)


CHECKS = [_check(file) for file in FILES]


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold."""

    invariant: str
    times: int
    example: str

    def __str__(self):
        return f"{self.invariant} ({self.times} times, such as {self.example})"


def violations(connection, *, is_alive):
    """The invariants that do not hold; none: all is well."""
    parameters = {"rescue_seconds": RESCUE_SECONDS, "is_alive": is_alive}
    return [Violation(*row) for check in CHECKS for row in connection.execute(check, parameters)]


def settled_violations(connection, *, is_alive, seconds=RESCUE_SECONDS):
    """The same, after as long as it may take for things to come to rest; at once when all is well."""
    deadline = time.monotonic() + seconds
    while (found := violations(connection, is_alive=is_alive)) and time.monotonic() < deadline:
        if any(not one.invariant.startswith(("5", "6")) for one in found):
            break  # no time mends these
        time.sleep(1)
    return found
