"""What is to be told, read off the rows that say it; so nothing is lost when a process dies."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.actor import Role, role_of
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.follow import COPIES_OPENS, FOLLOWS_CLOSES, FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.notice import Audience, NoticeKind
from copyplugin.store import notices
from copyplugin.store.halts import halts_in_force
from copyplugin.store.notices import OPERATORS, News
from copyplugin.store.rows import (
    AlarmRow,
    FollowerRow,
    FollowHistoryRow,
    FollowRow,
    HaltRow,
    JobRunRow,
    LeaderRow,
    LedgerEntryRow,
    OrphanRow,
    TransferRow,
)
from copyplugin.store.shortfalls import SHARE_CUT

ALARMS = {
    AlarmKind.UNPROTECTED: NoticeKind.UNPROTECTED,
    AlarmKind.STOP_BEYOND_LIQUIDATION: NoticeKind.STOP_BEYOND_LIQUIDATION,
    AlarmKind.EXIT_REFUSED: NoticeKind.EXIT_REFUSED,
    AlarmKind.LEADER_MARGIN: NoticeKind.LEADER_MARGIN,
}
SHARES = frozenset({TransferKind.SHARE, TransferKind.SHARER})

_MOVED = {
    TransferKind.SHARE: "{money} USDT of your profit went to {nickname} as the leader's share.",
    TransferKind.SHARER: "{money} USDT of your profit went to who brought you to {nickname}.",
    TransferKind.ESCROW: "{money} USDT of your profit are held as the share of {nickname}.",
    TransferKind.TAKE_BACK: "{money} USDT that were held as the share of {nickname} are yours.",
}
"""What happened to his money; who holds it already may pass it on without a word to him."""

OWED_AFTER = timedelta(minutes=15)
"""A share that could not be paid for so long is owed; until then it is being paid."""

_PERSON = func.coalesce(FollowerRow.paper_of, FollowerRow.id)
"""Who reads it: whoever follows with play money stands for somebody."""

BY_FOLLOWER = "ended by the follower"
PAUSED = "paused until the next day: "
_MAY_BE_TOLD = or_(
    and_(
        FollowHistoryRow.from_state == FollowHistoryRow.to_state,
        FollowHistoryRow.reason.startswith(PAUSED),
    ),
    and_(
        FollowHistoryRow.from_state.in_(COPIES_OPENS),
        FollowHistoryRow.to_state.not_in(COPIES_OPENS),
    ),
)
HISTORY_AT_ONCE = 20_000
"""So many rows of history are looked at in one transaction, ..."""

TOLD_AT_ONCE = 2_000
"""... and so many are told of."""


def tell_of_alarms(session: Session, *, at: datetime) -> int:
    """Tell followers of the alarms about their positions, operators of those they can act on."""
    query = (
        select(AlarmRow, _PERSON, FollowRow.paper)
        .join(FollowRow, FollowRow.id == AlarmRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .where(AlarmRow.cleared_at.is_(None))
        .order_by(AlarmRow.id)
    )
    raised = session.execute(query).all()
    subjects = {(ALARMS[alarm.kind], f"alarm:{alarm.id}") for alarm, *_ in raised}
    _end_others(session, frozenset(ALARMS.values()), subjects, at=at)
    known = notices.subjects_raised(session, ALARMS.values())

    def news() -> Iterator[News]:
        for alarm, follower_id, paper in raised:
            kind, subject = ALARMS[alarm.kind], f"alarm:{alarm.id}"
            if (kind, subject) in known:
                continue
            about = f"{_money(paper)}Position {alarm.copied_position_id}: {alarm.sentence}"
            for audience, number in ((Audience.FOLLOWER, follower_id), (Audience.OPERATOR, 0)):
                if audience is Audience.OPERATOR and (paper or kind is NoticeKind.LEADER_MARGIN):
                    continue  # a word to the follower
                yield News(
                    audience=audience,
                    audience_id=number,
                    kind=kind,
                    subject=subject,
                    sentence=about,
                    at=alarm.raised_at,
                    follow_id=alarm.follow_id,
                )

    return notices.tell(session, news())


def tell_of_halts(session: Session, *, at: datetime) -> int:
    """Tell whoever is concerned when a leader's followers, or everybody, open nothing new."""
    in_force = halts_in_force(session, {HaltScope.GLOBAL, HaltScope.LEADER}, now=at)
    subjects = {(NoticeKind.HALTED, f"halt:{halt.id}") for halt in in_force}
    _end_others(session, {NoticeKind.HALTED}, subjects, at=at)
    known = notices.subjects_raised(session, {NoticeKind.HALTED})
    return sum(
        notices.tell(session, _of_halt(session, halt))
        for halt in in_force
        if (NoticeKind.HALTED, f"halt:{halt.id}") not in known
    )


