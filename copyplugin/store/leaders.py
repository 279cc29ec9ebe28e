"""Leaders: adding, changing, prohibiting and restoring them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from copyplugin.domain.follow import COPIES_OPENS, FollowState
from copyplugin.domain.identifiers import AccountId, LeaderId, Symbol
from copyplugin.domain.leader import LeaderStatus, LeaderTerms, check_terms
from copyplugin.errors import Refused, UnknownLeader
from copyplugin.store.follows import follows_of_leader, move
from copyplugin.store.market import tradable_symbols
from copyplugin.store.rows import FollowRow, LeaderBlacklistRow, LeaderInstrumentRow, LeaderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Who did something, when and why; goes into the histories."""

    actor: str
    reason: str
    at: datetime


def get_leader(session: Session, leader_id: LeaderId) -> LeaderRow:
    """Return the leader; raises `UnknownLeader`."""
    row = session.get(LeaderRow, leader_id)
    if row is None:
        raise UnknownLeader(f"There is no leader number {leader_id}.")
    return row


def find_leader(session: Session, account: AccountId) -> LeaderRow | None:
    return session.scalars(select(LeaderRow).where(LeaderRow.account == account)).one_or_none()


def add_leader(
    session: Session, account: AccountId, terms: LeaderTerms, *, at: datetime
) -> LeaderRow:
    """Add a leader on these terms; raises `Refused` with what to change.

    That the venue knows the account is for the caller to ask: it takes a call to the venue.
    """
    if not account.strip():
        raise Refused("The leader's account (UID) is missing.")
    if find_leader(session, account) is not None:
        raise Refused(f"The account {account} is a leader already: edit him instead.")
    check_terms(terms, tradable_symbols(session))
    row = LeaderRow(
        account=account,
        nickname=terms.nickname,
        share_ratio=terms.share_ratio,
        min_copy_amount=terms.min_copy_amount,
        max_copy_amount=terms.max_copy_amount,
        leading_since=at,
        created_at=at,
    )
    session.add(row)
    _put_terms(session, row, terms)
    return row


def edit_leader(session: Session, leader_id: LeaderId, terms: LeaderTerms) -> LeaderRow:
    """Replace the leader's terms; follows that run keep the share agreed when they started (K3).

    An instrument he was given before may stay on his list although the venue trades it no more.
    """
    row = get_leader(session, leader_id)
    check_terms(terms, tradable_symbols(session) | symbols_of(session, leader_id))
    _put_terms(session, row, terms)
    return row


def prohibit_leader(session: Session, leader_id: LeaderId, change: Change) -> list[FollowRow]:
    """End every follow of the leader; what is open follows his closes (L7). Returns those follows.

    Prohibiting him again does nothing.
    """
    row = get_leader(session, leader_id)
    if row.status is LeaderStatus.PROHIBITED:
        return []
    row.status = LeaderStatus.PROHIBITED
    ended = follows_of_leader(session, leader_id, COPIES_OPENS)
    for follow in ended:
        follow.end_reason = change.reason
        move(
            session,
            follow,
            FollowState.WINDING_DOWN,
            actor=change.actor,
            reason=change.reason,
            at=change.at,
        )
    return ended


def restore_leader(session: Session, leader_id: LeaderId) -> LeaderRow:
    """Let the leader be followed again; no ended follow comes back (L7)."""
    row = get_leader(session, leader_id)
    row.status = LeaderStatus.ACTIVE
    return row


def pin_leader(session: Session, leader_id: LeaderId, *, pinned_at: datetime | None) -> LeaderRow:
    """Put the leader at the top of the list, the latest first, or (None) back in his place."""
    row = get_leader(session, leader_id)
    row.pinned_at = pinned_at
    return row


def symbols_of(session: Session, leader_id: LeaderId) -> frozenset[Symbol]:
    """Return the instruments the leader may be followed in."""
    query = select(LeaderInstrumentRow.symbol).where(LeaderInstrumentRow.leader_id == leader_id)
    return frozenset(session.scalars(query))


def blacklist_of(session: Session, leader_id: LeaderId) -> frozenset[AccountId]:
    """Return the accounts that may not follow the leader."""
    query = select(LeaderBlacklistRow.account).where(LeaderBlacklistRow.leader_id == leader_id)
    return frozenset(session.scalars(query))


def _put_terms(session: Session, row: LeaderRow, terms: LeaderTerms) -> None:
    row.nickname = terms.nickname
    row.signature = terms.signature
    row.kind = terms.kind
    row.share_ratio = terms.share_ratio
    row.share_basis = terms.share_basis
    row.sharer_ratio = terms.sharer_ratio
    row.min_copy_amount = terms.min_copy_amount
    row.max_copy_amount = terms.max_copy_amount
    row.total_copy_amount = terms.total_copy_amount
    row.max_followers = terms.max_followers
    session.flush()
    for table in (LeaderInstrumentRow, LeaderBlacklistRow):
        session.execute(delete(table).where(table.leader_id == row.id))
    session.add_all(
        LeaderInstrumentRow(leader_id=row.id, symbol=symbol) for symbol in sorted(terms.symbols)
    )
    session.add_all(
        LeaderBlacklistRow(leader_id=row.id, account=account) for account in sorted(terms.blacklist)
    )
    session.flush()
