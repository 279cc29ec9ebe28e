"""Index, mark price and funding."""

from fractions import Fraction

import pytest

from simexchange.core.book import BookSide
from simexchange.core.commands import (
    CancelAll,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetMark,
    SkipFunding,
)
from simexchange.core.events import FundingPaid, FundingSettled, MarkPriceSet
from simexchange.core.instrument import FundingRules
from simexchange.core.prices import funding_rate, index_from, median_of_three
from simexchange.core.types import HOUR_US, RATE_SCALE, RejectReason
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, of_type, usdt

HOURS_8 = 8 * HOUR_US
RULES = FundingRules(impact_notional=usdt(100))


@pytest.mark.parametrize(
    ("prices", "weights", "index"),
    [
        ((100,), (1,), 100),
        ((100, 101, 102), (1, 1, 1), 101),
        ((100, 101, 104), (3, 1, 1), 101),  # 505 / 5
        ((100, 101), (1, 1), 101),  # halves go up
        ((1_000, 1_050, 1_000), (1, 1, 1), 1_017),  # 5 % exactly is no outlier
        ((1_000, 1_051, 1_000), (1, 1, 1), 1_000),  # more than 5 % is left out
        ((1_000, 2_000, 500), (1, 1, 1), 1_000),  # two outliers: the median
    ],
)
def test_the_index_leaves_out_one_outlier_and_falls_back_to_the_median(prices, weights, index):
    assert index_from(prices, weights) == index


@pytest.mark.parametrize("three", [(1, 2, 3), (3, 1, 2), (2, 3, 1), (2, 2, 9), (2, 9, 2)])
def test_the_median_of_three_is_the_middle_one(three):
    assert median_of_three(*three) == sorted(three)[1]


def test_a_basis_counts_for_the_window_and_no_longer_when_the_book_has_lost_a_side():
    desk = Desk(mark_window_us=30_000_000)
    desk.trade(1, 2, 1, 1_050)
    desk.limit(1, BUY, 1, 1_018)
    desk.limit(2, SELL, 1, 1_022)
    desk.wait(1)
    assert desk.exchange.mark_price(SYMBOL) == 1_020  # of 1,000, 1,020 and 1,050

    desk.apply(CancelAll(2))
    desk.wait(28)
    assert desk.exchange.mark_price(SYMBOL) == 1_020
    desk.wait(2)
    assert desk.exchange.mark_price(SYMBOL) == 1_000


# rates in 10⁻⁸; interest 10,000 and clamp 50,000 are the usual 0.01 % and 0.05 %
@pytest.mark.parametrize(
    ("premium", "hours", "rate"),
    [
        (0, 8, 10_000),  # premium near interest: interest is paid
        (60_000, 8, 10_000),
        (100_000, 8, 50_000),
        (-100_000, 8, -50_000),
        (0, 4, 5_000),
        (0, 1, 1_250),
        (10**8, 8, 2_000_000),  # capped
        (-(10**8), 8, -2_000_000),
        (-50_001, 1, 0),  # -1 / 8 goes toward zero
    ],
)
def test_the_funding_rate_is_premium_plus_clamped_interest_for_its_interval(premium, hours, rate):
    assert funding_rate(premium, 10_000, 50_000, 2_000_000, hours * HOUR_US, HOURS_8) == rate


def test_the_mark_price_is_the_index_while_nothing_has_traded():
    desk = Desk()

    desk.apply(SetIndex(SYMBOL, 1_234))

    assert desk.exchange.mark_price(SYMBOL) == 1_234


def test_one_wild_trade_does_not_move_the_mark_price_beyond_the_book():
    desk = Desk()
    desk.trade(1, 2, 1, 1_500)
    desk.limit(1, BUY, 1, 1_008)
    desk.limit(2, SELL, 1, 1_012)

    (event,) = of_type(desk.apply(SetIndex(SYMBOL, 1_001)), MarkPriceSet)

    assert (event.mark, event.index, event.last) == (1_010, 1_001, 1_500)


def test_a_mark_price_held_by_hand_stays_until_it_is_given_back():
    desk = Desk()
    desk.mark(900)
    desk.apply(SetIndex(SYMBOL, 1_100))
    assert desk.exchange.mark_price(SYMBOL) == 900

    desk.apply(SetMark(SYMBOL, None))

    assert desk.exchange.mark_price(SYMBOL) == 1_100


def test_sources_without_matching_weights_are_refused():
    desk = Desk()

    (refused,) = desk.apply(SetIndexSources(SYMBOL, (1, 2), (1,)))

    assert refused.reason is RejectReason.INVALID_REQUEST


def open_for_funding(**rules):
    desk = Desk(money=10_000, funding=FundingRules(**rules) if rules else RULES)
    desk.trade(1, 2, 7, 1_000)
    return desk


