"""Days of a configured time zone (T5): when one begins, and which one a moment belongs to."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Moments from `begins` on, before `ends`; both in UTC."""

    begins: datetime
    ends: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begins <= at < self.ends


def day_of(at: datetime, zone: tzinfo) -> date:
    """Return the day of that zone a moment belongs to."""
    return at.astimezone(zone).date()


def day_begins(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day, in UTC.

    Where clocks are moved at midnight, a skipped midnight is the moment they are moved, and of two
    midnights the first one counts.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def span_of_day(day: date, zone: tzinfo) -> Span:
    """Return the moments of one day: 23, 24 or 25 hours of them where clocks are moved."""
    return Span(begins=day_begins(day, zone), ends=day_begins(day + timedelta(days=1), zone))
