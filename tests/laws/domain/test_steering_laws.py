"""Laws of targets and of the orders that bring a lane there."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.copy_rule import BelowMinimum, Caps, CopyMode
from copyplugin.domain.fill import OrderSide
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Ratio, money_ceil, product
from copyplugin.domain.price_protection import price_bound
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.domain.steering import (
    LeaderMove,
    Terms,
    WantedOrder,
    decide,
    less_what_was_not_filled,
    needs_balance,
    not_filled,
    opening_order,
    reducing_order,
)
from tests.laws.domain.domain_strategies import (
    NOON,
    coin_prices,
    instruments,
    leverages,
    rule_of,
    sides,
    wealth,
)

LATE_AFTER = timedelta(seconds=10)
targets = st.integers(0, 10**5).map(Contracts)
bounds = st.integers(1, 30).map(lambda n: Ratio(Decimal(n).scaleb(-3)))


@st.composite
def opens(draw):
    before, contracts = draw(st.integers(0, 100)), draw(st.integers(1, 10**4))
    return LeaderMove(
        increases=True,
        contracts_before=Contracts(before),
        contracts_after=Contracts(before + contracts),
        contracts=Contracts(contracts),
        price_sum=contracts * draw(coin_prices),
        leverage=draw(leverages),
        initial_margin=Money(Decimal(draw(st.integers(1, 10**6)))),
        balance_before=Money(Decimal(draw(st.integers(1, 10**6)))),
        last_fill_at=NOON,
        is_final=draw(st.booleans()),
        leader_equity=Money(Decimal(draw(st.integers(1, 10**6)))),
    )


@st.composite
def closes(draw):
    before = draw(st.integers(1, 10**4))
    contracts = draw(st.integers(1, before))
    return LeaderMove(
        increases=False,
        contracts_before=Contracts(before),
        contracts_after=Contracts(before - contracts),
        contracts=Contracts(contracts),
        price_sum=contracts * draw(coin_prices),
        leverage=draw(leverages),
        initial_margin=None,
        balance_before=None,
        last_fill_at=NOON,
        is_final=draw(st.booleans()),
    )


@st.composite
def rules(draw):
    return rule_of(
        draw(st.sampled_from(CopyMode)), below_minimum=draw(st.sampled_from(BelowMinimum))
    )


@st.composite
def terms(draw):
    return Terms(
        rule=draw(rules()),
        copies_opens=True,
        follows_closes=True,
        is_configured=True,
        is_chosen=True,
        instrument=draw(instruments()),
        available=draw(wealth),
        equity=draw(wealth),
        late_after=LATE_AFTER,
    )


def decided(move, allowed, target, before=None, now=NOON):
    return decide(move, before, allowed, target=target, now=now)


@given(opens(), terms(), targets)
def test_an_open_raises_the_target_by_what_it_wants_and_a_skipped_one_by_nothing(
    move, allowed, target
):
    decision = decided(move, allowed, target)

    assert decision.target == target + decision.wanted
    assert (decision.skip is None) == (decision.wanted > 0)
    if allowed.rule.below_minimum is not BelowMinimum.CARRY:
        assert decision.residue == 0


residues = st.fractions(0, 50, max_denominator=100)


def grown_by(move, more):
    """Return the move after so many contracts more, at the same average price."""
    return replace(
        move,
        contracts=Contracts(move.contracts + more),
        contracts_after=Contracts(move.contracts_after + more),
        price_sum=move.price_sum / move.contracts * (move.contracts + more),
    )


@given(opens(), terms(), targets, residues, st.integers(1, 1000))
def test_what_is_carried_is_the_same_whether_a_move_came_at_once_or_in_parts(
    move, allowed, target, carried, more
):
    carrying = replace(
        allowed, rule=rule_of(CopyMode.MULTIPLE, below_minimum=BelowMinimum.CARRY), carried=carried
    )
    grown = grown_by(move, more)
    first = decided(move, carrying, target)
    second = decided(grown, carrying, first.target, before=first)
    at_once = decided(grown, carrying, target)
    assume(second.skip is None and at_once.skip is None)

    assert second == at_once
    if second.wanted < carrying.instrument.contracts_max:
        exact = Fraction(3, 2) * grown.contracts
        assert second.wanted + carried + second.residue == exact + carried


@given(opens(), terms(), targets, residues, residues, st.integers(1, 1000))
def test_what_was_forgotten_while_a_move_grew_is_carried_by_none_of_its_parts(
    move, allowed, target, carried, since, more
):
    """What comes later counts as if it were a move of its own; that of other moves stays."""
    on = replace(allowed.instrument, contracts_min=Contracts(1), notional_min=ZERO_MONEY)
    on = replace(on, contracts_max=Contracts(10**9))
    rule = rule_of(CopyMode.MULTIPLE, below_minimum=BelowMinimum.CARRY)
    carrying = replace(
        allowed, rule=rule, instrument=on, carried=carried, available=None, equity=None
    )
    grown = grown_by(move, more)
    first = decided(move, carrying, target)
    emptied = replace(first, target=Contracts(0), residue=Fraction(0))
    forgetful = replace(carrying, carried=since, forgotten=first.residue)
    second = decided(grown, forgetful, Contracts(0), before=emptied)
    assume(first.skip is None and second.skip is None)

    brought = Fraction(3, 2) * more + since
    assert second.target == brought // 1
    assert since + second.residue == brought - second.target


@given(opens(), terms(), targets, st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_an_open_that_wanted_nothing_yet_is_decided_as_if_it_had_come_at_once(
    move, allowed, target, tenths, more, halves
):
    """What a cap refuses in the end was carried in no part of it either."""
    on = replace(allowed.instrument, contracts_min=Contracts(1), notional_min=ZERO_MONEY)
    price = move.price_sum / move.contracts
    room = Fraction(product(price, on.contract_size)) * halves / 2
    carrying = replace(
        allowed,
        instrument=on,
        available=None,
        rule=rule_of(
            CopyMode.MULTIPLE,
            factor=Ratio(Decimal(tenths).scaleb(-1)),
            below_minimum=BelowMinimum.CARRY,
            caps=Caps(instrument_value_max=money_ceil(room)),
        ),
    )
    one, grown = (
        replace(
            move,
            contracts=Contracts(count),
            contracts_after=Contracts(move.contracts_before + count),
            price_sum=price * count,
        )
        for count in (1, 1 + more)
    )
    first = decided(one, carrying, target)
    assert first.wanted == 0 < first.residue

    second = decided(grown, carrying, first.target, before=first)

    assert second == decided(grown, carrying, target)


@given(closes(), terms(), targets, residues)
def test_a_close_takes_its_part_of_what_is_carried_and_flat_carries_nothing(
    move, allowed, target, carried
):
    decision = decided(move, replace(allowed, carried=carried), target)

    left = carried + decision.residue
    if move.contracts_after == 0 or (decision.target == 0 and target > 0):
        assert left == 0
    else:
        assert left == carried * move.contracts_after / move.contracts_before


@given(opens(), terms(), targets)
def test_deciding_again_on_the_same_move_changes_nothing(move, allowed, target):
    once = decided(move, allowed, target)

    assert decided(move, allowed, once.target, before=once) == once


@given(closes(), terms(), targets)
def test_deciding_again_on_the_same_close_changes_nothing(move, allowed, target):
    once = decided(move, allowed, target)

    assert decided(move, allowed, once.target, before=once) == once


@given(opens(), terms(), targets, st.integers(1, 1000))
def test_a_move_that_grows_ends_where_one_that_came_at_once_ends(move, allowed, target, more):
    grown = replace(
        move,
        contracts=Contracts(move.contracts + more),
        contracts_after=Contracts(move.contracts_after + more),
        price_sum=move.price_sum / move.contracts * (move.contracts + more),
        initial_margin=Money(move.initial_margin * 2),
    )
    first = decided(move, allowed, target)
    second = decided(grown, allowed, first.target, before=first)
    at_once = decided(grown, allowed, target)
    assume(second.skip is None and at_once.skip is None)

    assert (second.wanted, second.target) == (at_once.wanted, at_once.target)


@given(closes(), terms(), targets, st.data())
def test_a_close_that_grows_ends_where_one_that_came_at_once_ends(move, allowed, target, data):
    assume(move.contracts_after > 0)
    more = data.draw(st.integers(1, move.contracts_after))
    grown = replace(
        move,
        contracts=Contracts(move.contracts + more),
        contracts_after=Contracts(move.contracts_after - more),
        price_sum=move.price_sum / move.contracts * (move.contracts + more),
    )
    first = decided(move, allowed, target)

    second = decided(grown, allowed, first.target, before=first)

    assert second.target == decided(grown, allowed, target).target


@given(closes(), terms(), targets)
def test_a_close_never_raises_a_target_and_needs_no_permission(move, allowed, target):
    forbidden = replace(allowed, copies_opens=False, is_configured=False, is_chosen=False)

    decision = decided(move, forbidden, target, now=NOON + timedelta(days=1))

    assert decision.target <= target
    assert decision.target == decided(move, allowed, target).target
    if move.contracts_after == 0:
        assert decision.target == 0


@given(closes(), terms(), targets, st.data())
def test_a_close_decided_again_opens_nothing_that_was_closed_meanwhile(move, allowed, target, data):
    first = decided(move, allowed, target)
    left = Contracts(data.draw(st.integers(0, first.target)))

    again = decided(move, allowed, left, before=first)

    assert again.target <= left


@given(closes(), terms(), targets)
def test_a_follow_that_was_handed_over_follows_no_close(move, allowed, target):
    decision = decided(move, replace(allowed, follows_closes=False), target)

    assert decision.target == target
    assert decision.skip.reason is SkipReason.FOLLOW_NOT_ACTIVE


@given(closes(), terms(), targets)
def test_a_close_of_an_instrument_the_venue_forgot_still_takes_its_part(move, allowed, target):
    decision = decided(move, replace(allowed, instrument=None), target)

    assert decision.target == target * move.contracts_after // move.contracts_before


@pytest.mark.parametrize(
    ("change", "late_by", "reason"),
    [
        ({"copies_opens": False, "is_chosen": False}, 0, SkipReason.FOLLOW_NOT_ACTIVE),
        ({"is_halted": True, "is_chosen": False}, 99, SkipReason.COPYING_HALTED),
        (
            {"is_configured": False, "is_chosen": False},
            0,
            SkipReason.LEADER_NOT_CONFIGURED_INSTRUMENT,
        ),
        ({"is_chosen": False}, 99, SkipReason.INSTRUMENT_NOT_FOLLOWED),
        ({"instrument": None}, 99, SkipReason.INSTRUMENT_UNKNOWN),
        ({}, 10.000001, SkipReason.EXPIRED),
    ],
)
def test_an_open_that_may_not_be_copied_leaves_the_target_alone(change, late_by, reason):
    @given(opens(), terms(), targets)
    def law(move, allowed, target):
        now = NOON + timedelta(seconds=late_by)
        decision = decided(move, replace(allowed, **change), target, now=now)

        assert decision.target == target
        assert decision.skip.reason is reason

    law()


@given(opens(), terms(), targets, st.data())
def test_what_found_no_taker_is_not_made_up_for_when_the_leaders_order_grows(
    move, allowed, target, data
):
    first = decided(move, allowed, target)
    assume(first.wanted > 0)
    lost = Contracts(data.draw(st.integers(1, first.wanted)))
    after = less_what_was_not_filled(first, lost, SkipReason.PRICE_MOVED, {})

    again = decided(move, allowed, after.target, before=after)

    assert again.target == first.target - lost
    assert not_filled(again.skip) == lost


@given(opens(), terms())
def test_the_balance_is_asked_for_only_where_a_decision_rests_on_it(move, allowed):
    unasked = replace(allowed, available=None)

    asks = needs_balance(move, unasked, now=NOON)

    assert asks == (allowed.rule.mode in {CopyMode.PROPORTIONAL, CopyMode.EQUITY_RATIO})
    assert not needs_balance(move, allowed, now=NOON)
    assert not needs_balance(move, replace(unasked, is_chosen=False), now=NOON)


@given(targets, targets, sides, instruments())
def test_a_reducing_order_is_at_market_and_takes_no_more_than_is_held(
    target, actual, side, instrument
):
    assume(target < actual)

    order = reducing_order(target=target, actual=actual, position_side=side, instrument=instrument)

    assert order.limit_price is None
    assert order.reduce_only
    assert order.order_side is side.closing_side
    assert 0 < order.contracts <= min(actual, instrument.contracts_max)
    assert order.contracts >= min(actual, instrument.contracts_min)
    if actual - target >= instrument.contracts_min:
        assert order.contracts <= actual - target


@given(opens(), targets, targets, sides, instruments(), bounds)
def test_an_opening_order_is_bounded_and_never_opens_more_than_is_missing(
    move, target, actual, side, instrument, bound
):
    assume(target > actual)

    order = opening_order(
        move,
        target=target,
        actual=actual,
        position_side=side,
        instrument=instrument,
        bound=bound,
    )

    if isinstance(order, WantedOrder):
        assert order.contracts <= min(target - actual, instrument.contracts_max)
        assert order.contracts >= instrument.smallest_order(order.limit_price)
        assert not order.reduce_only
        assert order.order_side is side.opening_side
    else:
        assert isinstance(order, Skip) == move.is_final


@given(coin_prices, bounds, instruments(), st.sampled_from(OrderSide))
def test_a_bound_is_on_the_grid_never_exceeded_and_the_next_price_would_exceed_it(
    leader_price, bound, instrument, side
):
    price = price_bound(instrument, side, Fraction(leader_price), bound)

    tick = Fraction(instrument.tick_size)
    assert Fraction(price) % tick == 0
    sign = 1 if side is OrderSide.BUY else -1
    limit = Fraction(leader_price) * (1 + sign * Fraction(bound))
    assume(price > instrument.tick_size)
    assert sign * Fraction(price) <= sign * limit < sign * Fraction(price) + tick
