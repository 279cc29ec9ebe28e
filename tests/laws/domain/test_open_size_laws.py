"""Laws of the further modes: caps hold, small opens are raised or carried, nothing is lost (C7)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from copyplugin.domain.copy_rule import BelowMinimum, Caps, CopyMode, CopyRule
from copyplugin.domain.money import Contracts, Money, Ratio, money_ceil
from copyplugin.domain.open_size import (
    Circumstances,
    Holdings,
    exact_contracts,
    size_of_open,
)
from copyplugin.domain.sizing import LeaderOpening, contract_value, smallest_order
from copyplugin.domain.skip import SkipReason
from tests.laws.domain.domain_strategies import (
    instruments,
    leverages,
    openings,
    rule_of,
    wealth,
)

modes = st.sampled_from(CopyMode)
factors = st.integers(1, 10**6).map(lambda n: Ratio(Decimal(n).scaleb(-3)))
caps_in_money = st.integers(1, 10**12).map(lambda n: Money(Decimal(n).scaleb(-4)))
residues = st.fractions(0, 100, max_denominator=1000)


def size(rule, opening, instrument, **around):
    return size_of_open(rule, opening, Circumstances(**around), instrument)


def multiple(factor, **terms) -> CopyRule:
    return CopyRule(mode=CopyMode.MULTIPLE, factor=factor, **terms)


@given(factors, openings(), instruments())
def test_a_multiple_opens_its_factor_times_the_leaders_contracts_rounded_down(
    factor, opening, instrument
):
    sized = size(multiple(factor), opening, instrument)

    if sized.skip is None and sized.contracts < instrument.contracts_max:
        exact = Fraction(factor) * opening.contracts
        assert sized.contracts <= exact < sized.contracts + 1


@given(caps_in_money, openings(), instruments())
def test_fixed_margin_ties_up_no_more_than_the_margin_and_one_contract_more_would(
    margin, opening, instrument
):
    rule = CopyRule(mode=CopyMode.FIXED_MARGIN, order_margin=margin)

    sized = size(rule, opening, instrument)

    if sized.skip is None and sized.contracts < instrument.contracts_max:
        each = contract_value(opening, instrument) / Fraction(opening.leverage)
        assert sized.contracts * each <= Fraction(margin) < (sized.contracts + 1) * each


@given(openings(), wealth, wealth.filter(bool), instruments())
def test_the_equity_ratio_never_opens_more_than_the_followers_part(
    opening, own, leaders, instrument
):
    rule = CopyRule(mode=CopyMode.EQUITY_RATIO)

    sized = size(rule, opening, instrument, available=own, equity=own, leader_equity=leaders)

    assert sized.contracts * Fraction(leaders) <= opening.contracts * Fraction(own)


@given(openings(), wealth, instruments())
def test_an_unknown_leaders_equity_skips_the_equity_ratio(opening, own, instrument):
    rule = CopyRule(mode=CopyMode.EQUITY_RATIO)

    sized = size(rule, opening, instrument, available=own, equity=own)

    assert sized.skip.reason is SkipReason.LEADER_BALANCE_UNKNOWN


@given(openings(), instruments(), st.data())
def test_no_open_goes_beyond_a_cap_in_money(opening, instrument, data):
    plenty = replace(instrument, contracts_min=Contracts(1), notional_min=Money(Decimal(0)))
    each = contract_value(opening, plenty)
    part = st.fractions(Fraction(1, 4), 3, max_denominator=100)
    parts = [data.draw(part) for _ in range(5)]
    whole = opening.contracts * each
    in_one, in_all, margin = (money_ceil(whole * share) for share in parts[:3])
    held, others = whole * parts[3] / 8, whole * parts[4] / 8
    rule = rule_of(
        data.draw(modes),
        caps=Caps(order_margin_max=margin, instrument_value_max=in_one, total_value_max=in_all),
    )
    rich = Money(Decimal(10) ** 15)

    sized = size(
        rule,
        opening,
        plenty,
        holdings=Holdings(instrument_value=held, total_value=held + others),
        available=rich,
        equity=rich,
        leader_equity=rich,
    )

    value = sized.contracts * each
    room = {
        SkipReason.MARGIN_CAPPED: Fraction(margin) * Fraction(opening.leverage),
        SkipReason.INSTRUMENT_CAPPED: Fraction(in_one) - held,
        SkipReason.EXPOSURE_CAPPED: Fraction(in_all) - held - others,
    }
    if sized.contracts:
        assert value <= min(room.values())
    elif sized.skip.reason in room:
        assert room[sized.skip.reason] < each


@given(openings(), instruments(), st.integers(1, 5), st.integers(0, 9), st.booleans())
def test_a_new_position_is_opened_only_below_the_cap_and_an_open_one_may_be_added_to(
    opening, instrument, most, others, is_open
):
    rule = rule_of(CopyMode.FIXED, caps=Caps(open_positions_max=most))
    holdings = Holdings(other_positions=others, is_open=is_open)

    sized = size(rule, opening, instrument, holdings=holdings)

    is_capped = sized.skip is not None and sized.skip.reason is SkipReason.POSITIONS_CAPPED
    assert is_capped == (not is_open and others >= most)


@given(openings(), instruments(), st.integers(1, 5), st.integers(0, 9))
def test_the_orders_of_a_day_end_at_their_cap(opening, instrument, most, opened):
    rule = rule_of(CopyMode.FIXED, caps=Caps(orders_per_day_max=most))

    sized = size(rule, opening, instrument, holdings=Holdings(opened_today=opened))

    is_capped = sized.skip is not None and sized.skip.reason is SkipReason.ORDERS_CAPPED
    assert is_capped == (opened >= most)


@given(leverages, leverages, leverages)
def test_a_leverage_is_the_followers_or_the_leaders_and_never_above_the_cap(own, leaders, most):
    capped = rule_of(CopyMode.FIXED, caps=Caps(leverage_max=most))

    assert capped.leverage_for(leaders) == min(leaders, most)
    assert replace(capped, leverage=own).leverage_for(leaders) == min(own, most)


@given(factors, openings(), instruments())
def test_an_order_below_the_minimum_is_raised_to_it_and_none_above_is_touched(
    factor, opening, instrument
):
    plain = size(multiple(factor), opening, instrument)
    raised = size(multiple(factor, below_minimum=BelowMinimum.RAISE), opening, instrument)

    if plain.skip is None:
        assert raised == plain
    elif smallest_order(opening, instrument) <= instrument.contracts_max:
        assert raised.contracts == smallest_order(opening, instrument)


@given(st.lists(st.tuples(factors, openings()), min_size=1, max_size=8), instruments())
def test_what_is_opened_and_what_is_carried_sum_to_what_was_asked_for(orders, instrument):
    """... as long as no order is larger than the venue takes."""
    carried = asked = Fraction(0)
    opened = 0
    for factor, opening in orders:
        rule = multiple(factor, below_minimum=BelowMinimum.CARRY)
        exact = exact_contracts(rule, opening, Circumstances(), instrument)
        assume(exact + carried < instrument.contracts_max)
        sized = size(rule, opening, instrument, carried=carried)
        carried = sized.carried
        opened += sized.contracts
        asked += exact

        assert 0 <= carried < smallest_order(opening, instrument)
        assert opened + carried == asked


@given(factors, openings(), instruments(), residues)
def test_what_a_cap_cuts_off_is_not_carried(factor, opening, instrument, carried):
    cap = Money(Decimal("0.00000001"))
    rule = multiple(factor, below_minimum=BelowMinimum.CARRY, caps=Caps(instrument_value_max=cap))

    sized = size(rule, opening, instrument, carried=carried)

    exact = exact_contracts(rule, opening, Circumstances(), instrument)
    if sized.skip.reason is SkipReason.INSTRUMENT_CAPPED:
        assert sized.carried is None  # as before
    else:
        assert sized.carried == exact + carried


@given(factors, openings(), instruments(), residues, st.integers(1, 100))
def test_a_carried_order_that_grows_ends_where_one_that_came_at_once_ends(
    factor, opening, instrument, carried, more
):
    rule = multiple(factor, below_minimum=BelowMinimum.CARRY)
    price = opening.price_sum / opening.contracts
    grown = LeaderOpening(
        contracts=Contracts(opening.contracts + more),
        price_sum=price * (opening.contracts + more),
        leverage=opening.leverage,
    )

    first = size(rule, opening, instrument, carried=carried)
    later = size(rule, grown, instrument, carried=carried)

    assert later.contracts >= first.contracts
