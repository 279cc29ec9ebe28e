"""Depth as it was sampled, what leaders' orders asked of it, and what follows from both (N9)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.capacity import Depth, Load
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.leader import LeaderStatus
from copyplugin.domain.money import Money, money_floor, product
from copyplugin.store.rows import (
    CopyDecisionRow,
    DepthSampleRow,
    FollowRow,
    InstrumentRow,
    LaneRow,
    LeaderCapacityRow,
    LeaderRow,
    SignalRow,
)

SAMPLES_KEPT = timedelta(hours=1)
ORDERS_COUNT_FOR = timedelta(days=30)
ORDERS_LOOKED_AT = 20
"""Of each leader and instrument, the latest."""


def symbols_led(session: Session, *, now: datetime) -> list[Symbol]:
    """Return what leaders who may be followed have opened or added to lately."""
    query = (
        select(SignalRow.symbol)
        .join(LeaderRow, LeaderRow.id == SignalRow.leader_id)
        .where(
            LeaderRow.status == LeaderStatus.ACTIVE,
            SignalRow.increases,
            SignalRow.last_fill_at >= now - ORDERS_COUNT_FOR,
        )
        .distinct()
        .order_by(SignalRow.symbol)
    )
    return list(session.scalars(query))


def add_samples(session: Session, samples: Mapping[Symbol, Depth], *, at: datetime) -> None:
    """Store what was found now, and forget what is old."""
    session.execute(delete(DepthSampleRow).where(DepthSampleRow.at < at - SAMPLES_KEPT))
    session.add_all(
        DepthSampleRow(symbol=symbol, at=at, buy=depth.buy, sell=depth.sell)
        for symbol, depth in samples.items()
    )
    session.flush()


def samples_of(session: Session, symbol: Symbol) -> list[Depth]:
    query = select(DepthSampleRow).where(DepthSampleRow.symbol == symbol)
    return [Depth(buy=row.buy, sell=row.sell) for row in session.scalars(query)]


def loads(session: Session, *, now: datetime) -> dict[LeaderId, list[Load]]:
    """Return what the latest opening orders of each leader asked of the market."""
    newest = (
        select(
            SignalRow.id,
            func.row_number()
            .over(
                partition_by=(SignalRow.leader_id, SignalRow.symbol), order_by=SignalRow.id.desc()
            )
            .label("age"),
        )
        .join(LeaderRow, LeaderRow.id == SignalRow.leader_id)
        .where(
            LeaderRow.status == LeaderStatus.ACTIVE,
            SignalRow.increases,
            SignalRow.last_fill_at >= now - ORDERS_COUNT_FOR,
        )
        .subquery()
    )
    wanted = (
        select(
            SignalRow,
            InstrumentRow.contract_size,
            func.sum(CopyDecisionRow.wanted).label("wanted"),
            func.sum(FollowRow.copy_amount).label("copy_amount"),
        )
        .join(newest, newest.c.id == SignalRow.id)
        .join(InstrumentRow, InstrumentRow.symbol == SignalRow.symbol)
        .join(CopyDecisionRow, CopyDecisionRow.signal_id == SignalRow.id)
        .join(LaneRow, LaneRow.id == CopyDecisionRow.lane_id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(
            newest.c.age <= ORDERS_LOOKED_AT,
            CopyDecisionRow.wanted > 0,
            FollowRow.paper.is_(False),  # play money takes nothing from a book
        )
        .group_by(SignalRow.id, InstrumentRow.symbol)
    )
    found: dict[LeaderId, list[Load]] = {}
    for signal, size, contracts, copy_amount in session.execute(wanted):
        value = money_floor(Fraction(product(signal.price_sum, size)))
        load = Load(
            symbol=signal.symbol,
            leader=value,
            followers=money_floor(Fraction(value) * int(contracts) / signal.contracts),
            copy_amount=copy_amount,
        )
        found.setdefault(signal.leader_id, []).append(load)
    return found


def put_capacities(
    session: Session, capacities: Iterable[tuple[LeaderId, Symbol, Money]], *, at: datetime
) -> None:
    """Replace all that was known by what is known now."""
    session.execute(delete(LeaderCapacityRow))
    session.add_all(
        LeaderCapacityRow(leader_id=leader_id, symbol=symbol, copy_amount=amount, at=at)
        for leader_id, symbol, amount in capacities
    )
    session.flush()


def capacity_of(session: Session, leader_id: LeaderId) -> LeaderCapacityRow | None:
    """Return how much copying of this leader the market bears; None where it is not known."""
    return session.get(LeaderCapacityRow, leader_id)


def capacities(
    session: Session, leader_ids: Collection[LeaderId]
) -> dict[LeaderId, LeaderCapacityRow]:
    """Return it for each of these leaders of whom it is known."""
    query = select(LeaderCapacityRow).where(LeaderCapacityRow.leader_id.in_(leader_ids))
    return {row.leader_id: row for row in session.scalars(query)}
