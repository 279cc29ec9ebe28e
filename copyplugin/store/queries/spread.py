"""How far apart followers are served: first to last acknowledgement for one leader order (C8)."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_quality import quantile
from copyplugin.domain.identifiers import LeaderId, SignalId, VenueOrderId
from copyplugin.domain.order import OrderPurpose
from copyplugin.store.places import PAPER_SHARD
from copyplugin.store.rows import CopyOrderRow, LaneRow, SignalRow

SAMPLE = 200
LOOKED_AT = 4
"""So many times more leader orders are looked at: not each is copied by several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSpread:
    """One leader order as it was copied by more than one follower."""

    signal_id: SignalId
    leader_id: LeaderId
    leader_order: VenueOrderId
    orders: int  # copied for it
    spread: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Over the latest leader orders."""

    sample: int
    p50: timedelta
    p99: timedelta


def order_spreads(session: Session, limit: int = SAMPLE) -> list[OrderSpread]:
    """Return the latest leader orders that several orders of ours followed, newest first.

    Of each lane its first order counts: a top-up follows what the leader filled later. Those with
    play money do not.
    """
    latest = select(SignalRow.id).order_by(SignalRow.id.desc()).limit(limit * LOOKED_AT)
    first_orders = (
        select(
            CopyOrderRow.signal_id, func.min(CopyOrderRow.acknowledged_at).label("acknowledged_at")
        )
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .where(
            LaneRow.shard != PAPER_SHARD,
            CopyOrderRow.signal_id.in_(latest),
            CopyOrderRow.purpose == OrderPurpose.COPY,
            CopyOrderRow.acknowledged_at.is_not(None),
        )
        .group_by(CopyOrderRow.signal_id, CopyOrderRow.lane_id)
        .subquery()
    )
    query = (
        select(
            SignalRow.id,
            SignalRow.leader_id,
            SignalRow.order_id,
            func.count(),
            func.min(first_orders.c.acknowledged_at),
            func.max(first_orders.c.acknowledged_at),
        )
        .join(first_orders, first_orders.c.signal_id == SignalRow.id)
        .group_by(SignalRow.id, SignalRow.leader_id, SignalRow.order_id)
        .having(func.count() > 1)
        .order_by(SignalRow.id.desc())
        .limit(limit)
    )
    return [
        OrderSpread(
            signal_id=signal_id,
            leader_id=leader_id,
            leader_order=order_id,
            orders=orders,
            spread=last - first,
        )
        for signal_id, leader_id, order_id, orders, first, last in session.execute(query)
    ]


def copy_spread(session: Session, sample: int = SAMPLE) -> Spread | None:
    """Return the spread of the latest leader orders; None where nothing was copied by several."""
    spreads = sorted(each.spread for each in order_spreads(session, sample))
    if not spreads:
        return None
    return Spread(sample=len(spreads), p50=quantile(spreads, 50), p99=quantile(spreads, 99))
