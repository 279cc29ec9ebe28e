"""The sums of one round trip in plain integers, for the path of every order.

They are what `RoundTrip` computes, to the last unit: a law holds the two to one another.
"""

from typing import NamedTuple

from copyplugin.domain.fill import PositionSide


class StepSums(NamedTuple):
    """Contracts, and money in whole `MONEY_STEP`; named as the fields of `RoundTrip`."""

    opened_contracts: int = 0
    opened_value: int = 0
    closed_contracts: int = 0
    closed_value: int = 0
    realized_pnl: int = 0
    fees: int = 0

    @property
    def contracts(self) -> int:
        """Return what is open."""
        return self.opened_contracts - self.closed_contracts

    def opened(self, contracts: int, value: int, *, fee: int) -> "StepSums":
        """Return the sums after more was opened."""
        assert contracts > 0
        return StepSums(
            self.opened_contracts + contracts,
            self.opened_value + value,
            self.closed_contracts,
            self.closed_value,
            self.realized_pnl,
            self.fees + fee,
        )

    def closed(
        self, contracts: int, value: int, *, fee: int, position_side: PositionSide
    ) -> "StepSums":
        """Return the sums after some or all of what is open was closed.

        The part of the entry cost that goes with it is rounded down; the last part takes the rest.
        """
        assert 0 < contracts <= self.contracts
        sign = 1 if position_side is PositionSide.LONG else -1
        entry_cost = self.opened_value - self.closed_value + sign * self.realized_pnl
        gained = sign * (value - entry_cost * contracts // self.contracts)
        return StepSums(
            self.opened_contracts,
            self.opened_value,
            self.closed_contracts + contracts,
            self.closed_value + value,
            self.realized_pnl + gained,
            self.fees + fee,
        )
