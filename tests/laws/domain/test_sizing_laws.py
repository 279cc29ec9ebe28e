from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.sizing import (
    affordable_contracts,
    exact_proportional,
    leader_balance_before,
    target_after_close,
)
from copyplugin.domain.skip import Skip, SkipReason
from tests.laws.domain.domain_strategies import (
    contracts,
    contracts_for_open,
    instruments,
    money,
    openings,
    prices,
    wealth,
)

modes = st.sampled_from(CopyMode)


def cost_of(number, opening, instrument) -> Fraction:
    """Return margin and fee of so many contracts, at the leader's price."""
    fee_rate = max(Fraction(0), Fraction(instrument.taker_fee))
    value = number * opening.exact_average_price * Fraction(instrument.contract_size)
    return value / Fraction(opening.leverage) + value * fee_rate


@given(modes, openings(), wealth, instruments())
def test_what_is_opened_is_paid_for_and_within_what_the_venue_takes(
    mode, opening, available, instrument
):
    sized = contracts_for_open(mode, opening, available=available, instrument=instrument)

    if not isinstance(sized, Skip):
        price = opening.exact_average_price
        assert cost_of(sized, opening, instrument) <= Fraction(available)
        assert instrument.contracts_min <= sized <= instrument.contracts_max
        worth = sized * price * Fraction(instrument.contract_size)
        assert worth >= Fraction(instrument.notional_min)


@given(openings(), wealth, instruments())
def test_fixed_mode_opens_as_many_as_the_leader_or_as_the_venue_takes_at_once(
    opening, available, instrument
):
    sized = contracts_for_open(CopyMode.FIXED, opening, available=available, instrument=instrument)

    if not isinstance(sized, Skip):
        assert sized == min(opening.contracts, instrument.contracts_max)


@given(openings(), wealth, instruments())
def test_fixed_mode_is_skipped_for_money_only_where_the_money_does_not_suffice(
    opening, available, instrument
):
    sized = contracts_for_open(CopyMode.FIXED, opening, available=available, instrument=instrument)

    if isinstance(sized, Skip) and sized.reason is SkipReason.INSUFFICIENT_BALANCE:
        wanted = min(opening.contracts, instrument.contracts_max)
        smallest = instrument.smallest_order(Price(Decimal(opening.price_sum / opening.contracts)))
        assert cost_of(max(wanted, smallest), opening, instrument) > Fraction(available)


@given(openings(), wealth, instruments())
def test_proportional_mode_never_opens_more_than_the_rule_and_one_more_would_be_too_many(
    opening, available, instrument
):
    ruled = exact_proportional(opening, available=available, instrument=instrument) // 1

    part = min(Fraction(1), Fraction(opening.initial_margin) / Fraction(opening.balance_before))
    value = Fraction(available) * Fraction(opening.leverage) * part
    each = opening.exact_average_price * Fraction(instrument.contract_size)
    assert ruled * each <= value < (ruled + 1) * each
    sized = contracts_for_open(
        CopyMode.PROPORTIONAL, opening, available=available, instrument=instrument
    )
    assert isinstance(sized, Skip) or sized <= ruled


@given(openings(), wealth, instruments())
def test_a_leader_who_uses_his_whole_balance_never_makes_a_follower_use_more_than_his(
    opening, available, instrument
):
    all_in = replace(opening, initial_margin=Money(opening.balance_before * 3))

    ruled = exact_proportional(all_in, available=available, instrument=instrument) // 1

    value = ruled * opening.exact_average_price * Fraction(instrument.contract_size)
    assert value <= Fraction(available) * Fraction(opening.leverage)


@given(modes, openings(), wealth, instruments(), st.integers(1, 10**6))
def test_a_target_never_falls_while_the_leaders_order_fills_on_at_the_same_price(
    mode, opening, available, instrument, more
):
    grown = replace(
        opening,
        contracts=Contracts(opening.contracts + more),
        price_sum=opening.price_sum / opening.contracts * (opening.contracts + more),
        initial_margin=Money(opening.initial_margin * 2),
    )
    first = contracts_for_open(mode, opening, available=available, instrument=instrument)
    later = contracts_for_open(mode, grown, available=available, instrument=instrument)

    if not isinstance(first, Skip) and not isinstance(later, Skip):
        assert later >= first