def test_longs_pay_shorts_on_the_boundary_at_the_mark_price():
    desk = open_for_funding()
    desk.apply(SetFundingRate(SYMBOL, 100_000))

    events = desk.wait(8 * 3_600)

    payments = {e.account: e.payment for e in of_type(events, FundingPaid)}
    assert payments == {1: usdt("0.7"), 2: -usdt("0.7")}
    (settled,) = of_type(events, FundingSettled)
    assert settled.at == HOURS_8
    assert settled.next_funding_at == 2 * HOURS_8


def test_who_closes_before_the_boundary_pays_nothing():
    desk = open_for_funding()
    desk.apply(SetFundingRate(SYMBOL, 100_000))
    desk.at = HOURS_8 - 10
    desk.trade(2, 1, 7, 1_000)

    assert of_type(desk.wait(1), FundingPaid) == []


def test_funding_that_does_not_divide_leaves_its_residue_with_the_exchange():
    desk = Desk(money=10_000, funding=RULES, accounts=4)
    for seller, contracts in ((2, 1), (3, 1), (4, 1)):
        desk.trade(1, seller, contracts, 1_000)
    desk.mark(997)
    desk.apply(SetFundingRate(SYMBOL, 3_333_333))

    events = desk.wait(8 * 3_600)

    payments = [e.payment for e in of_type(events, FundingPaid)]
    (settled,) = of_type(events, FundingSettled)
    exact = Fraction(3 * usdt("99.7") * 3_333_333, RATE_SCALE)
    assert 0 <= max(payments) - exact < 1
    assert sum(payments) == settled.residue == desk.exchange.ledger.rounding


def test_the_premium_of_a_dear_book_raises_the_rate():
    desk = open_for_funding()
    assert desk.exchange.funding(SYMBOL).rate == 10_000
    desk.limit(3, BUY, 100, 1_001)
    desk.limit(2, SELL, 100, 1_003)

    desk.wait(3_600)

    # impact bid 0.1 % above the index: 100,000 + clamp(10,000 − 100,000) = 50,000
    assert 49_000 < desk.exchange.funding(SYMBOL).rate <= 50_000


def test_the_premium_is_sampled_every_five_seconds_however_time_is_advanced():
    def rate(steps):
        desk = open_for_funding()
        desk.limit(3, BUY, 100, 1_001)
        desk.limit(2, SELL, 100, 1_003)
        for seconds in steps:
            desk.wait(seconds)
        return desk.exchange.funding(SYMBOL).rate, desk.exchange._state.markets[
            SYMBOL
        ].funding.premium_samples

    assert rate([100]) == rate([1] * 100) == rate([37, 63])


@pytest.mark.parametrize("steps", [[100], [1] * 100, [49, 1, 50], [50, 50]])
def test_an_order_that_has_expired_is_in_no_later_sample(steps):
    desk = open_for_funding(interest_rate=0, clamp=0)
    desk.limit(3, BUY, 100, 1_001, expires_at=50_000_000)

    for seconds in steps:
        desk.wait(seconds)

    # 9 of 20 samples, the one at its end already without it
    assert desk.exchange.funding(SYMBOL).rate == 100_000 * 9 // 20


def test_a_side_too_thin_for_the_impact_notional_adds_no_premium():
    desk = open_for_funding(impact_notional=usdt(100_000))
    desk.limit(3, BUY, 100, 1_050)
    desk.wait(60)

    assert desk.exchange.funding(SYMBOL).rate == 10_000
    assert BookSide(1).best() is None


def test_a_new_interval_starts_at_the_next_boundary():
    desk = open_for_funding()
    desk.apply(SetFundingInterval(SYMBOL, HOUR_US))

    times = [e.at // HOUR_US for e in of_type(desk.wait(10 * 3_600), FundingSettled)]

    assert times == [8, 9, 10]


def test_a_skipped_funding_moves_no_money_and_says_so():
    desk = open_for_funding()
    desk.apply(SkipFunding(SYMBOL))

    events = desk.wait(16 * 3_600)

    assert [e.skipped for e in of_type(events, FundingSettled)] == [True, False]
    assert len(of_type(events, FundingPaid)) == 2


def test_funding_takes_from_the_margin_when_the_wallet_is_empty_and_moves_the_price():
    desk = Desk(money=70, funding=RULES)
    desk.leverage(1, 10)
    desk.apply(SetFundingRate(SYMBOL, 1_000_000))
    desk.trade(1, 2, 7, 1_000)
    before = desk.position(1)

    desk.wait(8 * 3_600)

    after = desk.position(1)
    assert after.margin == before.margin - usdt(7)
    assert after.liquidation_price > before.liquidation_price


def test_funding_without_rules_is_refused():
    (refused,) = Desk().apply(SkipFunding(SYMBOL))

    assert refused.reason is RejectReason.INVALID_REQUEST
