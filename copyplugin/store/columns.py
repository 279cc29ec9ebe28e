"""How our values are stored, with the same meaning on SQLite and on PostgreSQL.

Money is a 64-bit integer of 10⁻⁸, so that sums and orderings in SQL are exact on both; it is never
multiplied in SQL, where SQLite turns an overflow into a float without a word. Prices and ratios are
decimal text, because their scale differs by instrument; they are neither summed nor ordered in SQL.
Times are whole microseconds since the epoch.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import BigInteger, Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from copyplugin.domain.money import MONEY_STEP, Money, money_of_steps, product, steps_of

_UNITS_MAX = 2**63 - 1
MONEY_MAX = product(_UNITS_MAX, MONEY_STEP)
"""The largest amount that fits: 92 233 720 368.54775807."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DECIMAL_DIGITS_MAX = 80

E = TypeVar("E", bound=StrEnum)


def literals(names: Collection[StrEnum]) -> str:
    """Return the names as SQL writes them in a list, in order of the alphabet."""
    return ", ".join(f"'{name}'" for name in sorted(names))


def money_bound(value: Decimal) -> int:
    """Return the amount as it is stored; raises `ValueError` where it is too fine or too large."""
    units = steps_of(value)
    if units is None:
        raise ValueError(f"{value} is not a whole number of {MONEY_STEP:f}: round it first")
    if not -_UNITS_MAX <= units <= _UNITS_MAX:
        raise ValueError(f"{value} is beyond {MONEY_MAX}, the largest amount that is stored")
    return units


def decimal_bound(value: Decimal) -> str:
    """Return the number's digits; raises `ValueError` where it is none or has too many."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be stored")
    text = f"{value:f}"
    if len(text) > _DECIMAL_DIGITS_MAX:
        raise ValueError(f"{text} has more than {_DECIMAL_DIGITS_MAX} characters")
    return text


def fraction_bound(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def utc_bound(value: datetime) -> int:
    """Return microseconds since the epoch; raises `ValueError` for a time without a zone."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone: pass an aware time, in UTC")
    return (value - _EPOCH) // _MICROSECOND


def utc_found(value: int) -> datetime:
    return _EPOCH + value * _MICROSECOND


class MoneyColumn(TypeDecorator[Money]):
    """An amount as a whole number of 10⁻⁸; refuses what is finer or out of range."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else money_bound(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:
        return None if value is None else money_of_steps(value)


class DecimalColumn(TypeDecorator[Decimal]):
    """A price or a ratio as plain decimal text, exact to the digit."""

    impl = String(_DECIMAL_DIGITS_MAX)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else decimal_bound(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class FractionColumn(TypeDecorator[Fraction]):
    """An exact fraction as numerator/denominator; neither summed nor ordered in SQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Dialect) -> str | None:
        return None if value is None else fraction_bound(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Fraction | None:
        return None if value is None else Fraction(value)


class UtcColumn(TypeDecorator[datetime]):
    """A time as microseconds since the epoch; refuses a time without a zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else utc_bound(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else utc_found(value)


class EnumColumn(TypeDecorator[E]):
    """A word out of a fixed list; another word in the database is an error when it is read."""

    impl = String(32)
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__()
        self.enum = enum
        self.words = {member.value: member for member in enum}

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        if value is None:
            return None
        return self.words[value] if value in self.words else self.enum(value)
