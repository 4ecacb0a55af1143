"""What a check of plausibility is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the results."""

    what: str
    found: str
    required: str
    ok: bool


def between(what: str, found: float, low: float, high: float, unit: str = "", note: str = "") -> Check:
    """A figure and its band."""
    space = f" {unit}" if unit else ""
    more = f" ({note})" if note else ""
    return Check(what, f"{found:.3g}{space}{more}", f"{low:g} to {high:g}{space}", bool(low <= found <= high))
