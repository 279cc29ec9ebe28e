"""Rates count what was asked for, and percentiles are values of the sample."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.copy_quality import Outcome, copy_quality, quantile, slippage
from copyplugin.domain.fill import OrderSide

OUTCOMES = st.lists(
    st.builds(
        Outcome,
        increases=st.booleans(),
        wanted=st.integers(0, 5),
        is_done=st.booleans(),
        was_skipped=st.booleans(),
        delay=st.none() | st.timedeltas(timedelta(0), timedelta(seconds=9)),
        slippage=st.none() | st.fractions(-1, 1, max_denominator=1000),
    ),
    max_size=30,
)
PRICES = st.decimals(min_value=1, max_value=10_000, places=2)


@given(OUTCOMES)
def test_rates_count_what_was_asked_for_or_left_out(outcomes):
    quality = copy_quality(outcomes)
    asked = [each for each in outcomes if each.wanted or each.was_skipped]

    assert quality.receipts == len(asked)
    assert quality.copied == sum(each.is_copied for each in asked)
    assert 0 <= quality.exits_copied <= quality.exits <= quality.receipts
    assert (quality.success_rate is None) == (not asked)
    if asked and all(each.was_skipped for each in asked):
        assert quality.success_rate == 0


@given(st.lists(st.fractions(), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, percent):
    ordered = sorted(values)
    found = quantile(ordered, percent)

    assert found in ordered
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)
    assert sum(value < found for value in ordered) * 100 < percent * len(ordered)


@given(PRICES, PRICES)
def test_slippage_is_positive_where_ours_was_worse_whatever_the_side(ours, theirs):
    bought = slippage(OrderSide.BUY, ours=ours, theirs=theirs)

    assert slippage(OrderSide.SELL, ours=ours, theirs=theirs) == -bought
    assert bought * Fraction(theirs) == Fraction(ours) - Fraction(theirs)
    assert slippage(OrderSide.BUY, ours=Decimal(101), theirs=Decimal(100)) == Fraction(1, 100)
