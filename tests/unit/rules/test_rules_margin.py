"""Margin, tiers, order cost and fees: figures by hand, edges, and refusals."""

from decimal import Decimal

import pytest

from simexchange.rules import (
    BINANCE,
    BYBIT,
    DYDX,
    KUCOIN,
    NAUTILUS,
    OURS,
    MarginTier,
    TierTable,
    UnknownRule,
    assuming_price,
    commission_in_discount_asset,
    equity_to_used_margin,
    initial_margin,
    is_liquidatable,
    maintenance_amounts,
    maintenance_margin,
    margin_ratio,
    margin_requirement,
    maximum_margin_addition,
    maximum_margin_removal,
    notional,
    one_way_quantity_at_risk,
    open_interest_margin_ppm,
    open_interest_scaled_margin,
    open_loss,
    order_cost,
    quote_quantums,
    realized_pnl,
    tier_table_from_brackets,
    tier_tables_from_brackets,
    trading_fee,
    unrealized_pnl,
)

TIERS = TierTable.from_rates([(0, "0.01", 50), (1000, "0.025", 20), (3000, "0.05", 10)])


def bracket(floor, cap, rate, leverage, **info):
    """Return a bracket as ccxt writes it: JSON floats, the venue's own words under info."""
    return {
        "minNotional": floor,
        "maxNotional": cap,
        "maintenanceMarginRate": rate,
        "maxLeverage": leverage,
        "info": info,
    }


@pytest.mark.parametrize(
    ("value", "index", "margin"),
    [
        (0, 0, 0),
        (1000, 0, 10),  # an edge belongs to the tier below it
        ("1000.01", 1, "10.00025"),
        (3000, 1, 60),
        (3500, 2, 85),
    ],
)
def test_a_notional_finds_its_tier_and_its_margin(value, index, margin):
    assert TIERS.index_of(value) == index
    assert TIERS.maintenance_margin(value) == Decimal(margin)
    assert TIERS.maintenance_margin_by_slices(value) == Decimal(margin)


def test_a_position_that_has_outgrown_the_table_is_margined_at_the_last_tier():
    tiers = tier_table_from_brackets([bracket(0.0, 1000.0, 0.01, 50.0)])

    assert tiers.maximum_notional == 1000
    assert tiers.maintenance_margin(5000) == 50


def test_a_table_of_rates_has_no_end():
    assert TIERS.maximum_notional is None
    assert [tier.maintenance_amount for tier in TIERS.tiers] == [0, 15, 90]
    assert TIERS.maximum_leverage(2000) == 20


def test_brackets_without_a_printed_amount_get_the_one_that_follows_from_the_rates():
    rows = [bracket(0.0, 5000.0, 0.012, 50.0), bracket(5000.0, None, 0.025, 20.0)]

    printed = [bracket(0.0, 5000.0, 0.012, 50.0, cum="0.0")]
    printed.append(bracket(5000.0, None, 0.025, 20.0, cum="65.0"))

    assert tier_table_from_brackets(rows) == tier_table_from_brackets(printed)
    assert tier_table_from_brackets(rows).tiers[1].maintenance_amount == 65


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "at least one tier"),
        ([bracket(1.0, 2.0, 0.01, 50.0)], "must start at notional 0"),
        ([bracket(0.0, 0.0, 0.01, 50.0)], "must end above its floor"),
        ([bracket(0.0, 10.0, 0.02, 50.0)], "initial margin would not exceed maintenance margin"),
        (
            [bracket(0.0, 10.0, 0.01, 50.0), bracket(20.0, 30.0, 0.02, 25.0)],
            "tiers must be contiguous, but one ends at 10 and the next starts at 20",
        ),
        (
            [bracket(0.0, 10.0, 0.01, 50.0), bracket(10.0, 30.0, 0.005, 25.0)],
            "maintenance margin rate falls at notional 10",
        ),
        (
            [bracket(0.0, 10.0, 0.01, 25.0), bracket(10.0, 30.0, 0.015, 50.0)],
            "maximum leverage rises at notional 10",
        ),
        (
            [bracket(0.0, 10.0, 0.01, 50.0), bracket(10.0, 30.0, 0.02, 25.0, cum="5")],
            "maintenance margin jumps by .* at notional 10",
        ),
        ([{"minNotional": 0.0}], "a bracket has no maintenanceMarginRate"),
        ([bracket("x", None, 0.01, 50.0)], "minNotional must be a decimal number"),
    ],
)
def test_what_is_no_tier_table_is_refused_with_a_sentence(rows, sentence):
    with pytest.raises(ValueError, match=sentence):
        tier_table_from_brackets(rows)


def test_a_file_of_brackets_names_the_symbol_at_fault():
    tables = {"GOOD": [bracket(0.0, None, 0.01, 50.0)], "BAD": []}

    with pytest.raises(ValueError, match="BAD: a tier table needs at least one tier"):
        tier_tables_from_brackets(tables)

    del tables["BAD"]
    assert list(tier_tables_from_brackets(tables)) == ["GOOD"]


