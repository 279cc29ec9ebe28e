"""Positions that the venue or the follower closed: found late, nothing comes back, no open goes."""

from decimal import Decimal

from sqlalchemy import update

from copyplugin.domain.skip import SkipReason
from copyplugin.store.rows import CopyDecisionRow, LaneRow
from simexchange.core.commands import AdjustMargin, PlaceOrder
from simexchange.core.types import MONEY_SCALE, OrderKind, PositionSide, Side
from tests.simulation.pair import SOL

LONG = PositionSide.LONG


async def hold_ten_and_be_liquidated(pair, market):
    """Let the follower's 10 be liquidated by a price that the leader survives; nobody is told."""
    market.set_leverage(pair.leader, SOL, 50)
    await pair.buy(10)
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 1000 * MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("146.50"))
    market.set_price(SOL, Decimal("147.00"))
    assert pair.held() == 0
    market.clock.advance(seconds=1)
    pair.stand_by(SOL)


async def reconcile(plugin, market):
    """Find out what the venue holds, and let the sweep do what follows from it."""
    await plugin.run_jobs("reconcile", "copy")
    for _ in range(3):  # lanes whose close was refused wait a moment
        market.clock.advance(seconds=1)
        await plugin.run_jobs("reconcile", "copy")


def lane_of(pair):
    [lane] = pair.rows(LaneRow)
    return lane


async def test_a_leader_who_opened_anew_after_his_followers_liquidation_is_copied(
    pair, market, plugin
):
    await hold_ten_and_be_liquidated(pair, market)
    market.trade(pair.leader, SOL, Side.SELL, 10, LONG, price=Decimal("146.99"))
    market.clock.advance(seconds=1)
    market.trade(pair.leader, SOL, Side.BUY, 7, LONG)
    await plugin.settle()

    await reconcile(plugin, market)

    assert pair.held() == 7
    assert (lane_of(pair).target, lane_of(pair).actual) == (7, 7)
    assert pair.skips == []


async def test_an_add_after_the_liquidation_is_copied_and_what_was_lost_is_not_bought_again(
    pair, market, plugin
):
    await hold_ten_and_be_liquidated(pair, market)
    await pair.buy(5)

    await reconcile(plugin, market)

    assert pair.held() == 5
    assert (lane_of(pair).target, lane_of(pair).actual) == (5, 5)


async def test_what_a_close_sold_too_much_of_not_knowing_of_the_loss_is_not_bought_back(
    pair, market, plugin
):
    await hold_ten_and_be_liquidated(pair, market)
    await pair.buy(6)
    await pair.sell(8)  # half of his 16, and so 8 of the 16 that the follower is believed to hold
    assert pair.held() == 0

    await reconcile(plugin, market)

    assert pair.held() == 0
    assert (lane_of(pair).target, lane_of(pair).actual) == (0, 0)


async def test_an_open_that_comes_too_late_by_the_liquidation_is_skipped_with_its_reason(
    pair, market, plugin
):
    await hold_ten_and_be_liquidated(pair, market)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("146.50"))
    market.offer(SOL, Side.SELL, 1000, Decimal("147.00"))
    market.trade(pair.leader, SOL, Side.SELL, 10, LONG, price=Decimal("146.50"))
    market.clock.advance(seconds=1)
    market.trade(pair.leader, SOL, Side.BUY, 10, LONG)
    await plugin.settle()
    assert lane_of(pair).target == 10  # nothing to do, as far as anybody knows
    market.clock.advance(seconds=61)

    await reconcile(plugin, market)

    assert pair.held() == 0
    assert lane_of(pair).target == 0
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPIRED]
    assert pair.skips[0].skip_detail["not_filled"] == "10"


async def test_an_open_from_before_the_liquidation_that_was_not_had_yet_is_skipped(
    pair, market, plugin
):
    await hold_ten_and_be_liquidated(pair, market)
    plugin.database.write_and_wait(wants_four_more)

    await plugin.run_jobs("reconcile")
    await reconcile(plugin, market)

    assert pair.held() == 0
    assert lane_of(pair).target == 0
    [skip] = pair.skips
    assert skip.skip_reason is SkipReason.POSITION_LOST
    assert skip.skip_detail["not_filled"] == "4"


def wants_four_more(session):
    """Leave a lane as a big open does whose second order was not sent yet."""
    session.execute(update(LaneRow).values(target=14))
    session.execute(update(CopyDecisionRow).values(wanted=14, target_after=14))


async def test_a_position_the_follower_closed_at_the_venue_stays_closed_and_later_opens_are_copied(
    pair, market, plugin
):
    await pair.buy(10)
    market.clock.advance(seconds=1)
    market.apply(
        PlaceOrder(pair.sub_account, SOL, Side.SELL, 10, OrderKind.MARKET, position_side=LONG)
    )
    market.clock.advance(seconds=1)
    await pair.sell(10)
    await pair.buy(3)

    await reconcile(plugin, market)

    assert pair.held() == 3
