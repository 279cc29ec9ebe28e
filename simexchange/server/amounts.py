"""Texts of the wire ↔ integers of the exchange, exactly, both ways.

Money is in units of 10⁻⁸, prices in ticks, sizes in contracts; on the wire prices are decimal
texts, and sizes are decimal texts in the base asset.
"""

import re
from decimal import Decimal
from fractions import Fraction

from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?")


def money_text(money: int) -> str:
    """Return money as a decimal text without trailing zeros, exactly."""
    if money < 0:
        return "-" + money_text(-money)
    whole, part = divmod(money, MONEY_SCALE)
    return str(whole) if part == 0 else f"{whole}.{part:08d}".rstrip("0")


def rate_text(rate: int) -> str:
    """Return a rate (units of 10⁻⁸) as a decimal text without trailing zeros."""
    return money_text(rate)


def money_from(text: str) -> int:
    """Return a decimal text as money; ValueError when it is finer than 10⁻⁸ or no decimal."""
    return _scaled(text, 8)


def fraction_text(value: Fraction, places: int) -> str:
    """Return ``value`` ≥ 0 with at most ``places`` decimals, rounded half to even, no zeros."""
    scaled = round(value * 10**places)
    whole, part = divmod(scaled, 10**places)
    return str(whole) if part == 0 else f"{whole}.{part:0{places}d}".rstrip("0")


def is_decimal(text: str) -> bool:
    """Say whether ``text`` is a plain decimal number without sign or exponent."""
    return _DECIMAL.fullmatch(text) is not None


def _scaled(text: str, places: int) -> int:
    if not is_decimal(text):
        raise ValueError(f"{text!r} is not a plain decimal number")
    whole, _, part = text.partition(".")
    if len(part) > places:
        if part[places:].strip("0"):
            raise ValueError(f"{text} has more than {places} decimals")
        part = part[:places]
    return int(whole) * 10**places + int(part.ljust(places, "0") or 0)


class _Step:
    """A grid of decimal numbers: whole multiples of one step."""

    __slots__ = ("_places", "_scale", "_units", "step")

    def __init__(self, step: Decimal) -> None:
        exponent = step.normalize().as_tuple().exponent
        assert isinstance(exponent, int), f"{step} is not a finite number"
        self.step = step
        self._places = max(0, -exponent)
        self._scale = 10**self._places
        self._units = int(step * self._scale)

    @property
    def places(self) -> int:
        """How many decimals a text of this grid has."""
        return self._places

    def text(self, count: int) -> str:
        """Return ``count`` steps as a decimal text with the grid's number of decimals."""
        if count < 0:
            return "-" + self.text(-count)
        whole, part = divmod(count * self._units, self._scale)
        return f"{whole}.{part:0{self._places}d}" if self._places else str(whole)

    def short_text(self, count: int) -> str:
        """Return ``count`` steps as a decimal text without trailing zeros."""
        text = self.text(count)
        return text.rstrip("0").rstrip(".") if "." in text else text

    def count(self, text: str) -> int:
        """Return how many steps ``text`` is; ValueError when it is no decimal or off the grid."""
        count, rest = divmod(_scaled(text, self._places), self._units)
        if rest:
            raise ValueError(f"{text} is not a multiple of {self.step}")
        return count


class Grid:
    """The texts of one instrument: prices, base quantities, values."""

    __slots__ = ("instrument", "prices", "quantities", "tick_value")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.prices = _Step(instrument.tick_size)
        self.quantities = _Step(instrument.contract_size)
        self.tick_value = instrument.tick_value

    def price(self, ticks: int | None) -> str:
        """Return a price as text, empty when there is none."""
        return "" if ticks is None else self.prices.text(ticks)

    def quantity(self, contracts: int) -> str:
        """Return a base quantity without trailing zeros."""
        return self.quantities.short_text(contracts)

    def whole_quantity(self, contracts: int) -> str:
        """Return a base quantity with as many decimals as the instrument has."""
        return self.quantities.text(contracts)

    def value(self, tick_contracts: int) -> int:
        """Return the money of Σ price × contracts."""
        return tick_contracts * self.tick_value

    def average_price(self, money: int, contracts: int) -> str:
        """Return value ÷ quantity as text with up to eight decimals; empty for no contracts."""
        if contracts == 0:
            return ""
        ticks = Fraction(money, contracts * self.tick_value)
        return fraction_text(ticks * Fraction(self.instrument.tick_size), 8)
