"""Pages and time windows, as the venue has them: newest first, a cursor to what comes after."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from simexchange.core.types import HOUR_US
from simexchange.server.bybit import errors
from simexchange.server.bybit.errors import WireError

T = TypeVar("T")
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US


def page(
    rows: Iterable[T], sequence_of: Callable[[T], int], cursor: str | None, limit: int
) -> tuple[list[T], str]:
    """Return the rows after ``cursor`` and the cursor of the next page, empty at the end.

    ``rows`` come with falling sequence, so that new rows never shift a page.
    """
    below = _below(cursor)
    found: list[T] = []
    for row in rows:
        if below is not None and sequence_of(row) >= below:
            continue
        if len(found) == limit:
            return found, f"page{sequence_of(found[-1])}"
        found.append(row)
    return found, ""


def nothing(category: str) -> dict[str, object]:
    """Return the page of a category in which nobody has anything."""
    return {"category": category, "nextPageCursor": "", "list": []}


def _below(cursor: str | None) -> int | None:
    if not cursor:
        return None
    number = cursor.removeprefix("page")
    if not cursor.startswith("page") or not number.isdecimal():
        raise WireError(errors.PARAMETER, "params error: cursor invalid")
    return int(number)


def limited(limit: int | None, default: int, most: int) -> int:
    """Return the page size that was asked for."""
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise WireError(errors.PARAMETER, f"params error: limit must be 1 to {most}")
    return limit


def window(
    start_ms: int | None, end_ms: int | None, now: int, span_us: int = WEEK_US
) -> tuple[int, int]:
    """Return the time asked for in microseconds, the end included.

    Without a bound the window is ``span_us`` long; a longer one is refused.
    """
    start = None if start_ms is None else start_ms * 1_000
    end = None if end_ms is None else end_ms * 1_000 + 999
    if start is None and end is None:
        return now - span_us, now
    if start is None:
        assert end is not None
        return end - span_us, end
    if end is None:
        return start, start + span_us
    if end < start:
        raise WireError(errors.PARAMETER, "params error: startTime is later than endTime")
    if end - start > span_us + 999:
        days = span_us // DAY_US
        raise WireError(
            errors.PARAMETER, f"The time range between startTime and endTime exceeds {days} days"
        )
    return start, end


def ms(at: int) -> str:
    """Return a time in milliseconds, as text."""
    return str(at // 1_000)
