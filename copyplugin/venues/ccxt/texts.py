"""Numbers as the wire has them: texts, read exactly; and what is written to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from copyplugin.domain.capacity import Levels
from copyplugin.domain.identifiers import VenueFillId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, money_ceil, money_floor, product
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.clients import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def decimal_of(row: Row, name: str, default: str | None = None) -> Decimal:
    """Return the number that the venue wrote as text, digit by digit.

    A float would have lost what it was read from. Raises `VenueUnavailable` where the answer is not
    what the venue documents: whatever it is, it is not acted on.
    """
    value: Any = row.get(name)
    if value is None or value == "":
        if default is None:
            raise VenueUnavailable(f"the venue's answer lacks {name}")
        return Decimal(default)
    if isinstance(value, float) or not isinstance(value, str | int):
        raise VenueUnavailable(f"the venue wrote {name} as {type(value).__name__}, not as text")
    try:
        number = Decimal(value)
    except ArithmeticError as error:
        raise VenueUnavailable(f"the venue wrote {name} as {value!r}") from error
    if not number.is_finite():
        raise VenueUnavailable(f"the venue wrote {name} as {value!r}")
    return number


def money_of(row: Row, name: str, default: str | None = None) -> Money:
    return Money(decimal_of(row, name, default))


def charge_of(row: Row, name: str, default: str | None = None) -> Money:
    """Return what the account pays, rounded up where the venue counts finer than we store.

    A venue that writes charges as negative amounts means by -2 that it takes 2.
    """
    return money_ceil(-Fraction(decimal_of(row, name, default)))


def credit_of(row: Row, name: str, default: str | None = None) -> Money:
    """Return what the account gets or has, rounded down where the venue counts finer."""
    return money_floor(Fraction(decimal_of(row, name, default)))


def price_of(row: Row, name: str) -> Price:
    return Price(decimal_of(row, name))


def price_or_none(row: Row, name: str) -> Price | None:
    """Return None where the venue has none: an empty text or a zero."""
    price = decimal_of(row, name, "0")
    return Price(price) if price > 0 else None


def text_of(row: Row, name: str) -> str:
    return str(row.get(name) or "")


def levels_of(rows: Sequence[Any], unit: Decimal) -> Levels:
    """Return a side that the venue wrote as rows of price and quantity; parts of a unit are cut."""
    return [
        (
            price_of({"price": row[0]}, "price"),
            Contracts(int(decimal_of({"size": row[1]}, "size") // unit)),
        )
        for row in rows
    ]


def contracts_of(quantity: Decimal, unit: Decimal, name: str) -> Contracts:
    """Return how many contracts a quantity is; raises `VenueUnavailable` for a part of one."""
    count = Fraction(abs(quantity)) / Fraction(unit)
    if count.denominator != 1:
        raise VenueUnavailable(f"{name}: {quantity} is no multiple of {unit}")
    return Contracts(int(count))


def quantity_text(contracts: int, unit: Decimal) -> str:
    """Return contracts × unit as the wire wants it: plain digits."""
    return plain(product(contracts, unit))


def plain(number: Decimal) -> str:
    return format(number, "f")


def filled_value(instrument: Instrument, contracts: Contracts, price: Price) -> Money:
    return instrument.notional(contracts, price)


def time_of(milliseconds: int | str) -> datetime:
    return _EPOCH + int(milliseconds) * _MILLISECOND


def milliseconds_of(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


def fill_id(milliseconds: int | str, execution: str) -> VenueFillId:
    """Return our name of a fill: its time and the venue's id, so that it is a place in time."""
    return VenueFillId(f"{milliseconds}-{execution}")


def milliseconds_of_fill(fill: VenueFillId) -> int:
    return int(fill.partition("-")[0])
