"""Receipts: what became of each leader order for each follower (N1, C13)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_quality import Outcome, Standing, slippage
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    CopiedPositionId,
    FollowId,
    LeaderId,
    SignalId,
    Symbol,
)
from copyplugin.domain.money import Contracts, Money, Price, money_ceil, product
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.transition import Effect
from copyplugin.store.rows import (
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    InstrumentRow,
    LaneRow,
    SignalRow,
)

SIGNALS_A_SAMPLE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """One leader order and what one follower got of it. Slippage is positive where ours was worse.

    Orders close the gap between what a position should be and is, so one may carry out several of
    the leader's: it is on the receipt of the last of them. `is_on_target` says that nothing is left
    to be done for the lane now. `aimed_at` is what was taken into its target, `is_decided` false
    while an order of the leader has grown since we looked. `sent_at` is when the first order of
    ours left, `acknowledged_at` when the venue had taken the last one, `filled_at` when the last
    one had filled.
    """

    signal_id: SignalId
    follow_id: FollowId
    sub_account: AccountId | None
    symbol: Symbol
    position_side: PositionSide
    effect: Effect
    increases: bool
    order_side: OrderSide
    leader_contracts: Contracts
    leader_price: Price
    leader_filled_at: datetime
    decided_at: datetime
    is_decided: bool
    wanted: Contracts
    aimed_at: Contracts
    filled: Contracts
    average_price: Fraction | None
    contract_size: Decimal
    fee: Money
    sent_at: datetime | None
    acknowledged_at: datetime | None
    filled_at: datetime | None
    skip_reason: SkipReason | None
    skip_detail: Mapping[str, str] = field(default_factory=dict[str, str])
    is_on_target: bool
    tick_size: Decimal
    copied_position_id: CopiedPositionId | None  # that its orders opened, changed or closed

    @property
    def standing(self) -> Standing:
        """Return what the follower is told: a reason goes before what filled."""
        if not self.is_decided:
            return Standing.UNDER_WAY
        if self.skip_reason is not None:
            is_nothing = not self.aimed_at and not self.filled
            return Standing.SKIPPED if is_nothing else Standing.IN_PART
        if not self.wanted:
            return Standing.NOTHING_TO_DO
        if self.filled >= self.wanted:
            return Standing.COPIED
        return Standing.WITH_ANOTHER if self.is_on_target else Standing.UNDER_WAY

    @property
    def delay(self) -> timedelta | None:
        """Return the time from the leader's last fill to our last acknowledgement.

        None where nothing was sent, and where ours was acknowledged before: while an order of the
        leader fills, what he has so far is copied at once.
        """
        if self.acknowledged_at is None or self.acknowledged_at < self.leader_filled_at:
            return None
        return self.acknowledged_at - self.leader_filled_at

    @property
    def slippage(self) -> Fraction | None:
        """Return how much worse our price was, as a part of the leader's."""
        if self.average_price is None:
            return None
        return slippage(self.order_side, ours=self.average_price, theirs=self.leader_price)

    @property
    def slippage_money(self) -> Money | None:
        """Return what that came to, rounded up against us."""
        if self.slippage is None:
            return None
        value = product(self.leader_price, self.filled, self.contract_size)
        return money_ceil(self.slippage * Fraction(value))

    @property
    def outcome(self) -> Outcome:
        return Outcome(
            increases=self.increases,
            wanted=self.wanted,
            is_done=self.is_on_target or self.filled >= self.wanted,
            was_skipped=self.skip_reason is not None,
            delay=self.delay,
            slippage=self.slippage,
        )


def latest_receipts(session: Session, leader_id: LeaderId, limit: int) -> list[Receipt]:
    """Return at most so many receipts of a leader's latest finished orders, newest order first.

    None of paper follows.
    """
    latest = list(
        session.scalars(
            select(SignalRow.id)
            .where(SignalRow.leader_id == leader_id, SignalRow.final)
            .order_by(SignalRow.last_fill_at.desc(), SignalRow.id.desc())
            .limit(SIGNALS_A_SAMPLE)
        )
    )
    if not latest:
        return []
    condition = SignalRow.id.in_(latest) & FollowRow.paper.is_(False)
    return _receipts(session, condition, limit=limit)


