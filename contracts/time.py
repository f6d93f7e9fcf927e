"""Swedish days and periods. A date without a time is a date in Europe/Stockholm (decision D12)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")


def swedish_day(at: datetime) -> date:
    """The calendar day in Sweden at that instant."""
    return at.astimezone(STOCKHOLM).date()


def day_start(day: date) -> datetime:
    """The instant at which the day begins in Sweden, in UTC (days have 23, 24 or 25 hours)."""
    return datetime.combine(day, time.min, STOCKHOLM).astimezone(UTC)


def days_between(first: datetime, last: datetime) -> int:
    """Counted in Swedish days, which have 23, 24 or 25 hours."""
    return (swedish_day(last) - swedish_day(first)).days


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` up to but not including ``end``, both in UTC; ``None`` is an open side."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of_days(cls, first: date | None, last: date | None) -> "Period":
        """Whole Swedish days: the last day counts in full. The calendar's own ends, which systems write for "always",
        are open sides."""
        return cls(
            None if first in (None, date.min) else day_start(first),
            None if last in (None, date.max) else day_start(last + timedelta(days=1)),
        )

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in the period."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    @property
    def is_reversed(self) -> bool:
        """Whether it ends before, or as, it starts."""
        return self.start is not None and self.end is not None and self.end <= self.start
