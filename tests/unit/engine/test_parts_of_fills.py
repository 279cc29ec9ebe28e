"""A part of a fill costs rather more and earns rather less, by less than a unit."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.money import MONEY_STEP, Contracts, Money
from copyplugin.engine.adopting import part_of
from tests.laws.domain.domain_strategies import fills

amounts = st.integers(-(10**12), 10**12).map(lambda steps: Money(steps * MONEY_STEP))


@given(fills(), amounts, amounts, st.data())
def test_the_fee_of_a_part_is_rounded_up_and_its_profit_down(fill, fee, pnl, data):
    whole = replace(fill, fee=fee, realized_pnl=pnl)
    contracts = Contracts(data.draw(st.integers(1, whole.contracts)))
    share = Fraction(contracts, whole.contracts)

    part = part_of(whole, contracts)

    assert part.contracts == contracts
    assert 0 <= Fraction(part.fee) - Fraction(fee) * share < Fraction(MONEY_STEP)
    assert 0 <= Fraction(pnl) * share - Fraction(part.realized_pnl) < Fraction(MONEY_STEP)
