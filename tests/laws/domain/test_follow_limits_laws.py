"""Follow-level limits (P5): each fires where its loss is reached, not before, the gravest first."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.follow_limits import (
    FollowLimits,
    FollowValues,
    LimitHit,
    is_losing_run,
    limit_hit,
)
from copyplugin.domain.money import MONEY_STEP, Money, Ratio
from tests.laws.domain.domain_strategies import signed_money

amounts = st.integers(1, 10**12).map(lambda n: Money(Decimal(n).scaleb(-8)))
losses = st.integers(1, 10**12).map(lambda n: Money(Decimal(n).scaleb(-8)))
AMOUNT = Money(Decimal(1000))
AS_BEGUN = FollowValues(
    copy_amount=AMOUNT, own=AMOUNT, trading=AMOUNT, peak=AMOUNT, day_start=AMOUNT
)


@given(amount=amounts, loss=losses)
def test_the_largest_loss_is_hit_at_the_last_unit_and_not_one_before(amount, loss):
    limits = FollowLimits(max_loss=loss)
    at = replace(AS_BEGUN, copy_amount=amount, own=Money(amount - loss))

    assert limit_hit(limits, at) is LimitHit.MAX_LOSS
    assert limit_hit(limits, replace(at, own=Money(at.own + MONEY_STEP))) is None


@given(start=amounts, loss=losses)
def test_a_days_loss_is_measured_from_where_the_day_began(start, loss):
    limits = FollowLimits(max_day_loss=loss)
    at = replace(AS_BEGUN, day_start=start, trading=Money(start - loss))

    assert limit_hit(limits, at) is LimitHit.MAX_DAY_LOSS
    assert limit_hit(limits, replace(at, trading=Money(at.trading + MONEY_STEP))) is None


@given(peak=amounts, hundredths=st.integers(1, 99))
def test_a_trailing_stop_is_a_part_of_the_peak(peak, hundredths):
    limits = FollowLimits(trailing_stop=Ratio(Decimal(hundredths) / 100))
    floor = peak * (100 - hundredths) / 100
    below = Money(floor // MONEY_STEP * MONEY_STEP)

    assert limit_hit(limits, replace(AS_BEGUN, peak=peak, trading=below)) is LimitHit.TRAILING_STOP
    above = Money(below + MONEY_STEP)
    assert limit_hit(limits, replace(AS_BEGUN, peak=peak, trading=above)) is None


def test_what_ends_the_follow_goes_before_what_pauses_it():
    limits = FollowLimits(
        max_loss=Money(Decimal(10)),
        max_day_loss=Money(Decimal(10)),
        trailing_stop=Ratio(Decimal("0.01")),
    )
    low = replace(AS_BEGUN, own=Money(Decimal(990)), trading=Money(Decimal(990)))

    assert limit_hit(limits, low) is LimitHit.MAX_LOSS
    assert LimitHit.MAX_LOSS.ends_follow
    assert not LimitHit.MAX_DAY_LOSS.ends_follow
    assert LimitHit.MAX_DAY_LOSS.closes
    assert not LimitHit.LOSING_RUN.closes


@given(results=st.lists(signed_money, max_size=8), most=st.integers(1, 5))
def test_a_losing_run_is_as_many_losses_in_a_row_as_are_allowed(results, most):
    found = is_losing_run(FollowLimits(losing_positions=most), results)

    run = 0
    for result in results:
        if result >= 0:
            break
        run += 1
    assert found is (run >= most)


def test_without_limits_nothing_is_hit():
    ruined = replace(AS_BEGUN, own=Money(Decimal(0)), trading=Money(Decimal(0)))

    assert limit_hit(FollowLimits(), ruined) is None
    assert not is_losing_run(FollowLimits(), [Money(Decimal(-1))] * 9)
    assert FollowLimits().fault(AMOUNT) is None


def test_limits_that_cannot_work_are_refused_with_what_to_change():
    for limits, words in (
        (FollowLimits(max_loss=Money(Decimal(1001))), "at most the copy amount, 1000 USDT"),
        (FollowLimits(max_day_loss=Money(Decimal(0))), "loss of a day must be more than 0"),
        (FollowLimits(trailing_stop=Ratio(Decimal(1))), "less than 100 %"),
        (FollowLimits(losing_positions=0), "at least 1"),
    ):
        assert words in limits.fault(AMOUNT)
