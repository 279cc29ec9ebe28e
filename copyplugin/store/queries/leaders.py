"""The list of leaders and what a card of it shows (B1)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from copyplugin.domain.follow import HOLDS_A_PLACE
from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId
from copyplugin.domain.leader import LeaderKind, LeaderStatus
from copyplugin.domain.money import Money, Ratio
from copyplugin.store.queries.equity import equity_of_many
from copyplugin.store.queries.leader_figures import (
    LeaderFigures,
    Places,
    figures_from,
    places_of,
)
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.rows import FollowRow, LeaderRow, LeaderStatisticsRow

SPARKLINE_DAYS = 30
SPARKLINE_POINTS = 40


class LeaderOrder(StrEnum):
    """How the list is sorted; every figure from high to low."""

    RECOMMENDED = "recommended"  # followed, pinned, income, yield
    INCOME = "income"
    YIELD = "yield"
    WIN_RATE = "win_rate"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderFilter:
    """Which leaders are asked for; a leader without a figure fails a bound on it."""

    order: LeaderOrder = LeaderOrder.RECOMMENDED
    search: str = ""
    income_min: Money | None = None
    yield_min: Ratio | None = None
    win_rate_min: Ratio | None = None
    hide_full: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """Who a leader is and what copying him costs."""

    leader_id: LeaderId
    nickname: str
    signature: str
    kind: LeaderKind
    share_ratio: Ratio
    leading_since: datetime
    pinned_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderCard:
    leader: Leader
    figures: LeaderFigures | None  # None until the statistics job has run
    places: Places
    follow_id: FollowId | None  # of the visitor, when he follows now
    followed_at: datetime | None
    sparkline: tuple[Money, ...]  # profit over the last days, evenly spaced, oldest first


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderList:
    cards: tuple[LeaderCard, ...]  # of this page
    page: Page


def leader_from(row: LeaderRow) -> Leader:
    return Leader(
        leader_id=row.id,
        nickname=row.nickname,
        signature=row.signature,
        kind=row.kind,
        share_ratio=row.share_ratio,
        leading_since=row.leading_since,
        pinned_at=row.pinned_at,
    )


def live_follows(
    session: Session, follower_id: FollowerId | None, leaders: Collection[LeaderId]
) -> Mapping[LeaderId, tuple[FollowId, datetime]]:
    """Return the visitor's running follow of each of these leaders, and when it was made."""
    if follower_id is None:
        return {}
    return {
        leader_id: (follow_id, created_at)
        for leader_id, follow_id, created_at in session.execute(
            select(FollowRow.leader_id, FollowRow.id, FollowRow.created_at).where(
                FollowRow.follower_id == follower_id,
                FollowRow.leader_id.in_(leaders),
                FollowRow.state.in_(HOLDS_A_PLACE),
            )
        )
    }


def leader_cards(
    session: Session, visitor: FollowerId | None, *conditions: ColumnElement[bool]
) -> list[LeaderCard]:
    """Return a card, without its sparkline, of each leader that may be followed."""
    found = session.execute(
        select(LeaderRow, LeaderStatisticsRow)
        .outerjoin(LeaderStatisticsRow, LeaderStatisticsRow.leader_id == LeaderRow.id)
        .where(LeaderRow.status == LeaderStatus.ACTIVE, *conditions)
    ).all()
    rows = [leader for leader, _ in found]
    places = places_of(session, rows)
    mine = live_follows(session, visitor, [row.id for row in rows])
    return [
        LeaderCard(
            leader=leader_from(row),
            figures=figures_from(statistics) if statistics else None,
            places=places[row.id],
            follow_id=mine[row.id][0] if row.id in mine else None,
            followed_at=mine[row.id][1] if row.id in mine else None,
            sparkline=(),
        )
        for row, statistics in found
    ]


_Figure = Callable[[LeaderCard], Fraction | None]


def _income(card: LeaderCard) -> Fraction | None:
    return Fraction(card.figures.total_profit) if card.figures else None


def _yield(card: LeaderCard) -> Fraction | None:
    return card.figures.accumulated_yield if card.figures else None


def _win_rate(card: LeaderCard) -> Fraction | None:
    return card.figures.win_rate if card.figures else None


def _passes(card: LeaderCard, wanted: LeaderFilter) -> bool:
    bounds: tuple[tuple[Decimal | None, _Figure], ...] = (
        (wanted.income_min, _income),
        (wanted.yield_min, _yield),
        (wanted.win_rate_min, _win_rate),
    )
    return (
        wanted.search.casefold() in card.leader.nickname.casefold()
        and not (wanted.hide_full and card.places.is_full)
        and all(bound is None or _reaches(figure(card), bound) for bound, figure in bounds)
    )


def _reaches(value: Fraction | None, bound: Decimal) -> bool:
    return value is not None and value >= bound


def _sort_key(order: LeaderOrder) -> Callable[[LeaderCard], tuple[object, ...]]:
    """Return a key for sorting from high to low; ties go to the leader who leads longest.

    A leader without a figure comes after all who have one.
    """
    figures: Mapping[LeaderOrder, tuple[_Figure, ...]] = {
        LeaderOrder.RECOMMENDED: (_followed, _pinned, _income, _yield),
        LeaderOrder.INCOME: (_income, _yield),
        LeaderOrder.YIELD: (_yield, _income),
        LeaderOrder.WIN_RATE: (_win_rate, _income),
    }

    def key(card: LeaderCard) -> tuple[object, ...]:
        values = [figure(card) for figure in figures[order]]
        return (*((value is not None, value or 0) for value in values), -card.leader.leader_id)

    return key


def _followed(card: LeaderCard) -> Fraction | None:
    return _moment(card.followed_at)


def _pinned(card: LeaderCard) -> Fraction | None:
    return _moment(card.leader.pinned_at)


def _moment(at: datetime | None) -> Fraction | None:
    return None if at is None else Fraction(at.timestamp())


def list_leaders(
    session: Session,
    wanted: LeaderFilter,
    *,
    visitor: FollowerId | None,
    page: int,
    page_size: int,
    now: datetime,
) -> LeaderList:
    """Return one page of the leaders asked for; a page beyond the last gives the last."""
    cards = [card for card in leader_cards(session, visitor) if _passes(card, wanted)]
    cards.sort(key=_sort_key(wanted.order), reverse=True)
    shown = page_of(len(cards), wanted=page, size=page_size)
    cards = cards[shown.offset : shown.offset + shown.size]
    return LeaderList(cards=tuple(_with_sparklines(session, cards, now)), page=shown)


def _with_sparklines(
    session: Session, cards: Sequence[LeaderCard], now: datetime
) -> list[LeaderCard]:
    series = equity_of_many(
        session,
        [card.leader.leader_id for card in cards],
        since=now - timedelta(days=SPARKLINE_DAYS),
        points_max=SPARKLINE_POINTS,
    )
    return [
        replace(card, sparkline=tuple(point.profit for point in series[card.leader.leader_id]))
        for card in cards
    ]
