from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.copied_position import CopiedPosition, amount_used, position_yield
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.money import Contracts, Money, Ratio
from tests.laws.domain.domain_strategies import leverages, money, signed_money

AMOUNT = Money(Decimal(100))


@st.composite
def positions(draw):
    opened = draw(st.integers(1, 10**6))
    return CopiedPosition(
        opened_contracts=Contracts(opened),
        opened_value=draw(money.filter(lambda value: value > 0)),
        closed_contracts=Contracts(draw(st.integers(0, opened))),
        leverage=draw(leverages),
        margin_mode=draw(st.sampled_from(MarginMode)),
    )


def used(position, venue_margin=None):
    return amount_used(position, copy_amount=AMOUNT, venue_margin=venue_margin)


@given(positions())
def test_once_closed_the_amount_used_is_the_margin_of_all_that_was_opened(position):
    closed = replace(position, closed_contracts=position.opened_contracts)

    exact = Fraction(position.opened_value) / Fraction(position.leverage)
    assert 0 <= Fraction(used(closed)) - exact < Fraction(1, 10**8)


@given(positions(), money)
def test_an_open_isolated_position_uses_the_margin_the_venue_reports(position, venue_margin):
    opened = replace(position, closed_contracts=Contracts(0))

    isolated = used(replace(opened, margin_mode=MarginMode.ISOLATED), venue_margin)
    cross = used(replace(opened, margin_mode=MarginMode.CROSS), venue_margin)

    assert isolated == venue_margin
    assert cross == used(opened)


@given(positions())
def test_what_is_open_uses_its_part_of_the_entry_cost(position):
    if position.is_open:
        cost = Fraction(position.opened_value) * position.contracts / position.opened_contracts
        assert (
            0 <= Fraction(used(position)) - cost / Fraction(position.leverage) < Fraction(1, 10**8)
        )


def test_a_position_that_never_opened_shows_the_copy_amount():
    nothing = CopiedPosition(
        opened_contracts=Contracts(0),
        opened_value=Money(Decimal(0)),
        closed_contracts=Contracts(0),
        leverage=Ratio(Decimal(10)),
        margin_mode=MarginMode.CROSS,
    )

    assert used(nothing) == AMOUNT


@given(signed_money, signed_money, signed_money, signed_money)
def test_the_yield_is_the_whole_profit_over_the_copy_amount(pnl, unrealized, fees, funding):
    found = position_yield(
        realized_pnl=pnl, unrealized_pnl=unrealized, fees=fees, funding=funding, copy_amount=AMOUNT
    )

    assert found * 100 == sum(map(Fraction, (pnl, unrealized, -fees, -funding)))
