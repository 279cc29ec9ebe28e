"""Follows: starting, every change of state, and ending."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.command import EndHow
from copyplugin.domain.follow import ALLOWED, EndKind, FollowState, check_move
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.skip import SkipReason
from copyplugin.errors import IllegalTransition, UnknownFollow
from copyplugin.store.marking import aim_at_nothing, leave_as_it_is
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    FollowBaselineRow,
    FollowHistoryRow,
    FollowInstrumentRow,
    FollowRow,
    LaneRow,
    LeaderPositionRow,
)

STATE_AFTER = {
    EndHow.CLOSE_NOW: FollowState.CLOSING,
    EndHow.FOLLOW_CLOSES: FollowState.WINDING_DOWN,
    EndHow.HAND_OVER: FollowState.HANDED_OVER,
}
ENDS_WHEN_FLAT = frozenset(STATE_AFTER.values())


def start(session: Session, follow: FollowRow, *, sub_account: AccountId, at: datetime) -> None:
    """Begin to copy: the copy amount is in the sub-account.

    What the leader holds now is recorded as the baseline (L14).
    """
    follow.sub_account = sub_account
    follow.started_at = at
    move(session, follow, FollowState.PENDING, actor="engine", reason="amount moved", at=at)
    session.execute(
        insert(FollowBaselineRow).from_select(
            ["follow_id", "symbol", "position_side", "contracts"],
            select(
                literal(follow.id),
                LeaderPositionRow.symbol,
                LeaderPositionRow.position_side,
                LeaderPositionRow.contracts,
            ).where(
                LeaderPositionRow.leader_id == follow.leader_id, LeaderPositionRow.contracts > 0
            ),
        )
    )


def void(session: Session, follow: FollowRow, *, reason: str, at: datetime) -> None:
    """Give the place back: starting failed and the money is in the spot wallet (L1)."""
    follow.ended_at = at
    follow.end_reason = reason
    move(session, follow, FollowState.VOID, actor="engine", reason=reason, at=at)


def move(
    session: Session,
    follow: FollowRow,
    to: FollowState,
    *,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Change the follow's state and write it into its history (L12).

    Raises `IllegalTransition` where the table of moves does not have it.
    """
    before = follow.state
    check_move(before, to)
    follow.state = to
    write_history(session, follow, before=before, actor=actor, reason=reason, at=at)


