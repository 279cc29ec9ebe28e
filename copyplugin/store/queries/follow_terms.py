"""What a visitor agrees to when he follows a leader, and within which limits (S9, F1)."""

from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.liquidation import nearest_liquidation
from copyplugin.domain.money import Money, Ratio, product
from copyplugin.domain.protection import RATIO_STEP, maintenance_rate_of
from copyplugin.ports import MovesMoney
from copyplugin.store.followers import find_paper_twin
from copyplugin.store.leader_trades import latest_leverages
from copyplugin.store.market import instruments
from copyplugin.store.queries.leader_page import instruments_of, leader_card
from copyplugin.store.queries.leaders import LeaderCard, live_follows
from copyplugin.store.rows import (
    FollowerRow,
    LeaderBlacklistRow,
    LeaderRow,
    WalletSnapshotRow,
)
from copyplugin.store.settings import is_proportional_allowed
from copyplugin.store.venue_terms import Allotment, VenueTerms, find_allotment, venue_terms


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationDistance:
    """At the leader's latest leverage; `distance` is a part of the entry price, rounded down."""

    symbol: Symbol
    leverage: Ratio
    distance: Ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperOffer:
    """What a follow with play money may be: it takes no place, and none of the leader's total."""

    follow_id: FollowId | None  # of the one that runs already
    minimum: Money
    maximum: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowTerms:
    """The leader's offer to one follower. The engine checks all of it again when he accepts."""

    card: LeaderCard
    share_basis: ShareBasis
    instruments: tuple[Symbol, ...]
    modes: tuple[CopyMode, ...]
    spot_available: Money | None  # None: not told yet, or not what he follows with
    is_blocked: bool  # the leader does not want this follower
    distances: tuple[LiquidationDistance, ...] = ()  # where the leader has traded (P6)
    paper: PaperOffer | None = None  # None: nobody follows with play money here
    venue: VenueTerms | None = None  # None: the engine has not told yet
    allotment: Allotment | None = None  # the account that stands ready, where no money moves


def follow_terms(
    session: Session, leader_id: LeaderId, follower_id: FollowerId, *, has_paper: bool = False
) -> FollowTerms | None:
    """Return the offer, or None where the leader is not on the list.

    `has_paper`: he may be followed with play money too.
    """
    card = leader_card(session, leader_id, follower_id)
    leader = session.get(LeaderRow, leader_id)
    follower = session.get(FollowerRow, follower_id)
    if card is None or leader is None or follower is None:
        return None
    wallet = session.get(WalletSnapshotRow, follower.account)
    found = venue_terms(session)
    stays = found is not None and found.moves_money is MovesMoney.NONE
    blocked = session.get(LeaderBlacklistRow, (leader_id, follower.account))
    return FollowTerms(
        card=card,
        share_basis=leader.share_basis,
        instruments=instruments_of(session, leader_id),
        modes=modes_on_offer(session),
        spot_available=wallet.spot_available if wallet and not stays else None,
        is_blocked=blocked is not None,
        distances=liquidation_distances(session, leader_id),
        paper=_paper_offer(session, leader, follower_id) if has_paper else None,
        venue=found,
        allotment=find_allotment(session, follower.account),
    )


def _paper_offer(session: Session, leader: LeaderRow, follower_id: FollowerId) -> PaperOffer:
    twin = find_paper_twin(session, follower_id)
    running = live_follows(session, twin.id if twin else None, [leader.id])
    follow_id = running[leader.id][0] if running else None
    return PaperOffer(
        follow_id=follow_id, minimum=leader.min_copy_amount, maximum=leader.max_copy_amount
    )


def liquidation_distances(session: Session, leader_id: LeaderId) -> tuple[LiquidationDistance, ...]:
    """Return how near a liquidation lies in each instrument that the leader has traded."""
    leverages, listed = latest_leverages(session, leader_id), instruments(session)
    found: list[LiquidationDistance] = []
    for symbol in instruments_of(session, leader_id):
        if symbol not in leverages or symbol not in listed:
            continue
        exact = nearest_liquidation(
            leverage=leverages[symbol],
            maintenance_rate=maintenance_rate_of(listed[symbol]),
            taker_fee=listed[symbol].taker_fee,
        )
        steps = max(0, exact // Fraction(RATIO_STEP))
        found.append(
            LiquidationDistance(
                symbol=symbol,
                leverage=leverages[symbol],
                distance=Ratio(product(steps, RATIO_STEP)),
            )
        )
    return tuple(found)


def modes_on_offer(session: Session) -> tuple[CopyMode, ...]:
    """Return every mode, proportional only where the operator set it free (C5)."""
    allowed = is_proportional_allowed(session)
    return tuple(mode for mode in CopyMode if allowed or mode is not CopyMode.PROPORTIONAL)
