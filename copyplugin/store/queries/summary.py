"""What a run came to, in numbers: for a report at its end."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferState
from copyplugin.domain.command import CommandState
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import VISIBLE
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, total
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.skip import SkipReason
from copyplugin.store.ledger import balances
from copyplugin.store.queries.delay import Delay, copy_delay
from copyplugin.store.queries.spread import Spread, copy_spread
from copyplugin.store.rows import (
    CommandRow,
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    LeaderFillRow,
    LeaderRow,
    OrderFillRow,
    SettlementRow,
    TransferRow,
)

DELAY_SAMPLE = 100_000

Held = Mapping[tuple[AccountId, Symbol, PositionSide], Contracts]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenWork:
    """What is not finished yet, by kind; a run is at rest when all of it is zero."""

    lanes_drifting: int
    lanes_marked: int
    orders_in_doubt: int
    shares_due: int
    transfers_planned: int
    commands_pending: int

    @property
    def is_done(self) -> bool:
        return not any(
            (
                self.lanes_drifting,
                self.lanes_marked,
                self.orders_in_doubt,
                self.shares_due,
                self.transfers_planned,
                self.commands_pending,
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    leaders: int
    follows: int
    paper_follows: int  # whose money is in no sum here; their orders are orders
    leader_fills: int
    leader_orders: int
    orders_sent: int
    orders_copied: int  # of which at least a part was filled
    skipped: Mapping[SkipReason, int]
    delay: Delay | None
    spread: Spread | None  # first to last acknowledgement of one leader order
    drift_contracts: int  # Σ |target − actual|
    positions_opened: int
    positions_closed: int
    shares_settled: int
    share_total: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """What our books say that the venue must confirm."""

    held: Held
    owned: Mapping[AccountId, Money]  # by sub-account
    leader_fills: Mapping[AccountId, int]


def books(session: Session) -> Books:
    return Books(
        held=held_by_lanes(session),
        owned=owned_by_books(session),
        leader_fills=fills_by_leader(session),
    )


def open_work(session: Session) -> OpenWork:
    return OpenWork(
        lanes_drifting=_count(session, LaneRow.target != LaneRow.actual),
        lanes_marked=_count(session, LaneRow.marked.is_(True)),
        orders_in_doubt=_count(session, CopyOrderRow.state == CopyOrderState.SENT),
        shares_due=_count(session, CopiedPositionRow.share_state == ShareState.DUE),
        transfers_planned=_count(session, TransferRow.state == TransferState.PLANNED),
        commands_pending=_count(session, CommandRow.state == CommandState.PENDING),
    )


def summary(session: Session) -> Summary:
    orders = select(LeaderFillRow.leader_id, LeaderFillRow.order_id).distinct().subquery()
    reasons = session.execute(
        select(CopyDecisionRow.skip_reason, func.count())
        .where(CopyDecisionRow.skip_reason.is_not(None))
        .group_by(CopyDecisionRow.skip_reason)
        .order_by(CopyDecisionRow.skip_reason)
    )
    drift = func.coalesce(func.sum(func.abs(LaneRow.target - LaneRow.actual)), 0)
    settled, share_total = session.execute(
        select(func.count(), func.sum(SettlementRow.share))
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .where(SettlementRow.share > ZERO_MONEY, FollowRow.paper.is_(False))
    ).one()
    return Summary(
        leaders=session.scalar(select(func.count()).select_from(LeaderRow)) or 0,
        follows=_count(session, FollowRow.state.in_(VISIBLE) & FollowRow.paper.is_(False)),
        paper_follows=_count(session, FollowRow.state.in_(VISIBLE) & FollowRow.paper.is_(True)),
        leader_fills=session.scalar(select(func.count()).select_from(LeaderFillRow)) or 0,
        leader_orders=session.scalar(select(func.count()).select_from(orders)) or 0,
        orders_sent=session.scalar(select(func.count()).select_from(CopyOrderRow)) or 0,
        orders_copied=_count(session, CopyOrderRow.filled > 0),
        skipped={reason: count for reason, count in reasons if reason is not None},
        delay=copy_delay(session, DELAY_SAMPLE),
        spread=copy_spread(session),
        drift_contracts=session.scalar(select(drift)) or 0,
        positions_opened=session.scalar(select(func.count()).select_from(CopiedPositionRow)) or 0,
        positions_closed=_count(session, CopiedPositionRow.state == TradeState.CLOSED),
        shares_settled=settled,
        share_total=share_total or ZERO_MONEY,
    )


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0


def held_by_lanes(session: Session) -> Held:
    """Return what each sub-account should hold by our books; nothing where it is flat."""
    rows = session.execute(
        select(FollowRow.sub_account, LaneRow.symbol, LaneRow.position_side, LaneRow.actual)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(LaneRow.actual > 0, FollowRow.paper.is_(False))
    )
    return {
        (account, symbol, side): actual
        for account, symbol, side, actual in rows
        if account is not None
    }


def owned_by_books(session: Session) -> Mapping[AccountId, Money]:
    """Return what each sub-account that a follow ever had holds, by our books.

    The ledger takes up a position's result when it closes. What the fills of open ones have
    realised, and what was paid in fees and funding, is added: fill by fill, as the venue rounds.
    """
    ledger = balances(session)
    is_open = CopiedPositionRow.state == TradeState.OPEN
    orders = (
        select(
            CopiedPositionRow.follow_id,
            func.sum(OrderFillRow.realized_pnl),
            func.sum(OrderFillRow.fee),
        )
        .join(CopyOrderRow, CopyOrderRow.id == OrderFillRow.order_id)
        .join(CopiedPositionRow, CopiedPositionRow.id == CopyOrderRow.copied_position_id)
        .where(is_open)
        .group_by(CopiedPositionRow.follow_id)
    )
    fills = {
        follow_id: total(realized, -fees) for follow_id, realized, fees in session.execute(orders)
    }
    paid = (
        select(CopiedPositionRow.follow_id, func.sum(CopiedPositionRow.funding))
        .where(is_open)
        .group_by(CopiedPositionRow.follow_id)
    )
    funding = dict(session.execute(paid).all())
    rows = session.execute(
        select(FollowRow.id, FollowRow.sub_account).where(
            FollowRow.sub_account.is_not(None), FollowRow.paper.is_(False)
        )
    )
    return {
        account: Money(
            total(
                ledger.get(sub_account(follow_id), ZERO_MONEY),
                fills.get(follow_id, ZERO_MONEY),
                -funding.get(follow_id, ZERO_MONEY),
            )
        )
        for follow_id, account in rows
        if account is not None
    }


def fills_by_leader(session: Session) -> Mapping[AccountId, int]:
    """Return how many fills of each leader are stored."""
    rows = session.execute(
        select(LeaderRow.account, func.count(LeaderFillRow.id))
        .outerjoin(LeaderFillRow, LeaderFillRow.leader_id == LeaderRow.id)
        .group_by(LeaderRow.account)
    )
    return dict(rows.all())
