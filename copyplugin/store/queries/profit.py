"""What a round trip has made so far: one set of sums, read the same way for leader and follower.

A trade keeps sums (contracts and Σ price × contracts × contract size, of what was opened and what
was closed), never averages. What the closed contracts had cost follows from the realised profit, so
that realised plus unrealised is exactly what came in less what went out.
"""

from dataclasses import dataclass
from decimal import Decimal

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import Contracts, Money, Price, product, total


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """The sums of one round trip."""

    position_side: PositionSide
    contract_size: Decimal
    opened_contracts: Contracts
    opened_value: Money
    closed_contracts: Contracts
    closed_value: Money
    realized_pnl: Money  # before fees and funding

    @property
    def contracts(self) -> Contracts:
        """Return what is open."""
        return Contracts(self.opened_contracts - self.closed_contracts)

    @property
    def closed_cost(self) -> Money:
        """Return for what the closed contracts had been opened."""
        sign = 1 if self.position_side is PositionSide.LONG else -1
        return Money(total(self.closed_value, product(-sign, self.realized_pnl)))

    @property
    def entry_cost(self) -> Money:
        """Return for what the open contracts were opened."""
        return Money(total(self.opened_value, -self.closed_cost))

    @property
    def entry_price(self) -> Price:
        """Return the average price of the open contracts, to 28 digits: for show."""
        return self._average(self.entry_cost, self.contracts)

    @property
    def opening_price(self) -> Price:
        """Return the average price of everything that was opened, to 28 digits: for show."""
        return self._average(self.opened_value, self.opened_contracts)

    @property
    def closing_price(self) -> Price:
        """Return the average price of everything that was closed, to 28 digits: for show."""
        return self._average(self.closed_value, self.closed_contracts)

    def unrealized_pnl(self, mark: Price) -> Money:
        """Return the profit of the open contracts at this price, exact."""
        worth = product(self.contracts, self.contract_size, mark)
        sign = 1 if self.position_side is PositionSide.LONG else -1
        return Money(product(sign, total(worth, -self.entry_cost)))

    def _average(self, value: Money, contracts: Contracts) -> Price:
        assert contracts > 0
        return Price(value / product(contracts, self.contract_size))
