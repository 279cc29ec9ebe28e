"""Plan orders: they rest, fire once, are cancelled and amended, or say that it is too late."""

from decimal import Decimal

import pytest

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId
from copyplugin.domain.money import Contracts, Price, product
from copyplugin.domain.order import OrderStatus
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.venues.conformance.steps import Scene, Trial

SIDES = pytest.mark.parametrize("side", list(PositionSide))
ALREADY_THROUGH = "already_through"
NOT_FOUND = "not_found"


async def held_position(trial: Trial, side: PositionSide) -> tuple[Scene, AccountId]:
    """Return a scene and an account that holds three lots of this side."""
    if not trial.venue.capabilities.plan_orders:
        pytest.skip("the venue has no plan orders")
    scene = await trial.scene()
    account = await trial.trader(scene)
    await trial.done(trial.order(account, scene.lots(3), side=side))
    await trial.holds(account, scene.lots(3), side)
    return scene, account


def _away(scene: Scene, percent: int) -> Price:
    wanted = product(scene.mark, Decimal(100 + percent), Decimal("0.01"))
    return scene.instrument.round_price_down(wanted)


def plan_of(
    trial: Trial,
    scene: Scene,
    account: AccountId,
    side: PositionSide,
    percent: int,
    *,
    direction: TriggerDirection | None = None,
) -> PlanRequest:
    """Return a plan that closes the position so many percent away from the mark."""
    natural = TriggerDirection.RISES if percent > 0 else TriggerDirection.FALLS
    return PlanRequest(
        account=account,
        symbol=scene.instrument.symbol,
        position_side=side,
        order_side=side.closing_side,
        contracts=scene.lots(3),
        trigger_price=_away(scene, percent),
        trigger_by=TriggerBy.MARK,
        direction=direction or natural,
        client_order_id=trial.next_id(),
    )


async def resting(trial: Trial, account: AccountId) -> set[ClientOrderId]:
    return {report.client_order_id for report in await trial.venue.plans(account)}


async def plan_becomes(trial: Trial, request: PlanRequest, status: PlanStatus) -> PlanReport:
    async def ask() -> PlanReport | None:
        return await trial.venue.find_plan(request.account, request.symbol, request.client_order_id)

    found = await trial.eventually(
        ask, lambda report: report is not None and report.status is status
    )
    assert found is not None
    return found


