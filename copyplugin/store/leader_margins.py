"""What backs the leaders' open positions, and the copied positions that are to be backed alike."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import FOLLOWS_CLOSES
from copyplugin.domain.identifiers import AccountId, CopiedPositionId, LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.margin_parity import Backing
from copyplugin.domain.money import Contracts, Money, Ratio
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowProtectionRow,
    FollowRow,
    LeaderMarginRow,
    LeaderRow,
    MarginAttemptRow,
    MarginMirrorRow,
)

Leg = tuple[Symbol, PositionSide]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """One open position copied from a leader."""

    position: CopiedPositionRow
    contracts: Contracts
    mirrors: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A change of margin whose outcome is not known: `asked` is added to what was `before`.

    `sent_at` is the latest it can have left at; None where its process ended without a word.
    """

    asked: Money
    before: Backing
    decided_at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """One copied position that is to be backed as its leader's."""

    position_id: CopiedPositionId
    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    wanted_extra: Money
    wanted_leverage: Ratio
    contracts: Contracts | None  # that the extra is wanted for; None: not known
    attempt: Attempt | None


def copied_leaders(session: Session) -> dict[LeaderId, AccountId]:
    """Return the leaders of whom something copied is open, with their accounts."""
    query = (
        select(LeaderRow.id, LeaderRow.account)
        .join(FollowRow, FollowRow.leader_id == LeaderRow.id)
        .join(CopiedPositionRow, CopiedPositionRow.follow_id == FollowRow.id)
        .where(CopiedPositionRow.state == TradeState.OPEN, FollowRow.state.in_(FOLLOWS_CLOSES))
        .distinct()
        .order_by(LeaderRow.id)
    )
    return dict(iter(session.execute(query)))


def margins_of(session: Session, leader_id: LeaderId) -> dict[Leg, LeaderMarginRow]:
    query = select(LeaderMarginRow).where(LeaderMarginRow.leader_id == leader_id)
    return {(row.symbol, row.position_side): row for row in session.scalars(query)}


def put_margin(
    session: Session, leader_id: LeaderId, held: VenuePosition, *, at: datetime
) -> LeaderMarginRow:
    """Write what backs a position now; a change of it is for the caller to count."""
    key = (leader_id, held.symbol, held.position_side)
    row = session.get(LeaderMarginRow, key)
    if row is None:
        row = LeaderMarginRow(
            leader_id=leader_id,
            symbol=held.symbol,
            position_side=held.position_side,
            contracts=held.contracts,
            entry_cost=held.entry_cost,
            margin=held.margin,
            leverage=held.leverage,
            margin_mode=held.margin_mode,
            at=at,
        )
        session.add(row)
    row.contracts, row.entry_cost = held.contracts, held.entry_cost
    row.margin, row.leverage = held.margin, held.leverage
    row.margin_mode, row.liquidation_price = held.margin_mode, held.liquidation_price
    row.at = at
    return row


def forget_margins(session: Session, leader_id: LeaderId, legs: Collection[Leg]) -> None:
    """Forget positions that the leader holds no more."""
    if legs:
        session.execute(
            delete(LeaderMarginRow).where(
                LeaderMarginRow.leader_id == leader_id,
                tuple_(LeaderMarginRow.symbol, LeaderMarginRow.position_side).in_(list(legs)),
            )
        )


def backing_of(row: LeaderMarginRow | MarginAttemptRow | VenuePosition) -> Backing:
    return Backing(
        contracts=row.contracts,
        entry_cost=row.entry_cost,
        margin=row.margin,
        leverage=row.leverage,
        margin_mode=row.margin_mode,
    )


def copied_positions(session: Session, leader_id: LeaderId, leg: Leg) -> list[Copied]:
    """Return what is open of this leader's in one instrument and side, by number."""
    query = (
        select(CopiedPositionRow, FollowProtectionRow.mirrors_margin)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .outerjoin(FollowProtectionRow, FollowProtectionRow.follow_id == FollowRow.id)
        .where(
            FollowRow.leader_id == leader_id,
            FollowRow.state.in_(FOLLOWS_CLOSES),
            CopiedPositionRow.state == TradeState.OPEN,
            CopiedPositionRow.symbol == leg[0],
            CopiedPositionRow.position_side == leg[1],
        )
        .order_by(CopiedPositionRow.id)
    )
    return [
        Copied(
            position=position,
            contracts=Contracts(position.opened_contracts - position.closed_contracts),
            mirrors=bool(mirrors),
        )
        for position, mirrors in session.execute(query)
        if position.opened_contracts > position.closed_contracts
    ]


