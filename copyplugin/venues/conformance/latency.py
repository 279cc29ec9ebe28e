"""Time: answers that come late and out of turn, requests that arrive late, clocks that differ."""

import asyncio

import pytest

from copyplugin.domain.account import TransferOutcome
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import Money
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanStatus
from copyplugin.errors import OutcomeUnknown
from copyplugin.venues.conformance.accounts import RICH, family, funding_of, has
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.faults import place_plan_surely, transfer_surely
from copyplugin.venues.conformance.fills import leader_trades
from copyplugin.venues.conformance.plans import held_position, plan_becomes, plan_of
from copyplugin.venues.conformance.steps import Trial

CLOCKS = [Fault.CLOCK_SKEW, Fault.CLOCK_BEHIND]
AT_ONCE = 5


class LatencyConformance:
    """Nothing is lost or mixed up because it takes its time."""

    async def test_answers_out_of_turn_are_each_their_own_orders(self, trial: Trial) -> None:
        trial.needs(Fault.LATENCY)
        scene = await trial.scene()
        accounts = [await trial.trader(scene) for _ in range(AT_ONCE)]
        requests = [
            trial.order(account, scene.lots(number))
            for number, account in enumerate(accounts, start=1)
        ]
        await trial.inject(Fault.LATENCY, Errand.ORDER, times=AT_ONCE)

        reports = await asyncio.gather(*(trial.done(request) for request in requests))

        for request, report in zip(requests, reports, strict=True):
            _is_of(report, request)
            await trial.holds(request.account, request.contracts)

    async def test_a_slow_answer_to_a_question_is_the_right_one(self, trial: Trial) -> None:
        trial.needs(Fault.LATENCY)
        scene = await trial.scene()
        accounts = [await trial.trader(scene) for _ in range(AT_ONCE)]
        for number, account in enumerate(accounts, start=1):
            await trial.done(trial.order(account, scene.lots(number)))
            await trial.holds(account, scene.lots(number))
        await trial.inject(Fault.LATENCY, Errand.QUESTION, times=AT_ONCE)

        held = await asyncio.gather(*(trial.held(account) for account in accounts))

        assert held == [scene.lots(number) for number in range(1, AT_ONCE + 1)]

    async def test_an_order_that_may_still_arrive_is_not_called_lost(self, trial: Trial) -> None:
        trial.needs(Fault.LATE_REQUEST)
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2))
        await trial.inject(Fault.LATE_REQUEST, Errand.ORDER)

        try:
            await trial.venue.place_order(request)
        except OutcomeUnknown:
            assert await trial.found(request) is not None

        assert (await trial.ended(request)).filled == scene.lots(2)
        await trial.holds(account, scene.lots(2))

    async def test_a_transfer_that_arrives_late_moves_money_once(self, trial: Trial) -> None:
        trial.needs(Fault.LATE_REQUEST)
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(RICH / 2))
        await trial.inject(Fault.LATE_REQUEST, Errand.TRANSFER)

        await transfer_surely(trial, request)

        await has(trial, owner, spot=Money(RICH - RICH / 2), contract=None)
        await has(trial, sub, spot=None, contract=Money(RICH / 2))
        outcome = await trial.surely(lambda: trial.venue.transfer_outcome(request))
        assert outcome is TransferOutcome.DONE


class ClockConformance:
    """A clock that is a minute ahead or behind until it is put right."""

    @pytest.mark.parametrize("clock", CLOCKS)
    async def test_a_clock_that_is_off_costs_no_order(self, trial: Trial, clock: Fault) -> None:
        trial.needs(clock)
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.inject(clock, Errand.ORDER)
        requests = [trial.order(account, scene.lots(1)) for _ in range(2)]

        for request in requests:
            assert (await trial.place_surely(request)).filled == scene.lots(1)
        await trial.bench.heal()
        assert (await trial.place_surely(trial.order(account, scene.lots(1)))).filled

        await trial.holds(account, scene.lots(3))

    @pytest.mark.parametrize("clock", CLOCKS)
    async def test_a_clock_that_is_off_hides_no_fill(self, trial: Trial, clock: Fault) -> None:
        trial.needs(clock)
        scene = await trial.scene()
        leader = await trial.trader(scene)
        await leader_trades(trial, scene, leader, 2)
        seen = await trial.fills_of(leader, scene.lots(2))

        await trial.inject(clock, Errand.QUESTION)
        await leader_trades(trial, scene, leader, 2, first=2)
        during = await trial.fills_of(leader, scene.lots(4))
        await trial.bench.heal()
        await leader_trades(trial, scene, leader, 2, first=4)

        fills = await trial.fills_of(leader, scene.lots(6))
        ids = [fill.venue_fill_id for fill in fills]
        assert len(set(ids)) == len(ids)
        for earlier in (seen, during):
            assert [fill.venue_fill_id for fill in earlier] == ids[: len(earlier)]

    @pytest.mark.parametrize("clock", CLOCKS)
    async def test_a_clock_that_is_off_moves_no_money_twice(
        self, trial: Trial, clock: Fault
    ) -> None:
        trial.needs(clock)
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(RICH / 2))
        await trial.inject(clock, Errand.TRANSFER)

        await transfer_surely(trial, request)
        await trial.bench.heal()

        await has(trial, owner, spot=Money(RICH - RICH / 2), contract=None)
        await has(trial, sub, spot=None, contract=Money(RICH / 2))

    @pytest.mark.parametrize("clock", CLOCKS)
    async def test_a_clock_that_is_off_costs_no_plan(self, trial: Trial, clock: Fault) -> None:
        trial.needs(clock)
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.inject(clock, Errand.PLAN)

        await place_plan_surely(trial, request)
        await trial.bench.heal()

        await plan_becomes(trial, request, PlanStatus.RESTING)
        assert len(await trial.venue.plans(account)) == 1


def _is_of(report: OrderReport, request: OrderRequest) -> None:
    assert report.client_order_id == request.client_order_id
    assert report.filled == request.contracts
    assert sum(fill.contracts for fill in report.fills) == request.contracts
