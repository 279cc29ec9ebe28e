"""Each fault strikes whom and when its rule says, and nobody else."""

import pytest

from simexchange.clock import ManualClock
from simexchange.core.commands import (
    AdvanceTime,
    Batch,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
    SetIndex,
    SetIndexSources,
    SetMark,
)
from simexchange.core.events import (
    FaultArmed,
    FundingPaid,
    FundingSettled,
    OrderAccepted,
    OrderRejected,
    PlanOrderAccepted,
    PlanOrderFailed,
    PlanOrderRejected,
)
from simexchange.core.types import (
    HOUR_US,
    MONEY_SCALE,
    RATE_SCALE,
    SECOND_US,
    OrderKind,
    RejectReason,
    Side,
    TriggerBy,
)
from simexchange.faults import Fault, FaultPlan, FaultRule
from simexchange.pytest_plugin.facade import ExchangeFacade

BTC = {"tick": "1", "face": "0.001", "funding": {"interval": "1h"}, "index": "1000"}


@pytest.fixture
def facade():
    """An exchange with a maker, alice and bob, in the words of the pytest plugin."""
    made = ExchangeFacade(
        ManualClock(), instruments={"BTCUSDT": BTC}, insurance_fund=MONEY_SCALE * 1_000
    )
    made.quote("BTCUSDT", around="1000", contracts=100, levels=2)
    made.account("alice", deposit="1000")
    made.account("bob", deposit="1000")
    return made


@pytest.mark.parametrize("seed", range(6))
def test_a_part_of_a_quote_is_never_worth_less_than_an_order_must_be(seed):
    made = ExchangeFacade(
        ManualClock(),
        instruments={"BTCUSDT": BTC | {"minimum_notional": "5"}},
        insurance_fund=MONEY_SCALE * 1_000,
    )
    made.quote("BTCUSDT", around="1000", contracts=20, levels=1)
    alice = made.account("alice", deposit="1000")
    arm(made, FaultRule(fault=Fault.PARTIAL_FILLS), seed=seed)

    filled = alice.buy("BTCUSDT", contracts=10).filled

    assert 5 <= filled < 10


def arm(facade, *rules, seed=0):
    facade.use_faults(FaultPlan(seed=seed, rules=rules))
    return facade.simulation


def number(facade, name):
    return facade.account(name).number


def buy(account, contracts=1):
    return PlaceOrder(account, "BTCUSDT", Side.BUY, contracts, OrderKind.MARKET)


def stop(account, trigger=990):
    return PlacePlanOrder(
        account, "BTCUSDT", Side.SELL, 1, trigger, TriggerBy.MARK, client_order_id=None
    )


def kinds(events):
    return [type(event) for event in events]


def test_orders_of_the_accounts_named_are_refused_and_of_others_not(facade):
    alice, bob = number(facade, "alice"), number(facade, "bob")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS, accounts=(alice,)))

    (refusal,) = simulation.apply(buy(alice))

    assert isinstance(refusal, OrderRejected)
    assert refusal.reason is RejectReason.FORCED
    assert OrderAccepted in kinds(simulation.apply(buy(bob)))


def test_a_fault_strikes_at_most_as_often_as_it_may(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS, at_most=2))

    refused = [OrderRejected in kinds(simulation.apply(buy(alice))) for _ in range(4)]

    assert refused == [True, True, False, False]
    assert simulation.happened == [2]


def test_a_fault_strikes_only_in_its_time(facade):
    alice = number(facade, "alice")
    rule = FaultRule(fault=Fault.REJECT_ORDERS, since=10 * SECOND_US, until=20 * SECOND_US)
    simulation = arm(facade, rule)

    refused = {}
    for second in (0, 9, 10, 19, 20):
        facade.clock.set(second * SECOND_US)
        refused[second] = OrderRejected in kinds(simulation.apply(buy(alice)))

    assert refused == {0: False, 9: False, 10: True, 19: True, 20: False}


