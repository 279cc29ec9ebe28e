"""The executor: brings lanes to their targets, each at its own pace, never twice.

One bookkeeping turn at a time writes what came back and claims what goes out, in one transaction;
the errands themselves run side by side. Nobody waits for the slowest: a lane whose errand is back
is booked with whatever else is back then.
"""

import heapq
from collections.abc import Collection
from dataclasses import dataclass

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import AccountId, LaneId, Symbol
from copyplugin.domain.money import Ratio
from copyplugin.engine.booking import Bookkeeper
from copyplugin.engine.errands import (
    Answered,
    AskBalance,
    AskOrder,
    BalanceKnown,
    Errand,
    InDoubt,
    NeverArrived,
    Outcome,
    Rejected,
    SendOrder,
    Unreachable,
)
from copyplugin.engine.planning import Plan, Planner
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.store import lane_work, marking
from copyplugin.store.database import Session


@dataclass(slots=True)
class _Turn:
    plan: Plan
    follow_ids: Collection[int]
    mismatched: Collection[int]
    is_more: bool


class Executor:
    """`turn` is served under `Work.LANES`; `sweep` is the net under it."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._busy: set[LaneId] = set()
        self._outcomes: list[Outcome] = []
        self._waiting: list[tuple[bool, int, Errand]] = []
        self._queued = 0
        self._running = 0
        self._configured: dict[tuple[AccountId, Symbol], tuple[Ratio, MarginMode]] = {}

    @property
    def lanes_in_flight(self) -> int:
        return len(self._busy)

    async def turn(self, shards: frozenset[int]) -> None:
        """Book what is back, claim what the shards' lanes can do, and send it on its way."""
        outcomes, self._outcomes = self._outcomes, []
        back = {outcome.lane_id for outcome in outcomes}
        busy = self._busy - back
        try:
            result = await self._around.database.write(
                lambda session: self._book_and_plan(session, outcomes, shards, busy)
            )
        finally:
            # Booked, or forgotten: then the rows still say 'sent' and the venue is asked.
            self._busy -= back
        for errand in result.plan.errands:
            self._busy.add(errand.lane_id)
            self._queued += 1
            heapq.heappush(self._waiting, (not errand.is_urgent, self._queued, errand))
        self._start_waiting()
        dispatcher = self._around.dispatcher
        for at, shard in result.plan.later:
            dispatcher.announce_at(at, Work.LANES, (shard,))
        if result.follow_ids:
            dispatcher.announce(Work.FOLLOWS, result.follow_ids)
        if result.mismatched:
            dispatcher.announce(Work.RECONCILE, result.mismatched)
        if result.is_more:
            dispatcher.announce(Work.LANES, shards)

    async def sweep(self) -> None:
        """Look at every lane with open work, whatever was announced or lost."""
        shards = await self._around.database.write(marking.mark_gaps)
        if shards:
            self._around.dispatcher.announce(Work.LANES, shards)

    def _book_and_plan(
        self,
        session: Session,
        outcomes: list[Outcome],
        shards: Collection[int],
        busy: Collection[LaneId],
    ) -> _Turn:
        now = self._around.clock.now()
        keeper = Bookkeeper(session, self._around, now, outcomes)
        booked = keeper.book()
        limit = self._around.settings.lanes_per_claim
        back = [work.lane.id for work in booked.works]
        marked = lane_work.marked_lanes(session, shards, busy=[*busy, *back], limit=limit)
        works = [*booked.works, *marked]
        lane_work.complete(session, works)
        planner = Planner(session, self._around, now, resend=booked.resend)
        for work in works:
            planner.look_at(work)
        return _Turn(
            plan=planner.finish(),
            follow_ids=booked.follow_ids,
            mismatched=booked.mismatched,
            is_more=len(marked) == limit,
        )

    def _start_waiting(self) -> None:
        """Start errands while there is room, those that reduce first."""
        while self._waiting and self._running < self._around.settings.orders_in_flight_max:
            _, _, errand = heapq.heappop(self._waiting)
            self._running += 1
            self._around.dispatcher.spawn(f"lane {errand.lane_id}", self._run(errand))

    async def _run(self, errand: Errand) -> None:
        try:
            self._outcomes.append(await self._carry_out(errand))
        except BaseException:
            # A bug: the lane is let go, and whoever claims it next asks the venue first.
            self._busy.discard(errand.lane_id)
            raise
        finally:
            self._running -= 1
            self._start_waiting()
        self._around.dispatcher.announce(Work.LANES)

    async def _carry_out(self, errand: Errand) -> Outcome:
        try:
            match errand:
                case SendOrder():
                    return await self._send(errand)
                case AskOrder():
                    return await self._ask(errand)
                case AskBalance():
                    balance = await self._around.venue.balance(errand.account)
                    return BalanceKnown(
                        lane_id=errand.lane_id, available=balance.contract_available
                    )
        except VenueUnavailable as error:
            return Unreachable(lane_id=errand.lane_id, sentence=str(error))

    async def _send(self, errand: SendOrder) -> Outcome:
        venue, request = self._around.venue, errand.request
        sent_at = self._around.clock.now()
        try:
            await self._configure(errand)
            report = await venue.place_order(request)
        except RequestRejected as error:
            return Rejected(
                lane_id=errand.lane_id,
                order_id=errand.order_id,
                reason=error.reason,
                sentence=error.sentence,
            )
        except OutcomeUnknown as error:
            return InDoubt(lane_id=errand.lane_id, order_id=errand.order_id, sentence=str(error))
        return Answered(
            lane_id=errand.lane_id, order_id=errand.order_id, report=report, sent_at=sent_at
        )

    async def _configure(self, errand: SendOrder) -> None:
        """Set leverage and margin mode before an open, once per change."""
        if errand.leverage is None or errand.margin_mode is None:
            return
        key = (errand.request.account, errand.request.symbol)
        wanted = (errand.leverage, errand.margin_mode)
        if self._configured.get(key) == wanted:
            return
        self._configured.pop(key, None)
        await self._around.venue.configure(*key, *wanted)
        self._configured[key] = wanted

    async def _ask(self, errand: AskOrder) -> Outcome:
        report = await self._around.venue.find_order(
            errand.account, errand.symbol, errand.client_order_id
        )
        if report is None:
            return NeverArrived(lane_id=errand.lane_id, order_id=errand.order_id)
        return Answered(
            lane_id=errand.lane_id, order_id=errand.order_id, report=report, sent_at=None
        )
