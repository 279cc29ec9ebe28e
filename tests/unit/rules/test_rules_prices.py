"""Liquidation and bankruptcy prices: venues' printed figures, edges, and refusals."""

from decimal import Decimal
from fractions import Fraction

import pytest

from simexchange.rules import (
    BINANCE,
    BITMEX,
    BYBIT,
    BYBIT_INVERSE,
    CHAINUP,
    DRIFT,
    FREQTRADE_BINANCE,
    KUCOIN,
    OURS,
    PHEMEX,
    CrossAccount,
    CrossPosition,
    HedgeLeg,
    TierTable,
    UnknownRule,
    bankruptcy_price,
    cross_bankruptcy_price,
    cross_bankruptcy_quote,
    cross_margin,
    hedge_liquidation_price,
    liquidation_price,
    liquidation_price_in_tiers,
    seed_liquidation_price,
)

ONE_COIN = {"quantity": 1, "entry_price": 28000, "maintenance_margin_rate": "0.004"}
TIERS = TierTable.from_rates([(0, "0.01", 50), (10_000, "0.02", 25), (50_000, "0.05", 10)])


@pytest.mark.parametrize(
    ("leverage", "rate", "fee", "expected"),
    [
        (10, "0.004", "0.0006", "30658.97"),
        (20, "0.005", "0.0006", "29236.28"),
        (100, "0.004", "0.0006", "28150.51"),
        (100, "0.004", "0.0010", "28139.30"),
        (125, "0.004", "0.0020", "28055.67"),
    ],
)
def test_a_short_of_ours_counts_margin_and_fee_at_its_own_price(leverage, rate, fee, expected):
    price = liquidation_price(
        side="short",
        quantity=1,
        entry_price=28000,
        leverage=leverage,
        maintenance_margin_rate=rate,
        fee_rate=fee,
    )

    assert round(price, 2) == Decimal(expected)


@pytest.mark.parametrize(
    ("side", "tick", "expected"),
    [("long", "0.5", "25316.5"), ("short", "0.5", "30658.5"), ("long", "1", "25317")],
)
def test_a_reported_price_is_rounded_toward_the_entry(side, tick, expected):
    price = liquidation_price(side=side, **ONE_COIN, leverage=10, fee_rate="0.0006", tick=tick)

    assert price == Decimal(expected)


def test_bybit_rounds_an_inverse_long_up_to_its_tick():
    position = {
        "side": "long",
        "quantity": 10_000,
        "entry_price": 8000,
        "margin": "0.5",
        "fee_rate": "0.00075",
        "contract_type": "inverse",
    }

    liquidation = liquidation_price(
        **position, maintenance_margin_rate="0.005", tick="0.5", rules=BYBIT_INVERSE
    )
    exact = liquidation_price(**position, maintenance_margin_rate="0.005", rules=BYBIT_INVERSE)

    assert round(exact, 2) == Decimal("5739.08")
    assert liquidation == Decimal("5739.5")
    assert round(bankruptcy_price(**position), 2) == Decimal("5718.57")


def test_bybit_rounds_a_bankruptcy_price_up_too():
    price = bankruptcy_price(
        side="long",
        quantity=5000,
        entry_price="7890.08",
        leverage=50,
        contract_type="inverse",
        tick="0.5",
    )

    assert price == Decimal("7735.5")


@pytest.mark.parametrize(("side", "expected"), [("long", "7500"), ("short", "15000")])
def test_an_inverse_bankruptcy_price_is_the_entry_times_leverage_over_leverage_plus_or_less_one(
    side, expected
):
    price = bankruptcy_price(
        side=side, quantity=100, entry_price=10_000, leverage=3, contract_type="inverse"
    )

    assert price == Decimal(expected)


def test_the_closing_fee_moves_the_bankruptcy_price_toward_the_entry():
    without = bankruptcy_price(side="long", quantity=2, entry_price=100, margin=20)
    charged = bankruptcy_price(side="long", quantity=2, entry_price=100, margin=20, fee_rate="0.1")

    assert without == 90
    assert charged == 100


def test_a_long_with_all_its_value_as_margin_has_no_liquidation_price():
    price = liquidation_price(
        side="long", quantity=1, entry_price=100, margin=100, maintenance_margin_rate="0.01"
    )

    assert price is None


def test_a_short_of_an_inverse_contract_with_leverage_one_has_no_liquidation_price():
    price = liquidation_price(
        side="short",
        quantity=100,
        entry_price=100,
        leverage=1,
        maintenance_margin_rate="0.01",
        contract_type="inverse",
    )

    assert price is None


