"""Laws of auto-deleveraging: one order for everybody, nothing taken twice, nothing left behind."""

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.rules import (
    BINANCE,
    HYPERLIQUID,
    OURS,
    AdlEntry,
    Requirement,
    adl_allocation,
    adl_percentiles,
    adl_queue,
    adl_rank,
    adl_rotation,
    can_absorb,
    price_where_equity_meets,
)
from tests.laws.rules.rule_strategies import decimals, linear_positions, prices, quantities, ratios

entries = st.lists(
    st.builds(
        AdlEntry,
        account=st.text(alphabet="abcdefgh", min_size=1, max_size=3),
        quantity=quantities,
        score=decimals(-3, 3, 1),  # few values, so that ties happen
    ),
    unique_by=lambda entry: entry.account,
    min_size=1,
    max_size=12,
)


@given(entries, st.randoms(use_true_random=False))
def test_the_queue_is_the_same_whatever_order_the_accounts_come_in(queued, shuffler):
    shuffled = list(queued)
    shuffler.shuffle(shuffled)

    assert adl_queue(shuffled) == adl_queue(queued)


@given(entries)
def test_the_queue_is_a_total_order_with_scores_falling(queued):
    queue = adl_queue(queued)

    keys = [(-entry.score, entry.account) for entry in queue]
    assert all(one < other for one, other in pairwise(keys))
    assert sorted(entry.account for entry in queue) == sorted(entry.account for entry in queued)


@given(entries, quantities)
def test_what_is_closed_and_what_is_left_make_the_bankrupt_quantity(queued, quantity):
    allocation = adl_allocation(adl_queue(queued), quantity=quantity)

    assert sum(allocation.closed.values()) + allocation.unallocated == quantity


@given(entries, quantities)
def test_nobody_is_touched_before_everybody_above_is_closed_whole(queued, quantity):
    queue = adl_queue(queued)

    allocation = adl_allocation(queue, quantity=quantity)

    closed = [allocation.closed.get(entry.account, 0) for entry in queue]
    reached = len(allocation.closed)
    assert all(
        part == entry.quantity for part, entry in zip(closed, queue[: reached - 1], strict=False)
    )
    assert all(part <= entry.quantity for part, entry in zip(closed, queue, strict=True))
    assert not any(closed[reached:])


@given(entries)
def test_the_fifths_rise_along_the_queue_and_end_at_the_whole(queued):
    percentiles = adl_percentiles(queued)

    parts = [percentiles[entry.account] for entry in adl_queue(queued)]
    assert parts == sorted(parts)
    assert parts[-1] == 100


@given(entries, st.integers(0, 100))
def test_a_rotation_holds_everybody_once(queued, start):
    rotated = adl_rotation(queued, start=start)

    assert {entry.account for entry in rotated} == {entry.account for entry in queued}
    assert len(rotated) == len(queued)


@given(linear_positions, prices, st.integers(1, 100), st.sampled_from([OURS, BINANCE, HYPERLIQUID]))
def test_more_leverage_never_ranks_a_winner_lower(position, mark, leverage, rules):
    assume(position.unrealized_pnl(mark) > 0)

    def rank(times):
        margin = position.entry_value / times
        bankruptcy = price_where_equity_meets(position, margin, Requirement())
        assume(bankruptcy is not None)
        return adl_rank(
            side=position.side,
            quantity=position.quantity,
            entry_price=position.entry_price,
            mark_price=mark,
            bankruptcy_price=bankruptcy,
            wallet_balance=margin,
            maintenance_margin=position.entry_value / 200,
            rules=rules,
        )

    assert rank(leverage + 1) >= rank(leverage)


@given(linear_positions, ratios(1, 9999), ratios(1, 9999), st.integers(1, 50))
def test_a_winner_ranks_above_a_loser_of_the_same_side_and_leverage(position, won, lost, leverage):
    margin = position.entry_value / leverage
    away = position.side.sign * margin / position.quantity

    def rank(mark):
        return adl_rank(
            side=position.side,
            quantity=position.quantity,
            entry_price=position.entry_price,
            mark_price=mark,
            bankruptcy_price=position.entry_price - away,
        )

    assume(away < position.entry_price)
    assert rank(position.entry_price + won * away) > 0 > rank(position.entry_price - lost * away)


@given(linear_positions, st.integers(2, 50), prices)
def test_closing_where_a_counterparty_can_absorb_leaves_it_solvent(position, leverage, price):
    margin = position.entry_value / leverage
    bankruptcy = price_where_equity_meets(position, margin, Requirement())

    absorbs = can_absorb(side=position.side, bankruptcy_price=bankruptcy, price=price)

    assert absorbs == (margin + position.unrealized_pnl(price) >= 0)
