"""A leader who changes margin or leverage of an open position: mirrored, or told at once (C14).

What a copied position should be backed with then is a row, and `MarginMirrors` brings it there.
"""

from collections.abc import Sequence
from functools import partial

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.identifiers import AccountId, LeaderId
from copyplugin.domain.margin_parity import extra_for, has_changed
from copyplugin.domain.money import Price
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.margin_mirrors import KINDS, MarginMirrors
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import VenueUnavailable
from copyplugin.store import leader_margins, protection
from copyplugin.store.database import Session
from copyplugin.store.leader_margins import Copied, Leg, backing_of
from copyplugin.store.rows import LeaderMarginRow


class MarginWatch:
    """`run` is the job."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._mirrors = MarginMirrors(around)

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
        await attempt_all(mirrors, self._mirrors.make)
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
        if not self._around.is_at_work():
            return  # another engine may have seen later ones
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
                    contracts=copied.contracts,
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


def _words(price: Price | None) -> str:
    return "no price" if price is None else f"{price.normalize():f}"
