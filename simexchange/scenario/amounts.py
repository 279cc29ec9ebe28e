"""Amounts as people write them, turned into the exchange's whole numbers, or refused.

Nothing is rounded: what does not fit the grid is refused with the nearest values that do. The
functions raise ``ValueError`` with a sentence; who knows the line adds it.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, SECOND_US

Number = str | int | Decimal
"""What a number may be given as; a float is not exact and is refused."""

_DECIMAL = re.compile(r"[+-]?\d+(_\d+)*(\.\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?")
_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": SECOND_US,
    "m": 60 * SECOND_US,
    "h": 3_600 * SECOND_US,
    "d": 86_400 * SECOND_US,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
DAY_US = _UNITS_US["d"]
MONEY_DIGITS = 8
PERCENT_DIGITS = 6  # of a percentage, so that its rate is whole in units of 10⁻⁸


def decimal_of(number: Number, what: str = "a number") -> Decimal:
    """Return ``number`` exactly."""
    if isinstance(number, Decimal | int) and not isinstance(number, bool):
        value = Decimal(number)
        if not value.is_finite():
            raise ValueError(f"{what} must be a finite number, not {number}")
        return value
    if not isinstance(number, str):
        kind = type(number).__name__
        raise ValueError(  # noqa: TRY004 - one error for whatever an author may write
            f'{what} is exact: write "{number}" or Decimal("{number}"), not a {kind}'
        )
    if not _DECIMAL.fullmatch(number.strip()):
        raise ValueError(
            f"{what} must be a plain number like 65000.5, without commas or exponent, not {number}"
        )
    return Decimal(number.strip())


def whole_of(number: Number, what: str) -> int:
    value = decimal_of(number, what)
    if value != int(value):
        below = value // 1
        raise ValueError(f"{what} must be a whole number, not {number}; use {below} or {below + 1}")
    return int(value)


def money_of(number: Number, what: str = "an amount of money") -> int:
    """Return money units; at most eight decimals."""
    return _scaled(decimal_of(number, what), MONEY_DIGITS, what)


def rate_of(number: str, what: str = "a rate") -> int:
    """Return rate units of a percentage such as ``0.05%``; the sign of percent is required."""
    text = str(number).strip()
    if not text.endswith("%"):
        raise ValueError(f"{what} is written in percent: 0.05%, not {text}")
    return _scaled(decimal_of(text[:-1], what), PERCENT_DIGITS, what)


def _scaled(value: Decimal, digits: int, what: str) -> int:
    scaled = value * 10**digits
    if scaled != int(scaled):
        below = Decimal(f"{scaled // 1}e-{digits}")
        raise ValueError(
            f"{what} has at most {digits} decimals, {value} has more; use {decimal_text(below)}"
        )
    return int(scaled)


def price_of(number: Number, instrument: Instrument, what: str = "price") -> int:
    """Return ticks, ≥ 1."""
    value = decimal_of(number, what)
    ticks = instrument.price_to_ticks(value)
    if ticks < 1:
        raise ValueError(f"{what} of {instrument.symbol} must be above 0, not {value}")
    return ticks


def contracts_of(number: Number, what: str = "contracts") -> int:
    contracts = whole_of(number, what)
    if contracts < 1:
        raise ValueError(f"{what} must be at least 1, not {number}")
    return contracts


def contracts_from_base(number: Number, instrument: Instrument) -> int:
    """Return the contracts that hold a base quantity, refused when they are not whole."""
    value = decimal_of(number, "base")
    try:
        contracts = instrument.contracts_from_base(value)
    except ValueError as error:
        below = value // instrument.contract_size * instrument.contract_size
        above = below + instrument.contract_size
        raise ValueError(f"{error}; use {decimal_text(below)} or {decimal_text(above)}") from None
    return contracts_of(contracts, "base, in contracts,")


def duration_us(text: str) -> int:
    """Return microseconds of a duration such as ``30s``, ``1h 30m`` or ``500ms``."""
    rest, total = text.strip(), Fraction(0)
    if not rest:
        raise ValueError("a duration is missing: write 30s, 5m or 8h")
    while rest:
        match = _DURATION.match(rest)
        if match is None:
            raise ValueError(f"a duration is written 30s, 5m, 8h, 1h 30m or 500ms, not {text!r}")
        total += Fraction(match.group(1)) * _UNITS_US[match.group(2)]
        rest = rest[match.end() :].strip()
    if total.denominator != 1:
        raise ValueError(f"{text} is not a whole number of microseconds")
    return int(total)


def moment_us(text: str, now: int) -> int:
    """Return microseconds since the epoch of a time such as ``2026-01-31 10:00:00``, in UTC.

    A time of the day alone, such as ``10:00:00``, is the next one from ``now``.
    """
    text = text.strip()
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        return _whole_moment_us(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 - a clock's own numbers
        raise ValueError(f"{text} is not a time of the day")
    micros = int(Fraction(match.group(4) or 0) * SECOND_US)
    in_day = (hours * 3600 + minutes * 60 + seconds) * SECOND_US + micros
    at = now - now % DAY_US + in_day
    return at if at >= now else at + DAY_US


def _whole_moment_us(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a time is written 10:00:00 or 2026-01-31 10:00:00, not {text}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment < _EPOCH:
        raise ValueError(f"time begins in 1970, after {text}")
    return later((moment - _EPOCH) // timedelta(microseconds=1), 0)


def later(at: int, lasting_us: int) -> int:
    """Return the moment ``lasting_us`` after ``at``; calendars end with the year 9999."""
    if at + lasting_us > _LATEST_US:
        raise ValueError("that is after the year 9999")
    return at + lasting_us


def moment_text(at: int) -> str:
    """Return ``2026-01-31 10:00:00`` of microseconds since the epoch, in UTC."""
    moment = _EPOCH + timedelta(microseconds=at)
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}".rstrip("0") if moment.microsecond else text


def duration_text(microseconds: int) -> str:
    """Return the shortest way to write a duration, such as ``1h 30m``."""
    parts: list[str] = []
    for unit, size in sorted(_UNITS_US.items(), key=lambda item: -item[1]):
        count, microseconds = divmod(microseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def decimal_text(value: Decimal) -> str:
    """Return a number without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def money_decimal(units: int) -> Decimal:
    return Decimal(f"{units}e-{MONEY_DIGITS}")


def money_text(units: int) -> str:
    return decimal_text(money_decimal(units))


def rate_text(units: int) -> str:
    return decimal_text(Decimal(f"{units}e-{PERCENT_DIGITS}")) + "%"


def fraction_text(value: Fraction) -> str:
    """Return a number exactly where decimals can, else with eight of them and an ellipsis."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        digits = 0
        while (value * 10**digits).denominator != 1:
            digits += 1
        return decimal_text(Decimal(f"{int(value * 10**digits)}e-{digits}"))
    sign, units = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{Decimal(f'{int(units * MONEY_SCALE)}e-{MONEY_DIGITS}'):f}…"
