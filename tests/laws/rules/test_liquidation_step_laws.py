"""Laws of liquidation in steps, and of who pays what when one has gone wrong."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.rules import (
    BYBIT,
    DYDX,
    OURS,
    CrossAccount,
    LiquidationStep,
    cross_bankruptcy_quote,
    insurance_fund_after,
    insurance_fund_delta,
    liquidation_order_price,
    liquidation_step_quantity,
    partial_liquidation_quantity,
    socialised_loss_per_unit,
)
from tests.laws.rules.rule_strategies import fee_rates, prices, quantities, ratios, tier_tables

RESTORING = replace(OURS, name="RESTORING", liquidation_step=LiquidationStep.RESTORE_MARGIN)
STEP = Decimal("0.001")
amounts = st.integers(-(10**9), 10**9)


def left_after(closed, quantity, mark, equity, tiers, fee):
    """Return equity less maintenance margin and closing fee, after a step at the mark price."""
    value = (Fraction(quantity) - Fraction(closed)) * Fraction(mark)
    paid = fee * Fraction(closed) * Fraction(mark)
    return equity - paid - Fraction(tiers.maintenance_margin(value)) - fee * value


@given(quantities, prices, ratios(0, 4000), tier_tables(), fee_rates)
def test_a_step_goes_to_the_highest_lower_tier_that_leaves_the_position_safe(
    quantity, mark, part, tiers, fee
):
    equity = Fraction(quantity) * Fraction(mark) * part

    closed = liquidation_step_quantity(
        quantity=quantity,
        mark_price=mark,
        equity=equity,
        tiers=tiers,
        fee_rate=fee,
        quantity_step=STEP,
        rules=BYBIT,
    )

    value = Fraction(quantity) * Fraction(mark)
    lower = [Fraction(tier.floor) for tier in tiers.tiers if 0 < tier.floor < value]
    safe = [
        floor
        for floor in lower
        if left_after((value - floor) / Fraction(mark), quantity, mark, equity, tiers, fee) > 0
    ]
    if closed is None:
        assert not safe
    else:
        assert closed % STEP == 0
        kept = (Fraction(quantity) - Fraction(closed)) * Fraction(mark)
        assert 0 <= max(safe) - kept < Fraction(STEP) * Fraction(mark)
        assert left_after(closed, quantity, mark, equity, tiers, fee) > 0


@given(quantities, prices, ratios(0, 4000), tier_tables(), fee_rates)
def test_the_restoring_step_is_the_smallest_that_restores(quantity, mark, part, tiers, fee):
    equity = Fraction(quantity) * Fraction(mark) * part
    assume(left_after(0, quantity, mark, equity, tiers, fee) < 0)

    closed = liquidation_step_quantity(
        quantity=quantity,
        mark_price=mark,
        equity=equity,
        tiers=tiers,
        fee_rate=fee,
        quantity_step=STEP,
        rules=RESTORING,
    )

    if closed is None:  # not even a last speck could be kept
        assert equity <= fee * Fraction(quantity) * Fraction(mark)
    else:
        assert left_after(closed, quantity, mark, equity, tiers, fee) >= 0
        assert left_after(closed - STEP, quantity, mark, equity, tiers, fee) < 0


@given(st.integers(0, 10**6), prices, ratios(100, 3000), fee_rates, fee_rates)
def test_a_partial_liquidation_releases_the_shortage_to_the_last_digit(
    shortage, oracle, ratio, liquidator, insurance
):
    quantity = partial_liquidation_quantity(
        margin_shortage=shortage,
        oracle_price=oracle,
        margin_ratio=ratio,
        liquidator_fee_rate=liquidator,
        insurance_fee_rate=insurance,
    )

    left = ratio - liquidator - insurance
    assert (quantity is None) == (left <= 0)
    if quantity is not None:
        released = Fraction(quantity) * Fraction(oracle) * left
        assert abs(released - shortage) <= Fraction(shortage, 10**35)


@given(amounts, st.lists(st.integers(1, 10**9), min_size=1, max_size=5))
def test_closing_every_position_at_its_bankruptcy_price_never_costs_the_fund(collateral, values):
    margins = [Fraction(value, 10) for value in values]
    account = CrossAccount(net_collateral=collateral, maintenance_margin=sum(margins))
    balance = collateral - sum(values)  # all long: the rest of the collateral is the balance

    quotes = [
        cross_bankruptcy_quote(
            account=account, delta_net_notional=-value, delta_maintenance_margin=-margin
        )
        for value, margin in zip(values, margins, strict=True)
    ]

    # Each share is rounded down: the closes cover the balance, and by less than a unit each.
    assert 0 <= balance + sum(quotes) < len(values)


@given(amounts, amounts, ratios(0, 10_000))
def test_a_liquidation_takes_from_the_user_no_more_than_is_left(proceeds, bankruptcy, fee):
    delta = insurance_fund_delta(
        proceeds=proceeds, bankruptcy_quote=bankruptcy, maximum_fee_rate=fee, rules=DYDX
    )

    left = proceeds - bankruptcy
    assert delta == left if left <= 0 else 0 <= delta <= left
    assert insurance_fund_delta(proceeds=proceeds, bankruptcy_quote=bankruptcy, rules=BYBIT) == left


@given(st.integers(0, 10**9), amounts)
def test_the_fund_and_the_uncovered_loss_account_for_every_unit(balance, delta):
    after = insurance_fund_after(balance=balance, delta=delta)

    assert after.balance - after.uncovered_loss == balance + delta
    assert min(after.balance, after.uncovered_loss) == 0


@given(st.integers(0, 10**6), quantities, quantities)
def test_a_shared_loss_is_covered_in_full_and_hardly_more(loss, longs, shorts):
    each = Fraction(
        socialised_loss_per_unit(loss=loss, long_quantity=longs, short_quantity=-shorts)
    )

    paid = each * Fraction(longs + shorts)
    assert 0 <= paid - loss < Fraction(longs + shorts) * Fraction(1, 10**6)


@given(quantities, prices, amounts, ratios(1, 20_000), ratios(0, 3000))
def test_a_liquidation_order_is_priced_between_the_oracle_and_its_whole_spread(
    quantity, oracle, collateral, adjustment, spread
):
    value = Fraction(quantity) * Fraction(oracle)
    margin = value / 10

    def price(held):
        account = CrossAccount(net_collateral=held, maintenance_margin=margin)
        return liquidation_order_price(
            position_quantity=quantity,
            position_net_notional=value,
            position_maintenance_margin=margin,
            account=account,
            bankruptcy_adjustment=adjustment,
            spread_to_maintenance_margin=spread,
        )

    worst = Fraction(oracle) * (1 - spread / 10)
    slack = Fraction(1, 10**30)
    assert worst - slack <= Fraction(price(collateral)) <= Fraction(oracle) + slack
    assert price(collateral + 1) >= price(collateral)
