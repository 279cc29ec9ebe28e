"""Faults: an error says what is known; who asks before he sends again does nothing twice."""

from random import Random

import pytest

from copyplugin.domain.account import TransferOutcome, TransferRequest
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import Money
from copyplugin.domain.plan_order import PlanRequest, PlanStatus
from copyplugin.errors import (
    OrderRejected,
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.venues.conformance.accounts import RICH, family, funding_of, has
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.plans import held_position, plan_becomes, plan_of, resting
from copyplugin.venues.conformance.steps import ATTEMPTS, Trial

NOTHING_DONE = [Fault.LOST_REQUEST, Fault.SERVER_ERROR, Fault.RATE_LIMIT, Fault.MAINTENANCE]
REQUEST_FAULTS = [*NOTHING_DONE, Fault.LOST_ANSWER]
ROUNDS = 8


class DoubtConformance:
    """Each fault alone, on each kind of request."""

    @pytest.mark.parametrize("fault", NOTHING_DONE)
    async def test_an_order_that_did_not_arrive_is_sent_again_and_fills_once(
        self, trial: Trial, fault: Fault
    ) -> None:
        trial.needs(fault)
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2))
        await trial.inject(fault, Errand.ORDER)

        try:
            await trial.venue.place_order(request)
        except (OutcomeUnknown, VenueUnavailable):
            await trial.bench.heal()
            assert await trial.found(request) is None
            await trial.venue.place_order(request)

        assert (await trial.ended(request)).filled == scene.lots(2)
        await trial.holds(account, scene.lots(2))
        await trial.fills_of(account, scene.lots(2))

    async def test_an_order_whose_answer_was_lost_is_in_doubt_and_found(self, trial: Trial) -> None:
        trial.needs(Fault.LOST_ANSWER)
        scene = await trial.scene()
        account = await trial.trader(scene)
        request = trial.order(account, scene.lots(2))
        await trial.inject(Fault.LOST_ANSWER, Errand.ORDER)

        try:
            await trial.venue.place_order(request)
        except OutcomeUnknown:
            await trial.bench.heal()

        report = await trial.ended(request)
        assert report.filled == scene.lots(2)
        await trial.holds(account, scene.lots(2))

    async def test_a_lost_answer_to_a_closing_order_is_found_when_all_is_closed(
        self, trial: Trial
    ) -> None:
        trial.needs(Fault.LOST_ANSWER)
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(2)))
        await trial.holds(account, scene.lots(2))
        request = trial.order(account, scene.lots(2), closing=True)
        await trial.inject(Fault.LOST_ANSWER, Errand.ORDER)

        report = await trial.place_surely(request)

        assert report.filled == scene.lots(2)
        await trial.holds(account, 0)

    @pytest.mark.parametrize("fault", REQUEST_FAULTS)
    async def test_a_question_without_an_answer_is_no_answer(
        self, trial: Trial, fault: Fault
    ) -> None:
        trial.needs(fault)
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.done(trial.order(account, scene.lots(2)))
        await trial.holds(account, scene.lots(2))
        await trial.inject(fault, Errand.QUESTION, times=ATTEMPTS)

        try:
            (position,) = await trial.venue.positions(account)
        except VenueUnavailable:
            await trial.bench.heal()
            (position,) = await trial.venue.positions(account)

        assert position.contracts == scene.lots(2)

    @pytest.mark.parametrize("fault", REQUEST_FAULTS)
    async def test_a_transfer_in_doubt_moves_money_once(self, trial: Trial, fault: Fault) -> None:
        trial.needs(fault)
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(RICH / 2))
        await trial.inject(fault, Errand.TRANSFER)

        await transfer_surely(trial, request)

        await has(trial, owner, spot=Money(RICH - RICH / 2), contract=None)
        await has(trial, sub, spot=None, contract=Money(RICH / 2))

    async def test_a_transfer_whose_answer_was_lost_is_known_as_done(self, trial: Trial) -> None:
        trial.needs(Fault.LOST_ANSWER)
        owner, sub = await family(trial)
        request = funding_of(trial, owner, sub, Money(RICH / 2))
        await trial.inject(Fault.LOST_ANSWER, Errand.TRANSFER)

        try:
            await trial.venue.transfer(request)
        except OutcomeUnknown:
            await trial.bench.heal()

        outcome = await trial.venue.transfer_outcome(request)
        assert outcome is TransferOutcome.DONE

    @pytest.mark.parametrize("fault", REQUEST_FAULTS)
    async def test_a_sub_account_in_doubt_is_opened_once(self, trial: Trial, fault: Fault) -> None:
        trial.needs(fault)
        owner, existing = await family(trial)
        await trial.inject(fault, Errand.SUB_ACCOUNT)

        opened = None
        for _ in range(ATTEMPTS):
            try:
                opened = await trial.venue.open_sub_account(owner, "follow-2")
                break
            except (OutcomeUnknown, VenueUnavailable):
                await trial.bench.heal()

        assert opened is not None
        assert opened != existing
        reopened = await trial.bench.reopened()
        assert await reopened.open_sub_account(owner, "follow-2") == opened
        assert (await trial.venue.balance(opened)).equity == 0

    @pytest.mark.parametrize("fault", REQUEST_FAULTS)
    async def test_a_plan_in_doubt_rests_once(self, trial: Trial, fault: Fault) -> None:
        trial.needs(fault)
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.inject(fault, Errand.PLAN)

        await place_plan_surely(trial, request)

        await plan_becomes(trial, request, PlanStatus.RESTING)
        assert len(await trial.venue.plans(account)) == 1
        assert await resting(trial, account) == {request.client_order_id}

    async def test_a_rejection_is_told_as_one_and_leaves_nothing(self, trial: Trial) -> None:
        trial.needs(Fault.REJECTION)
        scene = await trial.scene()
        account = await trial.trader(scene)
        await trial.inject(Fault.REJECTION, Errand.ORDER)

        with pytest.raises(OrderRejected):
            await trial.venue.place_order(trial.order(account, scene.lots(2)))

        await trial.done(trial.order(account, scene.lots(1)))
        await trial.holds(account, scene.lots(1))

    async def test_a_refused_plan_is_told_as_refused_and_rests_nowhere(self, trial: Trial) -> None:
        trial.needs(Fault.REJECTION)
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.inject(Fault.REJECTION, Errand.PLAN)

        with pytest.raises(OrderRejected):
            await trial.venue.place_plan(request)

        assert not await trial.venue.plans(account)
        assert await trial.held(account) == scene.lots(3)

    async def test_a_plan_whose_order_is_refused_has_failed_and_says_so(self, trial: Trial) -> None:
        trial.needs(Fault.PLAN_FAILURE)
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.inject(Fault.PLAN_FAILURE, Errand.PLAN)
        await trial.venue.place_plan(request)
        await plan_becomes(trial, request, PlanStatus.RESTING)

        await trial.scene(percent=-4)

        await plan_becomes(trial, request, PlanStatus.FAILED)
        assert not await trial.venue.plans(account)
        assert await trial.held(account) == scene.lots(3)


