"""Laws of the share above a high-water mark and of escrow; the published cases of two exchanges."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.high_water_mark import (
    mark_of_value,
    net_asset_value,
    reckon,
    taken_back,
)
from copyplugin.domain.money import ZERO_MONEY, Money, total
from copyplugin.domain.share import leader_share
from tests.laws.domain.domain_strategies import money, share_ratios, signed_money

CASES = Path(__file__).parents[3] / "../shared/data/profit_share_cases/cases.json"
results = st.lists(signed_money, min_size=1, max_size=20)


def published(name: str) -> dict:
    if not CASES.exists():
        pytest.skip("the published profit share cases are not beside this repository")
    return json.loads(CASES.read_text("utf-8"))[name]


def walk(history, ratio):
    """Return mark and all that was paid after these cumulative results, one reckoning each."""
    mark, paid = ZERO_MONEY, Decimal(0)
    for result in history:
        reckoning = reckon(result, mark=mark, share_ratio=ratio)
        mark, paid = reckoning.mark, paid + reckoning.share
    return mark, paid


@given(results, share_ratios)
def test_a_follower_never_pays_twice_for_the_same_profit(history, ratio):
    mark, paid = walk(history, ratio)

    assert paid <= max(mark, 0) * ratio
    assert mark == 0 or mark in history
    assert mark <= max(*history, 0)


@given(results, share_ratios)
def test_whoever_is_below_the_mark_pays_nothing_and_the_mark_stays(history, ratio):
    mark, _ = walk(history, ratio)

    reckoning = reckon(Money(mark - 1), mark=mark, share_ratio=ratio)

    assert (reckoning.share, reckoning.mark) == (0, mark)


@given(signed_money, signed_money, share_ratios, money)
def test_a_share_that_cannot_be_taken_whole_is_not_taken(result, mark, ratio, payable):
    whole = reckon(result, mark=mark, share_ratio=ratio)

    assert reckon(result, mark=mark, share_ratio=ratio, payable=payable) == (
        whole if whole.share <= payable else None
    )


@given(signed_money, signed_money, share_ratios, money, signed_money, money)
def test_deposits_and_withdrawals_move_value_and_mark_alike(
    result, mark, ratio, paid_in, moved, shares
):
    before = total(net_asset_value(paid_in, result, shares), -mark_of_value(paid_in, mark, shares))
    later = Money(paid_in + moved)
    after = total(net_asset_value(later, result, shares), -mark_of_value(later, mark, shares))

    assert before == after == total(result, -mark)


@given(signed_money, signed_money, share_ratios, money)
def test_the_mark_equals_the_value_after_a_share(result, mark, ratio, paid_in):
    reckoning = reckon(result, mark=mark, share_ratio=ratio)

    if reckoning.share:
        value = net_asset_value(paid_in, result, reckoning.share)
        assert mark_of_value(paid_in, reckoning.mark, reckoning.share) == value


helds = st.lists(money, min_size=1, max_size=6)


@given(helds, signed_money, signed_money, share_ratios)
def test_what_is_taken_back_is_what_is_held_too_much_the_newest_first(held, floor, result, ratio):
    back = taken_back(held, floor=floor, result=result, share_ratio=ratio)

    assert all(0 <= part <= share for part, share in zip(back, held, strict=True))
    kept = total(*held) - total(*back)
    earned = leader_share(Money(result - floor), ratio)
    assert kept == min(earned, total(*held))
    touched = [part > 0 for part in back]
    assert touched == sorted(touched) or all(
        part == share
        for part, share in list(zip(back, held, strict=True))[touched.index(True) + 1 :]
    )


def test_the_weeks_that_binance_publishes_come_out_alike():
    case = published("binance")
    ratio, mark = Decimal(case["share"]), ZERO_MONEY

    shares = []
    for week in case["weeks"]:
        reckoning = reckon(Decimal(week["total_pnl"]), mark=mark, share_ratio=ratio)
        mark = reckoning.mark
        shares.append(reckoning.share)

    assert shares == [Decimal(week["to_settle"]) for week in case["weeks"]]


def test_the_orders_that_matrixport_publishes_come_out_alike():
    """Shares of each winning order, held in escrow and partly taken back."""
    case = published("matrixport")
    ratio = Decimal(case["share"])
    held: list[Money] = []
    result = withheld = refunded = Decimal(0)
    for pnl in map(Decimal, case["order_pnls"]):
        share = leader_share(pnl, ratio)
        withheld += share
        if share:
            held.append(share)
        result += pnl
        back = taken_back(held, floor=ZERO_MONEY, result=result, share_ratio=ratio)
        refunded += sum(back)
        held = [each - part for each, part in zip(held, back, strict=True)]

    assert result == Decimal(case["net"])
    assert sum(held) == Decimal(case["payable"])
    # the exchange settles once, at the end: what it withholds and refunds differs by the same
    assert withheld - refunded == Decimal(case["withheld_on_winning_orders"]) - Decimal(
        case["refunded_to_copier"]
    )
