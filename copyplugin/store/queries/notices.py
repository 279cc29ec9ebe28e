"""What somebody was told, the latest first, and how it got out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.notice import Audience, Channel, DeliveryState, NoticeKind
from copyplugin.store.notice_choices import hidden_kinds
from copyplugin.store.queries.pages import Page, page_of
from copyplugin.store.rows import DeliveryRow, NoticeRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    channel: Channel
    state: DeliveryState
    attempts: int
    next_at: datetime
    last_error: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """`over_at` None: it lasts. `deliveries` are the ways it leaves by, beside the page."""

    number: int
    kind: NoticeKind
    sentence: str
    follow_id: FollowId | None
    raised_at: datetime
    over_at: datetime | None
    is_event: bool
    is_read: bool
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeList:
    notices: tuple[Notice, ...]  # the latest first, of this page
    unread: int
    latest: int  # the number of the latest of all; 0 without any
    page: Page


def notice_list(
    session: Session, audience: Audience, audience_id: int, *, page: int, page_size: int
) -> NoticeList:
    """Return one page of what is for this person, or for the operators."""
    mine = _mine(session, audience, audience_id)
    found, latest = session.execute(select(func.count(), func.max(NoticeRow.id)).where(mine)).one()
    shown = page_of(found, wanted=page, size=page_size)
    rows = list(
        session.scalars(
            select(NoticeRow)
            .where(mine)
            .order_by(NoticeRow.id.desc())
            .offset(shown.offset)
            .limit(shown.size)
        )
    )
    ways = _deliveries(session, [row.id for row in rows])
    return NoticeList(
        notices=tuple(
            Notice(
                number=row.id,
                kind=row.kind,
                sentence=row.sentence,
                follow_id=row.follow_id,
                raised_at=row.raised_at,
                over_at=row.over_at,
                is_event=row.over_at == row.raised_at,
                is_read=row.read_at is not None,
                deliveries=ways.get(row.id, ()),
            )
            for row in rows
        ),
        unread=unread(session, audience, audience_id),
        latest=latest or 0,
        page=shown,
    )


def unread(session: Session, audience: Audience, audience_id: int) -> int:
    query = (
        select(func.count())
        .select_from(NoticeRow)
        .where(_mine(session, audience, audience_id), NoticeRow.read_at.is_(None))
    )
    return session.scalar(query) or 0


def _mine(session: Session, audience: Audience, audience_id: int) -> ColumnElement[bool]:
    mine = (NoticeRow.audience == audience) & (NoticeRow.audience_id == audience_id)
    hidden = hidden_kinds(session, audience, audience_id)
    return mine & NoticeRow.kind.not_in(hidden) if hidden else mine


def _deliveries(session: Session, numbers: list[int]) -> Mapping[int, tuple[Delivery, ...]]:
    found: dict[int, tuple[Delivery, ...]] = {}
    query = select(DeliveryRow).where(DeliveryRow.notice_id.in_(numbers)).order_by(DeliveryRow.id)
    for row in session.scalars(query):
        found[row.notice_id] = (
            *found.get(row.notice_id, ()),
            Delivery(
                channel=row.channel,
                state=row.state,
                attempts=row.attempts,
                next_at=row.next_at,
                last_error=row.last_error,
            ),
        )
    return found
