"""A track record is kept trade by trade and is what its definitions say of all of them."""

from datetime import timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.money import Money, money_total
from copyplugin.domain.statistics import Trade
from copyplugin.domain.track_record import NO_RECORD, track_record
from tests.laws.domain.domain_strategies import NOON, money, signed_money

PROFITS = st.lists(st.one_of(st.just(Money(0)), signed_money), max_size=20)


def closed(profit: Money, *, hours: int = 1, **changes) -> Trade:
    return Trade(
        **{
            "opened_at": NOON,
            "closed_at": NOON + timedelta(hours=hours),
            "profit": profit,
            "margin": Money(10),
        }
        | changes
    )


@given(PROFITS)
def test_the_longest_losing_run_is_the_longest_stretch_of_losses(profits):
    record = track_record(closed(profit) for profit in profits)

    runs = [len(list(run)) for lost, run in groupby(profit < 0 for profit in profits) if lost]
    assert record.losing_run_max == max(runs, default=0)
    assert record.losing_run == (runs[-1] if profits and profits[-1] < 0 else 0)


def test_a_trade_that_earned_nothing_is_neither_won_nor_lost_and_ends_a_run():
    record = track_record(closed(Money(profit)) for profit in (-1, -1, 0, -1))

    assert (record.losing_run_max, record.losing_run) == (2, 1)
    assert (record.trades_closed, record.trades_won) == (4, 0)


@given(st.lists(st.tuples(signed_money, money, st.integers(0, 99), st.booleans()), max_size=20))
def test_sums_are_exact_and_averages_are_of_them(drawn):
    trades = [
        closed(profit, hours=hours, value=value, liquidated=liquidated)
        for profit, value, hours, liquidated in drawn
    ]
    still_open = Trade(opened_at=NOON, closed_at=None, profit=Money(0), margin=Money(5))

    record = track_record([still_open, *trades])

    assert record.profit == money_total(*(trade.profit for trade in trades))
    assert record.liquidations == sum(trade.liquidated for trade in trades)
    if not trades:
        assert record == NO_RECORD
        assert (record.average_leverage, record.average_holding) == (None, None)
        return
    assert record.average_leverage * 10 * len(trades) == sum(trade.value for trade in trades)
    hours = sum(hours for _, _, hours, _ in drawn)
    assert record.average_holding == pytest.approx(
        timedelta(hours=hours) / len(trades), abs=timedelta(microseconds=1)
    )
