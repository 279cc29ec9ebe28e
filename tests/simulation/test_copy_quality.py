"""Receipts: every leader order has one for every follower, with what it cost him or why not."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.copy_quality import copy_quality
from copyplugin.domain.skip import SkipReason
from copyplugin.store.receipts import latest_receipts, receipts_of_follow
from copyplugin.store.rows import LeaderQualityRow
from simexchange.core.types import PositionSide, Side
from tests.simulation.pair import SOL

LONG = PositionSide.LONG


def receipts(pair):
    with pair.plugin.database.read() as session:
        return list(receipts_of_follow(session, pair.follow_id))


async def test_a_copied_order_has_a_receipt_with_prices_times_and_what_it_cost(pair, market):
    await pair.buy(10)
    market.clock.advance(seconds=2)
    await pair.plugin.settle()

    [receipt] = receipts(pair)
    assert (receipt.leader_contracts, receipt.wanted, receipt.filled) == (10, 10, 10)
    assert receipt.leader_price == 150
    assert receipt.average_price == 150
    assert (receipt.slippage, receipt.slippage_money) == (0, 0)
    assert receipt.delay == timedelta(0)
    assert receipt.skip_reason is None
    assert receipt.outcome.is_copied


async def test_a_worse_price_is_slippage_in_money_and_as_a_part(pair, market):
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 10, Decimal("150.00"))
    market.offer(SOL, Side.SELL, 10, Decimal("150.30"))
    await pair.buy(10)
    market.clock.advance(seconds=2)
    await pair.plugin.settle()

    [receipt] = receipts(pair)
    assert receipt.average_price == Fraction("150.30")
    assert receipt.slippage == Fraction(30, 15_000)
    assert receipt.slippage_money == Decimal("0.30")  # on one SOL


async def test_what_was_not_copied_has_a_receipt_with_its_reason(pair, market):
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 10, Decimal("150.00"))
    market.offer(SOL, Side.SELL, 10, Decimal("160.00"))
    await pair.buy(10)
    market.clock.advance(seconds=61)
    await pair.plugin.settle()

    [receipt] = receipts(pair)
    assert receipt.filled == 0
    assert receipt.skip_reason in {SkipReason.PRICE_MOVED, SkipReason.NO_LIQUIDITY}
    assert (receipt.average_price, receipt.slippage, receipt.slippage_money) == (None, None, None)
    assert not receipt.outcome.is_copied


async def test_the_job_keeps_the_figures_of_the_latest_receipts(pair, market):
    await pair.buy(10)
    pair.set_price(SOL, "155.00")
    await pair.sell(10)
    market.clock.advance(seconds=2)
    await pair.plugin.settle()
    await pair.plugin.run_jobs("settle", "statistics")

    [row] = pair.rows(LeaderQualityRow)
    with pair.plugin.database.read() as session:
        quality = copy_quality(
            receipt.outcome for receipt in latest_receipts(session, row.leader_id, 1000)
        )
    assert (row.receipts, row.copied, row.exits, row.exits_copied) == (2, 2, 1, 1)
    assert (quality.success_rate, quality.exit_success_rate) == (1, 1)
    assert (row.delay_p50_microseconds, row.slippage_p95) == (0, 0)
    assert row.lanes_drifting == 0
    # Both bought 1 SOL at 150 and sold it at 154.99 with the same leverage and the same fees.
    assert row.followers_result == row.leader_profit > 0
    assert row.followers_margin == row.leader_margin == 15


async def test_a_close_that_comes_before_its_open_was_sent_leaves_nothing_undone(pair, market):
    market.trade(pair.leader, SOL, Side.BUY, 10, LONG)
    market.trade(pair.leader, SOL, Side.SELL, 10, LONG, price=Decimal("149.99"))
    await pair.plugin.settle()
    market.clock.advance(seconds=2)
    await pair.plugin.settle()

    outcomes = [receipt.outcome for receipt in receipts(pair)]
    assert len(outcomes) == 2
    assert all(each.is_copied for each in outcomes)
