"""The leader's own page: overview, share list, followers (T2 to T5). Days are of a time zone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, distinct, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.days import Span, day_of, span_of_day
from copyplugin.domain.follow import SHOWN_AS_COPYING, VISIBLE, FollowState
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_total, truncate_money
from copyplugin.domain.share import SHARE_PLACES, position_profit
from copyplugin.domain.statistics import ratio_of
from copyplugin.store.leader_record import followers_results
from copyplugin.store.queries.copied_positions import positions_copied_from
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowerRow,
    FollowRow,
    LeaderStatisticsRow,
    SettlementRow,
)

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """T2. Estimates are fractions, exact; they are rounded when they are shown."""

    copy_amount_ever: Money  # each follow counted
    accumulated_yield: Fraction | None  # S1
    net_value: Money  # Σ result of closed copied positions, before the share
    followers_ever: int  # each person once
    income_today: Fraction  # estimated: Σ profit × share × (1 − sharer rebate)
    income_yesterday: Money  # settled
    copy_amount_now: Money
    copy_amount_yesterday: Money  # of follows started yesterday
    followers_now: int  # each person once
    followers_yesterday: int  # each person once who started yesterday
    follows_now: int
    today: date


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareLine:
    """One share that was settled: the leader's part of it, and truncated to 4 decimals.

    `held` says that it is in escrow still, until `release_at`; `taken_back` is what went back to
    the follower out of escrow, the sharer's part included, and is in no other figure any more.
    """

    at: datetime
    follow_id: FollowId
    follower_account: AccountId
    symbol: Symbol | None  # None: of the follow as a whole
    profit: Money
    leader_part: Money
    is_held: bool
    release_at: datetime | None
    taken_back: Money

    @property
    def shown(self) -> Money:
        return truncate_money(self.leader_part, SHARE_PLACES)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareList:
    total: Money
    held: Money  # of the total, in escrow still
    taken_back: Money
    lines: tuple[ShareLine, ...]  # newest first, of this page
    page: Page


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowLine:
    follow_id: FollowId
    follower_id: FollowerId
    follower_name: str
    state: FollowState
    copy_amount: Money
    started_at: datetime | None
    estimated_share: Fraction  # his part of the shares of open positions with profit


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowerList:
    """T4: who follows now."""

    followers: int  # each person once
    amount: Money
    estimated_share: Fraction
    lines: tuple[FollowLine, ...]  # newest first


def overview(session: Session, leader_id: LeaderId, *, now: datetime, zone: tzinfo) -> Overview:
    """Return T2 as of now."""
    today = day_of(now, zone)
    yesterday = span_of_day(today - ONE_DAY, zone)
    mine = (FollowRow.leader_id == leader_id) & FollowRow.paper.is_(False)
    ever = (mine, FollowRow.state.in_(VISIBLE))
    current = (mine, FollowRow.state.in_(SHOWN_AS_COPYING))
    begun = (*ever, _within(FollowRow.started_at, yesterday))
    figures = session.get(LeaderStatisticsRow, leader_id)
    return Overview(
        copy_amount_ever=_amount(session, *ever),
        accumulated_yield=figures and ratio_of(figures.total_profit, figures.total_margin),
        net_value=_net_value(session, leader_id),
        followers_ever=_people(session, *ever),
        income_today=_income(session, leader_id, span_of_day(today, zone)),
        income_yesterday=_settled(session, leader_id, yesterday),
        copy_amount_now=_amount(session, *current),
        copy_amount_yesterday=_amount(session, *begun),
        followers_now=_people(session, *current),
        followers_yesterday=_people(session, *begun),
        follows_now=session.scalar(select(func.count()).select_from(FollowRow).where(*current))
        or 0,
        today=today,
    )


def share_list(session: Session, leader_id: LeaderId, *, page: int, page_size: int) -> ShareList:
    """Return T3: one page of the shares that were settled, newest first, and their total."""
    mine = _shares_of(leader_id)
    found, total, taken_back = session.execute(
        select(
            func.count(),
            func.sum(SettlementRow.leader_part),
            func.sum(SettlementRow.taken_back),
        ).where(mine)
    ).one()
    held = session.scalar(  # a share is held whole, or not at all
        select(func.sum(SettlementRow.leader_part)).where(mine, SettlementRow.held > ZERO_MONEY)
    )
    shown = page_of(found, wanted=page, size=page_size)
    rows = session.execute(
        select(SettlementRow, FollowerRow.account, CopiedPositionRow.symbol)
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .outerjoin(CopiedPositionRow, CopiedPositionRow.id == SettlementRow.copied_position_id)
        .where(mine)
        .order_by(SettlementRow.at.desc(), SettlementRow.id.desc())
        .offset(shown.offset)
        .limit(shown.size)
    )
    return ShareList(
        total=total or ZERO_MONEY,
        held=held or ZERO_MONEY,
        taken_back=taken_back or ZERO_MONEY,
        lines=tuple(
            ShareLine(
                at=row.at,
                follow_id=row.follow_id,
                follower_account=account,
                symbol=symbol,
                profit=row.profit,
                leader_part=row.leader_part,
                is_held=row.held > ZERO_MONEY,
                release_at=row.release_at,
                taken_back=row.taken_back,
            )
            for row, account, symbol in rows
        ),
        page=shown,
    )


def follower_list(session: Session, leader_id: LeaderId) -> FollowerList:
    """Return T4: the follows in process, with what their open profits would pay the leader."""
    rows = session.execute(
        select(FollowRow, FollowerRow.name)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            FollowRow.state.in_(SHOWN_AS_COPYING),
        )
        .order_by(FollowRow.started_at.desc(), FollowRow.id.desc())
    ).all()
    profits: defaultdict[FollowId, list[Money]] = defaultdict(list)
    for position in positions_copied_from(session, leader_id, TradeState.OPEN):
        profits[position.follow_id].append(position.profit)
    lines = tuple(
        FollowLine(
            follow_id=follow.id,
            follower_id=follow.follower_id,
            follower_name=name,
            state=follow.state,
            copy_amount=follow.copy_amount,
            started_at=follow.started_at,
            estimated_share=_leaders_part(profits[follow.id], follow.share_ratio, follow),
        )
        for follow, name in rows
    )
    return FollowerList(
        followers=len({line.follower_id for line in lines}),
        amount=money_total(*(line.copy_amount for line in lines)),
        estimated_share=sum((line.estimated_share for line in lines), Fraction(0)),
        lines=lines,
    )


def _leaders_part(profits: Sequence[Money], share_ratio: Ratio, follow: FollowRow) -> Fraction:
    """Return Σ profit × share × (1 − sharer rebate) over what made a profit."""
    gains = money_total(*(profit for profit in profits if profit > 0))
    rebate = follow.sharer_ratio if follow.sharer_account is not None else None
    kept = 1 - Fraction(rebate or Decimal(0))
    return Fraction(gains) * Fraction(share_ratio) * kept


def _income(session: Session, leader_id: LeaderId, span: Span) -> Fraction:
    rows = session.execute(
        select(CopiedPositionRow, FollowRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            _within(CopiedPositionRow.closed_at, span),
        )
    )
    return sum(
        (
            _leaders_part(
                [
                    position_profit(
                        realized_pnl=row.realized_pnl, fees=row.fees, funding=row.funding
                    )
                ],
                follow.share_ratio,
                follow,
            )
            for row, follow in rows
        ),
        Fraction(0),
    )


def _settled(session: Session, leader_id: LeaderId, span: Span) -> Money:
    query = select(func.sum(SettlementRow.leader_part)).where(
        _shares_of(leader_id), _within(SettlementRow.at, span)
    )
    return session.scalar(query) or ZERO_MONEY


def _net_value(session: Session, leader_id: LeaderId) -> Money:
    """Return what his followers' positions came to, without what open ones have realised."""
    _, result = followers_results(session).get(leader_id, (0, ZERO_MONEY))
    sums = session.execute(
        select(
            func.sum(CopiedPositionRow.realized_pnl),
            func.sum(CopiedPositionRow.fees),
            func.sum(CopiedPositionRow.funding),
        )
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.paper.is_(False),
            CopiedPositionRow.state == TradeState.OPEN,
        )
    ).one()
    realized_pnl, fees, funding = (money or ZERO_MONEY for money in sums)
    still_open = position_profit(realized_pnl=realized_pnl, fees=fees, funding=funding)
    return money_total(result, Money(-still_open))


def _shares_of(leader_id: LeaderId) -> ColumnElement[bool]:
    """Select the leader's shares; none of play money."""
    with_play_money = select(FollowRow.id).where(
        FollowRow.leader_id == leader_id, FollowRow.paper.is_(True)
    )
    return (SettlementRow.leader_id == leader_id) & SettlementRow.follow_id.not_in(with_play_money)


def _amount(session: Session, *conditions: ColumnElement[bool]) -> Money:
    return session.scalar(select(func.sum(FollowRow.copy_amount)).where(*conditions)) or ZERO_MONEY


def _people(session: Session, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count(distinct(FollowRow.follower_id))).where(*conditions)
    return session.scalar(query) or 0


def _within(moment: SQLColumnExpression[Any], span: Span) -> ColumnElement[bool]:
    return (moment >= span.begins) & (moment < span.ends)
