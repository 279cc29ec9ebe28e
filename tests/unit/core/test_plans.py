"""Plan orders: what they wait for, what becomes of them."""

import pytest

from simexchange.core.commands import (
    AmendPlanOrder,
    Batch,
    CancelPlanOrder,
    ForceReject,
    PlaceOrder,
    SetIndex,
)
from simexchange.core.events import (
    Filled,
    OrderAccepted,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderRejected,
    PlanOrderTriggered,
)
from simexchange.core.types import (
    CancelReason,
    OrderKind,
    RejectReason,
    TriggerBy,
    TriggerDirection,
)
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, names, of_type


def fired(events):
    return [e.plan_id for e in of_type(events, PlanOrderTriggered)]


def long_position():
    """Account 1 is long 10 contracts; account 3 bids for plenty far below."""
    desk = Desk()
    desk.trade(1, 2, 10, 1_000)
    desk.limit(3, BUY, 50, 900)
    return desk


@pytest.mark.parametrize(
    ("trigger", "before", "at"), [(1_010, 1_009, 1_010), (990, 991, 990), (990, 991, 950)]
)
def test_a_plan_fires_once_when_the_price_comes_to_its_trigger(trigger, before, at):
    desk = Desk()
    desk.plan(1, BUY, 1, trigger)

    assert fired(desk.mark(before)) == []
    assert fired(desk.mark(at)) == [1]
    assert fired(desk.mark(before)) == []
    assert fired(desk.mark(at)) == []
    assert desk.exchange.open_plans(1) == []


def test_plans_look_at_the_price_they_were_told_to():
    desk = Desk()
    desk.trade(1, 2, 1, 1_000)
    desk.plan(1, BUY, 1, 1_010, TriggerBy.LAST)
    desk.plan(1, BUY, 1, 1_010, TriggerBy.MARK)
    desk.plan(1, BUY, 1, 1_010, TriggerBy.INDEX)

    assert fired(desk.mark(1_010)) == [2]
    assert fired(desk.apply(SetIndex(SYMBOL, 1_020))) == [3]
    assert fired(desk.trade(3, 2, 1, 1_010)) == [1]


def test_a_price_that_a_trade_touched_and_left_again_fires_too():
    desk = Desk()
    desk.trade(1, 2, 1, 1_000)
    desk.plan(1, BUY, 1, 1_010, TriggerBy.LAST, kind=OrderKind.LIMIT, price=900)
    desk.plan(1, BUY, 1, 1_005, TriggerBy.LAST)
    desk.limit(2, SELL, 1, 1_005)
    desk.limit(2, SELL, 1, 1_010)

    assert fired(desk.market(3, BUY, 1)) == [2, 1]


def test_a_direction_can_be_asked_for_and_a_plan_already_through_fires_or_is_refused():
    desk = Desk()
    events = desk.plan(1, BUY, 1, 1_010, direction=TriggerDirection.FALLS, refuse_if_through=True)
    assert of_type(events, PlanOrderRejected)[0].reason is RejectReason.WOULD_TRIGGER_NOW

    assert fired(desk.plan(1, BUY, 1, 1_010, direction=TriggerDirection.FALLS)) == [1]


def test_a_fired_limit_plan_becomes_an_order_that_names_its_plan():
    desk = Desk()
    desk.plan(1, BUY, 2, 990, kind=OrderKind.LIMIT, price=980, client_order_id="entry")

    (accepted,) = of_type(desk.mark(990), OrderAccepted)

    assert (accepted.plan_id, accepted.client_order_id) == (1, "entry")
    assert desk.exchange.order_by_client_id(1, "entry").remaining == 2


def test_take_profit_and_stop_loss_of_a_group_cancel_one_another():
    desk = long_position()
    desk.plan(1, SELL, 0, 1_100, close_position=True, attached=True, group="exit")
    desk.plan(1, SELL, 0, 950, close_position=True, attached=True, group="exit")

    events = desk.mark(950)

    assert fired(events) == [2]
    assert of_type(events, PlanOrderCancelled)[0].reason in {
        CancelReason.SIBLING_FIRED,
        CancelReason.POSITION_CLOSED,
    }
    assert desk.position(1).contracts == 0
    assert desk.exchange.open_plans(1) == []


def test_a_plan_that_closes_the_position_follows_its_size():
    desk = long_position()
    desk.plan(1, SELL, 0, 950, close_position=True, attached=True)
    desk.trade(1, 2, 7, 1_000)

    assert of_type(desk.mark(950), Filled)[-1].closed_contracts == 17


