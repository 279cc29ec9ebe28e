"""How many contracts an open comes to: the mode's exact number, what is carried, caps, money.

All arithmetic is exact (integers and fractions) and is rounded once, down, at the end.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from copyplugin.domain.copy_rule import BelowMinimum, CopyMode, CopyRule
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Money
from copyplugin.domain.sizing import (
    LeaderOpening,
    affordable_contracts,
    contract_value,
    exact_proportional,
    smallest_order,
)
from copyplugin.domain.skip import Skip, SkipReason, numbers

NOTHING = Fraction(0)

ASKS_FOR_BALANCE = frozenset({CopyMode.PROPORTIONAL, CopyMode.EQUITY_RATIO})
"""Modes whose number rests on the sub-account's balance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holdings:
    """What a follow holds and has opened today, the order that is being sized left out."""

    instrument_value: Fraction = NOTHING
    total_value: Fraction = NOTHING
    other_positions: int = 0  # open lanes beside this one
    is_open: bool = False  # this lane holds something already
    opened_today: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a number of contracts rests on beside the rule and the leader's order.

    `available` and `equity` are the sub-account's, frozen at the order's first fill; None where
    they were not asked for. `carried` is what earlier opens of the lane have left over.
    """

    available: Money | None = None
    equity: Money | None = None
    leader_equity: Money | None = None
    carried: Fraction = NOTHING
    holdings: Holdings = field(default_factory=Holdings)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSize:
    """Contracts to open for the leader's order so far.

    `carried` is what the lane carries on from it; None where it carries what it did before.
    """

    contracts: Contracts
    carried: Fraction | None = None
    skip: Skip | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cap:
    """The tightest cap of an order, in whole contracts, and what is said where it bites."""

    contracts: int
    skip: Skip


def size_of_open(
    rule: CopyRule, opening: LeaderOpening, around: Circumstances, instrument: Instrument
) -> OpenSize:
    """Return how many contracts the follower opens for the leader's order so far, or why none.

    Called again as the order fills, it returns the new total, not the increase. The reasons in
    order of precedence: leverage not allowed, leader's balance unknown, positions and orders at
    their caps, below the minimum, margin and values at their caps, insufficient balance. A cap cuts
    an order down and skips it only where less than the venue's minimum is left. Where the rule
    carries, what rounding and the minimum left over is carried; what a cap or the money cut off is
    not. In proportional mode the rule's number is an upper bound: where a fee leaves too little for
    all of it, what is left is used. In all others what the money does not bear is skipped (L9).
    """
    ordered = opening.at_leverage(rule.leverage_for(opening.leverage))
    if ordered.leverage > instrument.leverage_max:
        return _none(
            Skip(
                reason=SkipReason.LEVERAGE_NOT_ALLOWED,
                detail=numbers(leverage=ordered.leverage, allowed=instrument.leverage_max),
            )
        )
    exact = exact_contracts(rule, ordered, around, instrument)
    refusal = exact if isinstance(exact, Skip) else _at_a_cap(rule, around.holdings)
    if refusal is not None or isinstance(exact, Skip):
        assert refusal is not None
        return _none(refusal)
    carries = rule.below_minimum is BelowMinimum.CARRY
    total = exact + around.carried if carries else exact
    cap = _tightest_cap(rule, ordered, around.holdings, instrument)
    smallest = smallest_order(ordered, instrument)
    rounded = max(0, total // 1)
    if rounded < smallest and rule.below_minimum is BelowMinimum.RAISE and exact > 0:
        rounded = smallest
    allowed = min(rounded, instrument.contracts_max)
    if allowed < smallest:
        return _too_small(allowed, total if carries else None, ordered, around, instrument)
    if cap is not None and cap.contracts < allowed:
        if cap.contracts < smallest:
            return _none(cap.skip)
        allowed = cap.contracts
    sized = _paid_for(rule, allowed, ordered, around, instrument)
    if not carries or sized.skip is not None:
        return sized
    left = total - rounded if sized.contracts == rounded else NOTHING
    return OpenSize(contracts=sized.contracts, carried=left)


def exact_contracts(
    rule: CopyRule, opening: LeaderOpening, around: Circumstances, instrument: Instrument
) -> Fraction | Skip:
    """Return what the mode asks for, before rounding; `opening` has the follower's leverage."""
    match rule.mode:
        case CopyMode.FIXED:
            return Fraction(opening.contracts)
        case CopyMode.MULTIPLE:
            assert rule.factor is not None
            return Fraction(rule.factor) * opening.contracts
        case CopyMode.FIXED_MARGIN:
            assert rule.order_margin is not None
            value = Fraction(rule.order_margin) * Fraction(opening.leverage)
            return value / contract_value(opening, instrument)
        case CopyMode.EQUITY_RATIO:
            return _exact_by_equity(opening, around)
        case CopyMode.PROPORTIONAL:
            assert around.available is not None, "proportional mode asks for the balance first"
            return exact_proportional(opening, available=around.available, instrument=instrument)


