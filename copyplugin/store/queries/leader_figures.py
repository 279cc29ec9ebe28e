"""A leader's figures (S1 to S9), from the sums that the statistics job keeps.

Ratios are derived here and only for show; what a limit rests on (S6, S9) is counted now.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.capacity import room_left
from copyplugin.domain.follow import HOLDS_A_PLACE
from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.domain.statistics import Limitation, limitation, ratio_of
from copyplugin.store.capacity import capacities
from copyplugin.store.rows import FollowRow, LeaderCapacityRow, LeaderRow, LeaderStatisticsRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderFigures:
    """What the statistics job found; a ratio without a divisor is None."""

    accumulated_yield: Fraction | None  # S1
    win_rate_14_days: Fraction | None  # S2
    total_profit: Money  # S3
    win_rate: Fraction | None  # S4
    transactions: int  # S5
    positions_copied: int  # S5, followers' own
    follows_ever: int  # S7
    followers_ever: int  # S7, each person once
    trade_frequency: int  # S8
    computed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """How much copy amount more the market bears, and in which instrument it bears the least."""

    copy_amount: Money
    symbol: Symbol


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Who may still follow, and with how much (S6, S9), counted now."""

    copiers: int
    copiers_max: int | None  # None: no limit
    limitation: Limitation | None  # what one follower may put in now; None: too little is left
    room: Room | None = None  # None: not known

    @property
    def is_full(self) -> bool:
        no_place = self.copiers_max is not None and self.copiers >= self.copiers_max
        return no_place or self.limitation is None


def figures_from(row: LeaderStatisticsRow) -> LeaderFigures:
    return LeaderFigures(
        accumulated_yield=ratio_of(row.total_profit, row.total_margin),
        win_rate_14_days=ratio_of(row.trades_won_14_days, row.trades_closed_14_days),
        total_profit=row.total_profit,
        win_rate=ratio_of(row.trades_won, row.trades_closed),
        transactions=row.trades_opened,
        positions_copied=row.positions_copied,
        follows_ever=row.follows_ever,
        followers_ever=row.followers_ever,
        trade_frequency=row.trade_frequency,
        computed_at=row.computed_at,
    )


def places_of(session: Session, leaders: Collection[LeaderRow]) -> Mapping[LeaderId, Places]:
    """Return the places of each of these leaders."""
    taken = {
        leader_id: (count, Money(amount or ZERO_MONEY))
        for leader_id, count, amount in session.execute(
            select(FollowRow.leader_id, func.count(), func.sum(FollowRow.copy_amount))
            .where(
                FollowRow.leader_id.in_([leader.id for leader in leaders]),
                FollowRow.state.in_(HOLDS_A_PLACE),
                FollowRow.paper.is_(False),
            )
            .group_by(FollowRow.leader_id)
        )
    }
    borne = capacities(session, [leader.id for leader in leaders])
    return {
        leader.id: _places(
            leader, *taken.get(leader.id, (0, ZERO_MONEY)), capacity=borne.get(leader.id)
        )
        for leader in leaders
    }


def _places(
    leader: LeaderRow, copiers: int, placed: Money, *, capacity: LeaderCapacityRow | None
) -> Places:
    room = None
    if capacity is not None:
        room = Room(copy_amount=room_left(capacity.copy_amount, placed), symbol=capacity.symbol)
    return Places(
        copiers=copiers,
        copiers_max=leader.max_followers,
        limitation=limitation(
            minimum=leader.min_copy_amount,
            maximum=leader.max_copy_amount,
            total_allowed=leader.total_copy_amount,
            placed=placed,
        ),
        room=room,
    )
