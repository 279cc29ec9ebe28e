from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.share import leader_share, position_profit, split_share
from tests.laws.domain.domain_strategies import share_ratios, signed_money

UNIT = Decimal("0.0001")
parts = st.integers(0, 100).map(lambda n: Ratio(Decimal(n).scaleb(-2)))


@given(signed_money, share_ratios)
def test_a_share_is_never_negative_and_never_more_than_its_part_of_the_profit(profit, ratio):
    share = leader_share(profit, ratio)

    assert share >= 0
    assert share <= max(Fraction(0), Fraction(profit) * Fraction(ratio))


@given(signed_money, share_ratios)
def test_the_follower_gains_less_than_a_ten_thousandth_by_the_truncation(profit, ratio):
    lost = max(Fraction(0), Fraction(profit) * Fraction(ratio)) - Fraction(
        leader_share(profit, ratio)
    )

    assert 0 <= lost < Fraction(UNIT)
    assert leader_share(profit, ratio) % UNIT == 0


@given(signed_money, signed_money, share_ratios)
def test_more_profit_never_means_a_smaller_share(one, other, ratio):
    low, high = sorted([one, other])

    assert leader_share(low, ratio) <= leader_share(high, ratio)


@given(signed_money, share_ratios, parts)
def test_the_leaders_and_the_sharers_part_sum_to_the_share_to_the_last_unit(profit, ratio, part):
    share = leader_share(profit, ratio)

    leader, sharer = split_share(share, part)

    assert leader + sharer == share
    assert leader >= 0
    assert sharer >= 0
    assert 0 <= Fraction(share) * Fraction(part) - Fraction(sharer) < Fraction(UNIT)


@given(signed_money, signed_money, signed_money)
def test_fees_and_funding_that_were_paid_lower_the_profit_by_what_they_are(pnl, fees, funding):
    profit = position_profit(realized_pnl=pnl, fees=fees, funding=funding)

    assert Fraction(profit) == Fraction(pnl) - Fraction(fees) - Fraction(funding)


def test_a_share_of_a_profit_is_cut_after_four_decimals_and_not_rounded():
    assert leader_share(Money(Decimal("1.99999")), Ratio(Decimal("0.5"))) == Decimal("0.9999")
