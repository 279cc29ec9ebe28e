"""All that is stored of a leader's past: what a what-if tells of him again."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, LeaderId, Symbol, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Money, Price, Ratio
from copyplugin.domain.transition import Legs, legs_after, transitions
from copyplugin.store import leaders, market
from copyplugin.store.leader_feed import SEGMENT_MARK
from copyplugin.store.rows import (
    LeaderEquityRow,
    LeaderFillRow,
    LeaderPositionRow,
    LeaderQualityRow,
    LeaderRow,
    LeaderTradeRow,
    MarkPriceRow,
    SignalRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderPast:
    """A leader from a moment on, in the order in which his fills were stored.

    `legs` is what he held at the moment. `equities` are what he had where that is known: by order,
    else by time. `slippage` is the median his followers have measured, None where nobody has.
    `funding` is what he paid on positions opened since.
    """

    leader: LeaderRow
    symbols: tuple[Symbol, ...]
    legs: Mapping[Symbol, Legs]
    fills: Sequence[LeaderFill]
    order_equities: Mapping[VenueOrderId, Money]
    equities: Sequence[tuple[datetime, Money]]
    instruments: Mapping[Symbol, Instrument]
    marks: Mapping[Symbol, tuple[datetime, Price]]
    slippage: Ratio | None
    funding: Money

    def equity_at(self, fill: LeaderFill) -> Money | None:
        """Return the leader's equity when this order was told, or the last known before it."""
        known = self.order_equities.get(fill.order_id)
        if known is not None:
            return known
        place = bisect_right([at for at, _ in self.equities], fill.at)
        return self.equities[place - 1][1] if place else None


def leader_past(
    session: Session, leader_id: LeaderId, since: datetime | None, until: datetime | None = None
) -> LeaderPast:
    """Read a leader's past; raises `UnknownLeader`.

    Where it ends at a time, what is open then counts at the last prices he traded at: the marks of
    that time are not stored.
    """
    leader = leaders.get_leader(session, leader_id)
    since = since or datetime.min.replace(tzinfo=UTC)
    rows = session.scalars(
        select(LeaderFillRow).where(LeaderFillRow.leader_id == leader_id).order_by(LeaderFillRow.id)
    )
    fills = [_fill(row, leader.account) for row in rows]
    legs = _legs_at_first(session, leader_id)
    first = next((place for place, fill in enumerate(fills) if fill.at >= since), len(fills))
    for fill in fills[:first]:
        before = legs.get(fill.symbol, Legs())
        legs[fill.symbol] = legs_after(before, transitions(before, fill))
    told = [fill for fill in fills[first:] if until is None or fill.at < until]
    quality = session.get(LeaderQualityRow, leader_id)
    return LeaderPast(
        leader=leader,
        symbols=tuple(sorted(leaders.symbols_of(session, leader_id))),
        legs={symbol: held for symbol, held in legs.items() if held != Legs()},
        fills=told,
        order_equities=_order_equities(session, leader_id),
        equities=_equities(session, leader_id),
        instruments=market.instruments(session),
        marks={
            row.symbol: (row.at, row.price)
            for row in session.scalars(select(MarkPriceRow))
            if until is None or row.at < until
        },
        slippage=None if quality is None else quality.slippage_p50,
        funding=_funding(session, leader_id, told[0].at if told else since, until),
    )


def _legs_at_first(session: Session, leader_id: LeaderId) -> dict[Symbol, Legs]:
    """Return what he held before the first fill that is stored: what his first signals begin at.

    A leg that has had no signal is as it was.
    """
    held = {
        (row.symbol, row.position_side): row.contracts
        for row in session.scalars(
            select(LeaderPositionRow).where(LeaderPositionRow.leader_id == leader_id)
        )
    }
    signals = (
        select(SignalRow).where(SignalRow.leader_id == leader_id).order_by(SignalRow.id.desc())
    )
    for signal in session.scalars(signals):  # the oldest last
        held[signal.symbol, signal.position_side] = signal.contracts_before
    legs: dict[Symbol, Legs] = {}
    for (symbol, side), contracts in held.items():
        legs[symbol] = legs.get(symbol, Legs()).with_leg(side, contracts)
    return legs


def _order_equities(session: Session, leader_id: LeaderId) -> dict[VenueOrderId, Money]:
    query = select(SignalRow.order_id, SignalRow.leader_equity).where(
        SignalRow.leader_id == leader_id, SignalRow.leader_equity.is_not(None)
    )
    return {
        VenueOrderId(order_id.partition(SEGMENT_MARK)[0]): equity
        for order_id, equity in session.execute(query)
        if equity is not None
    }


def _equities(session: Session, leader_id: LeaderId) -> list[tuple[datetime, Money]]:
    query = (
        select(LeaderEquityRow.at, LeaderEquityRow.equity)
        .where(LeaderEquityRow.leader_id == leader_id)
        .order_by(LeaderEquityRow.at)
    )
    return [(at, equity) for at, equity in session.execute(query)]


def _funding(
    session: Session, leader_id: LeaderId, since: datetime, until: datetime | None
) -> Money:
    query = select(func.sum(LeaderTradeRow.funding)).where(
        LeaderTradeRow.leader_id == leader_id, LeaderTradeRow.opened_at >= since
    )
    if until is not None:
        query = query.where(LeaderTradeRow.opened_at < until)
    return session.scalar(query) or ZERO_MONEY


def _fill(row: LeaderFillRow, account: AccountId) -> LeaderFill:
    return LeaderFill(
        venue_fill_id=row.venue_fill_id,
        order_id=row.order_id,
        account=account,
        symbol=row.symbol,
        side=row.order_side,
        position_side=row.position_side,
        contracts=row.contracts,
        contracts_closed=row.contracts_closed,
        order_contracts=row.order_contracts,
        price=row.price,
        fee=row.fee,
        realized_pnl=row.realized_pnl,
        liquidity=row.liquidity,
        leverage=row.leverage,
        margin_mode=row.margin_mode,
        cause=row.cause,
        available_after=row.available_after,
        initial_margin=row.initial_margin,
        at=row.at,
    )