def _exact_by_equity(opening: LeaderOpening, around: Circumstances) -> Fraction | Skip:
    leaders = around.leader_equity
    if leaders is None or leaders <= 0:
        return Skip(
            reason=SkipReason.LEADER_BALANCE_UNKNOWN,
            detail={} if leaders is None else numbers(leader_balance=leaders),
        )
    assert around.equity is not None, "the equity ratio asks for the balance first"
    own = max(Fraction(around.equity), NOTHING)
    return opening.contracts * own / Fraction(leaders)


def _at_a_cap(rule: CopyRule, holdings: Holdings) -> Skip | None:
    caps = rule.caps
    if (
        caps.open_positions_max is not None
        and not holdings.is_open
        and holdings.other_positions >= caps.open_positions_max
    ):
        return Skip(
            reason=SkipReason.POSITIONS_CAPPED, detail=numbers(limit=caps.open_positions_max)
        )
    if caps.orders_per_day_max is not None and holdings.opened_today >= caps.orders_per_day_max:
        return Skip(reason=SkipReason.ORDERS_CAPPED, detail=numbers(limit=caps.orders_per_day_max))
    return None


def _tightest_cap(
    rule: CopyRule, opening: LeaderOpening, holdings: Holdings, instrument: Instrument
) -> _Cap | None:
    caps = rule.caps
    found: list[_Cap] = []
    for reason, limit, room in (
        (
            SkipReason.MARGIN_CAPPED,
            caps.order_margin_max,
            Fraction(caps.order_margin_max or 0) * Fraction(opening.leverage),
        ),
        (
            SkipReason.INSTRUMENT_CAPPED,
            caps.instrument_value_max,
            Fraction(caps.instrument_value_max or 0) - holdings.instrument_value,
        ),
        (
            SkipReason.EXPOSURE_CAPPED,
            caps.total_value_max,
            Fraction(caps.total_value_max or 0) - holdings.total_value,
        ),
    ):
        if limit is not None:
            whole = max(0, room // contract_value(opening, instrument))
            skip = Skip(reason=reason, detail=numbers(limit=limit, contracts=whole))
            found.append(_Cap(contracts=whole, skip=skip))
    return min(found, key=lambda cap: cap.contracts, default=None)


def _too_small(
    wanted: int,
    carried: Fraction | None,
    opening: LeaderOpening,
    around: Circumstances,
    on: Instrument,
) -> OpenSize:
    """Skip what is below the venue's minimum: for want of money where that is why."""
    smallest, available = smallest_order(opening, on), around.available
    affordable = None
    if available is not None:
        affordable = affordable_contracts(opening, available=available, instrument=on)
    detail = numbers(contracts=wanted, minimum=smallest)
    if available is not None:
        detail |= numbers(available=available)
    is_poor = affordable is not None and affordable < smallest
    reason = SkipReason.INSUFFICIENT_BALANCE if is_poor else SkipReason.BELOW_MINIMUM
    return OpenSize(
        contracts=NO_CONTRACTS, carried=carried, skip=Skip(reason=reason, detail=detail)
    )


def _paid_for(
    rule: CopyRule, wanted: int, opening: LeaderOpening, around: Circumstances, on: Instrument
) -> OpenSize:
    """Return as many as are wanted and can be paid for; what was not asked is not doubted."""
    available = around.available
    if available is None:  # the venue itself refuses what the money does not bear (L9)
        return OpenSize(contracts=Contracts(wanted))
    affordable = affordable_contracts(opening, available=available, instrument=on)
    if rule.mode is CopyMode.PROPORTIONAL and affordable >= smallest_order(opening, on):
        return OpenSize(contracts=Contracts(min(wanted, affordable)))
    if affordable < wanted:
        detail = numbers(contracts=wanted, affordable=affordable, available=available)
        return OpenSize(
            contracts=NO_CONTRACTS,
            skip=Skip(reason=SkipReason.INSUFFICIENT_BALANCE, detail=detail),
        )
    return OpenSize(contracts=Contracts(wanted))


def _none(skip: Skip) -> OpenSize:
    return OpenSize(contracts=NO_CONTRACTS, skip=skip)
