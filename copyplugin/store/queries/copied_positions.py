"""Copied positions with their profit as of the last mark (F3, F4)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from copyplugin.domain import copied_position as domain
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import (
    CopiedPositionId,
    FollowerId,
    FollowId,
    LeaderId,
    Symbol,
)
from copyplugin.domain.leader import ShareBasis, ShareState, TradeState
from copyplugin.domain.money import (
    NO_CONTRACTS,
    ZERO_MONEY,
    Contracts,
    Money,
    Price,
    Ratio,
    product,
    total,
)
from copyplugin.domain.share import leader_share, position_profit
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.queries.profit import Trade
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowRow,
    InstrumentRow,
    LeaderRow,
    MarkPriceRow,
    SettlementRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiedPosition:
    """One round trip in a sub-account; money in the settle currency.

    `profit` is realised plus unrealised, after fees and funding, before the leader share; without
    a mark the open part counts as unrealised zero and `mark` is None. `share` is what was settled,
    is due, or would be due if the position closed at the mark.
    """

    position_id: CopiedPositionId
    follow_id: FollowId
    follow_state: FollowState
    leader_id: LeaderId
    leader_nickname: str
    symbol: Symbol
    base: str
    tick_size: Decimal
    position_side: PositionSide
    state: TradeState
    margin_mode: MarginMode
    leverage: Ratio
    contracts: Contracts  # open ones; of a closed position, what was closed
    base_quantity: Decimal
    entry_price: Price | None  # None before the first fill
    exit_price: Price | None  # average of what was closed
    mark: Price | None
    liquidation_price: Price | None  # the venue's own estimate, when it was last asked
    realized_pnl: Money  # before fees and funding
    unrealized_pnl: Money
    fees: Money
    funding: Money  # positive: paid
    profit: Money
    share: Money
    share_state: ShareState
    copy_amount: Money
    amount_used: Money  # F4
    opened_at: datetime
    closed_at: datetime | None

    @property
    def profit_after_share(self) -> Money:
        return Money(total(self.profit, -self.share))

    @property
    def yield_on_copy_amount(self) -> Fraction:
        return domain.position_yield(
            realized_pnl=self.realized_pnl,
            unrealized_pnl=self.unrealized_pnl,
            fees=self.fees,
            funding=self.funding,
            copy_amount=self.copy_amount,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedPositions:
    positions: tuple[CopiedPosition, ...]  # newest first, of this page
    page: Page


def open_positions(
    session: Session, followers: Collection[FollowerId]
) -> tuple[CopiedPosition, ...]:
    """Return what these followers hold, newest first."""
    return _positions(
        session,
        FollowRow.follower_id.in_(followers),
        CopiedPositionRow.state == TradeState.OPEN,
    )


def positions_copied_from(
    session: Session, leader_id: LeaderId, state: TradeState
) -> tuple[CopiedPosition, ...]:
    """Return what was copied from this leader and is open, or closed; newest first.

    Nothing of paper follows.
    """
    return _positions(
        session,
        FollowRow.leader_id == leader_id,
        FollowRow.paper.is_(False),
        CopiedPositionRow.state == state,
    )


def unsettled_positions(
    session: Session, followers: Collection[FollowerId]
) -> tuple[CopiedPosition, ...]:
    """Return what is closed with a leader share that has not been settled yet."""
    return _positions(
        session,
        FollowRow.follower_id.in_(followers),
        CopiedPositionRow.state == TradeState.CLOSED,
        CopiedPositionRow.share_state == ShareState.DUE,
    )


def closed_positions(
    session: Session, follower: FollowerId, *, page: int, page_size: int
) -> ClosedPositions:
    """Return one page of what a follower's follows have closed, newest first."""
    closed = (FollowRow.follower_id == follower, CopiedPositionRow.state == TradeState.CLOSED)
    found = session.scalar(
        select(func.count())
        .select_from(CopiedPositionRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(*closed)
    )
    shown = page_of(found or 0, wanted=page, size=page_size)
    rows = session.execute(
        _select(*closed)
        .order_by(None)
        .order_by(CopiedPositionRow.closed_at.desc(), CopiedPositionRow.id.desc())
        .offset(shown.offset)
        .limit(shown.size)
    )
    return ClosedPositions(positions=tuple(_position(*row) for row in rows), page=shown)


def copied_position(
    session: Session, follower: FollowerId, position_id: CopiedPositionId
) -> CopiedPosition | None:
    """Return one of this follower's positions; None where it is not his."""
    found = _positions(
        session, FollowRow.follower_id == follower, CopiedPositionRow.id == position_id
    )
    return found[0] if found else None


def _positions(session: Session, *conditions: ColumnElement[bool]) -> tuple[CopiedPosition, ...]:
    return tuple(_position(*found) for found in session.execute(_select(*conditions)))


def _select(
    *conditions: ColumnElement[bool],
) -> Select[CopiedPositionRow, FollowRow, LeaderRow, InstrumentRow, Price, Money]:
    return (
        select(
            CopiedPositionRow,
            FollowRow,
            LeaderRow,
            InstrumentRow,
            MarkPriceRow.price,
            SettlementRow.share,
        )
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .join(InstrumentRow, InstrumentRow.symbol == CopiedPositionRow.symbol)
        .outerjoin(MarkPriceRow, MarkPriceRow.symbol == CopiedPositionRow.symbol)
        .outerjoin(SettlementRow, SettlementRow.copied_position_id == CopiedPositionRow.id)
        .where(*conditions)
        .order_by(CopiedPositionRow.opened_at.desc(), CopiedPositionRow.id.desc())
    )


def _position(
    row: CopiedPositionRow,
    follow: FollowRow,
    leader: LeaderRow,
    instrument: InstrumentRow,
    mark: Price | None,
    settled: Money | None,
) -> CopiedPosition:
    trade = Trade(
        position_side=row.position_side,
        contract_size=instrument.contract_size,
        opened_contracts=row.opened_contracts,
        opened_value=row.opened_value,
        closed_contracts=row.closed_contracts,
        closed_value=row.closed_value,
        realized_pnl=row.realized_pnl,
    )
    unrealized = trade.unrealized_pnl(mark) if trade.contracts and mark else ZERO_MONEY
    profit = position_profit(
        realized_pnl=Money(total(row.realized_pnl, unrealized)), fees=row.fees, funding=row.funding
    )
    contracts = trade.contracts if row.state is TradeState.OPEN else row.closed_contracts
    return CopiedPosition(
        position_id=row.id,
        follow_id=row.follow_id,
        follow_state=follow.state,
        leader_id=leader.id,
        leader_nickname=leader.nickname,
        symbol=row.symbol,
        base=instrument.base,
        tick_size=instrument.tick_size,
        position_side=row.position_side,
        state=row.state,
        margin_mode=row.margin_mode,
        leverage=row.leverage,
        contracts=contracts,
        base_quantity=product(contracts, instrument.contract_size),
        entry_price=_entry_price(trade),
        exit_price=trade.closing_price if trade.closed_contracts else None,
        mark=mark,
        liquidation_price=row.liquidation_price if row.state is TradeState.OPEN else None,
        realized_pnl=row.realized_pnl,
        unrealized_pnl=unrealized,
        fees=row.fees,
        funding=row.funding,
        profit=profit,
        share=_share(row, follow, profit, settled),
        share_state=row.share_state,
        copy_amount=follow.copy_amount,
        amount_used=_amount_used(trade, row, follow),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _entry_price(trade: Trade) -> Price | None:
    if trade.contracts:
        return trade.entry_price
    return trade.opening_price if trade.opened_contracts else None


def _share(
    row: CopiedPositionRow, follow: FollowRow, profit: Money, settled: Money | None
) -> Money:
    if settled is not None:
        return settled
    if row.share_state is ShareState.PASSED:
        return ZERO_MONEY
    counts = row.state is TradeState.OPEN or row.share_state is ShareState.DUE
    if not counts or follow.share_basis is not ShareBasis.PER_POSITION:
        return ZERO_MONEY
    return leader_share(profit, follow.share_ratio)


def _amount_used(trade: Trade, row: CopiedPositionRow, follow: FollowRow) -> Money:
    """Return F4; while contracts are open, of what exactly those had cost."""
    is_open = row.state is TradeState.OPEN
    sums = domain.CopiedPosition(
        opened_contracts=trade.contracts if is_open else row.opened_contracts,
        opened_value=trade.entry_cost if is_open else row.opened_value,
        closed_contracts=NO_CONTRACTS if is_open else row.closed_contracts,
        leverage=row.leverage,
        margin_mode=row.margin_mode,
    )
    return domain.amount_used(sums, copy_amount=follow.copy_amount, venue_margin=row.margin)