@pytest.mark.parametrize("balance", [None, Decimal(0), Decimal(-1)])
def test_a_leaders_balance_that_is_unknown_or_nothing_skips_proportional_mode_only(balance):
    @given(openings(), wealth, instruments())
    def law(opening, available, instrument):
        unknown = replace(opening, balance_before=balance)

        sized = contracts_for_open(
            CopyMode.PROPORTIONAL, unknown, available=available, instrument=instrument
        )
        fixed = contracts_for_open(
            CopyMode.FIXED, unknown, available=available, instrument=instrument
        )

        assert sized.reason is SkipReason.LEADER_BALANCE_UNKNOWN
        assert fixed == contracts_for_open(
            CopyMode.FIXED, opening, available=available, instrument=instrument
        )

    law()


@given(modes, openings(), wealth, instruments())
def test_more_leverage_than_the_instrument_allows_is_skipped(mode, opening, available, instrument):
    low = replace(instrument, leverage_max=Ratio(Decimal(1)))
    high = replace(opening, leverage=Ratio(Decimal(2)))

    sized = contracts_for_open(mode, high, available=available, instrument=low)

    assert sized.reason is SkipReason.LEVERAGE_NOT_ALLOWED


@given(openings(), wealth, instruments())
def test_one_contract_more_than_is_affordable_is_not(opening, available, instrument):
    number = affordable_contracts(opening, available=available, instrument=instrument)

    assert cost_of(number, opening, instrument) <= Fraction(available)
    assert cost_of(number + 1, opening, instrument) > Fraction(available)


@given(money, money, money)
def test_the_leaders_balance_before_is_what_he_has_and_what_the_order_took(after, margin, fee):
    before = leader_balance_before(available_after=after, initial_margin=margin, fee=fee)

    assert before - margin - fee == after


holdings = st.integers(0, 10**9).map(Contracts)
leader_moves = st.tuples(contracts, st.floats(0, 1, exclude_max=True)).map(
    lambda parts: (parts[0], Contracts(int(parts[0] * parts[1])))
)


@given(holdings, leader_moves, instruments(), prices)
def test_a_close_leaves_no_more_than_the_leaders_proportion(held, move, instrument, price):
    before, after = move
    target = close(held, before, after, instrument, price)

    assert 0 <= target <= held
    assert target * before <= held * after


@given(holdings, leader_moves, instruments(), prices)
def test_a_close_takes_something_whenever_something_is_held(held, move, instrument, price):
    target = close(held, *move, instrument, price)

    assert target < held or held == 0


@given(holdings, contracts, instruments(), prices)
def test_nothing_is_held_once_the_leader_holds_nothing(held, before, instrument, price):
    assert close(held, before, Contracts(0), instrument, price) == 0


@given(holdings, leader_moves, instruments(), prices)
def test_neither_the_close_nor_what_remains_is_below_the_venues_minimum(
    held, move, instrument, price
):
    target = close(held, *move, instrument, price)
    smallest = instrument.smallest_order(price)

    assert target == 0 or target >= smallest
    assert held - target >= min(smallest, held)


@given(holdings, leader_moves, instruments(), prices)
def test_where_no_minimum_interferes_a_close_is_the_floor_of_the_proportion(
    held, move, instrument, price
):
    before, after = move
    wanted = held * after // before
    smallest = instrument.smallest_order(price)

    if wanted >= smallest and held - wanted >= smallest:
        assert close(held, before, after, instrument, price) == wanted


@given(holdings, contracts, instruments(), prices, st.data())
def test_a_leader_who_closes_more_never_leaves_a_follower_with_more(
    held, before, instrument, price, data
):
    some = data.draw(st.integers(0, before - 1))
    less = data.draw(st.integers(0, some))

    assert close(held, before, less, instrument, price) <= close(
        held, before, some, instrument, price
    )


def close(held, before, after, instrument, price):
    return target_after_close(
        held,
        leader_before=before,
        leader_after=after,
        instrument=instrument,
        price=price,
    )
