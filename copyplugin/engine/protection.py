"""Protection of copied positions: a stop rests at the venue for each of them (P1 to P4).

After each fill and every few seconds a follow's plan orders are compared with what should rest, and
brought there step by step. Many follows are looked at side by side, each by one hand at a time.
"""

import heapq
from collections.abc import Iterable
from functools import partial

from copyplugin.domain.follow import FOLLOWS_CLOSES
from copyplugin.domain.identifiers import ClientOrderId, FollowId
from copyplugin.domain.money import Money
from copyplugin.domain.order import OrderReport
from copyplugin.domain.plan_order import AT_VENUE, PlanReport, PlanState, PlanStatus
from copyplugin.engine.follow_limits import LimitBook, Valuation, shares_paid
from copyplugin.engine.protection_book import PlanBook, Result, Seen
from copyplugin.engine.protection_steps import (
    AmendPlan,
    PlacePlan,
    PlanInDoubt,
    PlanRefused,
    PlanRests,
    PlanWithdrawn,
    Step,
    StepOutcome,
    WithdrawPlan,
)
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.store import halts, protection
from copyplugin.store.database import Session
from copyplugin.store.protection import Guarded


class Protector:
    """`turn` is served under `Work.PROTECT`; `sweep` is the job."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._busy: set[FollowId] = set()
        self._again: set[FollowId] = set()
        self._waiting: list[tuple[bool, int, FollowId]] = []
        self._queued = 0
        self._running = 0

    async def turn(self, follow_ids: frozenset[int]) -> None:
        """Look at these follows, before those that only the clock brought up."""
        with self._around.database.read() as session:
            known = protection.protected_among(session, follow_ids)
        self._enqueue(known, is_urgent=True)

    async def sweep(self) -> int:
        """Look at every follow with something to protect; return how many lack their stop."""
        now = self._around.clock.now()
        await self._around.database.write(lambda session: halts.lift_expired(session, now=now))
        with self._around.database.read() as session:
            found = protection.follows_to_guard(session)
            unprotected = len(protection.unprotected_positions(session))
        self._enqueue(found, is_urgent=False)
        return unprotected

    def _enqueue(self, follow_ids: Iterable[FollowId], *, is_urgent: bool) -> None:
        for follow_id in follow_ids:
            if follow_id in self._busy:
                if is_urgent:  # something changed since it was looked at
                    self._again.add(follow_id)
                continue
            self._busy.add(follow_id)
            self._queued += 1
            heapq.heappush(self._waiting, (not is_urgent, self._queued, follow_id))
        self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and self._running < self._around.settings.orders_in_flight_max:
            _, _, follow_id = heapq.heappop(self._waiting)
            self._running += 1
            self._around.dispatcher.spawn(f"protect {follow_id}", self._run(follow_id))

    async def _run(self, follow_id: FollowId) -> None:
        try:
            await self._protect(follow_id)
        finally:
            self._busy.discard(follow_id)
            self._running -= 1
            if follow_id in self._again:
                self._again.discard(follow_id)
                self._around.dispatcher.announce(Work.PROTECT, (follow_id,))
            self._start_waiting()

    async def _protect(self, follow_id: FollowId) -> None:
        with self._around.database.read() as session:
            guarded = protection.guarded(session, follow_id)
            paid = shares_paid(session, follow_id)
        if guarded is None:
            return
        try:
            seen = await self._ask(guarded)
            valuation = await self._value(guarded, paid)
        except VenueUnavailable:
            return  # what rests at the venue rests; the job comes again
        result = await self._write(follow_id, seen, (), valuation)
        while result.steps:
            outcomes: list[StepOutcome] = []
            for step in result.steps:
                if not self._around.is_at_work():
                    return  # the rows say what is in doubt, and whoever is at work asks
                outcomes.append(await self._take(step))
            result = await self._write(follow_id, Seen(), outcomes, None)

    async def _ask(self, guarded: Guarded) -> Seen:
        """Ask for every plan order that may rest, and for the orders of those that fired."""
        venue, account = self._around.venue, guarded.follow.sub_account
        at_venue = [plan for plan in guarded.plans if plan.state in AT_VENUE]
        fired = [plan for plan in guarded.plans if plan.state is PlanState.FIRED]
        if account is None or not (at_venue or fired):
            return Seen()
        plans: dict[ClientOrderId, PlanReport | None] = {}
        if at_venue:
            plans.update({each.client_order_id: each for each in await venue.plans(account)})
        symbols = {lane.lane.id: lane.lane.symbol for lane in guarded.lanes}
        orders: dict[ClientOrderId, OrderReport | None] = {}
        for plan in (*at_venue, *fired):
            name, symbol = plan.client_order_id, symbols[plan.lane_id]
            if name not in plans:
                plans[name] = await venue.find_plan(account, symbol, name)
            report = plans[name]
            if report is not None and report.status is PlanStatus.FIRED and report.fired_order:
                order = await venue.find_order(account, symbol, report.fired_order)
                orders[report.fired_order] = order
        return Seen(plans=plans, orders=orders)

    async def _value(self, guarded: Guarded, paid: Money) -> Valuation | None:
        """Ask what the sub-account is worth, where a limit is measured by it."""
        account = guarded.follow.sub_account
        limits = protection.limits_of(guarded.terms)
        if account is None or not limits.needs_value or guarded.follow.state not in FOLLOWS_CLOSES:
            return None
        balance = await self._around.venue.balance(account)
        return Valuation(equity=balance.equity, paid=paid)

    async def _write(
        self,
        follow_id: FollowId,
        seen: Seen,
        outcomes: Iterable[StepOutcome],
        valuation: Valuation | None,
    ) -> Result:
        result = await self._around.database.write(
            partial(
                self._book,
                follow_id=follow_id,
                seen=seen,
                outcomes=list(outcomes),
                valuation=valuation,
            )
        )
        dispatcher = self._around.dispatcher
        if result.shards:
            dispatcher.announce(Work.LANES, result.shards)
        if result.has_ended:
            dispatcher.announce(Work.FOLLOWS, (follow_id,))
        if result.must_reconcile:
            dispatcher.announce(Work.RECONCILE, (follow_id,))
        if result.again_at is not None:
            dispatcher.announce_at(result.again_at, Work.PROTECT, (follow_id,))
        return result

    def _book(
        self,
        session: Session,
        *,
        follow_id: FollowId,
        seen: Seen,
        outcomes: list[StepOutcome],
        valuation: Valuation | None,
    ) -> Result:
        guarded = protection.guarded(session, follow_id, locked=True)
        if guarded is None or not self._around.is_at_work():  # another may know better by now
            return Result()
        now = self._around.clock.now()
        book = PlanBook(session, self._around, now, guarded)
        book.learn(seen)
        book.note(outcomes)
        book.heed(LimitBook(session, self._around, now, guarded).look(valuation))
        book.plan()
        return book.finish()

    async def _take(self, step: Step) -> StepOutcome:
        venue = self._around.venue
        try:
            match step:
                case PlacePlan():
                    report = await venue.place_plan(step.request)
                case AmendPlan():
                    report = await venue.amend_plan(
                        step.account,
                        step.symbol,
                        step.client_order_id,
                        contracts=step.contracts,
                        trigger_price=step.trigger_price,
                    )
                case WithdrawPlan():
                    await venue.cancel_plan(step.account, step.symbol, step.client_order_id)
                    return PlanWithdrawn(plan_id=step.plan_id)
        except RequestRejected as error:
            return PlanRefused(plan_id=step.plan_id, reason=error.reason, sentence=error.sentence)
        except (OutcomeUnknown, VenueUnavailable):
            return PlanInDoubt(plan_id=step.plan_id)
        return PlanRests(plan_id=step.plan_id, report=report)
