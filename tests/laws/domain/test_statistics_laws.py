from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import Contracts, Money, Ratio
from copyplugin.domain.statistics import (
    NO_FIGURES,
    Trade,
    limitation,
    margin_of_open,
    percent,
    profit_ratio,
    shown,
    trade_figures,
)
from tests.laws.domain.domain_strategies import (
    NOON,
    contracts,
    leverages,
    money,
    sides,
    signed_money,
    times,
)

positive_money = money.filter(lambda amount: amount > 0)


@st.composite
def trades(draw):
    opened_at = draw(times)
    closed_at = draw(st.none() | times.map(lambda at: max(at, opened_at)))
    return Trade(
        opened_at=opened_at, closed_at=closed_at, profit=draw(signed_money), margin=draw(money)
    )


histories = st.lists(trades(), max_size=20)


@given(histories)
def test_open_trades_count_as_transactions_and_as_nothing_else(history):
    figures = trade_figures(history, now=NOON)
    closed = [trade for trade in history if trade.closed_at is not None]
    without_open = trade_figures(closed, now=NOON)

    assert figures.trades_opened == len(history)
    assert replace(figures, trades_opened=0, trade_frequency=0) == replace(
        without_open, trades_opened=0, trade_frequency=0
    )


@given(histories)
def test_sums_are_exact_and_rates_lie_between_none_and_all(history):
    figures = trade_figures(history, now=NOON)
    closed = [trade for trade in history if trade.closed_at is not None]

    assert Fraction(figures.total_profit) == sum(Fraction(trade.profit) for trade in closed)
    for rate in (figures.win_rate, figures.win_rate_14_days):
        assert rate is None or 0 <= rate <= 1
    assert figures.trades_won_14_days <= figures.trades_won <= figures.trades_closed
    assert figures.trades_closed_14_days <= figures.trades_closed <= figures.trades_opened


@given(histories, histories)
def test_the_figures_of_two_histories_add_up(one, other):
    together = trade_figures([*one, *other], now=NOON)
    parts = [trade_figures(history, now=NOON) for history in (one, other)]

    for name in NO_FIGURES.__dataclass_fields__:
        assert getattr(together, name) == sum(getattr(part, name) for part in parts)


@given(histories)
def test_the_yield_is_the_profit_over_the_margin_and_unknown_without_any(history):
    figures = trade_figures(history, now=NOON)

    if figures.total_margin == 0:
        assert figures.accumulated_yield is None
    else:
        assert figures.accumulated_yield * Fraction(figures.total_margin) == Fraction(
            figures.total_profit
        )


def test_a_trade_leaves_a_window_the_moment_after_its_last_day():
    closed_at = NOON - timedelta(days=14)
    trade = Trade(
        opened_at=closed_at,
        closed_at=closed_at,
        profit=Money(Decimal(1)),
        margin=Money(Decimal(1)),
    )

    assert trade_figures([trade], now=NOON).trades_won_14_days == 1
    later = NOON + timedelta(microseconds=1)
    assert trade_figures([trade], now=later).trades_won_14_days == 0
    week = NOON - timedelta(days=7)
    assert trade_figures([trade], now=week).trade_frequency == 2


def test_a_trade_without_profit_or_loss_is_not_won():
    trade = Trade(
        opened_at=NOON, closed_at=NOON, profit=Money(Decimal(0)), margin=Money(Decimal(1))
    )

    assert trade_figures([trade], now=NOON).trades_won == 0


@given(positive_money, leverages)
def test_a_margin_covers_the_value_and_less_than_a_unit_more(value, leverage):
    margin = margin_of_open(value, leverage)
    exact = Fraction(value) / Fraction(leverage)

    assert 0 <= Fraction(margin) - exact < Fraction(1, 10**8)


@given(sides, positive_money, contracts, positive_money, contracts, leverages)
def test_what_a_long_gains_a_short_loses(side, opened, number, closed, part, leverage):
    def ratio_of(position_side):
        return profit_ratio(
            position_side,
            opened_value=opened,
            opened_contracts=number,
            closed_value=closed,
            closed_contracts=part,
            leverage=leverage,
        )

    assert ratio_of(PositionSide.LONG) == -ratio_of(PositionSide.SHORT)


def test_the_profit_ratio_is_that_of_the_seed():
    def ratio_of(side):
        return profit_ratio(
            side,
            opened_value=Money(Decimal(200)),
            opened_contracts=Contracts(2),
            closed_value=Money(Decimal(110)),
            closed_contracts=Contracts(1),
            leverage=Ratio(Decimal(20)),
        )

    assert percent(ratio_of(PositionSide.LONG)) == Decimal("200.00")
    assert percent(ratio_of(PositionSide.SHORT)) == Decimal("-200.00")


@given(positive_money, positive_money, st.none() | money, money)
def test_the_limits_of_a_follow_never_exceed_what_is_left(one, other, total, placed):
    minimum, maximum = sorted([one, other])

    limits = limitation(minimum=minimum, maximum=maximum, total_allowed=total, placed=placed)

    if limits is None:
        assert total is not None
        assert total - placed < minimum
    else:
        assert limits.minimum == minimum <= limits.maximum <= maximum
        assert total is None or limits.maximum <= total - placed


@given(st.fractions(-(10**6), 10**6), st.integers(0, 8))
def test_what_is_shown_is_the_nearest_there_is_and_halves_go_away_from_zero(value, places):
    rounded = Fraction(shown(value, places))
    half = Fraction(1, 2 * 10**places)

    assert abs(rounded - value) <= half
    if abs(rounded - value) == half:
        assert abs(rounded) > abs(value)
