"""Liquidation steps, insurance fund and auto-deleveraging: figures by hand, edges, refusals."""

from decimal import Decimal

import pytest

from simexchange.rules import (
    BINANCE,
    BITMEX,
    BYBIT,
    DYDX,
    GATE,
    HYPERLIQUID,
    OKX,
    AdlEntry,
    CrossAccount,
    TierTable,
    UnknownRule,
    adl_lights,
    adl_price,
    adl_queue,
    adl_rank,
    adl_rotation,
    insurance_fund_delta,
    insurance_pool_adl,
    leverage_pnl,
    liquidation_fee,
    liquidation_fee_rate,
    liquidation_order_price,
    liquidation_step_quantity,
    partial_liquidation_quantity,
    socialised_loss_per_unit,
)

TIERS = TierTable.from_rates(
    [(0, "0.01", 50), (1000, "0.02", 25), (2000, "0.05", 10), (4000, "0.1", 5)]
)


def step(rules, quantity, equity):
    return liquidation_step_quantity(
        quantity=quantity,
        mark_price=100,
        equity=equity,
        tiers=TIERS,
        quantity_step="0.1",
        rules=rules,
    )


@pytest.mark.parametrize(
    ("rules", "quantity", "equity", "expected"),
    [
        (BINANCE, 50, 100, "50"),
        (HYPERLIQUID, 50, 100, "10"),
        (OKX, 50, 100, "30"),  # tier 4 down to the cap of tier 2
        (OKX, 15, 1, None),  # tier 2: takeover
        (BYBIT, 50, 140, "10"),  # 4,000 needs 130
        (BYBIT, 50, 130, "30"),  # equality liquidates, so down to 2,000, which needs 30
        (BYBIT, 50, 5, None),  # not even 1,000 would do
        (BYBIT, 5, 1, None),  # the lowest tier: takeover
    ],
)
def test_a_liquidation_step_follows_the_rule_set(rules, quantity, equity, expected):
    assert step(rules, quantity, equity) == (None if expected is None else Decimal(expected))


def test_a_rule_set_without_a_known_step_is_named():
    with pytest.raises(UnknownRule, match="rule set GATE says nothing about how much"):
        step(GATE, 1, 1)


def test_fees_that_eat_what_a_close_releases_mean_that_all_must_go():
    shortage = {"margin_shortage": 10, "oracle_price": 100, "margin_ratio": "0.05"}

    assert partial_liquidation_quantity(**shortage, liquidator_fee_rate="0.05") is None
    assert partial_liquidation_quantity(
        **shortage, liquidator_fee_rate="0.01", insurance_fee_rate="0.01", unit="0.01"
    ) == Decimal("3.34")


@pytest.mark.parametrize(
    ("collateral", "expected"), [(100, 50_000), (50, 49_975), (0, 49_950), (-10, 49_950)]
)
def test_a_liquidation_order_gets_cheaper_as_the_account_nears_bankruptcy(collateral, expected):
    price = liquidation_order_price(
        position_quantity=1,
        position_net_notional=50_000,
        position_maintenance_margin=500,
        account=CrossAccount(net_collateral=collateral, maintenance_margin=100),
        bankruptcy_adjustment=1,
        spread_to_maintenance_margin="0.1",
    )

    assert price == expected


def test_a_liquidation_order_needs_a_quantity_and_a_notional_of_one_sign():
    with pytest.raises(ValueError, match="both be above or below zero"):
        liquidation_order_price(
            position_quantity=-1,
            position_net_notional=1,
            position_maintenance_margin=1,
            account=CrossAccount(net_collateral=1, maintenance_margin=1),
            bankruptcy_adjustment=1,
            spread_to_maintenance_margin=1,
        )


def test_a_surplus_goes_to_the_fund_or_stays_with_the_user_after_a_fee():
    fill = {"proceeds": 1001, "bankruptcy_quote": 900, "maximum_fee_rate": "0.01"}

    assert insurance_fund_delta(**fill, rules=BYBIT) == 101
    assert insurance_fund_delta(**fill, rules=DYDX) == 10  # 10.01 is rounded down for the user
    assert insurance_fund_delta(**fill, unit=None, rules=DYDX) == Decimal("10.01")
    greedy = {**fill, "maximum_fee_rate": "0.5"}
    assert insurance_fund_delta(**greedy, rules=DYDX) == 101  # never more than is left


def test_a_surplus_rule_that_is_not_known_is_named():
    with pytest.raises(UnknownRule, match="surplus"):
        insurance_fund_delta(proceeds=1, bankruptcy_quote=0, rules=GATE)
    with pytest.raises(UnknownRule, match="maximum liquidation fee"):
        insurance_fund_delta(proceeds=1, bankruptcy_quote=0, rules=DYDX)


def test_the_insurance_fee_never_takes_the_last_of_the_room():
    account = {"margin_shortage": 10, "oracle_price": 100, "quantity": 10, "margin_ratio": "0.05"}

    rate = liquidation_fee_rate(**account, liquidator_fee_rate="0.01", maximum_fee_rate="0.05")
    capped = liquidation_fee_rate(**account, liquidator_fee_rate="0.01", maximum_fee_rate="0.02")

    assert rate == Decimal("0.95") * Decimal("0.03")
    assert capped == Decimal("0.02")


def test_a_liquidation_fee_is_rounded_up():
    assert liquidation_fee(quantity=1, price="33.33", fee_rate="0.003", unit="0.01") == Decimal(
        "0.1"
    )
    assert liquidation_fee(quantity=2, price=100, fee_rate="0.005") == 1


