"""Telling every lane that a signal concerns it: set-based, whatever the number of followers."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, exists, false, insert, literal, or_, select, text, true, update
from sqlalchemy.orm import Session

from copyplugin.domain.follow import COPIES_OPENS, FOLLOWS_CLOSES, FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import FollowId, LaneId, SignalId
from copyplugin.domain.money import NO_CONTRACTS
from copyplugin.domain.open_size import NOTHING
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.store import dialect
from copyplugin.store.decisions import UNDECIDED, refuse_missing
from copyplugin.store.rows import (
    CopyDecisionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    LeaderPositionRow,
    SignalRow,
)

_LET_GO = {"target": NO_CONTRACTS, "marked": True}
_LET_GO_NOW = _LET_GO | {"retry_at": None}
"""No pause that something else has earned keeps a wish to close waiting; a net respects it."""

# In the words of the index: SQLite does not find it by `marked = 1`, and reads all lanes instead.
_IS_MARKED = text("lane.marked")


def announce_signal(session: Session, signal: SignalRow) -> set[int]:
    """Give every follow concerned an undecided decision on a new signal; return their shards.

    An open concerns the follows that copy opens, and makes their lanes. A close concerns the lanes
    that hold, want, carry or may come to hold something: others have nothing to close.
    """
    if signal.increases:
        _make_lanes(session, signal)
    lanes = (
        select(
            literal(signal.id),
            LaneRow.id,
            literal(UNDECIDED),
            true(),
            literal(NO_CONTRACTS),
            literal(NO_CONTRACTS),
            literal(NO_CONTRACTS),
            literal(signal.received_at, CopyDecisionRow.decided_at.type),
        )
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(
            FollowRow.leader_id == signal.leader_id,
            LaneRow.symbol == signal.symbol,
            LaneRow.position_side == signal.position_side,
        )
    )
    if signal.increases:
        lanes = lanes.where(FollowRow.state.in_(COPIES_OPENS))
    else:
        lanes = lanes.where(
            FollowRow.state.in_(FOLLOWS_CLOSES),
            or_(
                LaneRow.target != NO_CONTRACTS,
                LaneRow.actual != NO_CONTRACTS,
                LaneRow.marked == true(),
                LaneRow.residue.is_not(None),
            ),
        )
    session.execute(
        insert(CopyDecisionRow).from_select(
            [
                "signal_id",
                "lane_id",
                "revision",
                "pending",
                "wanted",
                "target_before",
                "target_after",
                "decided_at",
            ],
            lanes,
        )
    )
    if not signal.increases:
        _end_pauses(session, signal.id)
    return mark_lanes_of_signal(session, signal.id)


def revise_decisions(session: Session, signal_id: SignalId) -> set[int]:
    """Let every decision on a signal that has grown, or is final now, be taken anew."""
    session.execute(
        update(CopyDecisionRow)
        .where(CopyDecisionRow.signal_id == signal_id)
        .values(pending=True)
        .execution_options(synchronize_session=False)
    )
    return mark_lanes_of_signal(session, signal_id)


def mark_lanes_of_signal(session: Session, signal_id: SignalId) -> set[int]:
    """Mark the lanes that a signal concerns and return their shards."""
    concerned = select(CopyDecisionRow.lane_id).where(CopyDecisionRow.signal_id == signal_id)
    return set(
        session.scalars(
            update(LaneRow)
            .where(LaneRow.id.in_(concerned))
            .values(marked=True)
            .returning(LaneRow.shard)
            .execution_options(synchronize_session=False)
        )
    )


def _end_pauses(session: Session, signal_id: SignalId) -> None:
    """Let no lane that a close concerns wait: it may pause for what an open could not be told."""
    concerned = select(CopyDecisionRow.lane_id).where(CopyDecisionRow.signal_id == signal_id)
    session.execute(
        update(LaneRow)
        .where(LaneRow.retry_at.is_not(None), LaneRow.id.in_(concerned))
        .values(retry_at=None)
        .execution_options(synchronize_session=False)
    )


def mark_gaps(session: Session, *, no_pause_after: datetime) -> set[int]:
    """Mark every lane whose target is not its actual and return the shards with marked lanes.

    The sweep's net: work that no event told of is found within its period. A pause that ends later
    than any may was counted by a clock that has been set back since: it is over.
    """
    session.execute(
        update(LaneRow)
        .where(_IS_MARKED, LaneRow.retry_at > no_pause_after)
        .values(retry_at=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(LaneRow)
        .where(LaneRow.target != LaneRow.actual, LaneRow.marked == false())
        .values(marked=True)
        .execution_options(synchronize_session=False)
    )
    return set(session.scalars(select(LaneRow.shard).where(_IS_MARKED).distinct()))


def forget_residue(session: Session, lane_ids: Collection[LaneId]) -> None:
    """Let lanes carry nothing: they are flat, or about to be, and not by their leader's close.

    What a leader's order had left keeps standing in its decision as forgotten: the order may still
    grow, and what was forgotten of it is not carried again then.
    """
    session.execute(
        update(LaneRow)
        .where(LaneRow.id.in_(lane_ids), LaneRow.residue.is_not(None))
        .values(residue=None)
        .execution_options(synchronize_session="fetch")
    )
    carrying = and_(CopyDecisionRow.lane_id.in_(lane_ids), CopyDecisionRow.residue.is_not(None))
    again = select(CopyDecisionRow).where(carrying, CopyDecisionRow.forgotten.is_not(None))
    for row in session.scalars(again):  # few: they have grown since the first time
        row.forgotten = (row.forgotten or NOTHING) + (row.residue or NOTHING)
        row.residue = None
    session.flush()
    session.execute(
        update(CopyDecisionRow)
        .where(carrying)
        .values(
            forgotten=CopyDecisionRow.residue,
            forgotten_after=CopyDecisionRow.decided_at,
            residue=None,
        )
        .execution_options(synchronize_session="fetch")
    )


def aim_lane_at_nothing(session: Session, lane_id: LaneId) -> None:
    """Let one lane be closed, by its follower's wish."""
    refuse_missing(session, LaneRow.id == lane_id, Skip(reason=SkipReason.POSITION_CLOSED))
    forget_residue(session, [lane_id])
    session.execute(
        update(LaneRow)
        .where(LaneRow.id == lane_id)
        .values(_LET_GO_NOW)
        .execution_options(synchronize_session=False)
    )


