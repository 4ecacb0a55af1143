"""Numbers as people read them; what is missing is a dash, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

NONE = "–"


def number(value: float | None, digits: int = 1) -> str:
    """With so many decimals, and thousands apart."""
    return NONE if value is None else f"{value:,.{digits}f}".replace("-", "−")


def short(value: float | None) -> str:
    """With as many digits as it takes, up to four."""
    return NONE if value is None else f"{value:.4g}".replace("-", "−")


def percent(share: float | None, digits: int = 4) -> str:
    """A share as a percentage without its sign; what would round to 0 is 0 or said to be less."""
    if share is None:
        return NONE
    if share == 0:
        return "0"
    least = 10.0**-digits
    if 0 < 100 * share < least / 2:
        return f"<{least:.{digits}f}"
    return f"{100 * share:.{digits}f}".replace("-", "−")


def signed(share: float | None, digits: int = 4) -> str:
    """A change of a share, in percentage points, with its sign."""
    return NONE if share is None else f"{100 * share:+.{digits}f}".replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 4) -> str:
    """From … to …, in percent."""
    return NONE if low is None or high is None else f"{percent(low, digits)} – {percent(high, digits)}"


def won(value: float | None) -> str:
    """Whole won."""
    return NONE if value is None else f"{value:,.0f}"


def moment(value: datetime | None, zone: tzinfo) -> str:
    """A time, to the second, in a time zone, which is named."""
    return NONE if value is None else f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def day(value: datetime | None, zone: tzinfo) -> str:
    """A time's day in a time zone, which is named."""
    return NONE if value is None else f"{value.astimezone(zone):%Y-%m-%d %Z}"


def seconds(value: float | None) -> str:
    """A duration in the unit that suits it."""
    if value is None:
        return NONE
    if value < 120:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
