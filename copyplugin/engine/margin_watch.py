"""A leader who changes margin or leverage of an open position: mirrored, or told at once (C14).

A change of margin has no id at a venue. What a position should be backed with is a row, and what is
missing is worked out anew from what the venue says each time: repeated, nothing is done twice.
"""

from collections.abc import Sequence
from functools import partial

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import AccountId, LeaderId
from copyplugin.domain.margin_parity import extra_for, has_changed, missing_extra
from copyplugin.domain.money import Price
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.store import leader_margins, protection
from copyplugin.store.database import Session
from copyplugin.store.leader_margins import Copied, Leg, Mirror, backing_of
from copyplugin.store.rows import LeaderMarginRow

KINDS = frozenset({AlarmKind.LEADER_MARGIN})


class MarginWatch:
    """`run` is the job."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Look at every leader of whom something is open; return how many mirrors are not made."""
        with self._around.database.read() as session:
            accounts = leader_margins.copied_leaders(session)
        now = self._around.clock.now()
        await self._around.database.write(
            lambda session: protection.clear_alarms_of_closed(session, at=now)
        )
        await attempt_all(accounts.items(), lambda item: self._look(*item))
        with self._around.database.read() as session:
            mirrors = leader_margins.mirrors_to_make(session)
        await attempt_all(mirrors, self._mirror)
        with self._around.database.read() as session:
            return len(leader_margins.mirrors_to_make(session))

    async def _look(self, leader_id: LeaderId, account: AccountId) -> None:
        try:
            positions = await self._around.venue.positions(account)
        except VenueUnavailable:
            return  # the job comes again
        await self._around.database.write(
            partial(self._compare, leader_id=leader_id, positions=positions)
        )

    def _compare(
        self, session: Session, *, leader_id: LeaderId, positions: Sequence[VenuePosition]
    ) -> None:
        """Write what backs the leader's positions, and act on what he has changed."""
        known = leader_margins.margins_of(session, leader_id)
        now = self._around.clock.now()
        for held in positions:
            leg = (held.symbol, held.position_side)
            before = known.pop(leg, None)
            is_changed = before is not None and has_changed(backing_of(before), backing_of(held))
            row = leader_margins.put_margin(session, leader_id, held, at=now)
            if is_changed:
                row.changes += 1
                self._act(session, leader_id, leg, row)
        leader_margins.forget_margins(session, leader_id, list(known))

    def _act(
        self, session: Session, leader_id: LeaderId, leg: Leg, leader: LeaderMarginRow
    ) -> None:
        can_mirror = self._around.venue.capabilities.adjusts_margin
        for copied in leader_margins.copied_positions(session, leader_id, leg):
            if copied.mirrors and can_mirror:
                leader_margins.want_mirror(
                    session,
                    copied.position.id,
                    extra=extra_for(backing_of(leader), copied.contracts),
                    leverage=leader.leverage,
                    at=self._around.clock.now(),
                )
            else:
                self._tell(session, copied, leader)

    def _tell(self, session: Session, copied: Copied, leader: LeaderMarginRow) -> None:
        now, position = self._around.clock.now(), copied.position
        protection.clear_alarms(session, KINDS, [position.id], at=now)
        protection.raise_alarm(
            session,
            AlarmKind.LEADER_MARGIN,
            position,
            "The leader changed margin or leverage of this position, yours is as it was: "
            f"he is liquidated at {_words(leader.liquidation_price)}, "
            f"you at {_words(position.liquidation_price)}.",
            at=now,
        )

    async def _mirror(self, mirror: Mirror) -> None:
        """Bring one copied position to its leader's backing; what is refused is told."""
        try:
            is_there = await self._bring(mirror)
        except RequestRejected as refusal:
            await self._finish(mirror, refusal.sentence)
            return
        except (OutcomeUnknown, VenueUnavailable):
            return  # the job comes again and sees what became of it
        if is_there:
            await self._finish(mirror, None)

    async def _bring(self, mirror: Mirror) -> bool:
        """Return whether the position is there now; not where it is gone, as others will find."""
        venue, held = self._around.venue, await self._held(mirror)
        if held is not None and held.leverage != mirror.wanted_leverage:
            await venue.configure(
                mirror.account, mirror.symbol, mirror.wanted_leverage, held.margin_mode
            )
            held = await self._held(mirror)
        if held is None:
            return False
        if held.margin_mode is MarginMode.ISOLATED:
            missing = missing_extra(mirror.wanted_extra, backing_of(held))
            if missing:
                await venue.adjust_margin(
                    mirror.account, mirror.symbol, mirror.position_side, missing
                )
        return True

    async def _held(self, mirror: Mirror) -> VenuePosition | None:
        positions = await self._around.venue.positions(mirror.account)
        leg = (mirror.symbol, mirror.position_side)
        return next((each for each in positions if (each.symbol, each.position_side) == leg), None)

    async def _finish(self, mirror: Mirror, refusal: str | None) -> None:
        now = self._around.clock.now()

        def work(session: Session) -> None:
            position = leader_margins.finish_mirror(session, mirror)
            if position is None:
                return
            protection.clear_alarms(session, KINDS, [position.id], at=now)
            if refusal is not None:
                protection.raise_alarm(
                    session,
                    AlarmKind.LEADER_MARGIN,
                    position,
                    "The leader changed margin or leverage of this position, and the venue did "
                    f"not let yours be changed alike: {refusal}",
                    at=now,
                )

        await self._around.database.write(work)


def _words(price: Price | None) -> str:
    return "no price" if price is None else f"{price.normalize():f}"
