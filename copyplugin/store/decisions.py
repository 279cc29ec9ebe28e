"""Decisions of lanes on signals: as values, those since a time, and what is left out of them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LaneId, SignalId
from copyplugin.domain.money import Contracts
from copyplugin.domain.open_size import NOTHING
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.skip import Skip
from copyplugin.domain.steering import Decision, less_what_was_not_filled
from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow, LaneRow, SignalRow

UNDECIDED = 0
"""The revision of a decision that was not taken yet; signals count theirs from 1."""


def decision_from(row: CopyDecisionRow) -> Decision:
    skip = None
    if row.skip_reason is not None:
        skip = Skip(reason=row.skip_reason, detail=row.skip_detail or {})
    return Decision(
        wanted=row.wanted,
        base=row.target_before,
        target=row.target_after,
        skip=skip,
        residue=row.residue or NOTHING,
    )


def write_decision(row: CopyDecisionRow, made: Decision) -> None:
    row.wanted = made.wanted
    row.target_before = made.base
    row.target_after = made.target
    row.skip_reason = None if made.skip is None else made.skip.reason
    row.skip_detail = None if made.skip is None else dict(made.skip.detail)
    row.residue = made.residue or None


def leave_out_of(row: CopyDecisionRow, contracts: int, skip: Skip) -> None:
    """Write into a decision that so many of its contracts are not to be had, and why."""
    before = decision_from(row)
    write_decision(
        row, less_what_was_not_filled(before, Contracts(contracts), skip.reason, skip.detail)
    )


def taken_after(
    session: Session, lane_id: LaneId, after: datetime
) -> list[tuple[CopyDecisionRow, SignalRow]]:
    """Return what was decided on leader orders that began after that time, oldest first."""
    query = (
        select(CopyDecisionRow, SignalRow)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(
            CopyDecisionRow.lane_id == lane_id,
            CopyDecisionRow.revision != UNDECIDED,
            SignalRow.first_fill_at > after,
        )
        .order_by(CopyDecisionRow.signal_id)
    )
    return [(row, signal) for row, signal in session.execute(query)]


def latest_open(session: Session, lane_id: LaneId, *, until: datetime) -> CopyDecisionRow | None:
    """Return the latest decision to open something on a leader order that began by that time."""
    query = (
        select(CopyDecisionRow)
        .join(SignalRow, SignalRow.id == CopyDecisionRow.signal_id)
        .where(
            CopyDecisionRow.lane_id == lane_id,
            CopyDecisionRow.wanted > 0,
            SignalRow.increases,
            SignalRow.first_fill_at <= until,
        )
        .order_by(CopyDecisionRow.signal_id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def filled_for(
    session: Session, lane_id: LaneId, signal_ids: Collection[SignalId]
) -> tuple[Contracts, Contracts]:
    """Return how many contracts a lane's orders for these signals opened, and closed."""
    query = (
        select(CopyOrderRow.reduce_only, func.sum(CopyOrderRow.filled))
        .where(CopyOrderRow.lane_id == lane_id, CopyOrderRow.signal_id.in_(signal_ids))
        .group_by(CopyOrderRow.reduce_only)
    )
    filled = {bool(reduces): int(contracts) for reduces, contracts in session.execute(query)}
    return Contracts(filled.get(False, 0)), Contracts(filled.get(True, 0))


def refuse_missing(session: Session, lanes: ColumnElement[bool], skip: Skip) -> None:
    """Write down why what these lanes lack will not be opened: before their targets are lowered.

    What an order under way may still bring is left to its answer.
    """
    under_way = and_(
        CopyOrderRow.lane_id == LaneRow.id,
        CopyOrderRow.state == CopyOrderState.SENT,
        ~CopyOrderRow.reduce_only,
    )
    found = session.execute(
        select(LaneRow.target, LaneRow.actual, CopyDecisionRow, CopyOrderRow.contracts)
        .join(
            CopyDecisionRow,
            and_(
                CopyDecisionRow.lane_id == LaneRow.id,
                CopyDecisionRow.signal_id == LaneRow.opening_signal_id,
            ),
        )
        .outerjoin(CopyOrderRow, under_way)
        .where(lanes, LaneRow.target > LaneRow.actual)
        .with_for_update(of=(LaneRow, CopyDecisionRow))
    ).all()
    for target, actual, row, on_its_way in found:
        missing = target - actual - (on_its_way or 0)
        if missing > 0:
            leave_out_of(row, missing, skip)
    session.flush()
