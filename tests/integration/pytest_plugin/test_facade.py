"""The exchange as a test sees it: every method does at the exchange what it says."""

from decimal import Decimal
from fractions import Fraction

import pytest

from simexchange.clock import ManualClock, SystemClock
from simexchange.core.types import MONEY_SCALE, OrderStatus
from simexchange.faults import Fault, FaultPlan, FaultRule
from simexchange.pytest_plugin.facade import ExchangeFacade

BTC = {"tick": "0.1", "face": "0.001", "maker_fee": "0%", "taker_fee": "0%", "mark": "65000"}


def make(clock=None, **words):
    made = ExchangeFacade(
        clock or ManualClock(),
        instruments={"BTCUSDT": BTC | words},
        insurance_fund=1_000_000 * MONEY_SCALE,
    )
    made.quote("BTCUSDT", around="65000", contracts=100, step="1")
    return made


@pytest.fixture
def exchange():
    return make()


@pytest.fixture
def alice(exchange):
    return exchange.account("alice", deposit="1000", spot="50")


def test_orders_are_placed_changed_and_cancelled(exchange, alice):
    resting = alice.buy("BTCUSDT", base="0.002", price="64000", time_in_force="post_only", name="b")

    assert (resting.status, resting.contracts, resting.average_price) == (OrderStatus.NEW, 2, None)
    assert alice.amend("BTCUSDT", "b", price="64000.1", contracts=3).contracts == 3
    alice.assert_order("b", price="64000.1", remaining=3)
    alice.cancel("BTCUSDT", "b")
    alice.assert_order("b", status="cancelled")
    alice.cancel("BTCUSDT", "b", rejected="unknown_order")
    alice.buy("BTCUSDT", contracts=1, price="64000")
    alice.cancel_all()
    assert exchange.simulation.exchange.open_orders(alice.number) == []


def test_an_average_price_is_an_exact_fraction(alice):
    order = alice.buy("BTCUSDT", contracts=150)

    assert order.average_price == Fraction(100 * 65001 + 50 * 65002, 150)


def test_plan_orders_wait_move_fire_and_end(exchange, alice):
    alice.buy("BTCUSDT", contracts=10)
    alice.plan(
        "BTCUSDT", "sell", trigger="64000", trigger_by="mark", close_position=True, name="stop"
    )
    alice.plan("BTCUSDT", "buy", contracts=1, trail="1%", trigger_by="mark", name="trail")
    alice.plan(
        "BTCUSDT",
        "buy",
        contracts=2,
        trigger="60000",
        trigger_by="mark",
        direction="falls",
        price="60000",
        expires_after="1m",
        name="late",
    )

    alice.amend_plan("BTCUSDT", "stop", trigger="64500")
    alice.assert_plan("stop", status="waiting", trigger="64500")
    alice.assert_plan("trail", trigger="65650")
    alice.cancel_plan("BTCUSDT", "trail")
    exchange.advance(minutes=1)
    alice.assert_plan("late", status="gone", trigger="none")
    exchange.mark("BTCUSDT", "64500")

    exchange.assert_event("PlanOrderCancelled", client_order_id="late", reason="expired")
    alice.assert_position("BTCUSDT", contracts=0)
    alice.amend_plan("BTCUSDT", "stop", contracts=1, price="1", rejected="unknown_plan")


def test_money_moves_between_wallets_and_accounts(exchange, alice):
    copy = exchange.account("copy", owner="alice")

    alice.deposit("5", wallet="spot")
    alice.withdraw("5", wallet="spot")
    alice.transfer("100", copy, transfer_id="once")
    alice.transfer("100", copy, transfer_id="once")
    alice.transfer("50", from_wallet="spot")
    alice.withdraw("10000", rejected="insufficient_balance")

    assert copy.balance().contract == Decimal(100)
    assert alice.balance().spot == 0
    assert alice.balance().contract == alice.balance().equity == alice.balance().available == 950


def test_the_account_that_gets_the_money_may_be_named(exchange, alice):
    exchange.account("bob")

    alice.transfer("100", "bob", to_wallet="spot")

    assert exchange.account("bob").balance().spot == Decimal(100)


def test_tiers_and_funding_are_given_in_the_words_of_scenario_files(exchange):
    by_word = [
        {"from": "0", "maintenance": "0.4%", "maximum_leverage": 100},
        {"from": "1000", "maintenance": "1%", "maximum_leverage": 50},
    ]
    rows = [tuple(tier.values()) for tier in by_word]

    first = exchange.list("AUSDT", tick="1", face="1", tiers=by_word, funding="yes")
    second = exchange.list("BUSDT", tick="1", face="1", tiers=rows, funding=True)

    assert first.tiers == second.tiers
    assert first.funding == second.funding


def test_the_fund_the_funding_rate_and_the_place_in_the_queue_can_be_asserted():
    exchange = make(funding=True, index="65000")
    alice, bob = (exchange.account(name, deposit="1000") for name in ("alice", "bob"))
    alice.buy("BTCUSDT", contracts=5)
    bob.sell("BTCUSDT", contracts=1)
    exchange.mark("BTCUSDT", "66000")

    exchange.assert_insurance_fund("1000000")
    exchange.assert_funding_rate("BTCUSDT", "0.01%")
    alice.assert_position("BTCUSDT", adl_lights=5)
    with pytest.raises(AssertionError, match="insurance fund balance: expected 5, found 1000000"):
        exchange.assert_insurance_fund("5")
    with pytest.raises(AssertionError, match=r"BTCUSDT funding_rate: expected 0\.02%, found"):
        exchange.assert_funding_rate("BTCUSDT", "0.02%")


