"""Laws of funding: nothing is made, nothing is lost, and the rate stays inside its bounds."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simexchange.rules import (
    OURS,
    clamped_rate,
    funding_batch,
    funding_boundaries,
    funding_index_delta,
    funding_payment,
    funding_rate,
    funding_settlement,
    impact_price,
    premium_index,
    trimmed_samples,
)
from tests.laws.rules.rule_strategies import decimals, prices, quantities, sides

UNIT = Fraction(1, 10**8)
rates = decimals(-1, 1, 6)
signed_quantities = decimals(-1000, 1000, 3)


@st.composite
def balanced_positions(draw):
    """Return (account, signed quantity) pairs whose quantities sum to zero."""
    held = draw(st.lists(signed_quantities, min_size=1, max_size=8))
    held.append(-sum(held))
    return [(f"account-{index}", quantity) for index, quantity in enumerate(held)]


@given(balanced_positions(), prices, rates)
def test_funding_sums_to_zero_with_the_residue_named(positions, mark, rate):
    batch = funding_batch(positions=positions, mark_price=mark, funding_rate=rate, unit=UNIT)

    assert sum(batch.payments.values()) + batch.residue == 0
    assert 0 <= batch.residue < len(positions) * UNIT


@given(balanced_positions(), prices, rates)
def test_no_account_gains_by_the_rounding_of_funding(positions, mark, rate):
    batch = funding_batch(positions=positions, mark_price=mark, funding_rate=rate, unit=UNIT)

    for account, quantity in positions:
        owed = -Fraction(quantity) * Fraction(mark) * Fraction(rate)
        assert 0 <= owed - Fraction(batch.payments[account]) < UNIT


@given(balanced_positions(), prices, rates)
def test_the_order_of_the_accounts_changes_nobody_s_funding(positions, mark, rate):
    one = funding_batch(positions=positions, mark_price=mark, funding_rate=rate, unit=UNIT)
    other = funding_batch(positions=positions[::-1], mark_price=mark, funding_rate=rate, unit=UNIT)

    assert one.payments == other.payments
    assert one.residue == other.residue


@given(sides, quantities, prices, rates)
def test_what_one_side_pays_the_other_receives(side, quantity, mark, rate):
    other = "short" if side == "long" else "long"

    def payment(held):
        return funding_payment(side=held, quantity=quantity, mark_price=mark, funding_rate=rate)

    assert payment(side) == -payment(other)


@given(signed_quantities, prices, st.lists(st.integers(-(10**6), 10**6), max_size=10))
def test_the_funding_index_adds_up_what_every_single_funding_paid(quantity, price, rates_ppm):
    deltas = [
        funding_index_delta(
            rate_ppm=rate, seconds=28800, price=price, exponent=0, atomic_resolution=-6
        )
        for rate in rates_ppm
    ]
    one_by_one = sum(-delta * Fraction(quantity) for delta in deltas)

    at_once = funding_settlement(funding_index=sum(deltas), position_index=0, quantity=quantity)

    assert at_once == one_by_one


@given(st.integers(-(10**6), 10**6), prices)
def test_the_funding_index_treats_both_directions_alike(rate_ppm, price):
    def delta(rate):
        return funding_index_delta(
            rate_ppm=rate, seconds=3600, price=price, exponent=0, atomic_resolution=-6
        )

    assert delta(rate_ppm) == -delta(-rate_ppm)


@given(rates)
def test_a_premium_near_the_interest_rate_leaves_the_interest_rate(premium):
    rate = Fraction(funding_rate(premium_average=premium))

    near = abs(OURS.interest_rate - premium) <= OURS.funding_clamp
    assert (rate == OURS.interest_rate) == near
    assert abs(rate - Fraction(premium)) <= OURS.funding_clamp


@given(rates, st.sampled_from([1, 2, 4, 8]))
def test_a_shorter_interval_pays_its_part_of_the_eight_hour_rate(premium, hours):
    whole = Fraction(funding_rate(premium_average=premium, interval_hours=8))

    assert funding_rate(premium_average=premium, interval_hours=hours) == whole * hours / 8


@given(rates, decimals(0, 1, 4))
def test_a_capped_rate_stays_inside_its_cap_and_moves_no_further_than_it_must(rate, cap):
    held = clamped_rate(rate=rate, cap=cap)

    assert -cap <= held <= cap
    assert held == rate or abs(held) == cap


@given(st.lists(decimals(-100, 100, 0), min_size=1, max_size=20), st.integers(0, 49))
def test_trimming_takes_from_both_ends_and_at_most_one_more_from_the_top(samples, percent):
    ratio = Fraction(percent, 100)

    left = list(trimmed_samples(samples=samples, removed_tail_ratio=ratio))

    ordered = sorted(samples)
    removed = len(samples) - len(left)
    assert removed == 2 * ratio * len(samples) // 1
    assert left == ordered[removed // 2 : removed // 2 + len(left)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from([1, 4, 8]))
def test_every_funding_between_open_and_close_is_due_once(opened, held, hours):
    due = funding_boundaries(opened_at=opened, closed_at=opened + held, interval_hours=hours)

    step = hours * 3600
    assert list(due) == [second for second in range(0, opened + held + 1, step) if second >= opened]


@given(
    st.lists(st.tuples(prices, quantities), min_size=1, max_size=5), decimals(1, 10**6, 2), prices
)
def test_an_impact_price_lies_between_the_best_and_the_worst_level(levels, impact_notional, index):
    asks = sorted(levels)

    price = impact_price(levels=asks, impact_notional=impact_notional)

    depth = sum(at * quantity for at, quantity in asks)
    assert (price is None) == (depth < impact_notional)
    if price is not None:
        assert asks[0][0] <= price <= asks[-1][0]
        premium = premium_index(impact_bid=None, impact_ask=price, index_price=index)
        assert (premium < 0) == (price < index)


@given(prices, prices, prices)
def test_the_premium_is_zero_exactly_while_the_index_lies_inside_the_spread(one, other, index):
    bid, ask = sorted([one, other])

    premium = premium_index(impact_bid=bid, impact_ask=ask, index_price=index)

    assert (premium == 0) == (bid <= index <= ask)