def test_a_tier_may_be_written_out_by_hand():
    tier = MarginTier(
        floor=Decimal(0),
        cap=None,
        maintenance_margin_rate=Decimal("0.01"),
        maximum_leverage=Decimal(50),
        maintenance_amount=Decimal(0),
    )

    assert TierTable((tier,)) == TierTable.flat("0.01", 50)


@pytest.mark.parametrize(("rules", "expected"), [(OURS, "20"), (DYDX, "3"), (NAUTILUS, "0.06")])
def test_initial_margin_follows_the_rule_set(rules, expected):
    margin = initial_margin(
        quantity=1, price=1000, leverage=50, initial_margin_rate="0.003", rules=rules
    )

    assert margin == Decimal(expected)


def test_requirements_are_rounded_up_to_their_unit():
    third = {"quantity": 1, "price": 1000, "unit": "0.01"}

    assert initial_margin(**third, leverage=3) == Decimal("333.34")
    assert maintenance_margin(**third, maintenance_margin_rate="0.0033333") == Decimal("3.34")


def test_a_maintenance_amount_of_a_higher_tier_is_refused():
    with pytest.raises(ValueError, match="belongs to a higher tier"):
        maintenance_margin(
            quantity=1, price=100, maintenance_margin_rate="0.01", maintenance_amount=2
        )


@pytest.mark.parametrize(
    ("side", "contract_type", "expected"),
    [
        ("long", "linear", 75),
        ("short", "linear", -75),
        ("long", "inverse", "0.006"),  # 3/100 - 3/125
        ("short", "inverse", "-0.006"),
    ],
)
def test_profit_is_a_line_in_the_price_or_in_its_inverse(side, contract_type, expected):
    position = {"side": side, "quantity": 3, "entry_price": 100, "contract_type": contract_type}

    assert realized_pnl(**position, exit_price=125) == Decimal(expected)
    assert unrealized_pnl(**position, mark_price=125) == Decimal(expected)


def test_notional_knows_contract_size_and_no_sign():
    assert notional(quantity=-5, price=28000, contract_size="0.001") == 140
    assert notional(quantity=100, price=50_000, contract_type="inverse") == Decimal("0.002")
    assert notional(quantity=0, price=1) == 0


def test_equality_liquidates():
    assert is_liquidatable(equity=10, maintenance_margin=10)
    assert is_liquidatable(equity="10.5", maintenance_margin=10, closing_fee="0.5")
    assert not is_liquidatable(equity="10.01", maintenance_margin=10)


def test_ratios_of_an_account():
    assert margin_ratio(maintenance_margin=30, margin_balance=120) == Decimal("0.25")
    assert equity_to_used_margin(
        account_balance=100, used_margin=50, unrealized_pnl=-20, fees=5
    ) == Decimal("1.5")
    with pytest.raises(ValueError, match="margin balance must be above zero"):
        margin_ratio(maintenance_margin=30, margin_balance=0)


@pytest.mark.parametrize(("available", "expected"), [(1000, 650), (100, 100), (-5, 0)])
def test_only_free_money_can_be_added_to_a_position(available, expected):
    added = maximum_margin_addition(
        cross_wallet_balance=1000,
        isolated_order_margin=200,
        cross_maintenance_margin=150,
        available_balance=available,
    )

    assert added == expected


@pytest.mark.parametrize(
    ("wallet", "mark", "expected"),
    [
        (190, 100, 90),  # initial margin of 100 stays
        (190, 120, 180),  # the profit covers it, so maintenance margin stays
        (100, 90, 0),
    ],
)
def test_margin_can_be_taken_down_to_what_the_position_needs(wallet, mark, expected):
    removed = maximum_margin_removal(
        side="long",
        quantity=10,
        entry_price=100,
        mark_price=mark,
        isolated_wallet_balance=wallet,
        maintenance_margin=10,
        initial_margin_rate="0.1",
    )

    assert removed == expected


@pytest.mark.parametrize(
    ("side", "mark", "expected"), [("long", 90, 20), ("long", 110, 0), ("short", 110, 20)]
)
def test_only_an_order_that_would_lose_at_once_holds_its_loss(side, mark, expected):
    assert open_loss(side=side, quantity=2, order_price=100, mark_price=mark) == expected


def test_a_long_is_charged_at_its_own_price_and_a_short_at_the_worst():
    order = {"order_price": 100, "last_price": 200, "mark_price": 250}

    assert assuming_price(side="long", **order) == 100
    assert assuming_price(side="short", **order) == 250
    assert assuming_price(side="short", **{**order, "mark_price": 1}) == Decimal("200.3")


