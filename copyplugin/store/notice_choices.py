"""What people have switched off of what they are told (U7)."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from copyplugin.domain.notice import Audience, Channel, Choice, NoticeKind, Way, may_be_silenced
from copyplugin.store.rows import NoticeRow, NoticeSilenceRow
from copyplugin.store.rows.notice import IS_NEW


def silenced(session: Session, audience: Audience, audience_id: int) -> frozenset[Choice]:
    """Return what this person, or the operators, have switched off."""
    query = select(NoticeSilenceRow.kind, NoticeSilenceRow.way).where(
        NoticeSilenceRow.audience == audience, NoticeSilenceRow.audience_id == audience_id
    )
    return frozenset(Choice(kind, way) for kind, way in session.execute(query))


def hidden_kinds(session: Session, audience: Audience, audience_id: int) -> frozenset[NoticeKind]:
    """Return what his page leaves out; never what must stay there, whatever was once stored."""
    return frozenset(
        kind
        for kind, way in silenced(session, audience, audience_id)
        if way is Way.PAGE and may_be_silenced(audience, kind, way)
    )


def silence(
    session: Session, audience: Audience, audience_id: int, wanted: Collection[Choice]
) -> None:
    """Let just this be switched off for him; everything else is told again from now on."""
    session.execute(
        delete(NoticeSilenceRow).where(
            NoticeSilenceRow.audience == audience, NoticeSilenceRow.audience_id == audience_id
        )
    )
    session.add_all(
        NoticeSilenceRow(audience=audience, audience_id=audience_id, kind=kind, way=way)
        for kind, way in sorted(set(wanted))
    )
    session.flush()


def silenced_of_new(session: Session) -> frozenset[tuple[int, Channel]]:
    """Return which new notices do not leave by which ways out, by number."""
    query = (
        select(NoticeRow.id, NoticeSilenceRow.way)
        .join(
            NoticeSilenceRow,
            (NoticeSilenceRow.audience == NoticeRow.audience)
            & (NoticeSilenceRow.audience_id == NoticeRow.audience_id)
            & (NoticeSilenceRow.kind == NoticeRow.kind),
        )
        .where(IS_NEW, NoticeSilenceRow.way != Way.PAGE)
    )
    return frozenset((number, Channel(way)) for number, way in session.execute(query))
