"""Laws of self-trade prevention: quantities add up, and nobody trades with himself unasked."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from simexchange.rules import (
    OrderStatus,
    SelfTradePrevention,
    StpOrder,
    effective_mode,
    match_with_prevention,
)
from tests.laws.rules.rule_strategies import decimals

small_prices = decimals(1, 3, 0)
small_quantities = decimals(1, 5, 1)
modes = st.sampled_from(list(SelfTradePrevention))


def orders(order_id, sides, prices):
    """Return orders with this id, of a few accounts in a few groups."""
    return st.builds(
        StpOrder,
        order_id=st.just(order_id),
        side=sides,
        quantity=small_quantities,
        price=prices,
        mode=modes,
        account=st.sampled_from("abc"),
        trade_group=st.sampled_from([None, "g", "h"]),
    )


@st.composite
def meetings(draw):
    """Return resting orders and a taker that sells, maybe at market."""
    makers = [
        draw(orders(f"M{index}", st.sampled_from(["BUY", "BUY", "SELL"]), small_prices))
        for index in range(draw(st.integers(0, 6)))
    ]
    return makers, draw(orders("T", st.just("SELL"), st.none() | small_prices))


@given(meetings())
def test_original_is_executed_and_prevented_and_remaining_for_every_order(meeting):
    makers, taker = meeting

    outcome = match_with_prevention(makers=makers, taker=taker)

    for each in [*makers, taker]:
        result = outcome.orders[each.order_id]
        assert result.executed + result.prevented + result.remaining == each.quantity
        assert min(result.executed, result.prevented, result.remaining) >= 0


@given(meetings())
def test_the_taker_executes_what_its_makers_execute(meeting):
    makers, taker = meeting

    outcome = match_with_prevention(makers=makers, taker=taker)

    traded = Counter()
    for trade in outcome.trades:
        traded[trade.maker_id] += trade.quantity
        traded["T"] += trade.quantity
    for order_id, result in outcome.orders.items():
        assert traded[order_id] == result.executed


@given(meetings())
def test_orders_of_one_owner_trade_only_when_the_taker_asks_for_none(meeting):
    makers, taker = meeting
    by_id = {maker.order_id: maker for maker in makers}

    outcome = match_with_prevention(makers=makers, taker=taker)

    for trade in outcome.trades:
        assert effective_mode(by_id[trade.maker_id], taker) is SelfTradePrevention.NONE


@given(meetings())
def test_only_two_accounts_of_a_group_that_both_ask_for_it_transfer(meeting):
    makers, taker = meeting
    by_id = {maker.order_id: maker for maker in makers}

    for transfer in match_with_prevention(makers=makers, taker=taker).transfers:
        maker = by_id[transfer.maker_id]
        assert maker.mode == taker.mode == SelfTradePrevention.TRANSFER
        assert maker.account != taker.account
        assert maker.trade_group == taker.trade_group is not None


@given(meetings())
def test_no_trade_passes_by_a_better_or_older_resting_order(meeting):
    makers, taker = meeting

    outcome = match_with_prevention(makers=makers, taker=taker)

    touched = [trade.maker_id for trade in outcome.trades]
    bids = [maker for maker in makers if maker.side == "BUY"]
    ranked = [maker.order_id for maker in sorted(bids, key=lambda maker: -maker.price)]
    assert touched == [order_id for order_id in ranked if order_id in touched]
    for behind in touched[:1]:
        for ahead in ranked[: ranked.index(behind)]:
            assert outcome.orders[ahead].remaining == 0


@given(meetings())
def test_a_taker_that_may_rest_is_done_or_crosses_nothing_that_is_left(meeting):
    makers, taker = meeting

    outcome = match_with_prevention(makers=makers, taker=taker)

    if outcome.orders["T"].remaining > 0:
        for maker in makers:
            reached = maker.side == "BUY" and (taker.price is None or maker.price >= taker.price)
            assert not reached or outcome.orders[maker.order_id].remaining == 0


@given(meetings())
def test_an_order_is_open_exactly_while_something_of_it_remains(meeting):
    makers, taker = meeting
    open_statuses = {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}

    outcome = match_with_prevention(makers=makers, taker=taker)

    for order_id, result in outcome.orders.items():
        market = order_id == "T" and taker.price is None
        assert (result.status in open_statuses) == (result.remaining > 0 and not market)