def aim_at_nothing(session: Session, follow_id: FollowId, reason: SkipReason) -> set[int]:
    """Let every lane of a follow be closed, and return its shards.

    What was still to be opened is skipped for that reason, here and in the functions below.
    """
    refuse_missing(session, LaneRow.follow_id == follow_id, Skip(reason=reason))
    lane_ids = session.scalars(select(LaneRow.id).where(LaneRow.follow_id == follow_id)).all()
    forget_residue(session, lane_ids)
    session.execute(
        update(LaneRow)
        .where(LaneRow.follow_id == follow_id)
        .values(_LET_GO_NOW)
        .execution_options(synchronize_session=False)
    )
    return set(
        session.scalars(select(LaneRow.shard).where(LaneRow.follow_id == follow_id).distinct())
    )


def aim_scope_at_nothing(session: Session, scope: HaltScope, scope_id: int) -> set[int]:
    """Let the lanes of a follow, of a leader's follows or of all be closed; return their shards.

    What was handed over is its follower's own: no switch of an operator closes it.
    """
    concerned = LaneRow.target != NO_CONTRACTS
    if scope is not HaltScope.FOLLOW:
        handed_over = select(FollowRow.id).where(FollowRow.state == FollowState.HANDED_OVER)
        concerned &= LaneRow.follow_id.not_in(handed_over)
    if scope is HaltScope.FOLLOW:
        concerned &= LaneRow.follow_id == scope_id
    elif scope is HaltScope.LEADER:
        of_leader = select(FollowRow.id).where(FollowRow.leader_id == scope_id)
        concerned &= LaneRow.follow_id.in_(of_leader)
    refuse_missing(session, concerned, Skip(reason=SkipReason.COPYING_HALTED))
    lanes = session.execute(
        update(LaneRow)
        .where(concerned)
        .values(_LET_GO_NOW)
        .returning(LaneRow.id, LaneRow.shard)
        .execution_options(synchronize_session=False)
    ).all()
    forget_residue(session, [lane_id for lane_id, _ in lanes])
    return {shard for _, shard in lanes}


