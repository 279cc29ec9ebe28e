"""Copied positions that are brought to their leader's backing, each change of margin made once.

A change of margin has no id at a venue. What is missing is worked out anew from what the venue says
each time; and what it is asked for is written down before, with how the position stood, so that one
that was not answered is neither made again while it may still arrive nor guessed at.
"""

from datetime import timedelta
from functools import partial

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.margin_parity import AttemptOutcome, kept_extra, missing_extra, outcome_of
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.store import leader_margins, protection
from copyplugin.store.database import Session
from copyplugin.store.leader_margins import Attempt, Mirror, backing_of

KINDS = frozenset({AlarmKind.LEADER_MARGIN})


class MarginMirrors:
    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def make(self, mirror: Mirror) -> None:
        """Bring one copied position to its leader's backing; what is refused is told."""
        try:
            await self._bring(mirror)
        except RequestRejected as refusal:
            await self._finish(mirror, _refused(refusal.sentence))
        except (OutcomeUnknown, VenueUnavailable):
            return  # the job comes again and sees what became of it

    async def _bring(self, mirror: Mirror) -> None:
        """Leave a position that is gone: others will find it."""
        venue, held = self._around.venue, await self._held(mirror)
        attempt = mirror.attempt
        if held is None or (attempt is not None and not await self._is_over(mirror, attempt, held)):
            return
        if held.leverage != mirror.wanted_leverage:
            if not self._around.is_at_work():
                return
            await venue.configure(
                mirror.account, mirror.symbol, mirror.wanted_leverage, held.margin_mode
            )
            held = await self._held(mirror)
            if held is None:
                return
        missing = _missing(mirror, held)
        if missing:
            await self._adjust(mirror, held, missing)
        else:
            await self._finish(mirror, None)

    async def _is_over(self, mirror: Mirror, attempt: Attempt, held: VenuePosition) -> bool:
        """Return whether it is known what became of an attempt, and the mirror is still to make.

        One that was not made may arrive until the venue lets it die. Where the position has changed
        beside it, it cannot be told: nothing is asked for again, and the operator is told.
        """
        outcome = outcome_of(attempt.before, attempt.asked, backing_of(held))
        if outcome is not AttemptOutcome.MADE and await self._may_arrive(mirror, attempt):
            return False
        if outcome is AttemptOutcome.UNCLEAR:
            await self._finish(mirror, _unclear(attempt.asked), attempt)
            return False
        await self._end(mirror, attempt)
        return True

    async def _may_arrive(self, mirror: Mirror, attempt: Attempt) -> bool:
        """Return whether a request that was not answered may still be carried out.

        Of one whose process died nothing is known but that it had left when it was first looked at.
        """
        now, sent_at = self._around.clock.now(), attempt.sent_at
        if sent_at is None or sent_at > now:  # the clock was set back since
            await self._note_sent(mirror, attempt)
            sent_at = now
        seconds = self._around.venue.capabilities.requests_live_seconds
        return sent_at + timedelta(seconds=seconds) > now

    async def _adjust(self, mirror: Mirror, held: VenuePosition, missing: Money) -> None:
        """Ask for what is missing, once; an engine that may have been replaced asks for nothing."""
        attempt = Attempt(
            asked=missing, before=backing_of(held), decided_at=self._around.clock.now()
        )
        if not self._around.is_at_work():
            return
        is_begun = await self._around.database.write(
            lambda session: leader_margins.begin_attempt(session, mirror.position_id, attempt)
        )
        if not is_begun or not self._around.is_at_work():
            return
        try:
            await self._around.venue.adjust_margin(
                mirror.account, mirror.symbol, mirror.position_side, missing
            )
        except RequestRejected as refusal:
            await self._finish(mirror, _refused(refusal.sentence), attempt)
        except OutcomeUnknown:
            await self._note_sent(mirror, attempt)
        except VenueUnavailable:
            await self._end(mirror, attempt)
        else:
            await self._finish(mirror, None, attempt)

    async def _note_sent(self, mirror: Mirror, attempt: Attempt) -> None:
        at = self._around.clock.now()
        await self._around.database.write(
            lambda session: leader_margins.note_sent(session, mirror.position_id, attempt, at=at)
        )

    async def _end(self, mirror: Mirror, attempt: Attempt) -> None:
        await self._around.database.write(
            lambda session: leader_margins.end_attempt(session, mirror.position_id, attempt)
        )

    async def _held(self, mirror: Mirror) -> VenuePosition | None:
        positions = await self._around.venue.positions(mirror.account)
        leg = (mirror.symbol, mirror.position_side)
        return next((each for each in positions if (each.symbol, each.position_side) == leg), None)

    async def _finish(
        self, mirror: Mirror, sentence: str | None, attempt: Attempt | None = None
    ) -> None:
        await self._around.database.write(
            partial(self._book, mirror=mirror, sentence=sentence, attempt=attempt)
        )

    def _book(
        self, session: Session, *, mirror: Mirror, sentence: str | None, attempt: Attempt | None
    ) -> None:
        now = self._around.clock.now()
        if attempt is not None:
            leader_margins.end_attempt(session, mirror.position_id, attempt)
        position = leader_margins.finish_mirror(session, mirror)
        if position is None:
            return
        protection.clear_alarms(session, KINDS, [position.id], at=now)
        if sentence is not None:
            protection.raise_alarm(session, AlarmKind.LEADER_MARGIN, position, sentence, at=now)


def _missing(mirror: Mirror, held: VenuePosition) -> Money:
    """Return what a position lacks of its leader's backing; a cross position lacks nothing."""
    if held.margin_mode is not MarginMode.ISOLATED:
        return ZERO_MONEY
    before = held.contracts if mirror.contracts is None else mirror.contracts
    wanted = kept_extra(mirror.wanted_extra, before, held.contracts)
    return missing_extra(wanted, backing_of(held))


def _refused(sentence: str) -> str:
    return (
        "The leader changed margin or leverage of this position, and the venue did "
        f"not let yours be changed alike: {sentence}"
    )


def _unclear(asked: Money) -> str:
    what = "added to" if asked > 0 else "taken out of"
    return (
        f"The leader changed the margin of this position, and {abs(asked).normalize():f} USDT were "
        f"to be {what} yours: the venue did not say whether it was done, and the position has "
        "changed since, so it was not asked again. Compare its margin with your leader's."
    )