def test_a_partial_stop_closes_its_own_size_and_no_more_than_there_is():
    desk = long_position()
    desk.plan(1, SELL, 4, 950, attached=True)
    desk.plan(1, SELL, 40, 940, attached=True)

    desk.mark(950)
    assert desk.position(1).contracts == 6
    desk.mark(940)
    assert desk.position(1).contracts == 0


def test_attached_plans_end_with_their_position_and_others_stay():
    desk = long_position()
    desk.plan(1, SELL, 0, 1_100, close_position=True, attached=True)
    desk.plan(1, SELL, 5, 1_100)

    events = desk.market(1, SELL, 10)

    assert [e.plan_id for e in of_type(events, PlanOrderCancelled)] == [1]
    assert [p.plan_id for p in desk.exchange.open_plans(1)] == [2]


def test_a_stop_loss_acts_before_liquidation_at_the_same_price():
    desk = long_position()
    price = desk.position(1).liquidation_price
    desk.limit(3, BUY, 10, price)
    desk.plan(1, SELL, 0, price, close_position=True, attached=True)

    events = desk.mark(price)

    assert "LiquidationStarted" not in names(events)
    assert desk.position(1).contracts == 0


def test_an_attached_plan_needs_a_position_it_would_close():
    desk = long_position()

    for side, number in ((BUY, 1), (SELL, 3)):
        (rejected,) = desk.plan(number, side, 1, 950, attached=True)
        assert rejected.reason is RejectReason.NO_POSITION


def test_a_trailing_sell_follows_the_best_price_and_fires_at_its_distance():
    desk = long_position()
    desk.plan(1, SELL, 0, 0, close_position=True, callback_rate=1_000_000)
    assert desk.exchange.open_plans(1)[0].trigger_price == 990

    desk.mark(1_100)
    assert desk.exchange.open_plans(1)[0].trigger_price == 1_089
    assert fired(desk.mark(1_090)) == []
    assert fired(desk.mark(1_089)) == [1]


def test_a_trailing_plan_waits_for_its_activation_price():
    desk = long_position()
    desk.plan(1, SELL, 0, 0, close_position=True, callback_rate=1_000_000, activation_price=1_050)

    assert fired(desk.mark(950)) == []
    desk.mark(1_050)
    assert fired(desk.mark(1_039)) == [1]


@pytest.mark.parametrize(("side", "way"), [(SELL, 1), (BUY, -1)])
def test_an_order_that_moves_the_price_one_way_fires_no_trailing_plan_that_follows_it(side, way):
    desk = Desk()
    desk.trade(3, 2, 1, 1_000)
    desk.plan(1, side, 1, 0, TriggerBy.LAST, callback_rate=1_000_000)
    for distance in (10, 50, 90):
        desk.limit(2, side, 1, 1_000 + way * distance)

    swept = desk.market(3, SELL if side is BUY else BUY, 3)

    assert fired(swept) == []
    assert desk.exchange.open_plans(1)[0].trigger_price == (1_079 if way > 0 else 920)


def test_of_two_that_cancel_each_other_the_one_whose_price_came_first_fires():
    desk = Desk()
    desk.trade(3, 2, 1, 1_000)
    desk.plan(1, BUY, 1, 1_050, TriggerBy.LAST, group="g")
    desk.plan(1, BUY, 1, 950, TriggerBy.LAST, group="g")
    down = [(BUY, 940), (SELL, 940)]
    up = [(SELL, 1_060), (BUY, 1_060)]

    orders = [
        PlaceOrder(number, SYMBOL, side, 1, OrderKind.LIMIT, price)
        for number, (side, price) in zip((2, 3, 2, 3), down + up, strict=True)
    ]

    assert fired(desk.apply(Batch(tuple(orders)))) == [2]


def test_a_plan_that_closes_the_position_is_given_no_size_later_either():
    desk = long_position()
    desk.plan(1, SELL, 0, 950, close_position=True)

    (refused,) = desk.apply(AmendPlanOrder(1, SYMBOL, 1, contracts=2))
    (amended,) = desk.apply(AmendPlanOrder(1, SYMBOL, 1, trigger_price=940))

    assert refused.reason is RejectReason.INVALID_CONTRACTS
    assert (amended.contracts, amended.trigger_price) == (0, 940)


