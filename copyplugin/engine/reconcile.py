"""Comparing what we believe with what the venue says: positions, and the ledger when flat.

A position that the venue has less of than we believe was taken by the venue (liquidation,
deleveraging) or closed by somebody else: its fills are fetched and booked. One that it has more of
is nobody's: it is reported, since selling what may be somebody's own is not ours to decide.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from copyplugin.domain.account import AccountBalance, VenuePosition
from copyplugin.domain.fill import LeaderFill, PositionSide
from copyplugin.domain.identifiers import AccountId, FollowId, Symbol
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import Contracts, Money, total
from copyplugin.engine.losses import take_away
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import VenueUnavailable
from copyplugin.store import accounts, follows, lane_work, ledger
from copyplugin.store.database import Session
from copyplugin.store.lane_work import LaneBelief
from copyplugin.store.rows import FollowRow

log = logging.getLogger(__name__)

DUST = Money(Decimal("0.0001"))
"""USDT that rounding each fill, in the venue's favour, leaves in a wallet that counts finer.

A fill leaves less than two of our smallest units: so much is that of five thousand.
"""

Leg = tuple[Symbol, PositionSide]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """One sub-account at the venue, and our lanes before it was asked."""

    beliefs: Mapping[Leg, LaneBelief]
    held: Mapping[Leg, Contracts]
    balance: AccountBalance
    quiet_mark: int | None


class Reconciler:
    """`turn` is served under `Work.RECONCILE`; `run` is the job over all follows."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Compare every live follow; return how many differ from the venue."""
        with self._around.database.read() as session:
            live = accounts.live_sub_accounts(session)
        differing = 0
        for follow_id, account in live.items():
            differing += await self._compare(follow_id, account)
        return differing

    async def turn(self, follow_ids: frozenset[int]) -> None:
        with self._around.database.read() as session:
            live = accounts.live_sub_accounts(session)
        for follow_id in sorted(follow_ids):
            account = live.get(FollowId(follow_id))
            if account is not None:
                await self._compare(FollowId(follow_id), account)

    async def _compare(self, follow_id: FollowId, account: AccountId) -> bool:
        venue = self._around.venue
        with self._around.database.read() as session:
            beliefs = lane_work.beliefs(session, follow_id)
            mark = lane_work.quiet_mark(session, follow_id)
        try:
            positions = await venue.positions(account)
            balance = await venue.balance(account)
            seen = _Seen(beliefs=beliefs, held=_held(positions), balance=balance, quiet_mark=mark)
            lost = any(
                belief.is_idle and seen.held.get(leg, 0) < belief.actual
                for leg, belief in beliefs.items()
            )
            fills = await self._all_fills(account) if lost else ()
        except VenueUnavailable:
            return False
        return await self._around.database.write(
            lambda session: self._book(session, follow_id, seen, fills)
        ) and self._wake(follow_id)

    async def _all_fills(self, account: AccountId) -> list[LeaderFill]:
        fills: list[LeaderFill] = []
        while True:
            last = fills[-1].venue_fill_id if fills else None
            page = await self._around.venue.leader_fills(account, last)
            if not page:
                return fills
            fills += page

    def _wake(self, follow_id: FollowId) -> bool:
        self._around.dispatcher.announce(Work.FOLLOWS, (follow_id,))
        self._around.dispatcher.announce(Work.PROTECT, (follow_id,))
        return True

    def _book(
        self,
        session: Session,
        follow_id: FollowId,
        seen: _Seen,
        fills: Sequence[LeaderFill],
    ) -> bool:
        """Book what the venue took; return whether anything differs.

        A lane that has moved since it was looked at, or has an order under way, is left for the
        next time.
        """
        now = self._around.clock.now()
        follow = follows.get_follow(session, follow_id)
        # What was handed over is the follower's to trade: what he adds is no difference.
        is_his_own = follow.handed_over_at is not None
        beliefs = {
            leg: belief
            for leg, belief in lane_work.beliefs(session, follow_id).items()
            if belief.is_idle and belief == seen.beliefs.get(leg)
        }
        is_different = False
        for leg, belief in beliefs.items():
            held = seen.held.get(leg, Contracts(0))
            if held < belief.actual:
                is_different = True
                self._take_away(session, leg, belief, belief.actual - held, fills, now)
            elif held > belief.actual and not is_his_own:
                is_different = True
                log.error(
                    "follow %s holds %s contracts of %s %s more than it should",
                    follow_id,
                    held - belief.actual,
                    *leg,
                )
        for leg, held in seen.held.items():
            if leg not in seen.beliefs and not is_his_own:
                is_different = True
                log.error("follow %s holds %s of %s %s that no lane wants", follow_id, held, *leg)
        follows.keep_states(session, [follow_id], at=now)
        is_quiet = (
            not is_his_own
            and seen.quiet_mark is not None
            and seen.quiet_mark == lane_work.quiet_mark(session, follow_id)
            and not seen.held
        )
        return is_different or (is_quiet and self._books_differ(session, follow, seen.balance))

    def _take_away(
        self,
        session: Session,
        leg: Leg,
        belief: LaneBelief,
        contracts: int,
        fills: Sequence[LeaderFill],
        now: datetime,
    ) -> None:
        known = lane_work.fill_ids(session, belief.lane_id)
        unknown = [
            fill
            for fill in fills
            if (fill.symbol, fill.position_side) == leg
            and fill.side is leg[1].closing_side
            and fill.venue_fill_id not in known
        ]
        if sum(fill.contracts for fill in unknown) != contracts:
            log.error("lane %s lost %s contracts that no fill tells of", belief.lane_id, contracts)
            return
        lane = lane_work.lanes(session, {belief.lane_id})[belief.lane_id]
        for fill in unknown:
            take_away(session, lane, fill, self._around, now=now)

    def _books_differ(self, session: Session, follow: FollowRow, balance: AccountBalance) -> bool:
        """Return whether a flat sub-account holds other money than its ledger account (M5)."""
        booked = ledger.balance(session, sub_account(follow.id, paper=follow.paper))
        difference = total(balance.contract_wallet, -booked)
        if self._around.venue.capabilities.counts_finer and 0 < difference < DUST:
            return False
        if difference:
            log.error(
                "follow %s: the venue holds %s USDT more than the ledger says",
                follow.id,
                difference,
            )
        return difference != 0


def _held(positions: Sequence[VenuePosition]) -> dict[Leg, Contracts]:
    return {(held.symbol, held.position_side): held.contracts for held in positions}