def test_a_short_whose_margin_covers_nothing_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="below the requirement at every price"):
        liquidation_price(
            side="short", quantity=1, entry_price=100, margin=-200, maintenance_margin_rate=0
        )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"side": "up"}, 'the side of a position is "long" or "short"'),
        ({"quantity": 0}, "quantity must be above zero"),
        ({"entry_price": -1}, "entry price must be above zero"),
        ({"entry_price": 28000.5}, "a float has already lost digits"),
        ({"entry_price": "x"}, "entry price must be a decimal number"),
        ({"entry_price": Decimal("NaN")}, "entry price must be a finite number"),
        ({"leverage": 0}, "leverage must be above zero"),
        ({"leverage": True}, "not bool"),
        ({"margin": 1}, "either margin or leverage"),
        ({"leverage": None}, "either margin or leverage"),
        ({"maintenance_margin_rate": 5}, "write 0.5 % as 0.005"),
        ({"maintenance_margin_rate": "0.95", "fee_rate": "0.05"}, "together must be below 1"),
        ({"maintenance_amount": -1}, "maintenance amount must not be below zero"),
        ({"fee_rate": "-0.0001"}, "fee rate must not be below zero"),
        ({"contract_type": "quanto"}, 'a contract is "linear" or "inverse"'),
        ({"contract_size": 0}, "contract size must be above zero"),
        ({"tick": 0}, "step must be above zero"),
    ],
)
def test_what_is_outside_the_domain_is_refused_with_a_sentence(changed, sentence):
    arguments = {"side": "long", **ONE_COIN, "leverage": 10, **changed}

    with pytest.raises(ValueError, match=sentence):
        liquidation_price(**arguments)


@pytest.mark.parametrize("rules", [BITMEX, DRIFT])
def test_a_rule_set_that_has_published_nothing_says_so(rules):
    with pytest.raises(UnknownRule, match=f"rule set {rules.name} says nothing about"):
        liquidation_price(side="long", **ONE_COIN, leverage=10, rules=rules)


def test_the_same_position_is_judged_by_each_rule_set():
    def price(rules):
        return liquidation_price(
            side="short", **ONE_COIN, leverage=10, fee_rate="0.0006", rules=rules
        )

    # The last holds a closing fee in its margin, and takes one at its own price.
    prices = [price(rules) for rules in (OURS, CHAINUP, BINANCE, BYBIT, PHEMEX)]
    assert [round(each, 2) for each in prices] == [
        Decimal("30658.97"),
        Decimal("30671.20"),
        Decimal("30677.29"),
        Decimal("30688.00"),
        Decimal("30677.36"),
    ]
    assert price(KUCOIN) == price(OURS)


def test_a_buffer_belongs_to_the_rule_set():
    def price(rules):
        return liquidation_price(side="short", **ONE_COIN, leverage=10, rules=rules)

    exact, buffered = Fraction(price(BINANCE)), Fraction(price(FREQTRADE_BINANCE))
    assert abs(exact - buffered - (exact - 28000) / 20) < Fraction(1, 10**30)


def test_the_tier_at_the_liquidation_price_counts_and_not_the_one_at_the_entry():
    # 60,000 at the entry is in the third tier; at the liquidation price it is in the second.
    price = liquidation_price_in_tiers(
        side="long", quantity=60, entry_price=1000, margin=20_000, tiers=TIERS, rules=BINANCE
    )

    by_hand = liquidation_price(
        side="long",
        quantity=60,
        entry_price=1000,
        margin=20_000,
        maintenance_margin_rate="0.02",
        maintenance_amount=100,
        rules=BINANCE,
    )
    assert price == by_hand
    assert 10_000 < 60 * price < 50_000


@pytest.mark.parametrize(
    ("side", "contract_type", "expected"),
    [
        ("long", "linear", Decimal(80) * 10 / 9),  # (200 - 20 - 20) / (2 × 0.9)
        ("short", "linear", Decimal(240) / Decimal("2.2")),
        ("long", "inverse", Decimal("2.2") / 42),  # 2 × 1.1 / (20 + 20 + 2)
    ],
)
def test_the_maintenance_amount_gives_room_on_both_sides(side, contract_type, expected):
    entry_price = 100 if contract_type == "linear" else 1

    price = liquidation_price(
        side=side,
        quantity=2,
        entry_price=entry_price,
        margin=20,
        maintenance_margin_rate="0.1",
        maintenance_amount=20,
        contract_type=contract_type,
        rules=BINANCE,
    )

    assert abs(price - expected) < Decimal("1e-20")