def test_an_order_holds_what_its_rule_set_says():
    order = {"quantity": 1, "price": 1000, "leverage": 10, "fee_rate": "0.001", "mark_price": 990}

    bybit = order_cost(side="long", **order, rules=BYBIT)
    binance = order_cost(side="long", **order, rules=BINANCE)

    assert bybit.closing_fee == Decimal("0.9")  # on 900, the value at the bankruptcy price
    assert bybit.total == 100 + 10 + 1 + Decimal("0.9")
    assert binance.total == 100 + 10
    assert order_cost(side="short", **order, rules=BYBIT).closing_fee == Decimal("1.1")


@pytest.mark.parametrize(
    "call",
    [
        lambda: order_cost(side="long", quantity=1, price=1, leverage=1, rules=KUCOIN),
        lambda: assuming_price(
            side="short", order_price=1, last_price=1, mark_price=1, rules=KUCOIN
        ),
    ],
)
def test_a_rule_set_that_does_not_say_what_an_order_holds_is_named(call):
    with pytest.raises(UnknownRule, match="rule set KUCOIN"):
        call()


def test_an_order_that_reduces_puts_no_more_at_risk():
    assert one_way_quantity_at_risk(position=5, pending_sells=[3, 4]) == 5
    assert one_way_quantity_at_risk(position=5, pending_sells=[3, 8]) == 6
    assert one_way_quantity_at_risk(position=-2, pending_buys=[1], pending_sells=[4]) == 6


@pytest.mark.parametrize(
    ("open_interest", "expected"),
    [(0, 200_000), (1_000_000, 200_000), (1_234_567, 387_653), (2_000_000, 1_000_000)],
)
def test_the_initial_margin_fraction_grows_with_open_interest(open_interest, expected):
    ppm = open_interest_margin_ppm(
        base_initial_margin_ppm=200_000,
        open_interest_notional=open_interest,
        lower_cap=1_000_000,
        upper_cap=2_000_000,
    )

    assert ppm == expected


@pytest.mark.parametrize(("quantums", "expected"), [(7, (1, 1)), (-1001, (11, 6)), (0, (0, 0))])
def test_both_margins_of_a_chain_are_rounded_up_one_after_the_other(quantums, expected):
    value = quote_quantums(base_quantums=quantums, price=1, atomic_resolution=-6)

    required = margin_requirement(
        notional=value, initial_margin_ppm=10_000, maintenance_fraction_ppm=500_000
    )

    assert required == expected


def test_a_margin_scaled_by_open_interest_is_rounded_up():
    margin = open_interest_scaled_margin(
        notional=-10,
        base_initial_margin_ppm=200_000,
        open_interest_notional=1_234_567,
        lower_cap=1_000_000,
        upper_cap=2_000_000,
    )

    assert margin == 4


def test_open_interest_without_an_upper_cap_changes_nothing():
    caps = {"base_initial_margin_ppm": 50_000, "open_interest_notional": 10**12, "lower_cap": 0}

    assert open_interest_margin_ppm(**caps, upper_cap=0) == 50_000
    with pytest.raises(ValueError, match="must not be above the upper cap"):
        open_interest_margin_ppm(**{**caps, "lower_cap": 2}, upper_cap=1)
    with pytest.raises(ValueError, match="must not be above 1,000,000"):
        open_interest_margin_ppm(**{**caps, "base_initial_margin_ppm": 10**7}, upper_cap=1)


def test_a_fee_is_rounded_half_up_and_a_maker_may_be_paid():
    assert trading_fee(quantity=1, price=100, fee_rate="0.000125", unit="0.0001") == Decimal(
        "0.0125"
    )
    assert trading_fee(quantity=1, price=1, fee_rate="0.00005", unit="0.0001") == Decimal("0.0001")
    assert trading_fee(quantity=1, price=100, fee_rate="-0.0001") == Decimal("-0.01")
    with pytest.raises(ValueError, match="between -1 and 1"):
        trading_fee(quantity=1, price=100, fee_rate=1)


def test_a_discount_touches_the_standard_part_only():
    parts = {"standard_commission": 4, "tax_commission": 2, "special_commission": 1}

    amount = commission_in_discount_asset(
        **parts, discount_factor="0.75", discount_asset_price=3, unit="0.01"
    )

    assert amount == 2


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ([(10_000, "0.01"), (0, "0.004")], "must start at notional 0, not 10000"),
        ([(0, "0.004"), (0, "0.01")], "floors of tiers must rise; 0 comes after 0"),
        (
            [(0, "0.004"), (50, "0.01"), (20, "0.02")],
            "must rise; 20 comes after 50",
        ),
    ],
)
def test_tiers_in_another_order_are_refused_and_not_chained_wrong(tiers, sentence):
    with pytest.raises(ValueError, match=sentence):
        maintenance_amounts(tiers)


def test_a_table_of_no_tier_is_refused():
    with pytest.raises(ValueError, match="at least one tier"):
        TierTable.from_rates([])
