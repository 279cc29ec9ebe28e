"""What people are told, and the outbox of what leaves by other ways than the page."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.notice import Audience, Channel, DeliveryState, NoticeKind, Way
from copyplugin.store.rows.base import KEY, Row

_RAISED = text("over_at IS NULL")
_WAITING = text("state = 'waiting'")
IS_NEW = text("NOT notice.is_dispatched")
"""In the words of its index: SQLite does not find it by others, and reads all notices instead."""

_NEW = text("NOT is_dispatched")


class NoticeRow(Row, kw_only=True):
    """One sentence for one person, or for the operators (`audience_id` 0).

    `subject` names what it is about; of one kind and subject, one is raised at a time.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_audience", "audience", "audience_id", "id"),
        Index("ix_notice_kind_subject", "kind", "subject"),
        Index("ix_notice_new", "id", sqlite_where=_NEW, postgresql_where=_NEW),
        Index(
            "uq_notice_raised",
            "audience",
            "audience_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_RAISED,
            postgresql_where=_RAISED,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    audience: Mapped[Audience]
    audience_id: Mapped[int]
    kind: Mapped[NoticeKind]
    subject: Mapped[str] = mapped_column(String(128))
    follow_id: Mapped[FollowId | None] = mapped_column(ForeignKey("follow.id"), default=None)
    sentence: Mapped[str]
    raised_at: Mapped[datetime]
    over_at: Mapped[datetime | None] = mapped_column(default=None)
    read_at: Mapped[datetime | None] = mapped_column(default=None)
    is_dispatched: Mapped[bool] = mapped_column(default=False)  # its deliveries are written


class NoticeSilenceRow(Row, kw_only=True):
    """One kind that a person, or the operators, want to be told no more by one way."""

    __tablename__ = "notice_silence"

    audience: Mapped[Audience] = mapped_column(primary_key=True)
    audience_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[NoticeKind] = mapped_column(primary_key=True)
    way: Mapped[Way] = mapped_column(primary_key=True)


class DeliveryRow(Row, kw_only=True):
    """One notice on one way out, written before it is sent; its number is the message's."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "channel"),
        Index("ix_delivery_waiting", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    notice_id: Mapped[int] = mapped_column(KEY, ForeignKey("notice.id"))
    channel: Mapped[Channel]
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(default=None)
    delivered_at: Mapped[datetime | None] = mapped_column(default=None)
