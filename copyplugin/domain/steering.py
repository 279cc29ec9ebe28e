"""What a lane should hold after a leader's move, and the next order that brings it there.

A lane is one side of one instrument in one sub-account. Its target is what it should hold after
everything we chose to skip: what was skipped is not in the target, so that closing the gap between
target and actual never undoes a refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Money, Price, Ratio
from copyplugin.domain.open_size import (
    ASKS_FOR_BALANCE,
    NOTHING,
    Circumstances,
    Holdings,
    OpenSize,
    size_of_open,
)
from copyplugin.domain.price_protection import price_bound
from copyplugin.domain.sizing import LeaderOpening, target_after_close
from copyplugin.domain.skip import Skip, SkipReason

NOT_FILLED = "not_filled"
"""In a skip's detail: how many contracts were ordered for this signal and found no taker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderMove:
    """What one leader order did so far to one leg of his.

    `contracts` is how many of its fills fell to this leg, `price_sum` is Σ contracts × price over
    them. `initial_margin` and `balance_before` are None where the venue does not tell them.
    """

    increases: bool
    contracts_before: Contracts
    contracts_after: Contracts
    contracts: Contracts
    price_sum: Decimal
    leverage: Ratio
    initial_margin: Money | None
    balance_before: Money | None
    last_fill_at: datetime
    is_final: bool
    leader_equity: Money | None = None

    @property
    def average_price(self) -> Fraction:
        return Fraction(self.price_sum) / self.contracts

    @property
    def opening(self) -> LeaderOpening:
        assert self.increases
        return LeaderOpening(
            contracts=self.contracts,
            price_sum=self.price_sum,
            leverage=self.leverage,
            initial_margin=self.initial_margin,
            balance_before=self.balance_before,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What one lane makes of one leader move; revised as the move grows.

    `wanted` is how many contracts it opens or closes in all. `base` is the target before the first
    decision, which a close takes its part of. `residue` is what it added to what the lane carries,
    or, below zero, took from it.
    """

    wanted: Contracts
    base: Contracts
    target: Contracts
    skip: Skip | None
    residue: Fraction = NOTHING


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a follow allows for one instrument, and what it holds.

    `available` and `equity` are None where they were not asked for: the venue itself refuses an
    order that the money does not bear (L9), and asking before every order would double the
    requests. `carried` is what the lane carries, this move's own part left out; `forgotten` is what
    of that part the lane has forgotten, because it was emptied while the move grew.
    """

    rule: CopyRule
    copies_opens: bool
    follows_closes: bool
    is_configured: bool  # the leader may be followed in this instrument
    is_chosen: bool  # ... and the follower chose it
    instrument: Instrument | None
    available: Money | None
    late_after: timedelta
    equity: Money | None = None
    carried: Fraction = NOTHING
    forgotten: Fraction = NOTHING
    holdings: Holdings = field(default_factory=Holdings)
    is_halted: bool = False  # nothing new is opened now (P5)
    leader_has_closed: bool = False  # meanwhile, everything, and his close waits behind this


def needs_balance(move: LeaderMove, terms: Terms, *, now: datetime) -> bool:
    """Return whether the decision rests on the sub-account's balance, which is not known yet."""
    return (
        move.increases
        and terms.rule.mode in ASKS_FOR_BALANCE
        and terms.available is None
        and refusal(move, terms, now=now) is None
    )


def decide(
    move: LeaderMove,
    before: Decision | None,
    terms: Terms,
    *,
    target: Contracts,
    now: datetime,
) -> Decision:
    """Return the decision for a move that is new, or has grown since `before`.

    Raising the target never takes back what an earlier order for this move could not fill.
    """
    if before is None:
        before = Decision(wanted=NO_CONTRACTS, base=target, target=target, skip=None)
    if move.increases:
        return _after_open(move, before, terms, target=target, now=now)
    return _after_close(move, before, terms, target=target)


def refusal(move: LeaderMove, terms: Terms, *, now: datetime) -> Skip | None:
    """Return why an open is not copied whatever its size: the first of these reasons that holds."""
    if not terms.copies_opens or terms.is_halted:
        is_over = not terms.copies_opens
        return Skip(reason=SkipReason.FOLLOW_NOT_ACTIVE if is_over else SkipReason.COPYING_HALTED)
    if not terms.is_configured:
        return Skip(reason=SkipReason.LEADER_NOT_CONFIGURED_INSTRUMENT)
    if not terms.is_chosen:
        return Skip(reason=SkipReason.INSTRUMENT_NOT_FOLLOWED)
    if terms.instrument is None or terms.leader_has_closed:
        is_known = terms.instrument is not None
        reason = SkipReason.LEADER_HAS_CLOSED if is_known else SkipReason.INSTRUMENT_UNKNOWN
        return Skip(reason=reason)
    if now - move.last_fill_at > terms.late_after:
        seconds = (now - move.last_fill_at) // timedelta(seconds=1)
        return Skip(reason=SkipReason.EXPIRED, detail={"seconds_late": str(seconds)})
    return None


def less_what_was_not_filled(
    before: Decision, contracts: Contracts, reason: SkipReason, detail: Mapping[str, str]
) -> Decision:
    """Return the decision after contracts of it could not be had: they leave the target."""
    assert contracts > 0
    return replace(
        before,
        target=Contracts(max(0, before.target - contracts)),
        skip=Skip(
            reason=reason,
            detail={**detail, NOT_FILLED: str(not_filled(before.skip) + contracts)},
        ),
    )


def not_filled(skip: Skip | None) -> int:
    """Return how many contracts of a decision were ordered and found no taker."""
    return int(skip.detail.get(NOT_FILLED, "0")) if skip else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedOrder:
    """The order that closes a lane's gap, or a part of it. Without a limit price: at market."""

    order_side: OrderSide
    contracts: Contracts
    reduce_only: bool
    limit_price: Price | None


def reducing_order(
    *, target: Contracts, actual: Contracts, position_side: PositionSide, instrument: Instrument
) -> WantedOrder:
    """Return the market order that takes the lane down to its target.

    Never bounded by a price (C8). A part below the venue's minimum is raised to it.
    """
    assert target < actual
    contracts = min(max(actual - target, instrument.contracts_min), actual)
    return WantedOrder(
        order_side=position_side.closing_side,
        contracts=Contracts(min(contracts, instrument.contracts_max)),
        reduce_only=True,
        limit_price=None,
    )


def opening_order(
    move: LeaderMove,
    *,
    target: Contracts,
    actual: Contracts,
    position_side: PositionSide,
    instrument: Instrument,
    bound: Ratio,
) -> WantedOrder | Skip | None:
    """Return the bounded order that brings the lane up to its target.

    None: what is missing is below the venue's minimum, and the leader's order may still grow. Once
    it does not, it is skipped.
    """
    assert target > actual
    side = position_side.opening_side
    price = price_bound(instrument, side, move.average_price, bound)
    contracts = Contracts(min(target - actual, instrument.contracts_max))
    smallest = instrument.smallest_order(price)
    if contracts >= smallest:
        return WantedOrder(
            order_side=side, contracts=contracts, reduce_only=False, limit_price=price
        )
    if not move.is_final:
        return None
    return Skip(
        reason=SkipReason.BELOW_MINIMUM,
        detail={"contracts": str(contracts), "minimum": str(smallest)},
    )


def _after_open(
    move: LeaderMove, before: Decision, terms: Terms, *, target: Contracts, now: datetime
) -> Decision:
    skip = refusal(move, terms, now=now)
    sized = None if skip is not None else _sized(move, terms)
    skip = skip if sized is None else sized.skip
    wanted, residue = before.wanted, before.residue
    if sized is not None:
        wanted = max(sized.contracts, before.wanted)
        if sized.carried is not None:
            residue = sized.carried + sized.contracts - wanted - terms.carried
        elif wanted == 0:  # refused for its size: what its parts left is not carried either
            residue = NOTHING
    if skip is not None:
        skip = _with_not_filled(skip, before.skip)
    elif not_filled(before.skip):
        skip = before.skip
    return replace(
        before,
        wanted=wanted,
        target=Contracts(target + wanted - before.wanted),
        skip=skip,
        residue=residue,
    )


def _with_not_filled(skip: Skip, before: Skip | None) -> Skip:
    lost = not_filled(before)
    detail = {**skip.detail, NOT_FILLED: str(lost)} if lost else skip.detail
    return Skip(reason=skip.reason, detail=detail)


def _sized(move: LeaderMove, terms: Terms) -> OpenSize:
    assert terms.instrument is not None
    around = Circumstances(
        available=terms.available,
        equity=terms.equity,
        leader_equity=move.leader_equity,
        carried=terms.carried - terms.forgotten,
        holdings=terms.holdings,
    )
    return size_of_open(terms.rule, move.opening, around, terms.instrument)


def _after_close(
    move: LeaderMove, before: Decision, terms: Terms, *, target: Contracts
) -> Decision:
    """Take the leader's part of what is held, and of what is carried; flat carries nothing."""
    if not terms.follows_closes:
        return replace(before, target=target, skip=Skip(reason=SkipReason.FOLLOW_NOT_ACTIVE))
    aim = NO_CONTRACTS if before.base == 0 else aim_of_close(move, before.base, terms.instrument)
    is_flat = move.contracts_after == 0 or (aim == 0 and before.base > 0)
    kept = NOTHING if is_flat else Fraction(move.contracts_after, move.contracts_before)
    residue = terms.carried * (kept - 1)
    if before.base == 0:
        skip = Skip(reason=SkipReason.NOTHING_TO_CLOSE)
        return replace(before, target=target, skip=skip, residue=residue)
    return replace(
        before,
        wanted=Contracts(before.base - aim),
        target=min(target, aim),
        skip=None,
        residue=residue,
    )


def aim_of_close(move: LeaderMove, base: Contracts, instrument: Instrument | None) -> Contracts:
    """Return what is left of `base` contracts after the leader's close (C6)."""
    if instrument is None:  # the venue has forgotten its minimum: the plain proportion
        return Contracts(base * move.contracts_after // move.contracts_before)
    return target_after_close(
        base,
        leader_before=move.contracts_before,
        leader_after=move.contracts_after,
        instrument=instrument,
        price=Price(move.price_sum / move.contracts),
    )
