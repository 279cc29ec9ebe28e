"""How long copying takes: from a leader's fill to the venue's acknowledgement of our order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_quality import quantile
from copyplugin.domain.order import OrderPurpose
from copyplugin.store.places import PAPER_SHARD
from copyplugin.store.rows import CopyOrderRow, LaneRow, LeaderFillRow, SignalRow

SAMPLE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """Over the latest copied orders."""

    sample: int
    p50: timedelta
    p99: timedelta


def leader_filled_at() -> ColumnElement[datetime]:
    """Select the time of the leader's latest fill that was known when our order was decided.

    For a statement that selects from `signal` and `copy_order`.
    """
    latest = (
        select(func.max(LeaderFillRow.at))
        .where(
            LeaderFillRow.leader_id == SignalRow.leader_id,
            LeaderFillRow.order_id == SignalRow.order_id,
            LeaderFillRow.received_at <= CopyOrderRow.decided_at,
        )
        .correlate(SignalRow, CopyOrderRow)
        .scalar_subquery()
    )
    return func.coalesce(latest, SignalRow.first_fill_at)


def copy_delay(session: Session, sample: int = SAMPLE) -> Delay | None:
    """Return the delay of the latest copied orders; None where nothing was copied yet.

    Orders with play money go nowhere, and count nowhere.
    """
    latest = (
        select(CopyOrderRow.acknowledged_at, leader_filled_at())
        .join(SignalRow, SignalRow.id == CopyOrderRow.signal_id)
        .join(LaneRow, LaneRow.id == CopyOrderRow.lane_id)
        .where(
            CopyOrderRow.acknowledged_at.is_not(None),
            CopyOrderRow.purpose == OrderPurpose.COPY,
            LaneRow.shard != PAPER_SHARD,
        )
        .order_by(CopyOrderRow.id.desc())
        .limit(sample)
    )
    delays = sorted(
        acknowledged - filled
        for acknowledged, filled in session.execute(latest)
        if acknowledged is not None
    )
    if not delays:
        return None
    return Delay(sample=len(delays), p50=quantile(delays, 50), p99=quantile(delays, 99))
