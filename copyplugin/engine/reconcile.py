"""Comparing what we believe with what the venue says: positions, and the ledger when flat.

A position that the venue has less of than we believe was taken by the venue (liquidation,
deleveraging) or closed by somebody else: its fills are fetched and booked. What it has more of is
an orphan, that no lane wants: it is written down, and closed where that is wanted, because somebody
asked for it, the setting says so, or the follow closes everything anyway.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from copyplugin.domain.account import AccountBalance, TransferKind, VenuePosition
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import AccountId, FollowId, VenueFillId
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import Contracts, Money, total
from copyplugin.domain.notice import NoticeKind
from copyplugin.domain.orphan import OrphanPolicy
from copyplugin.engine.adopting import Strangers, net_of
from copyplugin.engine.findings import Findings
from copyplugin.engine.losses import take_away
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import VenueUnavailable
from copyplugin.store import (
    accounts,
    escrow,
    follows,
    lane_work,
    ledger,
    orphans,
    payables,
    transfers,
)
from copyplugin.store.database import Session
from copyplugin.store.lane_work import LaneBelief
from copyplugin.store.orphans import Leg
from copyplugin.store.rows import FollowRow, LaneRow

log = logging.getLogger(__name__)

DUST = Money(Decimal("0.0001"))
"""USDT that rounding each fill, in the venue's favour, leaves in a wallet that counts finer.

A fill leaves less than two of our smallest units: so much is that of five thousand.
"""

CLOSES_ALL = frozenset({FollowState.CLOSING, FollowState.ABORTING})
"""States in which whatever the sub-account holds is to be closed."""


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
            hours = timedelta(hours=self._around.settings.ended_look_hours)
            ended = accounts.ended_sub_accounts(session, since=self._around.clock.now() - hours)
        differing = 0
        for follow_id, account in live.items():
            differing += await self._compare(follow_id, account)
        for follow_id, account in ended.items():
            differing += await self._look_at_ended(follow_id, account)
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
            differs = any(
                seen.held.get(leg, 0) != (beliefs[leg].actual if leg in beliefs else 0)
                for leg in {*beliefs, *seen.held}
                if leg not in beliefs or beliefs[leg].is_idle
            )
            fills = await self._all_fills(account) if differs else ()
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

    async def _look_at_ended(self, follow_id: FollowId, account: AccountId) -> bool:
        """Look for orphans where everything was sent home: they are their follower's to close."""
        try:
            held = _held(await self._around.venue.positions(account))
        except VenueUnavailable:
            return False
        now = self._around.clock.now()

        def write(session: Session) -> bool:
            if held or orphans.held_orphans(session, follow_id):
                orphans.write_orphans(session, follow_id, held, at=now)
            return bool(held)

        return await self._around.database.write(write)

    def _book(
        self,
        session: Session,
        follow_id: FollowId,
        seen: _Seen,
        fills: Sequence[LeaderFill],
    ) -> bool:
        """Book what the venue took and what nobody wants; return whether anything differs.

        A lane that has moved since it was looked at, or has an order under way, is left for the
        next time.
        """
        now = self._around.clock.now()
        lane_work.lock_lanes(session, follow_id)
        follow = follows.get_follow(session, follow_id)
        beliefs = lane_work.beliefs(session, follow_id)
        known = {
            (row.symbol, row.position_side) for row in orphans.held_orphans(session, follow_id)
        }
        looked = {
            leg
            for leg in {*beliefs, *seen.held, *known}
            if beliefs.get(leg) == seen.beliefs.get(leg)
            and (leg not in beliefs or beliefs[leg].is_idle)
        }
        legs = _Legs(session, follow, self._around, fills, now)
        differing = {
            leg
            for leg in looked
            if legs.compare(leg, beliefs.get(leg), seen.held.get(leg, Contracts(0)))
        }
        # What was handed over is the follower's to trade: what he adds is no difference.
        is_his_own = follow.handed_over_at is not None
        if is_his_own:
            differing -= set(legs.orphans)
            legs.orphans.clear()
        self._write_orphans(session, follow_id, looked, legs.orphans, now)
        follows.keep_states(session, [follow_id], at=now)
        is_quiet = (
            not is_his_own
            and seen.quiet_mark is not None
            and seen.quiet_mark == lane_work.quiet_mark(session, follow_id)
            and not seen.held
        )
        return bool(differing) or (is_quiet and self._books_differ(session, follow, seen.balance))

    def _write_orphans(
        self,
        session: Session,
        follow_id: FollowId,
        looked: Collection[Leg],
        found: Mapping[Leg, Contracts],
        now: datetime,
    ) -> None:
        """Write down what was found; of lanes that were not looked at it is as before."""
        left = {
            (row.symbol, row.position_side): row.contracts
            for row in orphans.held_orphans(session, follow_id)
            if (row.symbol, row.position_side) not in looked
        }
        orphans.write_orphans(session, follow_id, {**left, **found}, at=now)

    def _books_differ(self, session: Session, follow: FollowRow, balance: AccountBalance) -> bool:
        """Return whether a flat sub-account holds other money than its ledger account (M5)."""
        booked = ledger.balance(session, sub_account(follow.id, paper=follow.paper))
        owed = payables.owed_in(session, follow.id)  # it waits there and is others' already
        held = escrow.held_in_place(session, follow.id)
        difference = total(balance.contract_wallet, -booked, -owed, -held)
        if self._around.venue.capabilities.counts_finer and 0 < difference < DUST:
            return False
        findings = Findings(session, follow.id, self._around.clock.now())
        if difference:
            findings.tell(
                NoticeKind.LEDGER_DIFFERS,
                "money",
                f"the venue holds {difference:f} USDT more than the ledger says.",
            )
        findings.looked_for(NoticeKind.LEDGER_DIFFERS)
        return difference != 0


