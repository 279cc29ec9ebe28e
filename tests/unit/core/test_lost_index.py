"""What becomes of the mark price when the sources of the index fail, told as stories."""

import pytest

from simexchange.core.commands import (
    AdvanceTime,
    SetIndex,
    SetIndexSources,
    SetMark,
)
from simexchange.core.events import (
    CommandRejected,
    FundingSettled,
    IndexLost,
    IndexRestored,
    LiquidationStarted,
    PlanOrderRejected,
    PlanOrderTriggered,
)
from simexchange.core.instrument import FundingRules
from simexchange.core.types import HOUR_US, RejectReason, TriggerBy
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, Desk, names, of_type, usdt

STALE_US = 10_000_000


def sources(desk, *prices, **more):
    return desk.apply(SetIndexSources(SYMBOL, prices, **more))


def index(desk):
    return desk.exchange.index_price(SYMBOL)


def mark(desk):
    return desk.exchange.mark_price(SYMBOL)


def test_one_source_far_from_the_others_counts_nothing_and_two_leave_the_median():
    desk = Desk()

    sources(desk, 1_000, 1_002, 1_100)
    assert index(desk) == 1_001
    sources(desk, 1_000, 1_002, 1_100, 900, 1_001)
    assert index(desk) == 1_001
    sources(desk, 500, 1_000, 2_000)
    assert index(desk) == 1_000


def test_a_source_that_is_too_old_counts_nothing():
    desk = Desk(index_stale_us=STALE_US)

    sources(desk, 1_000, 1_010, ages_us=(STALE_US, STALE_US + 1))

    assert index(desk) == 1_000
    assert desk.exchange.mark_protection(SYMBOL) is None


def test_without_a_source_the_mark_follows_the_last_price_within_its_protection():
    desk = Desk(mark_protection=2_000_000)

    lost = sources(desk)
    assert names(lost) == ["IndexLost"]
    assert (lost[0].mark, lost[0].lowest, lost[0].highest) == (1_000, 980, 1_020)
    desk.trade(1, 2, 1, 1_010)
    desk.wait(1)
    assert mark(desk) == 1_010
    desk.trade(1, 2, 1, 1_500)
    desk.wait(1)
    assert mark(desk) == 1_020
    desk.trade(1, 2, 1, 10)
    desk.wait(1)
    assert mark(desk) == 980
    assert index(desk) == 1_000
    assert sources(desk) == []  # it is lost already


def test_an_index_that_comes_back_is_said_and_the_mark_follows_its_formula_again():
    desk = Desk()
    sources(desk)

    events = desk.apply(SetIndex(SYMBOL, 1_200))

    assert names(events) == ["IndexRestored", "MarkPriceSet"]
    assert desk.exchange.mark_protection(SYMBOL) is None
    assert mark(desk) == 1_200


def test_an_index_that_nobody_renews_is_lost_at_the_first_look_after_its_time():
    desk = Desk(index_stale_us=STALE_US)

    assert of_type(desk.apply(AdvanceTime(), desk.at + STALE_US - 3), IndexLost) == []
    (lost,) = of_type(desk.wait(1), IndexLost)

    assert lost.mark == 1_000
    (restored,) = of_type(sources(desk, 1_001, 1_003), IndexRestored)
    assert restored.index == 1_002


def test_sources_that_are_old_but_usable_age_on():
    desk = Desk(index_stale_us=STALE_US)
    sources(desk, 1_000, ages_us=(STALE_US - 1,))

    assert of_type(desk.wait(1), IndexLost)


def test_all_stale_sources_are_as_good_as_none():
    desk = Desk(index_stale_us=STALE_US)

    assert of_type(sources(desk, 2_000, 2_000, ages_us=(STALE_US * 2, STALE_US * 3)), IndexLost)
    assert mark(desk) == 1_000


def test_nobody_is_liquidated_beyond_the_protection():
    desk = Desk()
    desk.leverage(1, 50)
    desk.trade(1, 2, 10, 1_000)  # liquidated at 985
    sources(desk)
    desk.trade(3, 2, 1, 500)

    events = desk.wait(1)

    assert mark(desk) == 990
    assert of_type(events, LiquidationStarted) == []


def test_a_mark_that_is_held_by_hand_stays_and_is_protected_when_it_is_let_go():
    desk = Desk()
    desk.mark(2_000)
    sources(desk)
    desk.trade(1, 2, 1, 1_000)

    desk.wait(1)
    assert mark(desk) == 2_000
    desk.apply(SetMark(SYMBOL, None))

    assert mark(desk) == 1_980


def test_plans_on_the_index_wait_for_a_known_one():
    desk = Desk()
    desk.plan(1, BUY, 1, 1_010, TriggerBy.INDEX)
    sources(desk)

    (refused,) = of_type(desk.plan(1, BUY, 1, 1_010, TriggerBy.INDEX), PlanOrderRejected)
    assert refused.reason is RejectReason.NO_PRICE
    assert of_type(desk.wait(1), PlanOrderTriggered) == []
    assert of_type(desk.apply(SetIndex(SYMBOL, 1_010)), PlanOrderTriggered)


def test_funding_takes_no_premium_from_an_index_that_is_not_known():
    rules = FundingRules(interval_us=HOUR_US, impact_notional=10_000_000, interest_rate=0)
    desk = Desk(funding=rules)
    desk.limit(3, BUY, 100, 1_090)
    desk.limit(2, SELL, 100, 1_095)
    sources(desk)

    (settled,) = of_type(desk.apply(AdvanceTime(), HOUR_US), FundingSettled)

    assert settled.premium == 0


@pytest.mark.parametrize(
    ("prices", "more"),
    [
        ((1_000,), {"weights": (1, 2)}),
        ((1_000,), {"weights": (0,)}),
        ((1_000,), {"weights": (-1,)}),
        ((1_000, 1_001), {"ages_us": (1,)}),
        ((1_000,), {"ages_us": (-1,)}),
        ((), {"weights": (1,)}),
    ],
)
def test_sources_that_make_no_sense_are_refused_and_change_nothing(prices, more):
    desk = Desk()

    (refused,) = sources(desk, *prices, **more)

    assert isinstance(refused, CommandRejected)
    assert refused.reason is RejectReason.INVALID_REQUEST
    assert index(desk) == 1_000


def test_an_index_that_never_was_cannot_be_lost():
    desk = Desk(mark=None)

    (refused,) = sources(desk)

    assert refused.reason is RejectReason.INVALID_REQUEST
    assert mark(desk) is None


@pytest.mark.parametrize("steps", [[600], [10, 590], [11, 589], [1] * 600])
def test_an_index_is_lost_when_it_is_too_old_however_time_is_advanced(steps):
    desk = Desk(index_stale_us=STALE_US, funding=FundingRules(impact_notional=usdt(100)))
    since = desk.at
    desk.limit(3, BUY, 100, 1_001)

    events = [event for seconds in steps for event in desk.wait(seconds)]

    (lost,) = of_type(events, IndexLost)
    assert lost.at == since + STALE_US + 1
    clock = desk.exchange._state.markets[SYMBOL].funding
    assert clock.premium_samples == 2  # at 5 and at 10 seconds