def test_a_loss_without_anybody_to_share_it_is_refused():
    with pytest.raises(ValueError, match="while no position is open"):
        socialised_loss_per_unit(loss=1, long_quantity=0, short_quantity=0)


@pytest.mark.parametrize(
    ("change", "triggered", "stopped", "excess"),
    [
        (-350_000, True, False, 50_000),
        (-300_000, True, False, 0),  # exactly at the threshold
        (-299_999, False, False, 0),
        (-250_000, False, False, 0),  # a running one goes on
        (-249_999, False, True, 0),
    ],
)
def test_a_drawdown_triggers_at_its_threshold_and_stops_above_another(
    change, triggered, stopped, excess
):
    state = insurance_pool_adl(
        balance=1_000_000, maximum_balance=1_000_000, symbol_pnl_change=change
    )

    assert (state.triggered, state.stopped, state.amount) == (triggered, stopped, excess)


@pytest.mark.parametrize(("balance", "triggered"), [(-1, True), (0, True), (1, False)])
def test_an_empty_pool_triggers_whatever_else_is_known(balance, triggered):
    assert insurance_pool_adl(balance=balance).triggered is triggered
    assert insurance_pool_adl(balance=balance).stopped is not triggered
    calm = {"maximum_balance": 10, "symbol_pnl_change": 0}
    assert insurance_pool_adl(balance=balance, **calm).triggered is triggered


def test_the_drawdown_rule_sleeps_in_a_small_pool_and_in_a_rule_set_without_it():
    loss = {"balance": 100, "maximum_balance": 100, "symbol_pnl_change": -90}

    assert insurance_pool_adl(**loss).triggered
    assert not insurance_pool_adl(**loss, effective_above=10_000).triggered
    assert not insurance_pool_adl(**loss, rules=BITMEX).triggered
    with pytest.raises(ValueError, match="between -1 and 0"):
        insurance_pool_adl(**loss, threshold="0.3")


POSITION = {"side": "long", "quantity": 2, "entry_price": 100, "mark_price": 150}


def test_the_rank_follows_the_rule_set():
    # Profit 50 %, effective leverage 300 / (300 - 120).
    assert round(adl_rank(**POSITION, bankruptcy_price=60), 6) == Decimal("0.833333")
    # Profit 100 on a wallet of 80, margin ratio 9 / 180.
    assert adl_rank(**POSITION, wallet_balance=80, maintenance_margin=9, rules=BINANCE) == Decimal(
        "0.0625"
    )
    # 150 / 100 × 300 / 200.
    assert adl_rank(**POSITION, wallet_balance=100, rules=HYPERLIQUID) == Decimal("2.25")
    assert adl_rank(**POSITION, rules=DYDX) == 0


def test_a_short_is_ranked_as_the_mirror_image_of_a_long():
    short = {"side": "short", "quantity": 2, "entry_price": 150, "mark_price": 100}

    assert adl_rank(**short, wallet_balance=100, rules=HYPERLIQUID) == Decimal("1.5")
    # Profit 1/3, effective leverage 200 / (400 - 200).
    assert round(adl_rank(**short, bankruptcy_price=200), 6) == Decimal("0.333333")


def test_a_loss_is_ranked_by_profit_over_leverage():
    losing = {**POSITION, "mark_price": 80}

    # Loss 20 %, effective leverage 160 / (160 - 120) = 4.
    assert adl_rank(**losing, bankruptcy_price=60) == Decimal("-0.05")


@pytest.mark.parametrize(
    ("pnl", "wallet", "expected"), [(-5, 100, 0), (5, -5, 0), (1, "0.5", "0.6666666666")]
)
def test_leverage_pnl_has_a_floor_for_losses_and_for_small_wallets(pnl, wallet, expected):
    score = leverage_pnl(unrealized_pnl=pnl, wallet_balance=wallet, maintenance_margin=1)

    assert abs(score - Decimal(expected)) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "needs the bankruptcy price"),
        ({"rules": BINANCE}, "needs the wallet balance"),
        ({"bankruptcy_price": 150}, "at or past its bankruptcy price"),
        ({"rules": GATE}, "rule set GATE says nothing about how positions are ranked"),
    ],
)
def test_a_rank_that_cannot_be_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        adl_rank(**POSITION, **arguments)


def test_both_sides_of_a_deleveraging_close_at_the_rule_set_s_price():
    prices = {"bankruptcy_price": 90, "mark_price": 85, "previous_mark_price": 86}

    assert adl_price(**prices) == 90
    assert adl_price(**prices, rules=OKX) == 85
    assert adl_price(**prices, rules=HYPERLIQUID) == 86
    with pytest.raises(UnknownRule, match="price of auto-deleveraging"):
        adl_price(**prices, rules=GATE)


@pytest.mark.parametrize(("percentile", "lights"), [(20, 5), (60, 3), (100, 1)])
def test_the_first_fifth_of_the_queue_shows_all_lights(percentile, lights):
    assert adl_lights(percentile) == lights


def test_a_percentile_is_a_fifth():
    with pytest.raises(ValueError, match="20, 40, 60, 80 or 100"):
        adl_lights(30)


def test_an_account_stands_in_a_queue_once_and_a_rotation_begins_where_it_is_told():
    entries = [AdlEntry(account=name, quantity=1, score=0) for name in "cab"]

    assert [entry.account for entry in adl_rotation(entries, start=4)] == ["b", "c", "a"]
    assert adl_rotation([], start=3) == ()
    with pytest.raises(ValueError, match="only once"):
        adl_queue([*entries, entries[0]])
