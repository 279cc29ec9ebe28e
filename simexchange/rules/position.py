"""One position as the rules see it, and the line that its maintenance requirement draws.

Everything below is written in the *value* of the position, counted in the settle currency: q·P for
a linear contract, Q/P for an inverse one (Q in quote currency, one contract = one unit of it). In
the value, profit is a straight line for both kinds of contract, so that one equation serves for
linear and inverse, long and short, liquidation and bankruptcy.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Self

from simexchange.rules.exact import (
    Number,
    ceil_to_step,
    exact,
    floor_to_step,
    positive,
)
from simexchange.rules.side import PositionSide


class ContractType(StrEnum):
    LINEAR = "linear"  # quantity in base currency, settled in quote currency
    INVERSE = "inverse"  # quantity in quote currency, settled in base currency

    @classmethod
    def _missing_(cls, value: object) -> "ContractType":
        raise ValueError(f'a contract is "linear" or "inverse", not {value!r}')


@dataclass(frozen=True, slots=True)
class Position:
    """A position; `quantity` is contracts × contract size, above zero."""

    side: PositionSide
    quantity: Fraction
    entry_price: Fraction
    contract_type: ContractType = ContractType.LINEAR

    @classmethod
    def of(
        cls,
        side: PositionSide | str,
        quantity: Number,
        entry_price: Number,
        contract_size: Number = 1,
        contract_type: ContractType | str = ContractType.LINEAR,
    ) -> Self:
        """Return the position; ValueError with a sentence for what cannot be one."""
        size = positive(contract_size, "contract size")
        return cls(
            PositionSide(side),
            positive(quantity, "quantity") * size,
            positive(entry_price, "entry price"),
            ContractType(contract_type),
        )

    @property
    def value_sign(self) -> int:
        """Return +1 where the position gains when its value grows, else -1."""
        return self.side.sign if self.contract_type is ContractType.LINEAR else -self.side.sign

    @property
    def entry_value(self) -> Fraction:
        return self.value_at(self.entry_price)

    def value_at(self, price: Number) -> Fraction:
        """Return the value at a price, in settle currency, unrounded."""
        at = positive(price, "price")
        linear = self.contract_type is ContractType.LINEAR
        return self.quantity * at if linear else self.quantity / at

    def price_of(self, value: Fraction) -> Fraction:
        """Return the price at which the position is worth `value`, which is above zero."""
        linear = self.contract_type is ContractType.LINEAR
        return value / self.quantity if linear else self.quantity / value

    def unrealized_pnl(self, price: Number) -> Fraction:
        """Return the profit at a price, in settle currency, unrounded."""
        return self.value_sign * (self.value_at(price) - self.entry_value)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What equity must stay above, as a line in the position's value: rate × value + constant."""

    rate: Fraction = Fraction(0)
    constant: Fraction = Fraction(0)

    def at(self, value: Fraction) -> Fraction:
        return self.rate * value + self.constant


def value_where_equity_meets(
    position: Position, margin: Fraction, requirement: Requirement
) -> Fraction:
    """Return the value of the position where margin + profit = requirement; may be 0 or below.

    ValueError when the requirement grows as fast as the position's value does.
    """
    sign = position.value_sign
    slope = 1 - sign * requirement.rate
    if slope <= 0:
        raise ValueError("maintenance margin rate and fee rate together must be below 1")
    return (position.entry_value - sign * (margin - requirement.constant)) / slope


def price_of_meeting(position: Position, value: Fraction) -> Fraction | None:
    """Return the price of a value from `value_where_equity_meets`; None: no price gets there.

    ValueError when instead equity is below the requirement at every price.
    """
    if value > 0:
        return position.price_of(value)
    if position.value_sign > 0:
        return None
    raise ValueError("equity is below the requirement at every price: this margin covers nothing")


def price_where_equity_meets(
    position: Position, margin: Fraction, requirement: Requirement
) -> Fraction | None:
    """Return the one price where margin + profit = requirement; None where there is none above 0.

    ValueError as in the two functions it is made of.
    """
    return price_of_meeting(position, value_where_equity_meets(position, margin, requirement))


def rounded_toward_entry(
    price: Fraction | None, side: PositionSide | str, tick: Number | None
) -> Fraction | None:
    """Return the price on the tick grid, on its entry side: a long's up, a short's down.

    The reported price then never promises more room than there is. `tick` None: unrounded.
    """
    if price is None or tick is None:
        return price
    up = PositionSide(side) is PositionSide.LONG
    return Fraction(ceil_to_step(price, tick) if up else floor_to_step(price, tick))


def rounded_away_from_entry(price: Number, side: PositionSide | str, tick: Number) -> Decimal:
    """Return the first price on the tick grid at or beyond `price`, seen from the entry.

    With the unrounded liquidation price this is the first mark price, of those on the grid, at
    which the position is liquidated.
    """
    down = PositionSide(side) is PositionSide.LONG
    return floor_to_step(price, tick) if down else ceil_to_step(price, tick)


def margin_of(
    position: Position, margin: Number | None, leverage: Number | None, extra_margin: Number = 0
) -> Fraction:
    """Return the margin given, or entry value ÷ leverage; plus what was added.

    ValueError unless exactly one of margin and leverage is given. Margin may be below zero: in
    cross mode, losses elsewhere can have eaten more than the wallet.
    """
    if (margin is None) == (leverage is None):
        raise ValueError("give either margin or leverage, and not both")
    extra = exact(extra_margin, "extra margin")
    if margin is not None:
        return exact(margin, "margin") + extra
    assert leverage is not None
    return position.entry_value / positive(leverage, "leverage") + extra
