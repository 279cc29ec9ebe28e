"""Laws of fault plans: repeatable, and no plan makes the exchange wrong."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.clock import ManualClock
from simexchange.core.commands import (
    AdvanceTime,
    Batch,
    CancelAll,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetIndex,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import FundingRules, Instrument
from simexchange.core.types import (
    HOUR_US,
    MONEY_SCALE,
    RATE_SCALE,
    SECOND_US,
    AccountKind,
    OrderKind,
    Side,
    TimeInForce,
    TriggerBy,
    Wallet,
)
from simexchange.faults import Fault, FaultPlan, FaultRule, FaultySimulation

SYMBOL = "BTCUSDT"
BTC = Instrument(
    symbol=SYMBOL,
    base="BTC",
    tick_size=Decimal(1),
    contract_size=Decimal("0.001"),
    funding=FundingRules(interval_us=HOUR_US),
)
MAKER, ALICE, BOB = 1, 2, 3

accounts = st.sampled_from([MAKER, ALICE, BOB])
traders = st.sampled_from([ALICE, BOB])
sides = st.sampled_from(Side)
prices = st.integers(950, 1_050)
sizes = st.integers(1, 40)

limit_orders = st.builds(
    PlaceOrder,
    account=accounts,
    symbol=st.just(SYMBOL),
    side=sides,
    contracts=sizes,
    kind=st.just(OrderKind.LIMIT),
    price=prices,
    time_in_force=st.sampled_from(TimeInForce),
    reduce_only=st.booleans(),
)
market_orders = st.builds(
    PlaceOrder,
    account=traders,
    symbol=st.just(SYMBOL),
    side=sides,
    contracts=sizes,
    kind=st.just(OrderKind.MARKET),
)
plan_orders = st.builds(
    PlacePlanOrder,
    account=traders,
    symbol=st.just(SYMBOL),
    side=sides,
    contracts=sizes,
    trigger_price=prices,
    trigger_by=st.sampled_from([TriggerBy.MARK, TriggerBy.INDEX]),
)
commands = st.one_of(
    limit_orders,
    limit_orders,
    market_orders,
    plan_orders,
    st.builds(SetMark, symbol=st.just(SYMBOL), price=prices),
    st.builds(SetIndex, symbol=st.just(SYMBOL), price=prices),
    st.builds(CancelAll, account=accounts),
    st.builds(Batch, commands=st.lists(limit_orders, max_size=3).map(tuple)),
)
steps = st.one_of(commands, commands, commands, st.integers(1, 2 * HOUR_US))
chances = st.integers(0, RATE_SCALE)


@st.composite
def rules(draw):
    return FaultRule(
        fault=draw(st.sampled_from(Fault)),
        chance=draw(chances),
        at_most=draw(st.none() | st.integers(0, 5)),
        accounts=draw(st.none() | st.tuples(accounts)),
        symbols=draw(st.none() | st.just((SYMBOL,))),
        since=draw(st.none() | st.integers(0, HOUR_US)),
        until=draw(st.none() | st.integers(HOUR_US, 9 * HOUR_US)),
        delay_us=draw(st.integers(1, 60 * SECOND_US)),
        jump=draw(st.integers(1, RATE_SCALE // 10)),
    )


plans = st.builds(
    FaultPlan, seed=st.integers(0, 2**64), rules=st.lists(rules(), max_size=6).map(tuple)
)


def make_exchange(plan):
    simulation = FaultySimulation(Exchange(ExchangeConfig(check_every=1)), ManualClock())
    simulation.apply(ListInstrument(BTC))
    for kind in (AccountKind.MAKER, AccountKind.USER, AccountKind.USER):
        simulation.apply(OpenAccount(kind=kind))
    for account in (MAKER, ALICE, BOB):
        simulation.apply(Deposit(account, Wallet.CONTRACT, 1_000 * MONEY_SCALE))
    simulation.apply(SetIndex(SYMBOL, 1_000))
    simulation.set_plan(plan)
    return simulation


def run(plan, stream, *, is_on=True):
    """Run a stream of commands and pauses; every command checks every invariant."""
    simulation = make_exchange(plan)
    simulation.is_on = is_on
    for step in stream:
        if isinstance(step, int):
            simulation.clock.advance(microseconds=step)
            simulation.apply(AdvanceTime())
        else:
            simulation.apply(step)
    simulation.exchange.check()
    return simulation


@given(plans, st.lists(steps, max_size=60))
@settings(max_examples=150)
def test_the_same_plan_and_commands_are_the_same_run_and_the_books_stay_right(plan, stream):
    first, second = run(plan, stream), run(plan, stream)

    assert first.exchange.event_hash == second.exchange.event_hash
    assert first.happened == second.happened
    for rule, happened in zip(plan.rules, first.happened, strict=True):
        assert rule.at_most is None or happened <= rule.at_most


@given(plans, st.lists(steps, max_size=30))
@settings(max_examples=50)
def test_a_plan_that_is_off_or_empty_changes_nothing(plan, stream):
    plain = run(FaultPlan(), stream).exchange.event_hash

    assert run(plan, stream, is_on=False).exchange.event_hash == plain


@given(plans)
def test_a_plan_survives_json_and_msgpack(plan):
    assert msgspec.json.decode(msgspec.json.encode(plan), type=FaultPlan) == plan
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=FaultPlan) == plan


@given(st.integers(0, 2**64), st.integers(2, 40), st.booleans(), sides)
def test_a_partial_fill_is_the_best_part_and_the_makers_offer_again_what_they_withdrew(
    seed, contracts, is_limit, side
):
    simulation = make_exchange(
        FaultPlan(seed=seed, rules=(FaultRule(fault=Fault.PARTIAL_FILLS, accounts=(ALICE,)),))
    )
    for level in range(4):
        price = 1_000 + side * (10 + 5 * level)
        simulation.apply(PlaceOrder(MAKER, SYMBOL, Side(-side), 10, OrderKind.LIMIT, price))
    kind = OrderKind.LIMIT if is_limit else OrderKind.MARKET
    limit = 1_000 + side * 30 if is_limit else None

    simulation.apply(
        PlaceOrder(
            ALICE, SYMBOL, side, contracts, kind, limit, TimeInForce.IOC, client_order_id="a"
        )
    )

    order = simulation.exchange.order_by_client_id(ALICE, "a")
    left = [level for levels in simulation.exchange.depth(SYMBOL) for level in levels]
    best_first = [10 + 5 * (number // 10) for number in range(40)]
    assert order is not None
    assert 1 <= order.filled < contracts
    assert sum(size for _, size in left) == 40 - order.filled
    paid = order.filled_notional // BTC.tick_value
    assert paid == sum(1_000 + side * distance for distance in best_first[: order.filled])
    simulation.exchange.check()
