"""The orders of one copied position, each with the leader's fill beside it (F5, C13)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_quality import slippage
from copyplugin.domain.fill import OrderSide
from copyplugin.domain.identifiers import CopiedPositionId, CopyOrderId, VenueFillId
from copyplugin.domain.money import Contracts, Money, Price, product
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.transition import Effect
from copyplugin.store.queries.delay import leader_filled_at
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    InstrumentRow,
    OrderFillRow,
    SignalRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderSide:
    """What the leader's order had done when ours was decided."""

    effect: Effect
    contracts: Contracts
    average_price: Price
    filled_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    venue_fill_id: VenueFillId
    contracts: Contracts
    price: Price
    fee: Money
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiedOrder:
    """One order of ours. Slippage is positive where ours was the worse price."""

    order_id: CopyOrderId
    purpose: OrderPurpose
    order_side: OrderSide
    reduces: bool
    contracts: Contracts
    limit_price: Price | None
    state: CopyOrderState
    filled: Contracts
    average_price: Price | None
    fee: Money
    realized_pnl: Money
    reject_reason: str | None
    decided_at: datetime
    acknowledged_at: datetime | None
    leader: LeaderSide | None  # None: not a copy of anything
    executions: tuple[Execution, ...]

    @property
    def slippage(self) -> Fraction | None:
        if self.leader is None or self.average_price is None:
            return None
        return slippage(self.order_side, ours=self.average_price, theirs=self.leader.average_price)

    @property
    def delay(self) -> timedelta | None:
        """Return the time from the leader's fill to the venue's acknowledgement of ours."""
        if self.leader is None or self.acknowledged_at is None:
            return None
        return self.acknowledged_at - self.leader.filled_at


def orders_of(session: Session, position_id: CopiedPositionId) -> tuple[CopiedOrder, ...]:
    """Return the orders that opened, added to and closed a position, in order of time."""
    rows = session.execute(
        select(CopyOrderRow, SignalRow, InstrumentRow.contract_size, leader_filled_at())
        .join(CopiedPositionRow, CopiedPositionRow.id == CopyOrderRow.copied_position_id)
        .join(InstrumentRow, InstrumentRow.symbol == CopiedPositionRow.symbol)
        .outerjoin(SignalRow, SignalRow.id == CopyOrderRow.signal_id)
        .where(CopyOrderRow.copied_position_id == position_id)
        .order_by(CopyOrderRow.decided_at, CopyOrderRow.id)
    ).all()
    executions = _executions(session, position_id)
    return tuple(
        _order(order, signal, size, filled_at, executions.get(order.id, ()))
        for order, signal, size, filled_at in rows
    )


def _executions(
    session: Session, position_id: CopiedPositionId
) -> Mapping[CopyOrderId, tuple[Execution, ...]]:
    found: defaultdict[CopyOrderId, list[Execution]] = defaultdict(list)
    rows = session.scalars(
        select(OrderFillRow)
        .join(CopyOrderRow, CopyOrderRow.id == OrderFillRow.order_id)
        .where(CopyOrderRow.copied_position_id == position_id)
        .order_by(OrderFillRow.at, OrderFillRow.venue_fill_id)
    )
    for row in rows:
        found[row.order_id].append(
            Execution(
                venue_fill_id=row.venue_fill_id,
                contracts=row.contracts,
                price=row.price,
                fee=row.fee,
                at=row.at,
            )
        )
    return {order_id: tuple(fills) for order_id, fills in found.items()}


def _order(
    order: CopyOrderRow,
    signal: SignalRow | None,
    contract_size: Decimal,
    leader_filled_at: datetime,
    executions: tuple[Execution, ...],
) -> CopiedOrder:
    average = None
    if order.filled:
        average = Price(order.filled_value / product(order.filled, contract_size))
    return CopiedOrder(
        order_id=order.id,
        purpose=order.purpose,
        order_side=order.order_side,
        reduces=order.reduce_only,
        contracts=order.contracts,
        limit_price=order.limit_price,
        state=order.state,
        filled=order.filled,
        average_price=average,
        fee=order.fee,
        realized_pnl=order.realized_pnl,
        reject_reason=order.reject_reason,
        decided_at=order.decided_at,
        acknowledged_at=order.acknowledged_at,
        leader=None if signal is None else _leader_side(signal, leader_filled_at),
        executions=executions,
    )


def _leader_side(signal: SignalRow, filled_at: datetime) -> LeaderSide:
    return LeaderSide(
        effect=signal.effect,
        contracts=signal.contracts,
        average_price=signal.average_price,
        filled_at=filled_at,
    )
