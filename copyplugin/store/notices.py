"""Notices: raised once, over when what they tell is over, sent out until somebody took them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.domain.notice import (
    CARRIES,
    Audience,
    Channel,
    DeliveryState,
    Message,
    NoticeKind,
    pause_after,
)
from copyplugin.store.notice_choices import silenced_of_new
from copyplugin.store.rows import DeliveryRow, FollowerRow, LeaderRow, NoticeRow
from copyplugin.store.rows.notice import IS_NEW

OPERATORS = 0
"""The number under which what is for the operators is kept."""

DELIVERIES_AT_ONCE = 50
ROWS_AT_ONCE = 500

Name = tuple[Audience, int, NoticeKind, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What somebody is to be told. `is_event`: it has happened, and there is nothing to be over."""

    audience: Audience
    audience_id: int
    kind: NoticeKind
    subject: str
    sentence: str
    at: datetime
    follow_id: FollowId | None = None
    is_event: bool = False

    @property
    def name(self) -> Name:
        """Return what tells it from other news."""
        return self.audience, self.audience_id, self.kind, self.subject


def tell(session: Session, news: Iterable[News]) -> int:
    """Write down what was not told yet; return how much that is.

    What has happened is told once for ever, what lasts once until it is over.
    """
    every = list({each.name: each for each in news}.values())
    written = 0
    for start in range(0, len(every), ROWS_AT_ONCE):
        some = every[start : start + ROWS_AT_ONCE]
        ever, raised = _told(session, {each.subject for each in some})
        rows = [
            _row_of(each) for each in some if each.name not in (ever if each.is_event else raised)
        ]
        if rows:
            session.execute(insert(NoticeRow), rows)
        written += len(rows)
    return written


def tell_operators(  # noqa: PLR0913 - what a notice is
    session: Session,
    kind: NoticeKind,
    subject: str,
    sentence: str,
    *,
    at: datetime,
    follow_id: FollowId | None = None,
    is_event: bool = False,
) -> None:
    """Tell the operators, unless they are told already."""
    news = News(
        audience=Audience.OPERATOR,
        audience_id=OPERATORS,
        kind=kind,
        subject=subject,
        sentence=sentence,
        at=at,
        follow_id=follow_id,
        is_event=is_event,
    )
    tell(session, [news])


def subjects_raised(
    session: Session, kinds: Collection[NoticeKind], *, follow_id: FollowId | None = None
) -> set[tuple[NoticeKind, str]]:
    """Return what is told of these kinds and not over; of one follow, or in all."""
    query = (
        select(NoticeRow.kind, NoticeRow.subject)
        .where(NoticeRow.kind.in_(kinds), NoticeRow.over_at.is_(None))
        .distinct()
    )
    if follow_id is not None:
        query = query.where(NoticeRow.follow_id == follow_id)
    return {(kind, subject) for kind, subject in session.execute(query)}


def end(session: Session, kind: NoticeKind, subjects: Collection[str], *, at: datetime) -> None:
    """Let what was told of these be over, for everybody."""
    if subjects:
        session.execute(
            update(NoticeRow)
            .where(
                NoticeRow.kind == kind,
                NoticeRow.subject.in_(subjects),
                NoticeRow.over_at.is_(None),
            )
            .values(over_at=at)
            .execution_options(synchronize_session=False)
        )


def read_up_to(
    session: Session, audience: Audience, audience_id: int, last: int, *, at: datetime
) -> int:
    """Let everything up to this number be read by whom it is for; return how much that was."""
    found = session.execute(
        update(NoticeRow)
        .where(
            NoticeRow.audience == audience,
            NoticeRow.audience_id == audience_id,
            NoticeRow.id <= last,
            NoticeRow.read_at.is_(None),
        )
        .values(read_at=at)
        .returning(NoticeRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(found.all())


def dispatch(session: Session, channels: Collection[Channel], *, at: datetime) -> int:
    """Write a delivery for each new notice and way out that carries it; return how many.

    None where its reader has switched that way off.
    """
    new = list(session.scalars(select(NoticeRow).where(IS_NEW)))
    silent = silenced_of_new(session)
    rows = [
        {
            "notice_id": row.id,
            "channel": channel,
            "state": DeliveryState.WAITING,
            "attempts": 0,
            "next_at": at,
        }
        for row in new
        for channel in channels
        if row.audience in CARRIES[channel] and (row.id, channel) not in silent
    ]
    if rows:
        session.execute(insert(DeliveryRow), rows)
    for row in new:
        row.is_dispatched = True
    return len(rows)


def due_deliveries(
    session: Session, channels: Collection[Channel], *, now: datetime
) -> list[tuple[Channel, Message]]:
    """Return what is to be sent now, the oldest first."""
    query = (
        select(DeliveryRow, NoticeRow)
        .join(NoticeRow, NoticeRow.id == DeliveryRow.notice_id)
        .where(
            DeliveryRow.state == DeliveryState.WAITING,
            DeliveryRow.next_at <= now,
            DeliveryRow.channel.in_(channels),
        )
        .order_by(DeliveryRow.id)
        .limit(DELIVERIES_AT_ONCE)
    )
    return [
        (
            delivery.channel,
            Message(
                number=delivery.id,
                kind=notice.kind,
                audience=notice.audience,
                account=_account(session, notice),
                follow_id=notice.follow_id,
                sentence=notice.sentence,
                raised_at=notice.raised_at,
            ),
        )
        for delivery, notice in session.execute(query)
    ]


def delivered(session: Session, number: int, *, at: datetime) -> None:
    row = session.get_one(DeliveryRow, number)
    row.state, row.delivered_at, row.last_error = DeliveryState.DELIVERED, at, None
    row.attempts += 1


def not_delivered(
    session: Session, number: int, *, reason: str, attempts_max: int, at: datetime
) -> None:
    """Let it be tried again later, or be given up when it was tried often enough."""
    row = session.get_one(DeliveryRow, number)
    row.attempts += 1
    row.last_error = reason
    row.next_at = at + pause_after(row.attempts)
    if row.attempts >= attempts_max:
        row.state = DeliveryState.GIVEN_UP


def deliveries_waiting(session: Session) -> int:
    query = select(func.count()).where(DeliveryRow.state == DeliveryState.WAITING)
    return session.scalar(query) or 0


def _told(session: Session, subjects: Collection[str]) -> tuple[set[Name], set[Name]]:
    """Return what was ever told of these subjects, and what of it is not over."""
    query = select(
        NoticeRow.audience,
        NoticeRow.audience_id,
        NoticeRow.kind,
        NoticeRow.subject,
        NoticeRow.over_at.is_(None),
    ).where(NoticeRow.subject.in_(subjects))
    found = [
        ((audience, number, kind, subject), raised)
        for audience, number, kind, subject, raised in session.execute(query)
    ]
    return {name for name, _ in found}, {name for name, is_raised in found if is_raised}


def _row_of(news: News) -> dict[str, Any]:
    return {
        "audience": news.audience,
        "audience_id": news.audience_id,
        "kind": news.kind,
        "subject": news.subject,
        "follow_id": news.follow_id,
        "sentence": news.sentence,
        "raised_at": news.at,
        "over_at": news.at if news.is_event else None,
        "is_dispatched": False,
    }


def _account(session: Session, notice: NoticeRow) -> AccountId | None:
    if notice.audience is Audience.OPERATOR:
        return None
    table = FollowerRow if notice.audience is Audience.FOLLOWER else LeaderRow
    row = session.get(table, notice.audience_id)
    return None if row is None else row.account