def _held(positions: Sequence[VenuePosition]) -> dict[Leg, Contracts]:
    return {(held.symbol, held.position_side): held.contracts for held in positions}


class _Legs:
    """Compares one follow's legs inside a transaction; `orphans` is what is left of them."""

    def __init__(
        self,
        session: Session,
        follow: FollowRow,
        around: Surroundings,
        fills: Sequence[LeaderFill],
        now: datetime,
    ) -> None:
        self._session = session
        self._follow = follow
        self._around = around
        self._fills = fills
        self._now = now
        self._asked = orphans.asked_legs(session, follow.id)
        self.orphans: dict[Leg, Contracts] = {}

    def compare(self, leg: Leg, belief: LaneBelief | None, held: Contracts) -> bool:
        """Book what differs on one leg; return whether anything did."""
        actual = Contracts(0) if belief is None else belief.actual
        if held == actual:
            return False
        lane = self._lane(leg, belief)
        instrument = self._around.instruments.get(leg[0])
        strangers = Strangers(
            session=self._session,
            lane=lane,
            fills=self._unknown(leg, lane),
            around=self._around,
            now=self._now,
        )
        fits = net_of(strangers.fills, lane) == held - actual
        if fits and held > actual and instrument is not None and self._is_closed_by_us(leg):
            self._keep(lane)
            strangers.take_in(instrument)
        elif fits and belief is not None:
            strangers.keep_apart()
        elif held < actual:
            self._take_closings(lane, strangers.fills, actual - held)
        if held > lane.actual:
            self.orphans[leg] = Contracts(held - lane.actual)
            log.error(
                "follow %s holds %s contracts of %s %s that no lane wants",
                self._follow.id,
                held - lane.actual,
                *leg,
            )
        return True

    def _lane(self, leg: Leg, belief: LaneBelief | None) -> LaneRow:
        """Return the leg's lane; one that is not there yet is kept only if it is to close."""
        if belief is not None:
            return lane_work.lanes(self._session, {belief.lane_id})[belief.lane_id]
        symbol, side = leg
        return LaneRow(
            follow_id=self._follow.id,
            symbol=symbol,
            position_side=side,
            shard=self._follow.shard,
        )

    def _keep(self, lane: LaneRow) -> None:
        self._session.add(lane)
        self._session.flush()

    def _unknown(self, leg: Leg, lane: LaneRow) -> list[LeaderFill]:
        """Return the leg's fills that are not booked, in the venue's order."""
        known = set[VenueFillId]()
        if lane in self._session:
            known = lane_work.fill_ids(self._session, lane.id)
        return [
            fill
            for fill in self._fills
            if (fill.symbol, fill.position_side) == leg and fill.venue_fill_id not in known
        ]

    def _take_closings(self, lane: LaneRow, fills: Sequence[LeaderFill], lost: int) -> None:
        """Book a loss that closing fills alone account for, beside an orphan that was left."""
        closings = [fill for fill in fills if fill.side is lane.position_side.closing_side]
        if sum(fill.contracts for fill in closings) != lost:
            log.error("lane %s lost %s contracts that no fill tells of", lane.id, lost)
            return
        for fill in closings:
            take_away(self._session, lane, fill, self._around, now=self._now)

    def _is_closed_by_us(self, leg: Leg) -> bool:
        follow = self._follow
        if follow.handed_over_at is not None:
            return False
        if follow.state is FollowState.SETTLING:
            # The money goes home as it was when that was planned: nothing may change it after.
            planned = transfers.transfers_of(self._session, follow.id, {TransferKind.RETURN})
            return not planned
        return (
            follow.state in CLOSES_ALL
            or leg in self._asked
            or self._around.settings.orphans is OrphanPolicy.CLOSE
        )
