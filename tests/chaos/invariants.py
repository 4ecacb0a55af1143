"""The check that every test ends with."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

RESCUE_SECONDS = 45.0
LISTENING_SECONDS = 15.0
_PERCENT_SIGNS_ARE_MEANT = (Path(__file__).parent / "invariants.sql").read_text(encoding="utf-8").replace("%", "%%")
CHECK = re.sub(r"(?<!:):(rescue_seconds|is_alive)", r"%(\1)s", _PERCENT_SIGNS_ARE_MEANT)


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
    rows = connection.execute(CHECK, {"rescue_seconds": RESCUE_SECONDS, "is_alive": is_alive}).fetchall()
    return [Violation(*row) for row in rows]


def settled_violations(connection, *, is_alive, seconds=RESCUE_SECONDS):
    """The same, after as long as it may take for things to come to rest; at once when all is well."""
    deadline = time.monotonic() + seconds
    while (found := violations(connection, is_alive=is_alive)) and time.monotonic() < deadline:
        if any(not one.invariant.startswith(("5", "6")) for one in found):
            break  # no time mends these
        time.sleep(1)
    return found
