"""Positions in sub-accounts that no lane wants: found at the next look, reported or closed."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.domain.order import CopyOrderState
from copyplugin.store import ledger
from copyplugin.store.rows import CopyOrderRow, JobRunRow, LaneRow, OrphanRow, SettlementRow
from simexchange.core.commands import Deposit, PlaceOrder
from simexchange.core.types import MONEY_SCALE, OrderKind, PositionSide, Side, Wallet
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import BTC, SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
async def closing(migrated_url, tmp_path, market):
    """Return a follow where orphans are closed, on both kinds of database."""
    plugin = Plugin(tmp_path, market, url=migrated_url, orphans="close")
    await plugin.start()
    yield await Pair(plugin, market).start()
    plugin.close()


def trade(pair, side, contracts, *, symbol=SOL, leg=LONG, account=None):
    """Let somebody else trade in the sub-account."""
    number = pair.sub_account if account is None else account
    order = PlaceOrder(number, symbol, side, contracts, OrderKind.MARKET, position_side=leg)
    pair.market.apply(order)


async def look(pair):
    await pair.plugin.run_jobs("reconcile", "copy")


def held_orphans(pair):
    rows = pair.rows(OrphanRow, OrphanRow.gone_at.is_(None))
    return [(row.symbol, row.position_side, row.contracts) for row in rows]


async def books_equal_the_venue(pair):
    await pair.plugin.run_jobs("settle")
    with pair.plugin.database.read() as session:
        ledger.verify(session)
        booked = ledger.balances(session)[f"sub:{pair.follow_id}"]
    wallet = pair.market.exchange.account(pair.sub_account).contract_balance
    assert Decimal(wallet).scaleb(-8) == booked
    await look(pair)
    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 0


async def test_an_orphan_is_reported_and_stays_where_nobody_asks_for_more(pair):
    await pair.buy(10)
    trade(pair, Side.BUY, 3)
    trade(pair, Side.BUY, 2, symbol=BTC)

    await look(pair)

    assert sorted(held_orphans(pair)) == [(BTC, "long", 2), (SOL, "long", 3)]
    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 1
    assert (pair.held(), pair.held(symbol=BTC)) == (13, 2)
    [lane] = pair.rows(LaneRow)
    assert (lane.target, lane.actual) == (10, 10)


async def test_an_orphan_that_its_owner_closed_is_gone(pair):
    trade(pair, Side.BUY, 3)
    await look(pair)
    trade(pair, Side.SELL, 3)
    await look(pair)

    assert held_orphans(pair) == []
    assert len(pair.rows(OrphanRow)) == 1


async def test_where_orphans_are_closed_they_go_by_an_order_of_ours_and_the_books_add_up(closing):
    pair = closing
    await pair.buy(10)
    trade(pair, Side.BUY, 3)
    trade(pair, Side.SELL, 2, symbol=BTC, leg=SHORT)

    await look(pair)

    assert (pair.held(), pair.held(SHORT, BTC)) == (10, 0)
    assert held_orphans(pair) == []
    closes = [row for row in pair.rows(CopyOrderRow) if row.reduce_only]
    assert sorted(row.filled for row in closes) == [2, 3]
    assert {row.state for row in closes} == {CopyOrderState.DONE}
    await pair.sell(10)
    await books_equal_the_venue(pair)


async def test_the_leader_has_no_share_in_what_nobody_copied(closing):
    pair = closing
    trade(pair, Side.BUY, 3)
    pair.set_price(SOL, "190.00")

    await look(pair)
    await books_equal_the_venue(pair)

    [position] = pair.positions
    assert position.realized_pnl > 0
    assert pair.rows(SettlementRow) == []


async def test_an_orphan_is_closed_when_its_follower_asks_for_it(pair, plugin):
    trade(pair, Side.BUY, 3)
    await look(pair)
    [row] = pair.rows(OrphanRow)

    stranger = await plugin.command(CommandKind.CLOSE_ORPHAN, actor="follower:2", orphan_id=row.id)
    assert stranger.message == "This is not a follow of yours."
    assert pair.held() == 3
    answer = await plugin.command(CommandKind.CLOSE_ORPHAN, actor="follower:1", orphan_id=row.id)
    await look(pair)
    again = await plugin.command(CommandKind.CLOSE_ORPHAN, actor="follower:1", orphan_id=row.id)

    assert answer.message == "3 contracts of SOLUSDT long are closed at market."
    assert pair.held() == 0
    [row] = pair.rows(OrphanRow)
    assert (row.close_asked_by, row.gone_at is None) == ("follower:1", False)
    assert again.state is CommandState.REFUSED
    await books_equal_the_venue(pair)


@pytest.mark.parametrize("has_copied", [False, True])
async def test_a_follow_that_closes_everything_closes_orphans_and_sends_all_money_home(
    pair, market, plugin, has_copied
):
    if has_copied:
        await pair.buy(10)
    trade(pair, Side.BUY, 3)
    trade(pair, Side.BUY, 2, symbol=BTC)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    for _ in range(4):
        market.clock.advance(seconds=60)
        await plugin.run_jobs()

    assert pair.follow.state is FollowState.CLOSED
    account = market.exchange.account(int(pair.follow.sub_account))
    assert account.contract_balance == 0
    with plugin.database.read() as session:
        ledger.verify(session)
        assert ledger.balances(session).get(f"sub:{pair.follow_id}", 0) == 0


async def test_a_position_in_the_account_of_an_ended_follow_is_reported(pair, market, plugin):
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    for _ in range(2):
        market.clock.advance(seconds=60)
        await plugin.run_jobs()
    assert pair.follow.state is FollowState.CLOSED
    market.apply(Deposit(pair.sub_account, Wallet.CONTRACT, 100 * MONEY_SCALE))
    trade(pair, Side.BUY, 3)

    await look(pair)

    assert held_orphans(pair) == [(SOL, "long", 3)]
    [row] = pair.rows(OrphanRow)
    answer = await plugin.command(CommandKind.CLOSE_ORPHAN, orphan_id=row.id)
    assert "follower's to close" in answer.message
    assert pair.held() == 3


async def test_what_is_closed_and_opened_by_hand_between_two_looks_is_told_apart(pair):
    await pair.buy(10)
    trade(pair, Side.SELL, 10)
    trade(pair, Side.BUY, 3)

    await look(pair)

    [lane] = pair.rows(LaneRow)
    assert (lane.target, lane.actual) == (0, 0)
    assert held_orphans(pair) == [(SOL, "long", 3)]
    assert pair.held() == 3


async def test_what_others_opened_is_closed_before_what_is_the_lanes_own(pair):
    await pair.buy(10)
    trade(pair, Side.BUY, 3)
    trade(pair, Side.SELL, 5)

    await look(pair)

    [lane] = pair.rows(LaneRow)
    assert (lane.target, lane.actual, pair.held()) == (8, 8, 8)
    assert held_orphans(pair) == []


async def test_what_was_handed_over_is_no_orphan_however_its_follower_trades(pair, market, plugin):
    await pair.buy(10)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="hand_over")
    trade(pair, Side.BUY, 5)
    await look(pair)
    assert pair.rows(OrphanRow) == []
    trade(pair, Side.SELL, 15)
    for _ in range(3):
        market.clock.advance(seconds=60)
        await plugin.run_jobs()

    assert pair.follow.state is FollowState.CLOSED
    assert pair.rows(OrphanRow) == []