class PlanConformance:
    @SIDES
    @pytest.mark.parametrize("percent", [-3, 3])
    async def test_a_plan_rests_and_is_told_as_it_was_placed(
        self, trial: Trial, side: PositionSide, percent: int
    ) -> None:
        scene, account = await held_position(trial, side)
        request = plan_of(trial, scene, account, side, percent)

        placed = await trial.venue.place_plan(request)

        assert placed.status is PlanStatus.RESTING
        found = await plan_becomes(trial, request, PlanStatus.RESTING)
        (listed,) = await trial.eventually(lambda: trial.venue.plans(account), bool)
        for report in (placed, found, listed):
            assert report.client_order_id == request.client_order_id
            assert report.venue_plan_id == placed.venue_plan_id
            assert (report.symbol, report.position_side) == (request.symbol, side)
            assert report.order_side is side.closing_side
            assert report.contracts in {scene.lots(3), 0}  # 0: whatever is held
            assert report.trigger_price == request.trigger_price
            assert report.fired_order is None
        assert await trial.held(account, side) == scene.lots(3)

    @SIDES
    @pytest.mark.parametrize("percent", [-3, 3])
    async def test_a_plan_fires_once_when_the_mark_comes_to_its_price(
        self, trial: Trial, side: PositionSide, percent: int
    ) -> None:
        scene, account = await held_position(trial, side)
        request = plan_of(trial, scene, account, side, percent)
        await trial.venue.place_plan(request)
        toward = 1 if percent > 0 else -1
        await trial.scene(percent=toward)
        assert (await plan_becomes(trial, request, PlanStatus.RESTING)).fired_order is None

        await trial.scene(percent=3 * toward)

        report = await plan_becomes(trial, request, PlanStatus.FIRED)
        await trial.holds(account, 0, side)
        assert not await trial.venue.plans(account)
        if report.fired_order is not None:
            order = await trial.venue.find_order(account, request.symbol, report.fired_order)
            assert order is not None
            assert (order.status, order.filled) == (OrderStatus.DONE, scene.lots(3))
        fills = await trial.fills_of(account, scene.lots(6))
        assert sum(fill.contracts for fill in fills) == scene.lots(6)

    @SIDES
    async def test_of_two_plans_one_fires_and_the_other_closes_nothing_more(
        self, trial: Trial, side: PositionSide
    ) -> None:
        scene, account = await held_position(trial, side)
        take, stop = (plan_of(trial, scene, account, side, percent) for percent in (3, -3))
        for request in (take, stop):
            await trial.venue.place_plan(request)

        await trial.scene(percent=4)
        await plan_becomes(trial, take, PlanStatus.FIRED)
        await trial.holds(account, 0, side)
        await trial.scene(percent=-8)

        async def is_over() -> bool:
            report = await trial.venue.find_plan(account, stop.symbol, stop.client_order_id)
            return report is not None and report.status is not PlanStatus.RESTING

        await trial.eventually(is_over, bool)
        fills = await trial.fills_of(account, scene.lots(6))
        assert sum(fill.contracts for fill in fills) == scene.lots(6)
        assert not await trial.venue.positions(account)

    async def test_a_plan_whose_price_has_been_passed_is_refused_with_its_reason(
        self, trial: Trial
    ) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(
            trial, scene, account, PositionSide.LONG, 3, direction=TriggerDirection.FALLS
        )

        with pytest.raises(OrderRejected) as caught:
            await trial.venue.place_plan(request)

        assert caught.value.reason == ALREADY_THROUGH
        assert not await trial.venue.plans(account)
        assert await trial.held(account) == scene.lots(3)

    async def test_a_cancelled_plan_never_fires_and_is_cancelled_again_in_silence(
        self, trial: Trial
    ) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.venue.place_plan(request)
        cancel = trial.venue.cancel_plan

        for _ in range(2):
            await cancel(account, request.symbol, request.client_order_id)
        await cancel(account, request.symbol, trial.next_id())

        await plan_becomes(trial, request, PlanStatus.CANCELLED)
        assert not await trial.venue.plans(account)
        await trial.scene(percent=-4)
        assert await trial.held(account) == scene.lots(3)

    async def test_a_plan_that_never_arrived_is_not_found(self, trial: Trial) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)

        symbol, never = scene.instrument.symbol, trial.next_id()

        found = await trial.surely(lambda: trial.venue.find_plan(account, symbol, never))

        assert found is None

    async def test_an_amended_plan_fires_at_its_new_price(self, trial: Trial) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        if not trial.venue.capabilities.amends_plans:
            pytest.skip("the venue amends no plan orders")
        request = plan_of(trial, scene, account, PositionSide.LONG, -2)
        await trial.venue.place_plan(request)

        amended = await trial.venue.amend_plan(
            account,
            request.symbol,
            request.client_order_id,
            contracts=request.contracts,
            trigger_price=_away(scene, -5),
        )

        assert amended.trigger_price == _away(scene, -5)
        await trial.scene(percent=-3)
        assert (await plan_becomes(trial, request, PlanStatus.RESTING)).trigger_price == _away(
            scene, -5
        )
        await trial.scene(percent=-3)
        await plan_becomes(trial, request, PlanStatus.FIRED)
        await trial.holds(account, 0)

    async def test_a_plan_that_rests_no_longer_is_not_amended(self, trial: Trial) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        if not trial.venue.capabilities.amends_plans:
            pytest.skip("the venue amends no plan orders")

        with pytest.raises(OrderRejected) as caught:
            await trial.venue.amend_plan(
                account,
                scene.instrument.symbol,
                trial.next_id(),
                contracts=Contracts(1),
                trigger_price=_away(scene, -2),
            )

        assert caught.value.reason == NOT_FOUND

    async def test_a_plan_placed_twice_under_its_id_rests_once(self, trial: Trial) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        await trial.venue.place_plan(request)

        try:
            again: PlanReport | None = await trial.venue.place_plan(request)
        except OutcomeUnknown:
            again = None

        assert again is None or again.client_order_id == request.client_order_id
        assert await resting(trial, account) == {request.client_order_id}
        assert len(await trial.venue.plans(account)) == 1

    async def test_plans_are_found_by_a_process_that_did_not_place_them(self, trial: Trial) -> None:
        scene, account = await held_position(trial, PositionSide.LONG)
        request = plan_of(trial, scene, account, PositionSide.LONG, -3)
        placed = await trial.venue.place_plan(request)
        reopened = await trial.bench.reopened()

        (listed,) = await reopened.plans(account)
        found = await reopened.find_plan(account, request.symbol, request.client_order_id)

        assert found is not None
        assert listed.client_order_id == found.client_order_id == request.client_order_id
        assert found.venue_plan_id == placed.venue_plan_id
        await reopened.cancel_plan(account, request.symbol, request.client_order_id)
        assert not await resting(trial, account)