def test_chance_is_that_of_the_rule_and_another_seed_strikes_otherwise(facade):
    alice = number(facade, "alice")
    patterns = []
    for seed in (1, 2):
        simulation = arm(
            facade, FaultRule(fault=Fault.REJECT_ORDERS, chance=RATE_SCALE // 4), seed=seed
        )
        patterns.append([OrderRejected in kinds(simulation.apply(buy(alice))) for _ in range(100)])

    assert patterns[0] != patterns[1]
    assert all(10 <= sum(pattern) <= 40 for pattern in patterns)


def test_a_plan_that_is_switched_off_strikes_nobody(facade):
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS))
    simulation.is_on = False

    assert OrderAccepted in kinds(simulation.apply(buy(number(facade, "alice"))))


def test_a_batch_loses_as_many_orders_as_chance_strikes(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS, at_most=2))

    events = simulation.apply(Batch((buy(alice), buy(alice), buy(alice))))

    assert kinds(events).count(OrderRejected) == 2
    assert kinds(events).count(OrderAccepted) == 1


def test_an_order_that_is_refused_anyway_does_not_hand_its_fault_to_the_next(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS, at_most=1))

    simulation.apply(PlaceOrder(alice, "NOWHERE", Side.BUY, 1, OrderKind.MARKET))

    assert OrderAccepted in kinds(simulation.apply(buy(alice)))


def test_what_a_test_armed_itself_stays_armed_beside_a_plan(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS, at_most=1))
    simulation.apply(ForceReject(alice, "order", 2))

    refused = [OrderRejected in kinds(simulation.apply(buy(alice))) for _ in range(4)]

    assert refused == [True, True, True, False]


def test_new_plan_orders_are_refused(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_PLANS, at_most=1))

    assert kinds(simulation.apply(stop(alice))) == [PlanOrderRejected]
    assert kinds(simulation.apply(stop(alice))) == [PlanOrderAccepted]


def test_as_many_plan_orders_fail_when_they_fire_as_were_struck(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.FAIL_PLANS, at_most=2))
    for trigger in (990, 980, 970):
        assert kinds(simulation.apply(stop(alice, trigger))) == [PlanOrderAccepted]

    events = simulation.apply(SetMark("BTCUSDT", 960))

    failed = [event for event in events if isinstance(event, PlanOrderFailed)]
    assert [event.reason for event in failed] == [RejectReason.FORCED] * 2
    assert kinds(events).count(OrderAccepted) == 1


