"""Laws of the seed's liquidation formula: the mended pair keeps them, the printed one breaks."""

from fractions import Fraction

from hypothesis import assume, given

from simexchange.rules import CHAINUP, liquidation_price, seed_liquidation_price
from tests.laws.rules.rule_strategies import (
    fee_rates,
    leverages,
    margin_rates,
    prices,
    quantities,
    sides,
)


def seed_price(side, quantity, entry, leverage, rate, fee, *, as_printed=False):
    value = Fraction(quantity) * Fraction(entry)
    assume(1 / Fraction(leverage) >= rate)
    return Fraction(
        seed_liquidation_price(
            side=side,
            entry_price=entry,
            contracts=quantity,
            face_value=1,
            initial_margin=value / leverage,
            maintenance_margin=value * rate,
            taker_fee_rate=fee,
            as_printed=as_printed,
        )
    )


SMALLEST = Fraction(1, 10**25)  # far above the fortieth digit, far below a tick


@given(sides, quantities, prices, leverages, margin_rates, fee_rates)
def test_raising_the_fee_moves_the_mended_price_toward_the_entry_on_both_sides(
    side, quantity, entry, leverage, rate, fee
):
    without = seed_price(side, quantity, entry, leverage, rate, 0)
    higher = seed_price(side, quantity, entry, leverage, rate, fee)

    sign = 1 if side == "long" else -1
    assert abs(sign * (higher - without) - fee * Fraction(entry)) < SMALLEST


@given(quantities, prices, leverages, margin_rates, fee_rates)
def test_mended_long_and_short_are_mirror_images_about_the_entry(
    quantity, entry, leverage, rate, fee
):
    long = seed_price("long", quantity, entry, leverage, rate, fee)
    short = seed_price("short", quantity, entry, leverage, rate, fee)

    assert abs(long + short - 2 * Fraction(entry)) < SMALLEST


@given(quantities, prices, leverages, margin_rates, fee_rates)
def test_the_printed_short_promises_two_fees_more_room_than_there_is(
    quantity, entry, leverage, rate, fee
):
    printed = seed_price("short", quantity, entry, leverage, rate, fee, as_printed=True)
    mended = seed_price("short", quantity, entry, leverage, rate, fee)

    assert abs(printed - mended - 2 * fee * Fraction(entry)) < SMALLEST


@given(quantities, prices, leverages, margin_rates, fee_rates)
def test_the_printed_long_needs_no_mending(quantity, entry, leverage, rate, fee):
    printed = seed_price("long", quantity, entry, leverage, rate, fee, as_printed=True)

    assert printed == seed_price("long", quantity, entry, leverage, rate, fee)


@given(sides, quantities, prices, leverages, margin_rates, fee_rates)
def test_the_mended_pair_is_our_formula_counted_on_entry_notional(
    side, quantity, entry, leverage, rate, fee
):
    mended = seed_price(side, quantity, entry, leverage, rate, fee)
    assume(mended > 0)

    ours = liquidation_price(
        side=side,
        quantity=quantity,
        entry_price=entry,
        leverage=leverage,
        maintenance_margin_rate=rate,
        fee_rate=fee,
        rules=CHAINUP,
    )

    assert abs(Fraction(ours) - mended) < SMALLEST
