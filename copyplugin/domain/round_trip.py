"""The sums of one round trip: flat, open, flat; the leader's and the follower's are kept alike."""

from dataclasses import dataclass, replace
from fractions import Fraction

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import (
    NO_CONTRACTS,
    ZERO_MONEY,
    Contracts,
    Money,
    money_floor,
    product,
    total,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundTrip:
    """Values are Σ price × contracts × contract size; fees are positive where they were paid.

    `realized_pnl` is before fees. While contracts are open it rests on their average entry cost;
    once all are closed it is exactly what came in less what went out, however they were closed.
    """

    position_side: PositionSide
    opened_contracts: Contracts = NO_CONTRACTS
    opened_value: Money = ZERO_MONEY
    closed_contracts: Contracts = NO_CONTRACTS
    closed_value: Money = ZERO_MONEY
    realized_pnl: Money = ZERO_MONEY
    fees: Money = ZERO_MONEY

    @property
    def contracts(self) -> Contracts:
        """Return what is open."""
        return Contracts(self.opened_contracts - self.closed_contracts)

    @property
    def entry_cost(self) -> Money:
        """Return for what the open contracts were opened."""
        sign = 1 if self.position_side is PositionSide.LONG else -1
        closed_cost = total(self.closed_value, product(-sign, self.realized_pnl))
        return Money(total(self.opened_value, -closed_cost))

    def opened(self, contracts: Contracts, value: Money, *, fee: Money) -> "RoundTrip":
        """Return the round trip after more was opened."""
        assert contracts > 0
        return replace(
            self,
            opened_contracts=Contracts(self.opened_contracts + contracts),
            opened_value=Money(total(self.opened_value, value)),
            fees=Money(total(self.fees, fee)),
        )

    def cost_of(self, contracts: Contracts) -> Money:
        """Return the part of the entry cost that so many of the open contracts take with them.

        Rounded down; the last ones take what remains.
        """
        assert 0 < contracts <= self.contracts
        return money_floor(Fraction(self.entry_cost) * contracts / self.contracts)

    def taken(
        self, contracts: Contracts, value: Money, *, realized: Money, fee: Money
    ) -> "RoundTrip":
        """Return the round trip after the venue took contracts and said what they realised.

        It took them at what they had cost then, which need not be the average of all that is open
        now: more may have been opened after it.
        """
        assert 0 < contracts <= self.contracts
        return replace(
            self,
            closed_contracts=Contracts(self.closed_contracts + contracts),
            closed_value=Money(total(self.closed_value, value)),
            realized_pnl=Money(total(self.realized_pnl, realized)),
            fees=Money(total(self.fees, fee)),
        )

    def closed(self, contracts: Contracts, value: Money, *, fee: Money) -> "RoundTrip":
        """Return the round trip after some or all of what is open was closed."""
        gained = total(value, -self.cost_of(contracts))
        if self.position_side is PositionSide.SHORT:
            gained = -gained
        return self.taken(contracts, value, realized=Money(gained), fee=fee)
