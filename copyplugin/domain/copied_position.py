"""What one copied position has used and earned, as its follower reads it (F3, F4)."""

from dataclasses import dataclass
from fractions import Fraction

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.money import Contracts, Money, Ratio, money_ceil, total


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiedPosition:
    """Sums over the fills of one round trip; values are Σ price × contracts × contract size."""

    opened_contracts: Contracts
    opened_value: Money
    closed_contracts: Contracts
    leverage: Ratio
    margin_mode: MarginMode

    def __post_init__(self) -> None:
        assert 0 <= self.closed_contracts <= self.opened_contracts
        assert self.leverage > 0

    @property
    def is_open(self) -> bool:
        return self.closed_contracts < self.opened_contracts

    @property
    def contracts(self) -> Contracts:
        return Contracts(self.opened_contracts - self.closed_contracts)


def amount_used(
    position: CopiedPosition, *, copy_amount: Money, venue_margin: Money | None
) -> Money:
    """Return F4's amount used, rounded up to the last unit.

    Open and isolated: the margin the venue reports, where it does. Open otherwise: entry price ×
    contracts × size / leverage. Closed: the same over the contracts closed, or the copy amount when
    none were. The entry price is the average of all opens.
    """
    if position.is_open:
        if position.margin_mode is MarginMode.ISOLATED and venue_margin is not None:
            return venue_margin
        return _margin_of(position, position.contracts)
    if position.closed_contracts == 0:
        return copy_amount
    return _margin_of(position, position.closed_contracts)


def position_yield(
    *, realized_pnl: Money, unrealized_pnl: Money, fees: Money, funding: Money, copy_amount: Money
) -> Fraction:
    """Return F3's yield: profit before the leader share / copy amount."""
    assert copy_amount > 0
    return Fraction(total(realized_pnl, unrealized_pnl, -fees, -funding)) / Fraction(copy_amount)


def _margin_of(position: CopiedPosition, contracts: Contracts) -> Money:
    entry_cost = Fraction(position.opened_value) * contracts / position.opened_contracts
    return money_ceil(entry_cost / Fraction(position.leverage))
