"""How numbers, times and durations look on a page; nothing else formats a figure.

Amounts and ratios are exact until here and are rounded once, halves away from zero. A figure that
rounds to zero has no sign.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from copyplugin.domain.statistics import shown
from web.i18n import current_locale, gettext

NOTHING = "–"
MONEY_PLACES = 8
_COARSE_PLACES = 2

Number = Decimal | Fraction


class Sign(StrEnum):
    UP = "up"
    DOWN = "down"
    ZERO = "zero"


def sign(value: Number | None, places: int = 2) -> Sign:
    """Return the sign of what the page will show."""
    if value is None:
        return Sign.ZERO
    rounded = shown(value, places)
    if rounded > 0:
        return Sign.UP
    return Sign.DOWN if rounded < 0 else Sign.ZERO


def percent_sign(ratio: Number | None) -> Sign:
    return sign(None if ratio is None else ratio * 100)


def _pattern(places: int) -> str:
    return "#,##0" + ("." + "0" * places if places else "")


def number(value: Number | None, places: int = 2) -> str:
    """Return 1,234.50; a dash when there is no figure."""
    if value is None:
        return NOTHING
    rounded = shown(value, places) or Decimal(0)  # no minus before a zero
    return format_decimal(rounded, format=_pattern(places), locale=current_locale())


def exact_amount(value: Decimal) -> str:
    """Return every digit that is not a trailing zero and no mark of thousands: to be typed so."""
    return f"{value.normalize():f}"


def signed(value: Number | None, places: int = 2) -> str:
    """Return +1,234.50 or -1,234.50; zero has no sign."""
    if value is None or sign(value, places) is Sign.ZERO:
        return number(value, places)
    pattern = _pattern(places)
    return format_decimal(
        shown(value, places), format=f"+{pattern};-{pattern}", locale=current_locale()
    )


def percent(ratio: Number | None, places: int = 2) -> str:
    """Return 12.34% for 0.1234."""
    return NOTHING if ratio is None else number(ratio * 100, places) + "%"


def signed_percent(ratio: Number | None, places: int = 2) -> str:
    """Return +12.34% for 0.1234."""
    return NOTHING if ratio is None else signed(ratio * 100, places) + "%"


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step of this size has: 2 for 0.01 and for 0.50."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def price(value: Number | None, tick_size: Decimal) -> str:
    """Return the price at the instrument's precision; an average may lie between two ticks."""
    return number(value, decimals_of(tick_size))


def quantity(value: Decimal | None) -> str:
    """Return a base quantity with all its decimals and no trailing zeros: 0.015."""
    if value is None:
        return NOTHING
    return number(value, decimals_of(value))


def whole(value: int | None) -> str:
    return NOTHING if value is None else number(Decimal(value), 0)


@dataclass(frozen=True)
class Exact:
    """An amount with every decimal money has: rows add up to their total as they are printed.

    `coarse` ends after two decimals, `fine` are the other six.
    """

    coarse: str
    fine: str
    sign: Sign


def exact(value: Decimal) -> Exact:
    """Return the amount with its sign."""
    return _split(signed(value, MONEY_PLACES), sign(value, MONEY_PLACES))


def exact_unsigned(value: Decimal) -> Exact:
    """Return the amount without a plus, and without a colour."""
    return _split(number(value, MONEY_PLACES), Sign.ZERO)


def _split(text: str, its_sign: Sign) -> Exact:
    cut = len(text) - (MONEY_PLACES - _COARSE_PLACES)
    return Exact(text[:cut], text[cut:], its_sign)


def date_and_time(at: datetime | None) -> str:
    """Return 22 Nov 2026, 14:03:05 UTC without the zone, which the page names once."""
    if at is None:
        return NOTHING
    locale = current_locale()
    in_utc = at.astimezone(UTC)
    day = format_date(in_utc.date(), format="medium", locale=locale)
    return f"{day}, {clock_time(at)}"


def day(at: datetime | None) -> str:
    if at is None:
        return NOTHING
    return format_date(at.astimezone(UTC).date(), format="medium", locale=current_locale())


def clock_time(at: datetime | None) -> str:
    """Return 14:03:05 in UTC."""
    if at is None:
        return NOTHING
    return format_time(at.astimezone(UTC).time(), format="HH:mm:ss", locale=current_locale())


def exact_time(at: datetime | None) -> str:
    """Return 22 Nov 2026, 14:03:05.123 in UTC; what is less than a millisecond is left out."""
    if at is None:
        return NOTHING
    milliseconds = at.microsecond // 1000
    return f"{date_and_time(at)}.{milliseconds:03}"


def iso(at: datetime) -> str:
    """Return the machine's form of a time, for <time datetime>."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def milliseconds(span: timedelta | None) -> str:
    """Return 1,234 ms, rounded up: a delay is never shown shorter than it was."""
    if span is None:
        return NOTHING
    return gettext("%(ms)s ms", ms=whole(-(-span // timedelta(milliseconds=1))))


def duration(span: timedelta | None) -> str:
    """Return the two largest units: 3 d 4 h, 5 min 2 s."""
    if span is None:
        return NOTHING
    seconds = int(span.total_seconds())
    parts = (
        (seconds // 86_400, gettext("d")),
        (seconds // 3_600 % 24, gettext("h")),
        (seconds // 60 % 60, gettext("min")),
        (seconds % 60, gettext("s")),
    )
    first = next((index for index, (value, _) in enumerate(parts) if value), len(parts) - 1)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2])


def short_name(name: str, longest: int = 20) -> str:
    """Cut a nickname after 20 characters (B4)."""
    return name if len(name) <= longest else name[:longest] + "…"
