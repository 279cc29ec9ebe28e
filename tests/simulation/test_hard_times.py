"""What the venue does to a sub-account, and what happens when it says no or nothing (L8, L11)."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import insert, update

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.leader import TradeState
from copyplugin.domain.order import CopyOrderState
from copyplugin.domain.skip import SkipReason
from copyplugin.engine.planning import Planner
from copyplugin.errors import LedgerBroken
from copyplugin.store import ledger
from copyplugin.store.rows import (
    CopyOrderRow,
    JobRunRow,
    LaneRow,
    LeaderFillRow,
    LeaderPositionRow,
    LedgerEntryRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin, Deposit, ForceReject, Withdraw
from simexchange.core.types import MONEY_SCALE, PositionSide, Side, Wallet
from tests.simulation.copy_world import START, Plugin
from tests.simulation.faults import Faults, FaultyVenue
from tests.simulation.pair import SOL, Pair

LONG = PositionSide.LONG


@pytest.fixture
def line():
    """Return the line to the venue: sound until a test breaks it."""
    return Faults(random=Random(1))


@pytest.fixture
async def plugin(tmp_path, market, line):
    venue = FaultyVenue(SimulatedVenue(market.simulation), line)
    made = Plugin(tmp_path, market, venue=venue)
    await made.start()
    yield made
    made.close()


async def pass_time(plugin, market, seconds, every=1):
    for _ in range(0, seconds, every):
        market.clock.advance(seconds=every)
        await plugin.settle()


async def test_a_position_that_the_venue_liquidated_is_found_and_booked(plugin, market):
    pair = await Pair(plugin, market).start()
    market.set_leverage(pair.leader, SOL, 50)
    await pair.buy(10)
    # he is far from liquidation now, his follower is not
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 1000 * MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("146.50"))
    market.set_price(SOL, Decimal("147.00"))
    assert pair.held() == 0

    await plugin.run_jobs("reconcile")
    await plugin.run_jobs("settle")

    assert [row.state for row in pair.positions] == [TradeState.CLOSED]
    assert pair.follow.state is FollowState.PENDING
    [lane] = pair.rows(LaneRow)
    assert (lane.target, lane.actual) == (0, 0)
    booked = await books_equal_the_venue(pair)
    assert booked < 1000
    await pair.sell(10)  # the leader's close finds nothing to close
    assert pair.held() == 0


async def test_what_was_liquidated_before_more_was_opened_is_booked_at_its_own_cost(plugin, market):
    pair = await Pair(plugin, market).start()
    market.set_leverage(pair.leader, SOL, 50)
    await pair.buy(10)
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 1000 * MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("146.50"))
    market.set_price(SOL, Decimal("147.00"))
    pair.stand_by(SOL)
    market.clock.advance(seconds=1)
    await pair.buy(9)  # nobody has looked yet: the lane still believes in the first ten
    assert pair.held() == 9

    await plugin.run_jobs("reconcile")
    await pair.sell(19)
    await plugin.run_jobs("settle")

    assert [row.state for row in pair.positions] == [TradeState.CLOSED]
    await books_equal_the_venue(pair)


async def test_what_is_left_of_a_liquidation_keeps_its_own_cost_when_it_is_liquidated_too(
    plugin, market
):
    pair = await Pair(plugin, market).start()
    market.set_leverage(pair.leader, SOL, 50)
    await pair.buy(9)
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 1000 * MONEY_SCALE))
    for price, more in (("147.00", 4), ("143.00", 3)):
        market.cancel_offers(SOL)
        market.offer(SOL, Side.BUY, 1000, Decimal(price) - Decimal("0.50"))
        market.set_price(SOL, Decimal(price))
        assert pair.held() == 0
        pair.stand_by(SOL)
        await pair.buy(more)  # at the instant of the liquidation, of which nobody knows yet
        market.clock.advance(seconds=1)

    await plugin.run_jobs("reconcile")
    await pair.sell(16)
    await plugin.run_jobs("settle")

    assert [row.state for row in pair.positions] == [TradeState.CLOSED]
    await books_equal_the_venue(pair)


async def books_equal_the_venue(pair) -> Decimal:
    with pair.plugin.database.read() as session:
        booked = ledger.balances(session)[f"sub:{pair.follow_id}"]
    account = pair.market.exchange.account(pair.sub_account)
    assert Decimal(account.contract_balance).scaleb(-8) == booked
    return booked


async def test_a_leaders_liquidation_is_a_close_like_any_other(plugin, market):
    pair = await Pair(plugin, market).start(money=20 * MONEY_SCALE, copy_amount="1000")
    await pair.buy(10)  # 150 USDT at leverage 10
    with_cushion = pair.sub_account
    market.apply(Deposit(with_cushion, Wallet.CONTRACT, MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("130.00"))
    market.set_price(SOL, Decimal("135.10"))
    await plugin.settle()

    assert market.exchange.position(pair.leader, SOL, LONG).contracts == 0
    assert pair.held() == 0
    assert pair.follow.state is FollowState.PENDING
    assert sum(row.contracts for row in pair.rows(LeaderFillRow)) == 20


async def test_refusals_in_a_row_abort_the_follow_and_bring_the_money_home(pair, market, plugin):
    market.apply(ForceReject(pair.sub_account, "order", 5))

    for _ in range(5):
        await pair.buy(1)
    await plugin.run_jobs("close ended", "return aborted")

    assert [row.skip_reason for row in pair.skips] == [SkipReason.ORDER_REJECTED] * 5
    assert pair.follow.state is FollowState.ABORTED
    assert pair.follow.end_kind is EndKind.ABORTED
    assert "5 orders in a row" in pair.follow.end_reason
    assert market.spot(pair.follower) == 50_000


async def test_a_refusal_among_successes_aborts_nothing(pair, market):
    for _ in range(6):
        market.apply(ForceReject(pair.sub_account, "order", 1))
        await pair.buy(1)
        await pair.buy(1)

    assert pair.follow.state is FollowState.COPYING
    assert pair.held() == 6


async def test_too_little_money_is_no_refusal_and_aborts_nothing(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="10")
    for _ in range(6):
        await pair.buy(1000)

    assert [row.skip_reason for row in pair.skips] == [SkipReason.INSUFFICIENT_BALANCE] * 6
    assert pair.follow.state is FollowState.PENDING


async def test_a_venue_that_answers_in_between_has_not_been_silent_for_long(
    pair, market, plugin, line
):
    await pair.buy(5)
    for _ in range(2):
        market.trade(pair.leader, SOL, Side.SELL, 1, LONG, price=Decimal("149.99"))
        await plugin.engine.feed.sweep()
        line.unavailable = 1000
        await plugin.settle()
        await pass_time(plugin, market, 600, every=30)
        line.unavailable = 0
        await pass_time(plugin, market, 31)

    assert (pair.held(), pair.follow.state) == (3, FollowState.COPYING)


async def test_an_open_is_tried_so_often_however_long_it_may_be_tried(tmp_path, market, line):
    venue = FaultyVenue(SimulatedVenue(market.simulation), line)
    plugin = Plugin(tmp_path, market, venue=venue, open_expiry_seconds=3600)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    line.lost_requests = 1000
    market.trade(pair.leader, SOL, Side.BUY, 5, LONG)
    await plugin.engine.feed.sweep()
    await pass_time(plugin, market, 60)

    [order] = pair.rows(CopyOrderRow)
    assert (order.attempts, order.state) == (3, CopyOrderState.EXPIRED)
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPIRED]
    plugin.close()


async def test_an_open_that_reaches_nobody_is_tried_three_times_and_expires(
    pair, market, plugin, line
):
    market.trade(pair.leader, SOL, Side.BUY, 5, LONG)
    await plugin.engine.feed.sweep()
    line.unavailable = 1000
    await plugin.settle()
    await pass_time(plugin, market, 8)
    line.unavailable = 0
    await pass_time(plugin, market, 8)

    assert pair.held() == 0
    assert [row.state for row in pair.rows(CopyOrderRow)] == [CopyOrderState.EXPIRED]
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPIRED]


async def test_a_close_that_reaches_nobody_is_tried_until_it_does(pair, market, plugin, line):
    await pair.buy(5)
    market.trade(pair.leader, SOL, Side.SELL, 5, LONG, price=Decimal("149.99"))
    await plugin.engine.feed.sweep()
    line.unavailable = 1000
    await plugin.settle()
    await pass_time(plugin, market, 120, every=5)
    assert pair.held() == 5

    line.unavailable = 0
    await pass_time(plugin, market, 31)

    assert pair.held() == 0
    [_, close] = pair.rows(CopyOrderRow)
    assert (close.state, close.filled) == (CopyOrderState.DONE, 5)


async def test_a_venue_that_is_silent_for_too_long_aborts_the_follow(pair, market, plugin, line):
    await pair.buy(5)
    market.trade(pair.leader, SOL, Side.SELL, 5, LONG, price=Decimal("149.99"))
    await plugin.engine.feed.sweep()
    line.unavailable = 1000
    await plugin.settle()
    await pass_time(plugin, market, 960, every=30)
    assert pair.follow.state is FollowState.ABORTING
    assert pair.held() == 5

    line.unavailable = 0
    await pass_time(plugin, market, 31)
    await plugin.run_jobs("close ended", "settle", "return aborted")
    await plugin.settle()

    assert pair.held() == 0
    assert pair.follow.state is FollowState.ABORTED
    assert market.exchange.account(pair.sub_account).contract_balance == 0


async def test_a_lane_that_holds_what_its_leader_sold_long_ago_is_let_go(pair, plugin):
    await pair.buy(5)
    plugin.database.write_and_wait(
        lambda s: s.execute(update(LeaderPositionRow).values(contracts=0))
    )

    await plugin.run_jobs("close ended")

    assert pair.held() == 0


async def test_money_that_the_books_do_not_know_is_reported(pair, market, plugin):
    market.apply(Withdraw(pair.sub_account, Wallet.CONTRACT, MONEY_SCALE))

    await plugin.run_jobs("reconcile")

    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 1


async def test_an_open_long_after_the_leaders_fill_is_not_copied(pair, market, plugin):
    market.trade(pair.leader, SOL, Side.BUY, 5, LONG)
    market.clock.advance(seconds=61)
    await plugin.settle()

    assert pair.held() == 0
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPIRED]


async def test_each_job_is_measured(pair, plugin):
    await plugin.run_jobs()

    runs = {row.name: row for row in pair.rows(JobRunRow)}
    assert set(runs) == set(plugin.dispatcher.jobs)
    for run in runs.values():
        assert (run.runs, run.failures) == (1, 0)
        assert run.duration_ms is not None


async def test_a_follow_ended_while_an_order_is_in_doubt_waits_for_the_answer(
    pair, market, plugin, line
):
    market.trade(pair.leader, SOL, Side.BUY, 5, LONG)
    await plugin.engine.feed.sweep()
    line.lost_answers = 1000
    await plugin.engine.executor.turn(frozenset({pair.follow.shard}))
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    line.heal()
    await pass_time(plugin, market, 10)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
    assert market.exchange.account(pair.sub_account).contract_balance == 0
    assert pair.follow.ended_at - pair.follow.started_at < timedelta(minutes=1)


async def test_a_lane_that_cannot_be_planned_keeps_no_other_waiting(
    pair, market, plugin, monkeypatch, caplog
):
    other = market.open_account("other follower", spot=5000 * MONEY_SCALE)
    await plugin.follow(1, other)
    await pair.buy(1)
    plan = Planner._look_at

    def stumble(self, work):
        assert work.follow.id != pair.follow_id, "a bug"
        plan(self, work)

    monkeypatch.setattr(Planner, "_look_at", stumble)
    with pytest.raises(ExceptionGroup):
        await pair.buy(2)
    await plugin.settle()
    held = {row.follow_id: row.actual for row in pair.rows(LaneRow)}
    assert held == {pair.follow_id: 1, pair.follow_id + 1: 3}
    assert "taken one by one" in caplog.text

    monkeypatch.setattr(Planner, "_look_at", plan)
    await plugin.run_jobs("copy")
    assert pair.held() == 3


async def test_a_broken_ledger_is_a_failure_of_its_job(pair, plugin):
    plugin.database.write_and_wait(
        lambda s: s.execute(
            insert(LedgerEntryRow).values(
                id=99, kind="fund", reference="x", at=START, previous_hash="x", hash="y"
            )
        )
    )

    with pytest.raises(LedgerBroken, match="ledger entry 2 is missing"):
        await plugin.run_jobs("ledger")

    [run] = pair.rows(JobRunRow, JobRunRow.name == "ledger")
    assert (run.runs, run.failures) == (1, 1)
    assert run.last_error.startswith("LedgerBroken: ledger entry 2 is missing")


async def test_a_lane_whose_order_is_under_way_is_left_alone(pair, market, plugin):
    market.trade(pair.leader, SOL, Side.BUY, 5, LONG)
    await plugin.engine.feed.sweep()
    shard = frozenset({pair.follow.shard})

    for _ in range(3):  # woken again and again before the venue has answered
        await plugin.engine.executor.turn(shard)
    await plugin.settle()

    assert plugin.venue.sent == [row.client_order_id for row in pair.rows(CopyOrderRow)]
    assert plugin.venue.asked == []
    assert pair.held() == 5
