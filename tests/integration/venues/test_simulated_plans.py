"""Plan orders and margin of the simulated exchange through the plugin's Venue port."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.fill import MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderStatus
from copyplugin.domain.plan_order import PlanRequest, PlanStatus, TriggerBy, TriggerDirection
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core import commands
from simexchange.core.types import PositionMode, Side
from simexchange.simulation import Simulation
from tests.integration.venues.test_simulated_venue import (
    ACCOUNT,
    BTC,
    LEADER,
    make_simulation,
    request,
    rest,
)

STOP = PlanRequest(
    account=ACCOUNT,
    symbol=BTC,
    position_side=PositionSide.LONG,
    order_side=OrderSide.SELL,
    contracts=Contracts(3),
    trigger_price=Price(Decimal("49000.0")),
    trigger_by=TriggerBy.MARK,
    direction=TriggerDirection.FALLS,
    client_order_id=ClientOrderId("stop-1"),
)
NAME = STOP.client_order_id


async def holding(contracts: int = 3) -> tuple[Simulation, SimulatedVenue]:
    """Return an exchange on which the account is long, and bids to close against."""
    simulation = make_simulation()
    venue = SimulatedVenue(simulation)
    await venue.set_hedge_mode(ACCOUNT)
    await venue.configure(ACCOUNT, BTC, Ratio(Decimal(10)), MarginMode.ISOLATED)
    rest(simulation, Side.SELL, 500_000, contracts)
    await venue.place_order(request("open", contracts))
    return simulation, venue


def mark(simulation: Simulation, price: int) -> None:
    simulation.apply(commands.SetMark(BTC, price))


async def test_a_plan_rests_until_its_price_comes_and_closes_the_whole_position() -> None:
    simulation, venue = await holding()
    placed = await venue.place_plan(STOP)

    assert placed.status is PlanStatus.RESTING
    assert await venue.plans(ACCOUNT) == [placed]
    rest(simulation, Side.SELL, 500_000, 2)
    await venue.place_order(request("add", 2))
    rest(simulation, Side.BUY, 489_000, 5)
    mark(simulation, 490_001)
    assert await venue.plans(ACCOUNT) == [placed]
    mark(simulation, 490_000)

    assert await venue.positions(ACCOUNT) == []
    assert await venue.plans(ACCOUNT) == []
    fired = await venue.find_plan(ACCOUNT, BTC, NAME)
    assert fired == replace(placed, status=PlanStatus.FIRED, fired_order=NAME)
    order = await venue.find_order(ACCOUNT, BTC, NAME)
    assert order is not None
    assert (order.status, order.filled) == (OrderStatus.DONE, 5)


async def test_a_plan_whose_order_is_refused_has_failed_and_the_position_stays() -> None:
    simulation, venue = await holding()
    await venue.place_plan(STOP)
    simulation.apply(commands.ForceReject(LEADER, "fire", 1))
    mark(simulation, 480_000)

    failed = await venue.find_plan(ACCOUNT, BTC, NAME)

    assert failed is not None
    assert (failed.status, failed.reason) == (PlanStatus.FAILED, "forced")
    assert failed.fired_order is None
    assert [position.contracts for position in await venue.positions(ACCOUNT)] == [3]


async def test_a_trigger_that_has_been_passed_is_refused_and_nothing_fires() -> None:
    simulation, venue = await holding()
    mark(simulation, 490_000)

    with pytest.raises(OrderRejected) as caught:
        await venue.place_plan(STOP)

    assert caught.value.reason is RejectReason.ALREADY_THROUGH
    assert await venue.find_plan(ACCOUNT, BTC, NAME) is None
    assert [position.contracts for position in await venue.positions(ACCOUNT)] == [3]


async def test_a_plan_for_no_position_is_refused() -> None:
    venue = SimulatedVenue(make_simulation())
    await venue.set_hedge_mode(ACCOUNT)

    with pytest.raises(OrderRejected) as caught:
        await venue.place_plan(STOP)

    assert caught.value.reason is RejectReason.NO_POSITION


async def test_a_plan_sent_twice_is_in_doubt_and_rests_once() -> None:
    _, venue = await holding()
    placed = await venue.place_plan(STOP)

    with pytest.raises(OutcomeUnknown):
        await venue.place_plan(STOP)

    assert await venue.plans(ACCOUNT) == [placed]


async def test_a_resting_plan_is_amended_in_place_and_to_the_same_terms_without_a_word() -> None:
    simulation, venue = await holding()
    placed = await venue.place_plan(STOP)
    higher = Price(Decimal("49500.0"))
    for _ in range(2):
        amended = await venue.amend_plan(
            ACCOUNT, BTC, NAME, contracts=Contracts(3), trigger_price=higher
        )
        assert amended == replace(placed, trigger_price=higher)

    with pytest.raises(OrderRejected) as caught:
        await venue.amend_plan(
            ACCOUNT, BTC, NAME, contracts=Contracts(3), trigger_price=Price(Decimal("50000.0"))
        )
    assert caught.value.reason is RejectReason.ALREADY_THROUGH
    rest(simulation, Side.BUY, 494_000, 3)
    mark(simulation, 495_000)
    assert await venue.positions(ACCOUNT) == []
    with pytest.raises(OrderRejected) as caught:
        await venue.amend_plan(ACCOUNT, BTC, NAME, contracts=Contracts(3), trigger_price=higher)
    assert caught.value.reason is RejectReason.NOT_FOUND


async def test_a_plan_is_withdrawn_by_us_or_with_its_position_and_again_without_a_word() -> None:
    simulation, venue = await holding()
    await venue.place_plan(STOP)
    await venue.place_plan(replace(STOP, client_order_id=ClientOrderId("stop-2")))
    for _ in range(2):
        await venue.cancel_plan(ACCOUNT, BTC, NAME)
    rest(simulation, Side.BUY, 499_000, 3)
    await venue.place_order(request("close", order_side=OrderSide.SELL, reduce_only=True))

    withdrawn = await venue.find_plan(ACCOUNT, BTC, NAME)
    with_position = await venue.find_plan(ACCOUNT, BTC, ClientOrderId("stop-2"))

    assert withdrawn is not None
    assert (withdrawn.status, withdrawn.reason) == (PlanStatus.CANCELLED, "requested")
    assert with_position is not None
    assert (with_position.status, with_position.reason) == (
        PlanStatus.CANCELLED,
        "position_closed",
    )
    await venue.cancel_plan(ACCOUNT, BTC, ClientOrderId("never sent"))


async def test_what_became_of_a_plan_is_known_to_an_adapter_that_comes_later() -> None:
    simulation, venue = await holding()
    await venue.place_plan(STOP)
    await venue.cancel_plan(ACCOUNT, BTC, NAME)

    later = SimulatedVenue(simulation)

    assert await later.find_plan(ACCOUNT, BTC, NAME) == await venue.find_plan(ACCOUNT, BTC, NAME)


async def test_a_plan_by_last_price_does_not_look_at_the_mark() -> None:
    simulation, venue = await holding()
    await venue.place_plan(replace(STOP, trigger_by=TriggerBy.LAST))
    mark(simulation, 480_000)
    assert len(await venue.plans(ACCOUNT)) == 1

    rest(simulation, Side.BUY, 490_000, 6)
    await venue.place_order(request("part", 1, order_side=OrderSide.SELL, reduce_only=True))

    assert await venue.positions(ACCOUNT) == []


async def test_an_order_that_fires_a_plan_of_another_which_fails_is_not_called_refused() -> None:
    simulation, venue = await holding()
    await venue.place_plan(replace(STOP, trigger_by=TriggerBy.LAST))
    other = 3
    simulation.apply(commands.OpenAccount())
    simulation.apply(commands.Deposit(other, commands.Wallet.CONTRACT, 10**12))
    simulation.apply(commands.SetPositionMode(other, PositionMode.HEDGE))
    simulation.apply(commands.ForceReject(LEADER, "order", 1))
    rest(simulation, Side.BUY, 489_000, 1)
    seller = replace(
        request("sells"),
        account=type(ACCOUNT)(str(other)),
        order_side=OrderSide.SELL,
        position_side=PositionSide.SHORT,
        contracts=Contracts(1),
    )

    report = await venue.place_order(seller)

    assert report.filled == 1
    failed = await venue.find_plan(ACCOUNT, BTC, NAME)
    assert failed is not None
    assert failed.status is PlanStatus.FAILED


async def test_margin_is_added_to_a_position_and_taken_out_again_to_the_unit() -> None:
    _, venue = await holding()
    (before,) = await venue.positions(ACCOUNT)

    await venue.adjust_margin(ACCOUNT, BTC, PositionSide.LONG, Money(Decimal("5.00000001")))
    (more,) = await venue.positions(ACCOUNT)
    await venue.adjust_margin(ACCOUNT, BTC, PositionSide.LONG, Money(Decimal("-5.00000001")))

    assert more.margin - before.margin == Decimal("5.00000001")
    assert more.liquidation_price is not None
    assert before.liquidation_price is not None
    assert more.liquidation_price < before.liquidation_price
    assert await venue.positions(ACCOUNT) == [before]
    with pytest.raises(OrderRejected, match=r"would_liquidate|margin_limit"):
        await venue.adjust_margin(ACCOUNT, BTC, PositionSide.LONG, Money(Decimal(-100)))
    with pytest.raises(OrderRejected, match="no_position"):
        await venue.adjust_margin(ACCOUNT, BTC, PositionSide.SHORT, Money(Decimal(1)))
