"""When a yearly run is due: a date and a time of day in a time zone."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from aiops.settings import Settings


PUNCTUAL = timedelta(minutes=10)
"""A run that starts so long after its time is on time: the clock is looked at every few seconds, and a daemon may just
be restarting."""


@dataclass(frozen=True, slots=True)
class YearlySchedule:
    """One run a year."""

    name: str
    month: int
    day: int
    hour: int
    minute: int
    timezone: str

    @property
    def definition(self) -> str:
        """The date in words, to notice a change by."""
        return f"{self.month:02}-{self.day:02} {self.hour:02}:{self.minute:02} {self.timezone}"

    def due_in(self, year: int) -> datetime:
        """The moment (UTC) at which the run of a year is due.

        29 February stands for the last of February in other years. A time of day that the clocks skip is the moment
        that as long after midnight would have been; of one that comes twice, it is the first.
        """
        last_day = calendar.monthrange(year, self.month)[1]
        local = datetime(
            year, self.month, min(self.day, last_day), self.hour, self.minute, tzinfo=ZoneInfo(self.timezone)
        )
        return local.astimezone(UTC)

    def last_due(self, now: datetime) -> datetime:
        """The latest due moment that is not after now."""
        return max(due for year in range(now.year - 1, now.year + 2) if (due := self.due_in(year)) <= now)

    def next_due(self, now: datetime) -> datetime:
        """The first due moment after now."""
        return min(due for year in range(now.year - 1, now.year + 3) if (due := self.due_in(year)) > now)

    def to_make_up(self, now: datetime, since: datetime, window: timedelta) -> datetime | None:
        """The due moment to run now, if there is one: not before `since`, and not longer ago than the window.

        A run that is merely a little late, as every one is, is not made up for: it is due.
        """
        due = self.last_due(now)
        return due if due > since and now - due <= max(window, PUNCTUAL) else None


def schedules(settings: Settings) -> tuple[YearlySchedule, ...]:
    """The schedules that the settings describe, in their order of time of day."""
    return tuple(
        YearlySchedule(
            name,
            getattr(settings, f"{name}_schedule_month"),
            getattr(settings, f"{name}_schedule_day"),
            getattr(settings, f"{name}_schedule_hour"),
            getattr(settings, f"{name}_schedule_minute"),
            settings.schedule_timezone,
        )
        for name in ("probability", "hazard")
    )
