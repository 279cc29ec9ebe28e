"""Laws of the liquidation price: it is where equity meets the requirement, and nowhere else."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.rules import (
    BINANCE,
    BYBIT,
    CHAINUP,
    HYPERLIQUID,
    OURS,
    HedgeLeg,
    Position,
    Requirement,
    TierTable,
    bankruptcy_price,
    hedge_liquidation_price,
    is_liquidatable,
    liquidation_price,
    liquidation_price_in_tiers,
    liquidation_requirement,
    price_where_equity_meets,
    rounded_away_from_entry,
    rounded_toward_entry,
)
from simexchange.rules.liquidation_price import exact_price_in_tiers
from tests.laws.rules.rule_strategies import (
    fee_rates,
    leverages,
    linear_positions,
    margin_rates,
    positions,
    prices,
    quantities,
    rule_sets,
    sides,
    tier_tables,
)

mark_rule_sets = st.sampled_from([OURS, BINANCE, HYPERLIQUID])
TICK = Fraction(1, 10)


def is_past(position, liquidation, price):
    """Return whether a price is at the liquidation price or beyond it, seen from the entry."""
    return position.side.sign * (Fraction(price) - liquidation) <= 0


def requirement_of(position, margin, rate, fee, rules):
    return liquidation_requirement(
        position,
        margin=margin,
        maintenance_margin_rate=rate,
        maintenance_amount=0,
        fee_rate=fee,
        rules=rules,
    )


@given(positions, leverages, margin_rates, fee_rates, rule_sets, prices)
def test_a_position_is_liquidated_exactly_at_its_liquidation_price_and_beyond(
    position, leverage, rate, fee, rules, mark
):
    margin = position.entry_value / leverage
    requirement = requirement_of(position, margin, rate, fee, rules)

    price = price_where_equity_meets(position, margin, requirement)

    equity = margin + position.unrealized_pnl(mark)
    liquidated = is_liquidatable(
        equity=equity, maintenance_margin=requirement.at(position.value_at(mark))
    )
    assert liquidated == (price is not None and is_past(position, price, mark))


@given(positions, leverages, margin_rates, fee_rates, rule_sets)
def test_at_the_liquidation_price_equity_is_the_requirement_to_the_last_digit(
    position, leverage, rate, fee, rules
):
    margin = position.entry_value / leverage
    requirement = requirement_of(position, margin, rate, fee, rules)

    price = price_where_equity_meets(position, margin, requirement)

    assume(price is not None)
    equity = margin + position.unrealized_pnl(price)
    assert equity == requirement.at(position.value_at(price))


@given(positions, leverages, tier_tables(), fee_rates, mark_rule_sets, prices)
def test_through_the_tiers_a_position_is_liquidated_exactly_at_its_price_and_beyond(
    position, leverage, tiers, fee, rules, mark
):
    margin = position.entry_value / leverage

    price = exact_price_in_tiers(position, margin, tiers, fee, rules)

    value = position.value_at(mark)
    liquidated = is_liquidatable(
        equity=margin + position.unrealized_pnl(mark),
        maintenance_margin=tiers.maintenance_margin(value),
        closing_fee=fee * value if rules is OURS else 0,
    )
    assert liquidated == (price is not None and is_past(position, price, mark))


@given(positions, leverages, tier_tables(), fee_rates, mark_rule_sets)
def test_through_the_tiers_equity_is_the_requirement_at_the_price_to_the_last_digit(
    position, leverage, tiers, fee, rules
):
    margin = position.entry_value / leverage

    price = exact_price_in_tiers(position, margin, tiers, fee, rules)

    assume(price is not None)
    value = position.value_at(price)
    required = Fraction(tiers.maintenance_margin(value)) + (fee * value if rules is OURS else 0)
    # A margin without an end in decimals is rounded at its fortieth digit.
    assert abs(margin + position.unrealized_pnl(price) - required) <= required / 10**38


@given(linear_positions, leverages, margin_rates, fee_rates, rule_sets)
def test_one_tier_gives_what_the_formula_gives(position, leverage, rate, fee, rules):
    rate = max(rate, Fraction(1, 10_000))
    arguments = {
        "side": position.side,
        "quantity": position.quantity,
        "entry_price": position.entry_price,
        "leverage": leverage,
        "fee_rate": fee,
        "rules": rules,
    }

    assert liquidation_price_in_tiers(
        **arguments, tiers=TierTable.flat(rate, 1)
    ) == liquidation_price(**arguments, maintenance_margin_rate=rate)


@given(linear_positions, leverages, margin_rates, fee_rates, rule_sets, st.integers(1, 10**6))
def test_more_margin_moves_the_liquidation_price_away_from_the_entry(
    position, leverage, rate, fee, rules, added
):
    margin = position.entry_value / leverage

    def price_with(held):
        requirement = requirement_of(position, held, rate, fee, rules)
        return price_where_equity_meets(position, held, requirement)

    less, more = price_with(margin), price_with(margin + added)

    # None: the price of a long has gone below 0.
    assume(more is not None)
    assert position.side.sign * (more - less) < 0


@given(linear_positions, leverages, margin_rates, fee_rates, rule_sets)
def test_more_leverage_moves_the_liquidation_price_toward_the_entry(
    position, leverage, rate, fee, rules
):
    def price_with(times):
        margin = position.entry_value / times
        return price_where_equity_meets(
            position, margin, requirement_of(position, margin, rate, fee, rules)
        )

    lower, higher = price_with(leverage), price_with(leverage + 1)

    assume(lower is not None)
    assert position.side.sign * (higher - lower) > 0


@given(
    linear_positions, leverages, margin_rates, fee_rates, st.sampled_from([OURS, BYBIT, CHAINUP])
)
def test_raising_the_fee_moves_the_liquidation_price_toward_the_entry_on_both_sides(
    position, leverage, rate, fee, rules
):
    margin = position.entry_value / leverage
    at_entry = requirement_of(position, margin, rate, fee + Fraction(1, 1000), rules)
    assume(margin >= at_entry.at(position.entry_value))

    def price_with(taken):
        return price_where_equity_meets(
            position, margin, requirement_of(position, margin, rate, taken, rules)
        )

    without, lower, higher = price_with(0), price_with(fee), price_with(fee + Fraction(1, 1000))

    assume(without is not None)
    moved = [position.side.sign * (price - without) for price in (lower, higher)]
    if rules is BYBIT:  # its price leaves the fee out
        assert moved == [0, 0]
    else:
        assert 0 <= moved[0] < moved[1]


@given(linear_positions, leverages, margin_rates, fee_rates)
def test_the_liquidation_price_lies_between_bankruptcy_and_entry(position, leverage, rate, fee):
    margin = position.entry_value / leverage
    requirement = requirement_of(position, margin, rate, fee, OURS)
    assume(margin >= requirement.at(position.entry_value))

    liquidation = price_where_equity_meets(position, margin, requirement)
    bankruptcy = price_where_equity_meets(position, margin, Requirement(rate=fee))

    assume(bankruptcy is not None)
    sign = position.side.sign
    assert sign * bankruptcy <= sign * liquidation <= sign * position.entry_price


@given(quantities, prices, leverages, margin_rates, fee_rates)
def test_on_entry_notional_long_and_short_are_mirror_images_about_the_entry(
    quantity, entry, leverage, rate, fee
):
    long, short = (
        liquidation_price(
            side=side,
            quantity=quantity,
            entry_price=entry,
            leverage=leverage,
            maintenance_margin_rate=rate,
            fee_rate=fee,
            rules=CHAINUP,
        )
        for side in ("long", "short")
    )

    assume(long is not None)
    # Leverage 3 has no end in decimals: the two sides may differ in their fortieth digit.
    assert abs(Fraction(long) + Fraction(short) - 2 * Fraction(entry)) < Fraction(1, 10**30)


@given(quantities, prices, leverages, margin_rates, fee_rates)
def test_on_mark_notional_long_and_short_are_mirrored_by_their_denominators(
    quantity, entry, leverage, rate, fee
):
    def distance(side):
        position = Position.of(side, quantity, entry)
        margin = position.entry_value / leverage
        requirement = requirement_of(position, margin, rate, fee, OURS)
        price = price_where_equity_meets(position, margin, requirement)
        return None if price is None else abs(price - position.entry_price)

    assume(distance("long") is not None)
    assert distance("long") * (1 - rate - fee) == distance("short") * (1 + rate + fee)


@given(linear_positions, leverages, margin_rates, fee_rates)
def test_the_reported_price_lies_on_the_entry_side_by_less_than_a_tick(
    position, leverage, rate, fee
):
    margin = position.entry_value / leverage
    requirement = requirement_of(position, margin, rate, fee, OURS)
    price = price_where_equity_meets(position, margin, requirement)
    assume(price is not None)

    reported = rounded_toward_entry(price, position.side, TICK)

    assert 0 <= position.side.sign * (reported - price) < TICK
    assert reported % TICK == 0


@given(linear_positions, leverages, margin_rates, fee_rates)
def test_the_first_tick_beyond_the_price_liquidates_and_the_one_before_it_does_not(
    position, leverage, rate, fee
):
    margin = position.entry_value / leverage
    requirement = requirement_of(position, margin, rate, fee, OURS)
    price = price_where_equity_meets(position, margin, requirement)
    assume(price is not None)
    assume(price > TICK)

    first = Fraction(rounded_away_from_entry(price, position.side, TICK))

    def liquidated(mark):
        return is_liquidatable(
            equity=margin + position.unrealized_pnl(mark),
            maintenance_margin=requirement.at(position.value_at(mark)),
        )

    assert liquidated(first)
    assert not liquidated(first + position.side.sign * TICK)


@given(sides, quantities, prices, leverages, margin_rates, fee_rates)
def test_a_hedge_of_one_leg_is_a_one_way_position(side, quantity, entry, leverage, rate, fee):
    margin = Fraction(quantity) * Fraction(entry) / leverage
    leg = HedgeLeg(side=side, quantity=quantity, entry_price=entry, maintenance_margin_rate=rate)

    hedged = hedge_liquidation_price(legs=[leg], margin=margin, fee_rate=fee)

    assert hedged == liquidation_price(
        side=side,
        quantity=quantity,
        entry_price=entry,
        margin=margin,
        maintenance_margin_rate=rate,
        fee_rate=fee,
    )


@given(st.lists(linear_positions, min_size=2, max_size=3), margin_rates, fee_rates, leverages)
def test_all_legs_of_a_hedge_meet_the_requirement_at_their_one_price(
    positions_held, rate, fee, leverage
):
    assume(rate + fee > 0)
    margin = sum(position.entry_value for position in positions_held) / leverage
    legs = [
        HedgeLeg(
            side=position.side,
            quantity=position.quantity,
            entry_price=position.entry_price,
            maintenance_margin_rate=rate,
        )
        for position in positions_held
    ]

    price = hedge_liquidation_price(legs=legs, margin=margin, fee_rate=fee)

    assume(price is not None)
    equity = margin + sum(position.unrealized_pnl(price) for position in positions_held)
    required = sum((rate + fee) * position.value_at(price) for position in positions_held)
    assert abs(equity - required) <= abs(equity) / 10**25 + Fraction(1, 10**25)


@given(quantities, prices, prices, margin_rates, st.integers(0, 10**9))
def test_a_full_hedge_has_no_liquidation_price(quantity, long_entry, short_entry, rate, margin):
    legs = [
        HedgeLeg(side=side, quantity=quantity, entry_price=entry, maintenance_margin_rate=rate)
        for side, entry in (("long", long_entry), ("short", short_entry))
    ]

    assert hedge_liquidation_price(legs=legs, margin=margin) is None


@given(linear_positions, leverages, fee_rates)
def test_closing_at_the_bankruptcy_price_leaves_exactly_nothing(position, leverage, fee):
    margin = position.entry_value / leverage
    price = price_where_equity_meets(position, margin, Requirement(rate=fee))
    assume(price is not None)

    left = margin + position.unrealized_pnl(price) - fee * position.value_at(price)

    assert left == 0
    printed = bankruptcy_price(
        side=position.side,
        quantity=position.quantity,
        entry_price=position.entry_price,
        leverage=leverage,
        fee_rate=fee,
    )
    assert abs(Fraction(printed) - price) <= price / 10**39
