"""What sizes rest on: the leader's opening, balances, minimums, and the part a close takes.

All arithmetic is exact (integers and fractions) and is rounded once, down, at the end: a follower
never opens more than the rule gives him, and a close never leaves more than its proportion.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Money, Price, Ratio
from copyplugin.domain.skip import Skip, SkipReason, numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderOpening:
    """What one leader order has opened or added so far.

    `price_sum` is Σ contracts × price of its fills. `initial_margin` is what they tie up;
    `balance_before` is the leader's available balance right before the order's first fill, frozen
    then. Both are None where the venue does not tell them.
    """

    contracts: Contracts
    price_sum: Decimal
    leverage: Ratio
    initial_margin: Money | None = None
    balance_before: Money | None = None

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.price_sum > 0
        assert self.leverage > 0

    @property
    def exact_average_price(self) -> Fraction:
        return Fraction(self.price_sum) / self.contracts

    def at_leverage(self, leverage: Ratio) -> "LeaderOpening":
        """Return the same opening as the follower orders it, with a leverage of his own."""
        return self if leverage == self.leverage else replace(self, leverage=leverage)


def leader_balance_before(*, available_after: Money, initial_margin: Money, fee: Money) -> Money:
    """Return C5's B: the available balance immediately before the order's first fill.

    The seed: 'current balance of KOL + security deposit of opening position + transaction fee'.
    """
    return Money(available_after + initial_margin + fee)


def exact_proportional(
    opening: LeaderOpening, *, available: Money, instrument: Instrument
) -> Fraction | Skip:
    """Return available × leverage × p / (average price × contract size), C5, before rounding.

    p is the initial margin of what has filled over the leader's balance before, at most 1.
    """
    balance, margin = opening.balance_before, opening.initial_margin
    if balance is None or margin is None or balance <= 0:
        return Skip(
            reason=SkipReason.LEADER_BALANCE_UNKNOWN,
            detail={} if balance is None else numbers(leader_balance=balance),
        )
    assert margin >= 0
    part = min(Fraction(margin) / Fraction(balance), Fraction(1))
    value = max(Fraction(available), Fraction(0)) * Fraction(opening.leverage) * part
    return value / contract_value(opening, instrument)


def affordable_contracts(
    opening: LeaderOpening, *, available: Money, instrument: Instrument
) -> Contracts:
    """Return how many contracts the balance bears at the leader's price and leverage.

    Each costs its initial margin and the taker fee for opening it. Rounded down.
    """
    fee_rate = max(Fraction(instrument.taker_fee), Fraction(0))
    cost = contract_value(opening, instrument) * (1 / Fraction(opening.leverage) + fee_rate)
    return Contracts(max(Fraction(available), Fraction(0)) // cost)


def target_after_close(
    held: Contracts,
    *,
    leader_before: Contracts,
    leader_after: Contracts,
    instrument: Instrument,
    price: Price,
) -> Contracts:
    """Return what the follower holds after the leader went from before to after, C6.

    floor(held × after / before), so never more than the leader's proportion. What would remain
    below the venue's minimum at this price is closed too, and a close below it is raised to it.
    """
    assert 0 <= leader_after < leader_before
    if held == 0 or leader_after == 0:
        return NO_CONTRACTS
    smallest = instrument.smallest_order(price)
    closed = max(held - held * leader_after // leader_before, smallest)
    remainder = held - closed
    return Contracts(remainder) if remainder >= smallest else NO_CONTRACTS


def smallest_order(opening: LeaderOpening, instrument: Instrument) -> Contracts:
    """Return the fewest contracts the venue takes at the leader's average price."""
    worth = Fraction(instrument.notional_min) / contract_value(opening, instrument)
    return Contracts(max(instrument.contracts_min, -(-worth // 1)))


def contract_value(opening: LeaderOpening, instrument: Instrument) -> Fraction:
    """Return the value of one contract at the leader's average price."""
    return opening.exact_average_price * Fraction(instrument.contract_size)
