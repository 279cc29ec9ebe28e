"""The unit value moves with results and with nothing else."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.unit_value import (
    FIRST,
    UNIT_STEP,
    EquityFlow,
    daily_returns,
    daily_volatility,
    sharpe_ratio,
    unit_values,
)

MONEY = st.decimals(
    min_value=1, max_value=1_000_000, places=8, allow_nan=False, allow_infinity=False
)
FLOW = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=8)
RETURNS = st.lists(
    st.fractions(min_value=Fraction(-1, 2), max_value=1, max_denominator=10_000), max_size=40
)


@given(MONEY, st.lists(FLOW, max_size=20))
def test_money_brought_in_or_taken_out_changes_no_unit_value(start, flows):
    points = [EquityFlow(equity=start, flow=Decimal(0))]
    for flow in flows:
        assume(points[-1].equity + flow > 0)
        points.append(EquityFlow(equity=points[-1].equity + flow, flow=flow))

    assert all(value == FIRST for value in unit_values(points))


@given(st.lists(MONEY, min_size=1, max_size=30))
def test_without_flows_the_unit_value_is_the_equity_over_its_first(equities):
    values = unit_values([EquityFlow(equity=each, flow=Decimal(0)) for each in equities])

    for value, equity in zip(values, equities, strict=True):
        # Each point rounds once, by half a step, and later points carry that on.
        room = len(equities) * UNIT_STEP * max(1, max(equities) / min(equities))
        assert abs(Fraction(value.value) - Fraction(equity) / Fraction(equities[0])) <= room


@given(st.lists(MONEY, min_size=2, max_size=30))
def test_the_deepest_fall_is_the_largest_of_all_pairs(equities):
    values = unit_values([EquityFlow(equity=each, flow=Decimal(0)) for each in equities])

    falls = [
        1 - Fraction(later.value) / Fraction(earlier.value)
        for place, earlier in enumerate(values)
        for later in values[place:]
    ]
    assert abs(Fraction(values[-1].drawdown_max) - max(falls)) <= UNIT_STEP


def test_an_account_that_lost_all_is_worth_nothing_whatever_is_brought_in_after():
    points = [
        EquityFlow(equity=Decimal(100), flow=Decimal(0)),
        EquityFlow(equity=Decimal(-5), flow=Decimal(0)),
        EquityFlow(equity=Decimal(95), flow=Decimal(100)),
        EquityFlow(equity=Decimal(190), flow=Decimal(0)),
    ]

    last = unit_values(points)[-1]

    assert last.value == 0
    assert last.drawdown_max == 1


def test_money_brought_to_an_account_that_began_empty_starts_its_record():
    points = [
        EquityFlow(equity=Decimal(0), flow=Decimal(0)),
        EquityFlow(equity=Decimal(100), flow=Decimal(100)),
        EquityFlow(equity=Decimal(150), flow=Decimal(0)),
    ]

    assert [value.value for value in unit_values(points)] == [1, 1, Decimal("1.5")]


@given(RETURNS)
def test_volatility_and_sharpe_ratio_agree_with_their_definitions(returns):
    spread = daily_volatility(returns)
    sharpe = sharpe_ratio(returns)

    if len(returns) < 2:
        assert spread is None
        assert sharpe is None
        return
    mean = sum(returns, Fraction(0)) / len(returns)
    variance = sum((each - mean) ** 2 for each in returns) / (len(returns) - 1)
    assert spread is not None
    assert abs(Fraction(spread) ** 2 - variance) < Fraction(1, 10**30)
    if variance == 0:
        assert sharpe is None
    else:
        assert abs(Fraction(sharpe) ** 2 * variance - mean**2 * 365) < Fraction(1, 10**24)
        assert (sharpe > 0) == (mean > 0)


@pytest.mark.parametrize(
    ("closes", "returns"),
    [
        ([], []),
        ([Decimal(1)], []),
        ([Decimal(1), Decimal("1.1"), Decimal("0.55")], [Fraction(1, 10), Fraction(-1, 2)]),
        ([Decimal(1), Decimal(0), Decimal(0)], [Fraction(-1)]),
    ],
)
def test_a_return_is_what_a_day_added(closes, returns):
    assert daily_returns(closes) == returns