class StormConformance:
    """All faults at once, from a seed: what was asked for is what there is."""

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_orders_in_a_storm_are_executed_exactly_once(
        self, trial: Trial, seed: int
    ) -> None:
        faults = sorted(trial.bench.faults & set(REQUEST_FAULTS))
        if not faults:
            pytest.skip("the bench cannot inject any fault of a request")
        chance = Random(seed)  # noqa: S311 - a storm is repeated by its seed
        scene = await trial.scene()
        account = await trial.trader(scene)
        wanted = dict.fromkeys(PositionSide, 0)
        traded = 0

        for _ in range(ROUNDS):
            side = chance.choice(list(PositionSide))
            is_closing = wanted[side] > 0 and chance.random() < 0.4  # noqa: PLR2004 - a mix
            lots = chance.randint(1, wanted[side]) if is_closing else chance.randint(1, 3)
            for errand in (Errand.ORDER, Errand.QUESTION):
                await trial.inject(chance.choice(faults), errand)
            request = trial.order(account, scene.lots(lots), side=side, closing=is_closing)
            assert (await trial.place_surely(request)).filled == scene.lots(lots)
            wanted[side] += -lots if is_closing else lots
            traded += lots

        await trial.bench.heal()
        for side, lots in wanted.items():
            await trial.holds(account, scene.lots(lots), side)
        fills = await trial.fills_of(account, scene.lots(traded))
        assert len({fill.venue_fill_id for fill in fills}) == len(fills)


async def transfer_surely(trial: Trial, request: TransferRequest) -> None:
    """Transfer as the engine does: whoever is in doubt asks before he sends again."""
    for _ in range(ATTEMPTS):
        try:
            await trial.venue.transfer(request)
        except (OutcomeUnknown, VenueUnavailable):
            outcome = await trial.surely(lambda: trial.venue.transfer_outcome(request))
            if outcome is TransferOutcome.DONE:
                return
        except TransferRejected as error:
            raise AssertionError(f"a fault is no refusal: {error}") from error
        else:
            return
    raise AssertionError(f"{request.transfer_id} was in doubt {ATTEMPTS} times in a row")


async def place_plan_surely(trial: Trial, request: PlanRequest) -> None:
    """Place a plan order as the engine does: whoever is in doubt asks before he sends again."""
    account, symbol, name = request.account, request.symbol, request.client_order_id
    for _ in range(ATTEMPTS):
        try:
            await trial.venue.place_plan(request)
        except (OutcomeUnknown, VenueUnavailable):
            if await trial.surely(lambda: trial.venue.find_plan(account, symbol, name)):
                return
        except RequestRejected as error:
            raise AssertionError(f"a fault is no refusal: {error}") from error
        else:
            return
    raise AssertionError(f"{name} was in doubt {ATTEMPTS} times in a row")