def want_mirror(
    session: Session,
    position_id: CopiedPositionId,
    *,
    extra: Money,
    contracts: Contracts,
    leverage: Ratio,
    at: datetime,
) -> None:
    """Let so many contracts of a copied position be backed so; the latest wish counts."""
    row = session.get(MarginMirrorRow, position_id)
    if row is None:
        row = MarginMirrorRow(
            copied_position_id=position_id,
            wanted_extra=extra,
            wanted_leverage=leverage,
            decided_at=at,
        )
        session.add(row)
    row.wanted_extra, row.wanted_leverage, row.contracts = extra, leverage, contracts
    row.is_done, row.decided_at = False, at


def mirrors_to_make(session: Session) -> list[Mirror]:
    """Return the open positions that are not backed as wanted yet, by number."""
    query = (
        select(MarginMirrorRow, CopiedPositionRow, FollowRow.sub_account)
        .join(CopiedPositionRow, CopiedPositionRow.id == MarginMirrorRow.copied_position_id)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(MarginMirrorRow.is_done.is_(False), CopiedPositionRow.state == TradeState.OPEN)
    )
    attempts = {
        row.copied_position_id: _attempt_from(row)
        for row in session.scalars(select(MarginAttemptRow))  # few: each is soon over
    }
    mirrors = [
        Mirror(
            position_id=position.id,
            account=account,
            symbol=position.symbol,
            position_side=position.position_side,
            wanted_extra=row.wanted_extra,
            wanted_leverage=row.wanted_leverage,
            contracts=row.contracts,
            attempt=attempts.get(position.id),
        )
        for row, position, account in session.execute(query)
        if account is not None
    ]
    # Asked for in order, all positions there ever were would be read.
    return sorted(mirrors, key=attrgetter("position_id"))


def finish_mirror(session: Session, mirror: Mirror) -> CopiedPositionRow | None:
    """Let it be done unless another wish came meanwhile; return its position where it was so."""
    row = session.get(MarginMirrorRow, mirror.position_id)
    if row is None or (row.wanted_extra, row.wanted_leverage) != (
        mirror.wanted_extra,
        mirror.wanted_leverage,
    ):
        return None
    row.is_done = True
    return session.get(CopiedPositionRow, mirror.position_id)


def _attempt_from(row: MarginAttemptRow) -> Attempt:
    return Attempt(
        asked=row.money, before=backing_of(row), decided_at=row.decided_at, sent_at=row.sent_at
    )


def begin_attempt(session: Session, position_id: CopiedPositionId, attempt: Attempt) -> bool:
    """Write down what the venue is about to be asked for; False where an attempt is in doubt."""
    if session.get(MarginAttemptRow, position_id, with_for_update=True) is not None:
        return False
    before = attempt.before
    session.add(
        MarginAttemptRow(
            copied_position_id=position_id,
            money=attempt.asked,
            contracts=before.contracts,
            entry_cost=before.entry_cost,
            margin=before.margin,
            leverage=before.leverage,
            margin_mode=before.margin_mode,
            decided_at=attempt.decided_at,
        )
    )
    return True


def note_sent(
    session: Session, position_id: CopiedPositionId, attempt: Attempt, *, at: datetime
) -> None:
    """Note the latest that an attempt can have left at; where it is over already, nothing."""
    row = _row_of(session, position_id, attempt)
    if row is not None:
        row.sent_at = at


def end_attempt(session: Session, position_id: CopiedPositionId, attempt: Attempt) -> None:
    """Let an attempt be over; one that another engine has begun since is left."""
    row = _row_of(session, position_id, attempt)
    if row is not None:
        session.delete(row)


def _row_of(
    session: Session, position_id: CopiedPositionId, attempt: Attempt
) -> MarginAttemptRow | None:
    row = session.get(MarginAttemptRow, position_id)
    return row if row is not None and row.decided_at == attempt.decided_at else None
