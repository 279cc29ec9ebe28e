"""What is traded, and the grid its prices and sizes lie on."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.money import (
    Contracts,
    Money,
    Price,
    Ratio,
    ceil_to_step,
    floor_to_step,
    product,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """One linear perpetual contract.

    `contract_size` is the base quantity of one contract; where a venue counts in base units with a
    lot step, its adapter calls one lot a contract. Fees are those of an account without a discount.
    """

    symbol: Symbol
    base: str
    settle: str
    tick_size: Decimal
    contract_size: Decimal
    contracts_min: Contracts
    contracts_max: Contracts  # of one order
    notional_min: Money  # 0 where the venue asks for none
    leverage_max: Ratio
    maker_fee: Ratio  # may be negative: a rebate
    taker_fee: Ratio
    maintenance_rate: Ratio | None = None  # of the lowest margin tier; None: the venue is silent

    def __post_init__(self) -> None:
        assert self.tick_size > 0
        assert self.contract_size > 0
        assert 0 < self.contracts_min <= self.contracts_max
        assert self.notional_min >= 0
        assert self.leverage_max >= 1

    def notional(self, contracts: Contracts, price: Price) -> Money:
        """Return contracts × contract size × price, exact."""
        return Money(product(contracts, self.contract_size, price))

    def round_price_down(self, price: Decimal) -> Price:
        """Return the highest price on the grid that is not above this one."""
        return Price(floor_to_step(price, self.tick_size))

    def round_price_up(self, price: Decimal) -> Price:
        """Return the lowest price on the grid that is not below this one."""
        return Price(ceil_to_step(price, self.tick_size))

    def smallest_order(self, price: Price) -> Contracts:
        """Return the fewest contracts the venue takes at this price."""
        assert price > 0
        worth = Fraction(self.notional_min) / Fraction(product(self.contract_size, price))
        return Contracts(max(self.contracts_min, -(-worth // 1)))