def leave_as_it_is(session: Session, follow_id: FollowId) -> None:
    """Let every lane of a follow want what it holds; an order under way goes to its end."""
    is_over = Skip(reason=SkipReason.FOLLOW_NOT_ACTIVE)
    refuse_missing(session, LaneRow.follow_id == follow_id, is_over)
    forget_residue(
        session, session.scalars(select(LaneRow.id).where(LaneRow.follow_id == follow_id)).all()
    )
    lanes = session.scalars(select(LaneRow).where(LaneRow.follow_id == follow_id)).all()
    under_way = {
        order.lane_id: -order.contracts if order.reduce_only else order.contracts
        for order in session.scalars(
            select(CopyOrderRow).where(
                CopyOrderRow.state == CopyOrderState.SENT,
                CopyOrderRow.lane_id.in_([lane.id for lane in lanes]),
            )
        )
    }
    for lane in lanes:
        lane.target = type(lane.target)(lane.actual + under_way.get(lane.id, 0))
    session.flush()


def aim_ended_at_nothing(session: Session, states: Collection[FollowState]) -> set[int]:
    """Let every lane of follows in these states be closed; return the shards with some to close."""
    ended = select(FollowRow.id).where(FollowRow.state.in_(states))
    holding = and_(
        LaneRow.follow_id.in_(ended),
        or_(LaneRow.actual != NO_CONTRACTS, LaneRow.target != NO_CONTRACTS),
    )
    refuse_missing(session, holding, Skip(reason=SkipReason.FOLLOW_NOT_ACTIVE))
    session.execute(
        update(LaneRow).where(holding).values(_LET_GO).execution_options(synchronize_session=False)
    )
    return set(session.scalars(select(LaneRow.shard).where(holding).distinct()))


def aim_orphans_at_nothing(session: Session) -> set[int]:
    """Let lanes be closed that hold what their leader holds no more; return their shards.

    Every close is told as a signal; this is the net for one that never reached a lane.
    """
    leader_holds = exists().where(
        LeaderPositionRow.leader_id == FollowRow.leader_id,
        LeaderPositionRow.symbol == LaneRow.symbol,
        LeaderPositionRow.position_side == LaneRow.position_side,
        LeaderPositionRow.contracts != NO_CONTRACTS,
    )
    is_told = exists().where(
        CopyDecisionRow.lane_id == LaneRow.id, CopyDecisionRow.pending == true()
    )
    orphans = (
        select(LaneRow.id)
        .join(FollowRow, FollowRow.id == LaneRow.follow_id)
        .where(
            FollowRow.state.in_(FOLLOWS_CLOSES),
            LaneRow.target != NO_CONTRACTS,
            ~leader_holds,
            ~is_told,
        )
    )
    lanes = LaneRow.id.in_(orphans)
    refuse_missing(session, lanes, Skip(reason=SkipReason.LEADER_HAS_CLOSED))
    return set(
        session.scalars(
            update(LaneRow)
            .where(lanes)
            .values(_LET_GO)
            .returning(LaneRow.shard)
            .execution_options(synchronize_session=False)
        )
    )


def _make_lanes(session: Session, signal: SignalRow) -> None:
    follows = select(
        FollowRow.id,
        literal(signal.symbol),
        literal(signal.position_side, LaneRow.position_side.type),
        FollowRow.shard,
        literal(NO_CONTRACTS),
        literal(NO_CONTRACTS),
        literal(1),
        true(),
        literal(0),
    ).where(FollowRow.leader_id == signal.leader_id, FollowRow.state.in_(COPIES_OPENS))
    table = LaneRow.__table__
    session.execute(
        dialect.insert(session, table)  # pyright: ignore[reportArgumentType] - declared FromClause, is a Table
        .from_select(
            [
                "follow_id",
                "symbol",
                "position_side",
                "shard",
                "target",
                "actual",
                "next_sequence",
                "marked",
                "failures",
            ],
            follows,
        )
        .on_conflict_do_nothing()
    )