@pytest.mark.parametrize(("side", "activation", "then"), [(SELL, 990, 985), (BUY, 1_010, 1_015)])
def test_a_trailing_plan_whose_activation_price_is_passed_already_follows_from_now(
    side, activation, then
):
    desk = Desk()
    desk.plan(1, side, 1, 0, callback_rate=1_000_000, activation_price=activation)

    assert desk.exchange.open_plans(1)[0].trigger_price == (990 if side is SELL else 1_010)
    assert fired(desk.mark(then)) == [1]


def test_a_protected_plan_waits_on_while_last_and_mark_are_too_far_apart():
    desk = long_position()
    desk.plan(1, SELL, 1, 960, price_protect=True)
    desk.plan(1, SELL, 1, 960)

    assert fired(desk.mark(950)) == [2]  # it sold at 900: more than 5 % below the mark
    assert fired(desk.mark(948)) == []
    assert fired(desk.mark(947)) == [1]  # 47 is 5 % of it


def test_a_protected_plan_that_looks_at_the_last_price_is_kept_from_a_wild_trade():
    desk = long_position()
    desk.plan(1, SELL, 1, 960, TriggerBy.LAST, price_protect=True, group="g")
    desk.plan(1, SELL, 1, 1_040, TriggerBy.LAST, group="g")

    assert fired(desk.market(2, SELL, 1)) == []  # 900, the mark is 1,000
    assert len(desk.exchange.open_plans(1)) == 2
    assert fired(desk.trade(3, 2, 1, 955)) == [1]
    assert desk.exchange.open_plans(1) == []


def test_a_protected_plan_that_is_held_back_can_be_cancelled_and_ends_with_its_position():
    desk = long_position()
    desk.plan(1, SELL, 1, 960, price_protect=True)
    desk.plan(1, SELL, 0, 960, close_position=True, attached=True, price_protect=True)
    desk.trade(3, 2, 1, 900)
    desk.mark(960)
    assert len(desk.exchange.open_plans(1)) == 2

    desk.apply(CancelPlanOrder(1, SYMBOL, 1))
    desk.market(1, SELL, 10)

    assert desk.exchange.open_plans(1) == []
    assert fired(desk.mark(900)) == []


def test_a_plan_expires_at_its_time_even_when_nothing_else_happens():
    desk = Desk()
    desk.plan(1, BUY, 1, 990, expires_at=5_000_000)

    (expired,) = of_type(desk.wait(10), PlanOrderCancelled)

    assert (expired.reason, expired.at) == (CancelReason.EXPIRED, 5_000_000)


def test_a_plan_whose_order_is_refused_fails_and_leaves_its_siblings():
    desk = long_position()
    desk.plan(1, BUY, 100_000, 950, kind=OrderKind.LIMIT, price=950, group="g")
    desk.plan(1, SELL, 1, 1_100, group="g")

    (failed,) = of_type(desk.mark(950), PlanOrderFailed)

    assert failed.reason is RejectReason.INSUFFICIENT_MARGIN
    assert [p.plan_id for p in desk.exchange.open_plans(1)] == [2]


def test_a_fault_plan_refuses_orders_and_plans_and_lets_plans_fail():
    desk = long_position()
    for target in ("order", "plan", "fire"):
        desk.apply(ForceReject(1, target, 1))

    assert desk.limit(1, BUY, 1, 900)[0].reason is RejectReason.FORCED
    assert desk.limit(1, BUY, 1, 900)[0].order_id
    assert desk.plan(1, SELL, 1, 950)[0].reason is RejectReason.FORCED
    desk.plan(1, SELL, 1, 950)
    assert of_type(desk.mark(950), PlanOrderFailed)[0].reason is RejectReason.FORCED


def test_an_amended_plan_fires_at_its_new_trigger_only():
    desk = Desk()
    desk.plan(1, BUY, 1, 990)
    desk.apply(AmendPlanOrder(1, SYMBOL, 1, trigger_price=980, contracts=3))

    assert fired(desk.mark(985)) == []
    assert fired(desk.mark(980)) == [1]


def test_a_cancelled_plan_does_not_fire_and_cannot_be_cancelled_twice():
    desk = Desk()
    desk.plan(1, BUY, 1, 990, client_order_id="p")
    desk.apply(CancelPlanOrder(1, SYMBOL, client_order_id="p"))

    assert fired(desk.mark(900)) == []
    (refused,) = desk.apply(CancelPlanOrder(1, SYMBOL, client_order_id="p"))
    assert refused.reason is RejectReason.UNKNOWN_PLAN
