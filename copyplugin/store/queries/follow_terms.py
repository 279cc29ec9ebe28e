"""What a visitor agrees to when he follows a leader, and within which limits (S9, F1)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import FollowerId, LeaderId, Symbol
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.money import Money
from copyplugin.store.queries.leader_page import instruments_of, leader_card
from copyplugin.store.queries.leaders import LeaderCard
from copyplugin.store.rows import (
    FollowerRow,
    LeaderBlacklistRow,
    LeaderRow,
    WalletSnapshotRow,
)
from copyplugin.store.settings import is_proportional_allowed


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowTerms:
    """The leader's offer to one follower. The engine checks all of it again when he accepts."""

    card: LeaderCard
    share_basis: ShareBasis
    instruments: tuple[Symbol, ...]
    modes: tuple[CopyMode, ...]
    spot_available: Money | None  # None: the venue has not told yet
    is_blocked: bool  # the leader does not want this follower


def follow_terms(
    session: Session, leader_id: LeaderId, follower_id: FollowerId
) -> FollowTerms | None:
    """Return the offer, or None where the leader is not on the list."""
    card = leader_card(session, leader_id, follower_id)
    leader = session.get(LeaderRow, leader_id)
    follower = session.get(FollowerRow, follower_id)
    if card is None or leader is None or follower is None:
        return None
    wallet = session.get(WalletSnapshotRow, follower.account)
    blocked = session.get(LeaderBlacklistRow, (leader_id, follower.account))
    return FollowTerms(
        card=card,
        share_basis=leader.share_basis,
        instruments=instruments_of(session, leader_id),
        modes=modes_on_offer(session),
        spot_available=wallet.spot_available if wallet else None,
        is_blocked=blocked is not None,
    )


def modes_on_offer(session: Session) -> tuple[CopyMode, ...]:
    """Return every mode, proportional only where the operator set it free (C5)."""
    allowed = is_proportional_allowed(session)
    return tuple(mode for mode in CopyMode if allowed or mode is not CopyMode.PROPORTIONAL)
