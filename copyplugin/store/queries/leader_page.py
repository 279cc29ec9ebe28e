"""One leader's own page: his figures, his equity, what he holds and what he closed (B5, B7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowerId, LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import Contracts, Money, Price, Ratio, product
from copyplugin.domain.share import position_profit
from copyplugin.domain.statistics import profit_ratio
from copyplugin.store.queries.equity import EquityPoint, equity_of
from copyplugin.store.queries.leader_risk import (
    CopyQualityFigures,
    LeaderRisk,
    copy_quality_of,
    leader_risk,
)
from copyplugin.store.queries.leaders import LeaderCard, leader_cards
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.queries.profit import Trade
from copyplugin.store.rows import (
    InstrumentRow,
    LeaderInstrumentRow,
    LeaderRow,
    LeaderTradeRow,
    MarkPriceRow,
)

CHART_POINTS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTrade:
    """What a leader holds of one side of one instrument."""

    trade_id: int
    symbol: Symbol
    position_side: PositionSide
    leverage: Ratio
    contracts: Contracts
    base_quantity: Decimal
    base: str
    tick_size: Decimal
    entry_price: Price
    mark: Price | None
    unrealized_pnl: Money | None  # before fees and funding
    opened_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedTrade:
    """One of a leader's round trips, as his page lists it (B7)."""

    trade_id: int
    symbol: Symbol
    position_side: PositionSide
    leverage: Ratio
    contracts: Contracts
    base_quantity: Decimal
    base: str
    tick_size: Decimal
    entry_price: Price
    exit_price: Price
    opened_at: datetime
    closed_at: datetime
    profit_ratio: Fraction  # S10
    realized_profit: Money  # net of fees and funding


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedTrades:
    trades: tuple[ClosedTrade, ...]  # newest first, of this page
    page: Page


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderPage:
    card: LeaderCard
    instruments: tuple[Symbol, ...]
    open_trades: tuple[OpenTrade, ...]
    equity: tuple[EquityPoint, ...]
    risk: LeaderRisk | None
    quality: CopyQualityFigures | None


def leader_card(
    session: Session, leader_id: LeaderId, visitor: FollowerId | None
) -> LeaderCard | None:
    """Return the leader's card, or None where he is not on the list."""
    cards = leader_cards(session, visitor, LeaderRow.id == leader_id)
    return cards[0] if cards else None


def leader_page(
    session: Session, leader_id: LeaderId, visitor: FollowerId | None
) -> LeaderPage | None:
    """Return a leader's page, or None where he is not on the list."""
    card = leader_card(session, leader_id, visitor)
    if card is None:
        return None
    return LeaderPage(
        card=card,
        instruments=instruments_of(session, leader_id),
        open_trades=open_trades(session, leader_id),
        equity=equity_of(session, leader_id, CHART_POINTS),
        risk=leader_risk(session, leader_id),
        quality=copy_quality_of(session, leader_id),
    )


def instruments_of(session: Session, leader_id: LeaderId) -> tuple[Symbol, ...]:
    """Return the instruments he may be followed in that the venue trades now, by name."""
    return tuple(
        session.scalars(
            select(LeaderInstrumentRow.symbol)
            .join(InstrumentRow, InstrumentRow.symbol == LeaderInstrumentRow.symbol)
            .where(LeaderInstrumentRow.leader_id == leader_id, InstrumentRow.trading)
            .order_by(LeaderInstrumentRow.symbol)
        )
    )


def open_trades(session: Session, leader_id: LeaderId) -> tuple[OpenTrade, ...]:
    """Return what the leader holds, newest first."""
    return open_trades_of(session, [leader_id])[leader_id]


def open_trades_of(
    session: Session, leaders: Collection[LeaderId]
) -> Mapping[LeaderId, tuple[OpenTrade, ...]]:
    """Return what each of these leaders holds, newest first."""
    found: dict[LeaderId, list[OpenTrade]] = {leader_id: [] for leader_id in leaders}
    rows = session.execute(
        select(LeaderTradeRow, InstrumentRow, MarkPriceRow.price)
        .join(InstrumentRow, InstrumentRow.symbol == LeaderTradeRow.symbol)
        .outerjoin(MarkPriceRow, MarkPriceRow.symbol == LeaderTradeRow.symbol)
        .where(LeaderTradeRow.leader_id.in_(leaders), LeaderTradeRow.state == TradeState.OPEN)
        .order_by(LeaderTradeRow.opened_at.desc(), LeaderTradeRow.id.desc())
    )
    for row, instrument, mark in rows:
        found[row.leader_id].append(_open_trade(row, instrument, mark))
    return {leader_id: tuple(trades) for leader_id, trades in found.items()}


def closed_trades(
    session: Session, leader_id: LeaderId, *, page: int, page_size: int
) -> ClosedTrades:
    """Return one page of what the leader closed; a page beyond the last gives the last."""
    closed = (LeaderTradeRow.leader_id == leader_id, LeaderTradeRow.state == TradeState.CLOSED)
    found = session.scalar(select(func.count()).select_from(LeaderTradeRow).where(*closed)) or 0
    shown = page_of(found, wanted=page, size=page_size)
    rows = session.execute(
        select(LeaderTradeRow, InstrumentRow)
        .join(InstrumentRow, InstrumentRow.symbol == LeaderTradeRow.symbol)
        .where(*closed)
        .order_by(LeaderTradeRow.closed_at.desc(), LeaderTradeRow.id.desc())
        .offset(shown.offset)
        .limit(shown.size)
    )
    return ClosedTrades(
        trades=tuple(_closed_trade(row, instrument) for row, instrument in rows), page=shown
    )


def _trade(row: LeaderTradeRow, instrument: InstrumentRow) -> Trade:
    return Trade(
        position_side=row.position_side,
        contract_size=instrument.contract_size,
        opened_contracts=row.opened_contracts,
        opened_value=row.opened_value,
        closed_contracts=row.closed_contracts,
        closed_value=row.closed_value,
        realized_pnl=row.realized_pnl,
    )


def _open_trade(row: LeaderTradeRow, instrument: InstrumentRow, mark: Price | None) -> OpenTrade:
    trade = _trade(row, instrument)
    return OpenTrade(
        trade_id=row.id,
        symbol=row.symbol,
        position_side=row.position_side,
        leverage=row.leverage,
        contracts=trade.contracts,
        base_quantity=product(trade.contracts, instrument.contract_size),
        base=instrument.base,
        tick_size=instrument.tick_size,
        entry_price=trade.entry_price,
        mark=mark,
        unrealized_pnl=None if mark is None else trade.unrealized_pnl(mark),
        opened_at=row.opened_at,
    )


def _closed_trade(row: LeaderTradeRow, instrument: InstrumentRow) -> ClosedTrade:
    trade = _trade(row, instrument)
    assert row.closed_at is not None  # the state says so
    return ClosedTrade(
        trade_id=row.id,
        symbol=row.symbol,
        position_side=row.position_side,
        leverage=row.leverage,
        contracts=row.closed_contracts,
        base_quantity=product(row.closed_contracts, instrument.contract_size),
        base=instrument.base,
        tick_size=instrument.tick_size,
        entry_price=trade.opening_price,
        exit_price=trade.closing_price,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        profit_ratio=profit_ratio(
            row.position_side,
            opened_value=row.opened_value,
            opened_contracts=row.opened_contracts,
            closed_value=row.closed_value,
            closed_contracts=row.closed_contracts,
            leverage=row.leverage,
        ),
        realized_profit=position_profit(
            realized_pnl=row.realized_pnl, fees=row.fees, funding=row.funding
        ),
    )