def end_follow(
    session: Session,
    follow: FollowRow,
    how: EndHow,
    *,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """End the relationship: everything at market, with the leader's closes, or as it stands.

    A follow that is winding down or handed over may still be closed at once. Raises
    `IllegalTransition` where it has ended or is being closed already. What is flat is settled at
    once.
    """
    to = STATE_AFTER[how]
    if to not in ALLOWED[follow.state]:
        raise IllegalTransition("This follow has ended or is ending already.")
    move(session, follow, to, actor=actor, reason=reason, at=at)
    follow.end_reason = reason
    if to is FollowState.CLOSING:
        aim_at_nothing(session, follow.id, SkipReason.FOLLOW_NOT_ACTIVE)
    elif to is FollowState.HANDED_OVER:
        follow.handed_over_at = at
        leave_as_it_is(session, follow.id)
        _pass_on(session, follow.id)
    keep_states(session, [follow.id], at=at)


def abort_follow(session: Session, follow: FollowRow, *, reason: str, at: datetime) -> None:
    """Give up copying (L11): what is open is to be closed when the venue answers again."""
    move(session, follow, FollowState.ABORTING, actor="engine", reason=reason, at=at)
    follow.end_reason = reason
    aim_at_nothing(session, follow.id, SkipReason.FOLLOW_NOT_ACTIVE)


def finish(session: Session, follow: FollowRow, *, at: datetime) -> None:
    """Close the books of a follow whose share is paid and whose money is home.

    Its end kind is kept where the engine has named one, else it tells whether anything was opened.
    """
    aborted = follow.state is FollowState.ABORTING
    follow.ended_at = at
    if aborted:
        follow.end_kind = EndKind.ABORTED
    elif follow.end_kind is None:
        opened = exists().where(CopiedPositionRow.follow_id == follow.id)
        follow.end_kind = (
            EndKind.ENDED_AFTER_OPENING
            if session.scalar(select(opened))
            else EndKind.ENDED_BEFORE_OPEN
        )
    to = FollowState.ABORTED if aborted else FollowState.CLOSED
    move(session, follow, to, actor="engine", reason="money is home", at=at)


def keep_states(session: Session, follow_ids: Collection[FollowId], *, at: datetime) -> None:
    """Move follows whose positions have changed: pending, copying, or flat and to be settled.

    A follow is flat when no lane holds anything and no order of it is in doubt.
    """
    restless = _restless(session, follow_ids)
    holding = {follow_id for follow_id, holds in restless if holds}
    in_doubt = {follow_id for follow_id, holds in restless if not holds}
    for follow in follows(session, follow_ids):
        is_flat = follow.id not in holding and follow.id not in in_doubt
        to = state_after(follow.state, is_holding=follow.id in holding, is_flat=is_flat)
        if to is not None:
            reason = "flat" if is_flat else "a position is open"
            move(session, follow, to, actor="engine", reason=reason, at=at)


def get_follow(session: Session, follow_id: FollowId) -> FollowRow:
    """Return the follow; raises `UnknownFollow`."""
    row = session.get(FollowRow, follow_id)
    if row is None:
        raise UnknownFollow(f"There is no follow number {follow_id}.")
    return row


def follows(session: Session, follow_ids: Collection[FollowId]) -> list[FollowRow]:
    """Return these follows, in order of number."""
    return _ordered(session, FollowRow.id.in_(follow_ids))


def follows_in(session: Session, states: Collection[FollowState]) -> list[FollowRow]:
    """Return the follows in any of these states, in order of number."""
    return _ordered(session, FollowRow.state.in_(states))


def among(
    session: Session, follow_ids: Collection[FollowId], states: Collection[FollowState]
) -> list[FollowId]:
    """Return those of these follows that are in any of these states, in order of number."""
    query = select(FollowRow.id).where(FollowRow.id.in_(follow_ids), FollowRow.state.in_(states))
    return list(session.scalars(query.order_by(FollowRow.id)))


def follows_of_leader(
    session: Session, leader_id: LeaderId, states: Collection[FollowState]
) -> list[FollowRow]:
    """Return the leader's follows in any of these states, in order of number."""
    return _ordered(session, FollowRow.leader_id == leader_id, FollowRow.state.in_(states))


def accounts_used(session: Session, follower_id: FollowerId) -> int:
    """Return how many sub-accounts the follows of this follower have, or had."""
    query = select(func.count()).where(
        FollowRow.follower_id == follower_id, FollowRow.sub_account.is_not(None)
    )
    return session.scalar(query) or 0


def is_account_used(session: Session, account: AccountId) -> bool:
    """Return whether a follow has this sub-account, or had it."""
    return session.scalar(select(exists().where(FollowRow.sub_account == account))) or False


def symbols_chosen(session: Session, follow_id: FollowId) -> frozenset[Symbol]:
    return symbols_chosen_by(session, [follow_id]).get(follow_id, frozenset())


def symbols_chosen_by(
    session: Session, follow_ids: Collection[FollowId]
) -> dict[FollowId, frozenset[Symbol]]:
    """Return the instruments of each of these follows; one without any is left out."""
    chosen: dict[FollowId, set[Symbol]] = {}
    row = FollowInstrumentRow
    query = select(row.follow_id, row.symbol).where(row.follow_id.in_(follow_ids))
    for follow_id, symbol in session.execute(query):
        chosen.setdefault(follow_id, set()).add(symbol)
    return {follow_id: frozenset(symbols) for follow_id, symbols in chosen.items()}


def baseline_of(session: Session, follow_id: FollowId) -> list[FollowBaselineRow]:
    """Return what the leader held when the follow started, by symbol."""
    query = (
        select(FollowBaselineRow)
        .where(FollowBaselineRow.follow_id == follow_id)
        .order_by(FollowBaselineRow.symbol, FollowBaselineRow.position_side)
    )
    return list(session.scalars(query))


def write_history(
    session: Session,
    follow: FollowRow,
    *,
    before: FollowState | None,
    actor: str,
    reason: str,
    at: datetime,
) -> None:
    """Add a row to the follow's history; `move` does it by itself."""
    session.add(
        FollowHistoryRow(
            follow_id=follow.id,
            at=at,
            from_state=before,
            to_state=follow.state,
            actor=actor,
            reason=reason,
        )
    )


def _pass_on(session: Session, follow_id: FollowId) -> None:
    """Let open positions owe no share of their own: the hand-over settles what they owe."""
    session.execute(
        update(CopiedPositionRow)
        .where(CopiedPositionRow.follow_id == follow_id, CopiedPositionRow.state == TradeState.OPEN)
        .values(share_state=ShareState.PASSED)
    )


def state_after(state: FollowState, *, is_holding: bool, is_flat: bool) -> FollowState | None:
    """Return the state a follow moves to by what its lanes hold; None where it stays."""
    if state is FollowState.PENDING and is_holding:
        return FollowState.COPYING
    if not is_flat:
        return None
    if state is FollowState.COPYING:
        return FollowState.PENDING
    if state in ENDS_WHEN_FLAT:
        return FollowState.SETTLING
    return None


def _restless(
    session: Session, follow_ids: Collection[FollowId]
) -> frozenset[tuple[FollowId, bool]]:
    """Return the follows with a lane that holds something (True) or whose order is in doubt.

    In one statement, so of one moment: a worker may book the order while this looks.
    """
    in_doubt = exists().where(
        CopyOrderRow.lane_id == LaneRow.id, CopyOrderRow.state == CopyOrderState.SENT
    )
    query = select(LaneRow.follow_id, LaneRow.actual > 0).where(
        LaneRow.follow_id.in_(follow_ids), or_(LaneRow.actual > 0, in_doubt)
    )
    return frozenset((follow_id, bool(holds)) for follow_id, holds in session.execute(query))


def _ordered(session: Session, *conditions: ColumnElement[bool]) -> list[FollowRow]:
    return list(session.scalars(select(FollowRow).where(*conditions).order_by(FollowRow.id)))