@pytest.mark.parametrize(
    "command",
    [SetMark("BTCUSDT", 900), SetIndex("BTCUSDT", 900), SetIndexSources("BTCUSDT", (900, 900))],
    ids=lambda command: type(command).__name__,
)
def test_a_late_price_comes_after_its_delay_and_in_order(facade, command):
    simulation = arm(facade, FaultRule(fault=Fault.LATE_MARKS, delay_us=10 * SECOND_US, at_most=1))

    assert simulation.apply(command) == []
    assert simulation.late_prices == 1
    assert simulation.exchange.mark_price("BTCUSDT") == 1_000

    facade.clock.advance(seconds=10)
    simulation.deliver()
    assert simulation.late_prices == 0
    assert 900 in {
        simulation.exchange.mark_price("BTCUSDT"),
        simulation.exchange.index_price("BTCUSDT"),
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda price: SetMark("BTCUSDT", price),
        lambda price: SetIndex("BTCUSDT", price),
        lambda price: SetIndexSources("BTCUSDT", (price, price, price)),
    ],
)
def test_a_jumping_price_is_wrong_by_no_more_than_its_jump(facade, make):
    simulation = arm(facade, FaultRule(fault=Fault.JUMPING_MARKS, jump=RATE_SCALE // 100))
    seen = set()
    for _ in range(50):
        simulation.apply(make(100_000))
        seen.add(
            simulation.exchange.mark_price("BTCUSDT")
            if isinstance(make(1), SetMark)
            else simulation.exchange.index_price("BTCUSDT")
        )

    assert len(seen) > 25
    assert all(99_000 <= price <= 101_000 for price in seen)
    assert min(seen) < 100_000 < max(seen)


def test_a_late_price_is_there_at_the_very_microsecond(facade):
    simulation = arm(facade, FaultRule(fault=Fault.LATE_MARKS, delay_us=1, at_most=1))
    simulation.apply(SetMark("BTCUSDT", 900))

    facade.clock.advance(microseconds=1)
    simulation.apply(AdvanceTime())

    assert simulation.exchange.mark_price("BTCUSDT") == 900


def test_a_late_price_arrives_before_a_funding_that_comes_after_it_however_time_is_advanced(facade):
    facade.account("alice").buy("BTCUSDT", contracts=10)
    facade.advance(until="00:59:45")
    simulation = arm(facade, FaultRule(fault=Fault.LATE_MARKS, delay_us=10 * SECOND_US, at_most=1))
    facade.mark("BTCUSDT", "1010")
    assert simulation.late_prices == 1

    facade.advance(minutes=5)

    facade.assert_event("FundingPaid", account="alice", mark="1010")


def test_a_plan_order_whose_order_is_refused_uses_up_no_failure_of_plans(facade):
    alice = number(facade, "alice")
    simulation = arm(facade, FaultRule(fault=Fault.FAIL_PLANS, since=SECOND_US, at_most=1))
    simulation.apply(stop(alice, 990))
    simulation.apply(ForceReject(alice, "order", 1))
    assert PlanOrderFailed in kinds(simulation.apply(SetMark("BTCUSDT", 990)))

    facade.clock.advance(seconds=1)
    simulation.apply(stop(alice, 980))
    simulation.apply(stop(alice, 970))

    assert kinds(simulation.apply(SetMark("BTCUSDT", 970))).count(PlanOrderFailed) == 1


def test_a_mark_given_back_to_the_formula_is_no_price_and_comes_at_once(facade):
    simulation = arm(facade, FaultRule(fault=Fault.LATE_MARKS, delay_us=SECOND_US))

    simulation.apply(SetMark("BTCUSDT", None))

    assert simulation.late_prices == 0


def settled(facade, simulation, hours):
    """Return whether each of the next fundings was left out."""
    seen = []
    for _ in range(hours):
        facade.clock.advance(microseconds=HOUR_US)
        events = simulation.apply(AdvanceTime())
        seen += [event.skipped for event in events if isinstance(event, FundingSettled)]
        if seen[-1:] == [True]:
            assert FundingPaid not in kinds(events)
    return seen


def test_fundings_are_left_out_from_the_first_one_on(facade):
    facade.account("alice").buy("BTCUSDT", contracts=5)
    simulation = arm(facade, FaultRule(fault=Fault.SKIP_FUNDING, at_most=2))

    assert settled(facade, simulation, 4) == [True, True, False, False]


def test_each_funding_is_drawn_for_once(facade):
    facade.account("alice").buy("BTCUSDT", contracts=5)
    simulation = arm(facade, FaultRule(fault=Fault.SKIP_FUNDING, chance=RATE_SCALE // 2), seed=3)

    skipped = settled(facade, simulation, 60)

    assert 15 <= sum(skipped) <= 45
    assert sum(skipped) <= simulation.happened[0] <= sum(skipped) + 1


def test_the_caller_gets_the_events_of_his_own_command_and_listeners_get_all(facade):
    heard = []
    simulation = arm(facade, FaultRule(fault=Fault.REJECT_ORDERS))
    simulation.subscribe(heard.extend)

    events = simulation.apply(buy(number(facade, "alice")))

    assert kinds(events) == [OrderRejected]
    assert kinds(heard) == [FaultArmed, OrderRejected]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"fault": Fault.REJECT_ORDERS, "chance": RATE_SCALE + 1}, "between 0 % and 100 %"),
        ({"fault": Fault.LATE_MARKS}, "needs a delay"),
        ({"fault": Fault.JUMPING_MARKS, "jump": RATE_SCALE}, "above 0 % and below 100 %"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        FaultRule(**wrong)