def test_on_entry_notional_the_tier_at_the_entry_counts():
    price = liquidation_price_in_tiers(
        side="long", quantity=60, entry_price=1000, margin=20_000, tiers=TIERS, rules=BYBIT
    )

    # (60,000 - 20,000 + 60,000 × 5 % - 1,600) / 60
    assert price == Decimal(41_400) / 60


def test_a_position_that_no_tier_can_liquidate_has_no_price():
    price = liquidation_price_in_tiers(
        side="long", quantity=60, entry_price=1000, margin=60_000, tiers=TIERS
    )

    assert price is None


def test_losses_elsewhere_take_from_what_a_cross_account_puts_behind_a_position():
    losing = CrossPosition(
        side="short",
        quantity=2,
        entry_price=100,
        mark_price=150,
        maintenance_margin_rate="0.01",
        maintenance_amount=1,
    )

    assert cross_margin(wallet_balance=500, other_positions=[losing]) == 500 - 100 - 2
    assert cross_margin(wallet_balance=500, other_positions=[]) == 500


def test_a_net_leg_too_small_to_matter_has_no_liquidation_price():
    legs = [
        HedgeLeg(side="long", quantity=101, entry_price=100, maintenance_margin_rate="0.01"),
        HedgeLeg(side="short", quantity=100, entry_price=100, maintenance_margin_rate="0.01"),
    ]

    # The formula alone would print (200 - 100) / (2.01 - 1).
    assert hedge_liquidation_price(legs=legs, margin=200) is None


def test_a_hedge_s_price_is_rounded_toward_the_entry_of_its_net_leg():
    legs = [
        HedgeLeg(side="long", quantity=1, entry_price=100, maintenance_margin_rate="0.01"),
        HedgeLeg(side="short", quantity=3, entry_price=100, maintenance_margin_rate="0.01"),
    ]

    exact = hedge_liquidation_price(legs=legs, margin=50)

    assert round(exact, 4) == Decimal("122.5490")
    assert hedge_liquidation_price(legs=legs, margin=50, tick="0.1") == Decimal("122.5")


def test_a_hedge_without_a_leg_is_refused():
    with pytest.raises(ValueError, match="at least one leg"):
        hedge_liquidation_price(legs=[], margin=1)


# A share of 3.15 is rounded down to 3, one of -3.15 down to -4.
@pytest.mark.parametrize(("net_collateral", "expected"), [(7, -103), (-7, -96)])
def test_the_share_of_a_cross_account_is_rounded_so_that_the_fund_never_pays(
    net_collateral, expected
):
    account = CrossAccount(net_collateral=net_collateral, maintenance_margin=20)

    quote = cross_bankruptcy_quote(
        account=account, delta_net_notional=100, delta_maintenance_margin=-9
    )

    assert quote == expected


def test_a_cross_bankruptcy_price_is_the_quote_for_each_unit_and_may_be_negative():
    account = CrossAccount(net_collateral=300, maintenance_margin=20)

    price = cross_bankruptcy_price(
        account=account,
        delta_quantity=-2,
        delta_net_notional=-200,
        delta_maintenance_margin=-20,
    )

    assert price == -50


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"delta_maintenance_margin": 21}, "cannot release more maintenance margin"),
        ({"delta_quantity": 0}, "change of quantity must not be zero"),
    ],
)
def test_an_impossible_close_of_a_cross_account_is_refused(arguments, sentence):
    close = {
        "account": CrossAccount(net_collateral=300, maintenance_margin=20),
        "delta_quantity": -2,
        "delta_net_notional": -200,
        "delta_maintenance_margin": -20,
    }

    with pytest.raises(ValueError, match=sentence):
        cross_bankruptcy_price(**{**close, **arguments})


def test_the_seed_s_printed_short_shows_more_room_than_the_mended_one():
    seed = {
        "side": "short",
        "entry_price": 28000,
        "contracts": 5,
        "face_value": "0.001",
        "initial_margin": 14,
        "maintenance_margin": "0.56",
        "taker_fee_rate": "0.0006",
    }

    printed, mended = (seed_liquidation_price(**seed, as_printed=flag) for flag in (True, False))

    assert (printed, mended) == (Decimal("30704.8"), Decimal("30671.2"))
    assert printed - mended == 2 * Decimal("0.0006") * 28000