def receipts_of_follow(session: Session, follow_id: FollowId) -> Iterator[Receipt]:
    """Yield every receipt of one follow, newest first."""
    yield from _receipts(session, FollowRow.id == follow_id, limit=None)


def some_receipts_of_follow(
    session: Session, follow_id: FollowId, *, offset: int, limit: int
) -> list[Receipt]:
    """Return so many receipts of one follow after the newest `offset`, newest first."""
    return _receipts(session, FollowRow.id == follow_id, limit=limit, offset=offset)


def receipt_of(session: Session, follow_id: FollowId, signal_id: SignalId) -> Receipt | None:
    """Return what became of one leader order in one follow; None where it was none of its."""
    found = _receipts(
        session, (FollowRow.id == follow_id) & (SignalRow.id == signal_id), limit=None
    )
    assert len(found) <= 1, "a leader order is one instrument and side, so one lane of a follow"
    return found[0] if found else None


def count_receipts(session: Session, follow_id: FollowId) -> int:
    query = (
        select(func.count())
        .select_from(CopyDecisionRow)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .where(LaneRow.follow_id == follow_id)
    )
    return session.scalar(query) or 0


def _receipts(
    session: Session, condition: ColumnElement[bool], *, limit: int | None, offset: int = 0
) -> list[Receipt]:
    orders = _orders(condition)
    query = (
        select(
            CopyDecisionRow,
            SignalRow,
            FollowRow.id,
            FollowRow.sub_account,
            InstrumentRow.contract_size,
            InstrumentRow.tick_size,
            (LaneRow.target == LaneRow.actual).label("is_on_target"),
            *orders.c,
        )
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .join(InstrumentRow, InstrumentRow.symbol == LaneRow.symbol)
        .outerjoin(
            orders,
            (orders.c.signal_id == CopyDecisionRow.signal_id)
            & (orders.c.lane_id == CopyDecisionRow.lane_id),
        )
        .where(condition)
        .order_by(SignalRow.id.desc(), CopyDecisionRow.lane_id)
        .offset(offset)
        .limit(limit)
    )
    return [_receipt(row) for row in session.execute(query)]


def _orders(condition: ColumnElement[bool]) -> Subquery:
    return (
        select(
            CopyOrderRow.signal_id,
            CopyOrderRow.lane_id,
            func.sum(CopyOrderRow.filled).label("filled"),
            func.sum(CopyOrderRow.filled_value).label("filled_value"),
            func.sum(CopyOrderRow.fee).label("fee"),
            func.min(CopyOrderRow.sent_at).label("sent_at"),
            func.max(CopyOrderRow.acknowledged_at).label("acknowledged_at"),
            func.max(CopyOrderRow.filled_at).label("filled_at"),
            func.max(CopyOrderRow.copied_position_id).label("copied_position_id"),
        )
        .join(SignalRow, SignalRow.id == CopyOrderRow.signal_id)
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(condition)
        .group_by(CopyOrderRow.signal_id, CopyOrderRow.lane_id)
        .subquery()
    )


def _receipt(row: Row[*tuple[Any, ...]]) -> Receipt:
    decision: CopyDecisionRow = row[0]
    signal: SignalRow = row[1]
    side = signal.position_side
    filled = int(row.filled or 0)
    average = None
    if filled:
        average = Fraction(row.filled_value) / Fraction(product(filled, row.contract_size))
    return Receipt(
        signal_id=signal.id,
        follow_id=row.id,
        sub_account=row.sub_account,
        symbol=signal.symbol,
        position_side=side,
        effect=signal.effect,
        increases=signal.increases,
        order_side=side.opening_side if signal.increases else side.closing_side,
        leader_contracts=signal.contracts,
        leader_price=signal.average_price,
        leader_filled_at=signal.last_fill_at,
        decided_at=decision.decided_at,
        is_decided=not decision.pending,
        wanted=decision.wanted,
        aimed_at=Contracts(abs(decision.target_after - decision.target_before)),
        filled=Contracts(filled),
        average_price=average,
        contract_size=row.contract_size,
        fee=row.fee or Money(Decimal(0)),
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        filled_at=row.filled_at,
        skip_reason=decision.skip_reason,
        skip_detail={name: str(value) for name, value in (decision.skip_detail or {}).items()},
        is_on_target=bool(row.is_on_target),
        tick_size=row.tick_size,
        copied_position_id=row.copied_position_id,
    )
