"""Margin parity (C14): trading is no change, all else is; a follower's part is in proportion."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.margin_parity import (
    NOTICED_FROM,
    AttemptOutcome,
    Backing,
    extra_for,
    has_changed,
    kept_extra,
    missing_extra,
    outcome_of,
)
from copyplugin.domain.money import Contracts, Money, Ratio, money_ceil

leverages = st.integers(1, 125).map(lambda n: Ratio(Decimal(n)))
sizes = st.integers(1, 10**6).map(Contracts)
changes = st.integers(-(10**10), 10**10).map(lambda n: Money(Decimal(n).scaleb(-8)))


@st.composite
def backings(draw):
    contracts = draw(sizes)
    cost = Money(Decimal(contracts * draw(st.integers(1, 10**6))).scaleb(-2))
    leverage = draw(leverages)
    margin = money_ceil(Fraction(cost) / Fraction(leverage))
    return Backing(
        contracts=contracts,
        entry_cost=cost,
        margin=Money(margin + draw(changes)),
        leverage=leverage,
        margin_mode=MarginMode.ISOLATED,
    )


@given(held=backings(), more=sizes, price=st.integers(1, 10**4))
def test_adding_contracts_with_their_initial_margin_is_no_change(held, more, price):
    cost = Money(Decimal(more * price))
    after = replace(
        held,
        contracts=Contracts(held.contracts + more),
        entry_cost=Money(held.entry_cost + cost),
        margin=Money(held.margin + money_ceil(Fraction(cost) / Fraction(held.leverage))),
    )

    assert not has_changed(held, after)


@given(held=backings(), data=st.data())
def test_taking_contracts_away_with_their_part_of_all_is_no_change(held, data):
    left = Contracts(data.draw(st.integers(1, held.contracts)))
    part = Fraction(left, held.contracts)
    after = replace(
        held,
        contracts=left,
        entry_cost=money_ceil(Fraction(held.entry_cost) * part),
        margin=money_ceil(Fraction(held.margin) * part),
    )

    assert not has_changed(held, after)


@given(held=backings(), change=changes)
def test_margin_added_or_taken_is_noticed_from_a_cent_on(held, change):
    after = replace(held, margin=Money(held.margin + change))

    assert has_changed(held, after) is (abs(change) >= NOTICED_FROM)


@given(held=backings())
def test_another_leverage_or_margin_mode_is_a_change(held):
    assert has_changed(held, replace(held, leverage=Ratio(held.leverage + 1)))
    assert has_changed(held, replace(held, margin_mode=MarginMode.CROSS))


@given(leader=backings(), contracts=sizes)
def test_a_followers_extra_is_in_proportion_and_rounded_toward_more(leader, contracts):
    exact = leader.extra * contracts / leader.contracts

    assert 0 <= Fraction(extra_for(leader, contracts)) - exact < Fraction(1, 10**8)


@given(held=backings(), wanted=changes)
def test_what_is_missing_brings_the_position_there_and_then_nothing_is(held, wanted):
    missing = missing_extra(wanted, held)

    after = replace(held, margin=Money(held.margin + missing))
    assert abs(after.extra - Fraction(wanted)) < NOTICED_FROM
    assert missing_extra(wanted, after) == 0


askings = changes.filter(lambda money: abs(money) >= NOTICED_FROM)
rounding = st.integers(-499_999, 499_999).map(lambda n: Decimal(n).scaleb(-8))


@given(before=backings(), asked=askings, off=rounding)
def test_what_was_asked_for_is_told_from_what_was_not_whatever_the_venue_rounds(before, asked, off):
    made = replace(before, margin=Money(before.margin + asked + off))
    lost = replace(before, margin=Money(before.margin + off))

    assert outcome_of(before, asked, made) is AttemptOutcome.MADE
    assert outcome_of(before, asked, lost) is AttemptOutcome.NOT_MADE


@given(before=backings(), asked=askings, data=st.data())
def test_a_position_that_changed_beside_it_tells_nothing(before, asked, data):
    name, value = data.draw(
        st.sampled_from(
            [
                ("contracts", Contracts(before.contracts + 1)),
                ("entry_cost", Money(before.entry_cost + Decimal(1).scaleb(-8))),
                ("leverage", Ratio(before.leverage + 1)),
                ("margin_mode", MarginMode.CROSS),
            ]
        )
    )
    now = replace(before, margin=Money(before.margin + data.draw(st.sampled_from([0, asked]))))

    assert outcome_of(before, asked, replace(now, **{name: value})) is AttemptOutcome.UNCLEAR


@given(before=backings(), asked=askings)
def test_half_of_what_was_asked_for_is_not_it(before, asked):
    half = Money((asked / 2).quantize(Decimal(1).scaleb(-8)))
    now = replace(before, margin=Money(before.margin + half))

    assert outcome_of(before, asked, now) is AttemptOutcome.UNCLEAR


@given(leader=backings(), contracts=sizes, data=st.data())
def test_a_wish_that_waits_shrinks_with_the_position_it_is_for(leader, contracts, data):
    wanted = extra_for(leader, contracts)
    left = Contracts(data.draw(st.integers(1, contracts)))

    assert kept_extra(wanted, contracts, Contracts(contracts + left)) == wanted
    kept = Fraction(kept_extra(wanted, contracts, left))
    assert 0 <= kept - Fraction(wanted) * left / contracts < Fraction(1, 10**8)
