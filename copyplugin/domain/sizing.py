"""How many contracts a follower should hold for what the leader did (C4 to C6).

All arithmetic is exact (integers and fractions) and is rounded once, down, at the end: a follower
never opens more than the rule gives him, and a close never leaves more than its proportion.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Money, Price, Ratio
from copyplugin.domain.skip import Skip, SkipReason


class CopyMode(StrEnum):
    FIXED = "fixed"  # as many contracts as the leader opens (C4)
    PROPORTIONAL = "proportional"  # the same part of the balance as the leader uses (C5)


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


def leader_balance_before(*, available_after: Money, initial_margin: Money, fee: Money) -> Money:
    """Return C5's B: the available balance immediately before the order's first fill.

    The seed: 'current balance of KOL + security deposit of opening position + transaction fee'.
    """
    return Money(available_after + initial_margin + fee)


def contracts_for_open(
    mode: CopyMode, opening: LeaderOpening, *, available: Money, instrument: Instrument
) -> Contracts | Skip:
    """Return how many contracts the follower opens for the leader's order so far, or why none.

    `available` is the sub-account's available balance, frozen at the order's first fill. Called
    again as the order fills, it returns the new total, not the increase.

    The reasons in order of precedence: leverage not allowed, leader's balance unknown, below the
    minimum, insufficient balance. No more than the venue takes in one order is opened.
    In fixed mode what the money does not bear is skipped (L9). In proportional mode the rule's
    number is an upper bound: where a fee leaves too little for all of it, what is left is used.
    """
    if opening.leverage > instrument.leverage_max:
        return Skip(
            reason=SkipReason.LEVERAGE_NOT_ALLOWED,
            detail=_detail(leverage=opening.leverage, allowed=instrument.leverage_max),
        )
    wanted = (
        opening.contracts
        if mode is CopyMode.FIXED
        else proportional_contracts(opening, available=available, instrument=instrument)
    )
    if isinstance(wanted, Skip):
        return wanted
    return _within_limits(mode, Contracts(wanted), opening, available, instrument)


def proportional_contracts(
    opening: LeaderOpening, *, available: Money, instrument: Instrument
) -> Contracts | Skip:
    """Return floor(available × leverage × p / (average price × contract size)), C5.

    p is the initial margin of what has filled over the leader's balance before, at most 1.
    """
    balance, margin = opening.balance_before, opening.initial_margin
    if balance is None or margin is None or balance <= 0:
        return Skip(
            reason=SkipReason.LEADER_BALANCE_UNKNOWN,
            detail={} if balance is None else _detail(leader_balance=balance),
        )
    assert margin >= 0
    part = min(Fraction(margin) / Fraction(balance), Fraction(1))
    value = max(Fraction(available), Fraction(0)) * Fraction(opening.leverage) * part
    return Contracts(value // _contract_value(opening, instrument))


def affordable_contracts(
    opening: LeaderOpening, *, available: Money, instrument: Instrument
) -> Contracts:
    """Return how many contracts the balance bears at the leader's price and leverage.

    Each costs its initial margin and the taker fee for opening it. Rounded down.
    """
    fee_rate = max(Fraction(instrument.taker_fee), Fraction(0))
    cost = _contract_value(opening, instrument) * (1 / Fraction(opening.leverage) + fee_rate)
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


def _within_limits(
    mode: CopyMode,
    wanted: Contracts,
    opening: LeaderOpening,
    available: Money,
    instrument: Instrument,
) -> Contracts | Skip:
    capped = min(wanted, instrument.contracts_max)
    smallest = _smallest_order(opening, instrument)
    affordable = affordable_contracts(opening, available=available, instrument=instrument)
    if capped < smallest:
        return Skip(
            reason=(
                SkipReason.BELOW_MINIMUM
                if affordable >= smallest
                else SkipReason.INSUFFICIENT_BALANCE
            ),
            detail=_detail(contracts=capped, minimum=smallest, available=available),
        )
    if mode is CopyMode.PROPORTIONAL and affordable >= smallest:
        return min(capped, affordable)
    if affordable < capped:
        return Skip(
            reason=SkipReason.INSUFFICIENT_BALANCE,
            detail=_detail(contracts=capped, affordable=affordable, available=available),
        )
    return capped


def _smallest_order(opening: LeaderOpening, instrument: Instrument) -> Contracts:
    worth = Fraction(instrument.notional_min) / _contract_value(opening, instrument)
    return Contracts(max(instrument.contracts_min, -(-worth // 1)))


def _contract_value(opening: LeaderOpening, instrument: Instrument) -> Fraction:
    """Return the value of one contract at the leader's average price."""
    return opening.exact_average_price * Fraction(instrument.contract_size)


def _detail(**numbers: Decimal | int) -> dict[str, str]:
    return {
        name: f"{number:f}" if isinstance(number, Decimal) else str(number)
        for name, number in numbers.items()
    }
