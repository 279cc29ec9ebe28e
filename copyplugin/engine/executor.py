"""The executor: brings lanes to their targets, each at its own pace, never twice.

One bookkeeping turn at a time writes what came back and claims what goes out, in one transaction;
the errands themselves run side by side. Nobody waits for the slowest: a lane whose errand is back
is booked with whatever else is back then.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from copyplugin.domain.fairness import in_rotation
from copyplugin.domain.identifiers import FollowId, LaneId
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.booking import Bookkeeper
from copyplugin.engine.errands import Outcome
from copyplugin.engine.planning import Plan, Planner
from copyplugin.engine.runners import Runners
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.store import leases, marking
from copyplugin.store.database import Session
from copyplugin.store.lane_book import LaneBook, marked_lane_ids
from copyplugin.store.protection import protected_among

log = logging.getLogger(__name__)


class _Claimed(NamedTuple):
    """Under which lease a lane was claimed."""

    shard: int
    epoch: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    plan: Plan
    follow_ids: Collection[int]
    mismatched: Collection[int]
    traded: Collection[int]
    came_back: Collection[FollowId]
    claimed: Mapping[LaneId, _Claimed]
    left: Sequence[LaneId]  # marked, and for the next page


class Executor:
    """`turn` is served under `Work.LANES`; `sweep` is the net under it."""

    def __init__(self, around: Surroundings, *, gather_seconds: float = 0) -> None:
        """Book what came back with what else comes back within so long; at once by default."""
        self._around = around
        self._gather_seconds = gather_seconds
        self._busy: dict[LaneId, _Claimed] = {}
        self._outcomes: list[Outcome] = []
        self._blocked: dict[FollowId, int] = {}  # follows with an open that waits, and their shards
        self._turns = 0  # so many times was a first follower chosen
        self._gathering: asyncio.TimerHandle | None = None
        self._runners = Runners(
            around, back=self._back, dropped=self._dropped, may_send=self._may_send
        )

    async def turn(self, shards: frozenset[int]) -> None:
        """Book what is back, claim what the shards' lanes can do, and send it on its way."""
        lane_ids: Sequence[LaneId] = ()
        while True:
            outcomes, self._outcomes = self._outcomes, []
            try:
                lane_ids = await self._do(outcomes, lane_ids=lane_ids, shards=shards)
            except Exception:
                log.exception("a turn of the executor failed; its lanes are taken one by one")
                await self._one_by_one(outcomes, lane_ids, shards)
                return
            if not lane_ids:
                return
            shards = frozenset()

    async def _do(
        self,
        outcomes: list[Outcome],
        *,
        lane_ids: Sequence[LaneId] = (),
        shards: frozenset[int] = frozenset(),
    ) -> Sequence[LaneId]:
        """Do one page of a turn; return the marked lanes that are left for the next ones."""
        back = [(outcome, self._busy.get(outcome.lane_id)) for outcome in outcomes]
        try:
            result = await self._around.database.write(
                partial(
                    self._book_and_plan,
                    back=back,
                    lane_ids=lane_ids,
                    shards=shards,
                    busy=frozenset(self._busy) if shards else frozenset(),
                ),
                urgent=True,
            )
        finally:  # booked, or forgotten: then the rows still say 'sent' and the venue is asked
            for outcome in outcomes:
                self._busy.pop(outcome.lane_id, None)
        self._send_off(result)
        return result.left

    async def _one_by_one(
        self, outcomes: list[Outcome], lane_ids: Sequence[LaneId], shards: frozenset[int]
    ) -> None:
        """Let a lane that cannot be booked or planned keep no other waiting."""
        now = self._around.clock.now()
        with self._around.database.read() as session:
            marked = marked_lane_ids(session, shards, now=now) if shards else lane_ids
        await attempt_all(outcomes, lambda outcome: self._do([outcome]))
        await attempt_all(
            (lane_id for lane_id in marked if lane_id not in self._busy),
            lambda lane_id: self._do([], lane_ids=[lane_id]),
        )

    def _send_off(self, result: _Turn) -> None:
        for errand in result.plan.errands:
            self._busy[errand.lane_id] = result.claimed[errand.lane_id]
        self._runners.send(result.plan.errands)
        dispatcher = self._around.dispatcher
        freed = {self._blocked.pop(each) for each in result.came_back if each in self._blocked}
        self._blocked.update(result.plan.blocked)
        if freed:
            dispatcher.announce(Work.LANES, freed)
        for at, shard in result.plan.later:
            dispatcher.announce_at(at, Work.LANES, (shard,))
        if result.follow_ids:
            dispatcher.announce(Work.FOLLOWS, result.follow_ids)
        if result.traded:
            dispatcher.announce(Work.PROTECT, result.traded)
        if result.mismatched:
            dispatcher.announce(Work.RECONCILE, result.mismatched)

    async def sweep(self) -> None:
        """Look at every lane with open work, whatever was announced or lost."""
        settings, venue = self._around.settings, self._around.venue
        longest = max(settings.close_backoff_max_seconds, venue.capabilities.requests_live_seconds)
        until = self._around.clock.now() + timedelta(seconds=longest)
        shards = await self._around.database.write(partial(_open_shards, no_pause_after=until))
        if shards:
            self._around.dispatcher.announce(Work.LANES, shards)

    def _book_and_plan(
        self,
        session: Session,
        *,
        back: Sequence[tuple[Outcome, _Claimed | None]],
        lane_ids: Sequence[LaneId],
        shards: frozenset[int],
        busy: frozenset[LaneId],
    ) -> _Turn:
        now = self._around.clock.now()
        if shards:
            marked = marked_lane_ids(session, shards, now=now)
            lane_ids = in_rotation([each for each in marked if each not in busy], self._turns)
            self._turns += bool(lane_ids)
        limit = self._around.settings.lanes_per_claim
        page, left = lane_ids[:limit], lane_ids[limit:]
        to_book = [outcome.lane_id for outcome, _ in back]
        book = LaneBook(session, [*to_book, *page], to_book=to_book)
        claims = self._claims(session, book)
        outcomes = [
            each
            for each, was in back
            if (claim := claims.get(each.lane_id)) is not None and was in (None, claim)
        ]
        booked = Bookkeeper(book, self._around, now, outcomes).book()
        planner = Planner(book, self._around, now, resend=booked.resend)
        going_on = self._sendable(claims)
        ours = [book.works[lane_id] for lane_id in page]
        planner.look_at([work for work in (*booked.works, *ours) if work.lane.id in going_on])
        plan = planner.finish()
        book.save()
        return _Turn(
            plan=plan,
            follow_ids=booked.follow_ids | plan.under_way,
            mismatched=booked.mismatched,
            traded=protected_among(session, booked.traded),
            came_back={work.follow.id for work in booked.works},
            claimed=claims,
            left=left,
        )

    def _claims(self, session: Session, book: LaneBook) -> Mapping[LaneId, _Claimed]:
        """Return the lanes at hand that are ours; what is another's now is left to him."""
        shards = {lane_id: work.lane.shard for lane_id, work in book.works.items()}
        fence = self._around.fence
        if fence is None:
            return {lane_id: _Claimed(shard, 0) for lane_id, shard in shards.items()}
        epochs = fence.confirm(session, set(shards.values()))
        return {
            lane_id: _Claimed(shard, epochs[shard])
            for lane_id, shard in shards.items()
            if shard in epochs
        }

    def _sendable(self, claims: Mapping[LaneId, _Claimed]) -> Collection[LaneId]:
        """Return the lanes of which something may be sent now; others stay marked as they are."""
        fence = self._around.fence
        if fence is None:
            return claims.keys()
        may = {claim: fence.may_send(*claim) for claim in set(claims.values())}
        return {lane_id for lane_id, claim in claims.items() if may[claim]}

    def busy_shards(self) -> frozenset[int]:
        """Return the shards of which something is on its way."""
        return frozenset(claimed.shard for claimed in self._busy.values())

    def _back(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._announce_outcomes()

    def _dropped(self, lane_id: LaneId) -> None:
        self._busy.pop(lane_id, None)

    def _may_send(self, lane_id: LaneId) -> bool:
        """Return whether the lane is still ours, as it was claimed, until an answer is there."""
        fence = self._around.fence
        return fence is None or fence.may_send(*self._busy[lane_id])

    def _announce_outcomes(self) -> None:
        """Have what came back booked: at once, or with what else comes back in a moment."""
        announce = self._around.dispatcher.announce
        if not self._gather_seconds or self._runners.under_way == 0:
            announce(Work.LANES)
        elif self._gathering is None or self._gathering.when() < self._now():
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(self._gather_seconds, announce, Work.LANES)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _open_shards(session: Session, *, no_pause_after: datetime) -> set[int]:
    """Return the shards with open work that nobody works on; their holders look by themselves."""
    shards = marking.mark_gaps(session, no_pause_after=no_pause_after)
    return shards - leases.held(session, shards)