def tell_of_orphans(session: Session, *, at: datetime) -> int:
    """Tell operators, and whose sub-account it is, of what is open there and no lane wants."""
    query = (
        select(OrphanRow, _PERSON)
        .join(FollowRow, FollowRow.id == OrphanRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .where(OrphanRow.gone_at.is_(None))
        .order_by(OrphanRow.id)
    )
    held = session.execute(query).all()
    subjects = {(NoticeKind.ORPHAN, f"orphan:{orphan.id}") for orphan, _ in held}
    _end_others(session, {NoticeKind.ORPHAN}, subjects, at=at)

    def news() -> Iterator[News]:
        for orphan, follower_id in held:
            what = f"{orphan.contracts} contracts of {orphan.symbol} {orphan.position_side.value}"
            for_follower = (
                f"Your sub-account holds {what} that copy no order of the leader. You may close "
                "them on the page of your copies."
            )
            for_operators = f"Follow {orphan.follow_id} holds {what} that no lane wants."
            for audience, number, sentence in (
                (Audience.OPERATOR, OPERATORS, for_operators),
                (Audience.FOLLOWER, follower_id, for_follower),
            ):
                yield News(
                    audience=audience,
                    audience_id=number,
                    kind=NoticeKind.ORPHAN,
                    subject=f"orphan:{orphan.id}",
                    sentence=sentence,
                    at=orphan.found_at,
                    follow_id=orphan.follow_id,
                )

    return notices.tell(session, news())


def tell_of_shares(session: Session, *, at: datetime) -> int:
    """Tell operators of shares that were refused, or could not be paid for long."""
    is_cut = exists().where(
        LedgerEntryRow.kind == SHARE_CUT, LedgerEntryRow.reference == TransferRow.id
    )
    is_stuck = or_(
        and_(TransferRow.state == TransferState.REFUSED, ~is_cut),
        and_(TransferRow.state == TransferState.PLANNED, TransferRow.created_at <= at - OWED_AFTER),
    )
    query = select(TransferRow).where(
        or_(
            TransferRow.state == TransferState.OWED,  # no venue moves it (V6)
            and_(TransferRow.kind.in_(SHARES), is_stuck),
        )
    )
    owed = list(session.scalars(query.order_by(TransferRow.id)))
    subjects = {(NoticeKind.SHARE_OWED, f"transfer:{row.id}") for row in owed}
    _end_others(session, {NoticeKind.SHARE_OWED}, subjects, at=at)
    return notices.tell(
        session,
        (
            News(
                audience=Audience.OPERATOR,
                audience_id=OPERATORS,
                kind=NoticeKind.SHARE_OWED,
                subject=f"transfer:{row.id}",
                sentence=f"A leader share of {row.money.normalize():f} USDT of follow "
                f"{row.follow_id} is owed to {row.to_account}: " + _why_owed(row) + ".",
                at=at,
                follow_id=row.follow_id,
            )
            for row in owed
        ),
    )


def _why_owed(row: TransferRow) -> str:
    if row.state is TransferState.OWED:
        return "pay it by other ways, then mark it as paid"
    return row.last_error or "the venue has not moved it yet"


def tell_of_settled(session: Session, *, after: datetime) -> int:
    """Tell followers, once, of shares that were paid, held or given back since then."""
    query = (
        select(TransferRow, _PERSON, FollowRow.paper, LeaderRow.nickname)
        .join(FollowRow, FollowRow.id == TransferRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(
            TransferRow.done_at >= after,
            TransferRow.state.in_((TransferState.DONE, TransferState.PAID)),
            TransferRow.kind.in_(_MOVED),
        )
    )
    found = sorted(session.execute(query), key=lambda row: (row[0].created_at, row[0].id))

    def news() -> Iterator[News]:
        for transfer, follower_id, paper, nickname in found:
            moved = _MOVED[transfer.kind].format(
                money=f"{transfer.money.normalize():f}", nickname=nickname
            )
            yield News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=NoticeKind.SHARE_SETTLED,
                subject=f"transfer:{transfer.id}",
                sentence=_money(paper) + moved,
                at=transfer.done_at or transfer.created_at,
                follow_id=transfer.follow_id,
                is_event=True,
            )

    return notices.tell(session, news())


def tell_of_jobs(session: Session, *, backlog_max: int, at: datetime) -> int:
    """Tell operators of jobs whose last run failed, or left more undone than they allow."""
    news = [
        each for row in session.scalars(select(JobRunRow)) for each in _of_job(row, backlog_max)
    ]
    kinds = {NoticeKind.JOB_FAILED, NoticeKind.JOB_BEHIND}
    _end_others(session, kinds, {(each.kind, each.subject) for each in news}, at=at)
    broken = {each.subject for each in news if each.kind is NoticeKind.LEDGER_DIFFERS}
    notices.end(session, NoticeKind.LEDGER_DIFFERS, {"job:ledger"} - broken, at=at)
    return notices.tell(session, news)


def history_begins(session: Session, *, after: datetime) -> int:
    """Return the number of the last row of any follow's history that is older."""
    query = select(func.max(FollowHistoryRow.id)).where(FollowHistoryRow.at < after)
    return session.scalar(query) or 0


def tell_of_history(session: Session, *, after: int) -> int:
    """Tell followers what others than they have done to their follows; return how far it was read.

    Rows up to `after` were read before; the next call goes on where this one ended. Copying itself
    moves every follow at every open and close, of which nobody is told: those rows are not loaded.
    """
    newest = session.scalar(select(func.max(FollowHistoryRow.id))) or after
    until = min(newest, after + HISTORY_AT_ONCE)
    query = (
        select(FollowHistoryRow, _PERSON, FollowRow.paper, LeaderRow.nickname)
        .join(FollowRow, FollowRow.id == FollowHistoryRow.follow_id)
        .join(FollowerRow, FollowerRow.id == FollowRow.follower_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(FollowHistoryRow.id > after, FollowHistoryRow.id <= until, _MAY_BE_TOLD)
        .order_by(FollowHistoryRow.id)
        .limit(TOLD_AT_ONCE)
    )
    rows = session.execute(query).all()
    notices.tell(
        session,
        (
            News(
                audience=Audience.FOLLOWER,
                audience_id=follower_id,
                kind=told[0],
                subject=f"history:{row.id}",
                sentence=_money(paper) + told[1],
                at=row.at,
                follow_id=row.follow_id,
                is_event=True,
            )
            for row, follower_id, paper, nickname in rows
            if (told := _of_history(row, nickname)) is not None
        ),
    )
    return max(after, until) if len(rows) < TOLD_AT_ONCE else rows[-1][0].id


def _of_history(row: FollowHistoryRow, nickname: str) -> tuple[NoticeKind, str] | None:
    """Return what its follower is told of it; None for what he did himself, or need not know."""
    if row.from_state is row.to_state:
        if not row.reason.startswith(PAUSED):
            return None
        why = row.reason.removeprefix(PAUSED)
        return (
            NoticeKind.FOLLOW_PAUSED,
            f"Copying {nickname} is paused until the next day: {why}. Closes are still copied.",
        )
    if row.from_state not in COPIES_OPENS or row.to_state in COPIES_OPENS:
        return None
    if role_of(row.actor) is Role.FOLLOWER or row.reason == BY_FOLLOWER:
        return None
    what = (
        "what is open closes when the leader closes his"
        if row.to_state is FollowState.WINDING_DOWN
        else "what is open is being closed, then the money returns"
    )
    return NoticeKind.FOLLOW_ENDED, f"Following {nickname} has ended: {row.reason}; {what}."


def _money(paper: bool) -> str:  # noqa: FBT001 - a column's value
    return "With play money: " if paper else ""


def _of_halt(session: Session, halt: HaltRow) -> Iterator[News]:
    leader = session.get(LeaderRow, halt.scope_id) if halt.scope is HaltScope.LEADER else None
    whose = "everybody" if leader is None else f"the followers of {leader.nickname}"
    subject = f"halt:{halt.id}"

    def news(audience: Audience, number: int, sentence: str) -> News:
        return News(
            audience=audience,
            audience_id=number,
            kind=NoticeKind.HALTED,
            subject=subject,
            sentence=sentence,
            at=halt.halted_at,
        )

    yield news(
        Audience.OPERATOR,
        OPERATORS,
        f"Copying is halted for {whose} by {halt.actor}: {halt.reason}.",
    )
    closes = "Closes are still copied."
    if leader is not None:
        yield news(
            Audience.LEADER, leader.id, f"Your followers open nothing new: {halt.reason}. {closes}"
        )
    query = (
        select(_PERSON)
        .join(FollowRow, FollowRow.follower_id == FollowerRow.id)
        .where(FollowRow.state.in_(FOLLOWS_CLOSES))
        .distinct()
    )
    if leader is not None:
        query = query.where(FollowRow.leader_id == leader.id)
    of_whom = "" if leader is None else f" of {leader.nickname}"
    for follower_id in session.scalars(query):
        yield news(
            Audience.FOLLOWER,
            follower_id,
            f"Nothing new{of_whom} is opened for you: {halt.reason}. {closes}",
        )


def _of_job(row: JobRunRow, backlog_max: int) -> Iterator[News]:
    told: list[tuple[NoticeKind, str]] = []
    if row.failing_since is not None:
        kind = NoticeKind.LEDGER_DIFFERS if row.name == "ledger" else NoticeKind.JOB_FAILED
        # What failed in it stands on the health page: it may name what must not leave this place.
        told.append((kind, f"The job {row.name!r} failed in its last run."))
    if (row.backlog or 0) > backlog_max:
        told.append(
            (NoticeKind.JOB_BEHIND, f"The job {row.name!r} left {row.backlog} undone behind it.")
        )
    for kind, sentence in told:
        yield News(
            audience=Audience.OPERATOR,
            audience_id=OPERATORS,
            kind=kind,
            subject=f"job:{row.name}",
            sentence=sentence,
            at=row.finished_at or row.started_at,
        )


def _end_others(
    session: Session,
    kinds: frozenset[NoticeKind] | set[NoticeKind],
    still: set[tuple[NoticeKind, str]],
    *,
    at: datetime,
) -> None:
    """Let what was told of these kinds be over, except what still is so."""
    over = notices.subjects_raised(session, kinds) - still
    for kind in {kind for kind, _ in over}:
        notices.end(session, kind, {subject for each, subject in over if each is kind}, at=at)