def test_a_price_is_set_whatever_becomes_of_the_plans_it_fires(exchange, alice):
    alice.plan("BTCUSDT", "sell", contracts=1, trigger="64000", trigger_by="mark", reduce_only=True)

    exchange.mark("BTCUSDT", "64000")

    exchange.assert_event("PlanOrderFailed", reason="reduce_only_rejected")


def test_settings_are_those_of_the_exchange(exchange, alice):
    alice.leverage("BTCUSDT", 20)
    alice.fee_tier(taker_fee="0.1%")
    alice.buy("BTCUSDT", contracts=10)
    alice.adjust_margin("BTCUSDT", "5")
    alice.assert_position("BTCUSDT", leverage=20, margin="37.5005", margin_mode="isolated")
    assert alice.position("BTCUSDT").margin == Decimal("37.5005")
    alice.assert_balance(contract="961.84949")
    alice.margin_mode("BTCUSDT", "cross", rejected="open_position")
    alice.position_mode("hedge", rejected="open_position")

    hedger = exchange.account("hedger", deposit="1000", position_mode="hedge", margin_mode="cross")
    hedger.buy("BTCUSDT", contracts=1, position_side="long")
    hedger.sell("BTCUSDT", contracts=2, position_side="short")
    assert hedger.position("BTCUSDT", "short").contracts == 2
    hedger.assert_position("BTCUSDT", "long", contracts=1, margin_mode="cross")


def test_a_flat_position_has_no_prices(alice):
    position = alice.position("BTCUSDT")

    assert (position.entry_price, position.liquidation_price) == (None, None)
    alice.assert_position("BTCUSDT", entry_price="none")


def test_prices_can_be_set_and_given_back(exchange):
    exchange.index("BTCUSDT", "64000")
    exchange.mark("BTCUSDT", None)

    exchange.assert_price("BTCUSDT", index="64000", mark="at most 65000")


def test_time_is_passed_in_strides_where_that_is_asked_for(exchange):
    exchange.index("BTCUSDT", "65000")

    assert exchange.advance(hours=1, seconds=1) == "1970-01-01 01:00:01"
    assert exchange.advance(days=1, every="6h") == "1970-01-02 01:00:01"
    assert exchange.advance(until="01:00:01") == "1970-01-02 01:00:01"


def test_funding_can_be_held_skipped_and_made_more_frequent():
    exchange = make(funding=True, index="65000")
    alice = exchange.account("alice", deposit="1000")
    alice.buy("BTCUSDT", contracts=10)
    exchange.funding_rate("BTCUSDT", "0.01%")
    exchange.funding_interval("BTCUSDT", "1h")
    exchange.skip_funding("BTCUSDT")

    exchange.advance(hours=8)
    exchange.assert_no_event("FundingPaid")
    exchange.advance(hours=1)

    exchange.assert_event("FundingPaid", account=alice, payment="0.065", rate="0.01%", times=1)


def test_a_market_runs_from_its_seed():
    hashes = []
    for seed in (1, 1, 2):
        exchange = ExchangeFacade(
            ManualClock(),
            seed=seed,
            instruments={"BTCUSDT": {"tick": "0.1", "face": "0.001"}},
            insurance_fund=0,
        )
        with pytest.raises(ValueError, match="call start_market first"):
            exchange.run_market("1m")
        exchange.start_market(
            """
            maker: maker
            instruments: {BTCUSDT: {start: 65000, quotes: {levels: 5}}}
            """
        )
        assert exchange.run_market("10500ms") == "1970-01-01 00:00:10.5"
        assert exchange.account("alice", deposit="1000").buy("BTCUSDT", contracts=1).filled == 1
        exchange.assert_balanced()
        hashes.append(exchange.event_hash)

    assert hashes[0] == hashes[1] != hashes[2]


def test_faults_can_be_a_plan_of_the_core_and_be_stopped(exchange, alice):
    exchange.use_faults(FaultPlan(rules=(FaultRule(fault=Fault.REJECT_ORDERS),)))
    alice.buy("BTCUSDT", contracts=1, rejected="forced")
    exchange.stop_faults()

    assert alice.buy("BTCUSDT", contracts=1).filled == 1
    alice.reject_next(what="plan")
    alice.plan("BTCUSDT", "buy", contracts=1, trigger="1", rejected="forced")


def test_fields_of_an_event_may_be_given_as_python_has_them(exchange, alice):
    alice.buy("BTCUSDT", contracts=1, reduce_only=False, name="x")

    exchange.assert_event("OrderAccepted", account=alice, reduce_only=False, price=None)
    assert exchange.account("alice") is alice
    assert repr(alice) == "<account alice>"


def test_a_market_does_not_move_the_computers_clock():
    exchange = make(SystemClock())
    exchange.start_market("instruments: {BTCUSDT: {start: 65000}}")

    with pytest.raises(ValueError, match="follows the computer's clock"):
        exchange.run_market("1m")


def test_a_misspelt_option_is_refused_and_not_left_out(exchange):
    alice = exchange.account("alice", deposit="1000", spot="0")

    with pytest.raises(ValueError, match="a plan order has no triger; did you mean trigger"):
        alice.plan("BTCUSDT", "sell", contracts=1, triger="64000")
    with pytest.raises(ValueError, match="an order has no reduceonly; did you mean reduce_only"):
        alice.sell("BTCUSDT", contracts=1, reduceonly=True)
