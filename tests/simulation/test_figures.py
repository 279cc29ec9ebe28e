"""What pages show: the leader's figures, marks, wallets, position data, funding (S1 to S8)."""

from decimal import Decimal

import msgspec

from copyplugin.domain.leader import TradeState
from copyplugin.store import ledger
from copyplugin.store.rows import (
    LeaderEquityRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
    MarkPriceRow,
    WalletSnapshotRow,
)
from simexchange.core.commands import AdvanceTime, SetFundingRate
from simexchange.core.instrument import FundingRules
from simexchange.core.types import HOUR_US, PositionSide
from tests.simulation import copy_world
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import BTC, SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def fee(value: str) -> Decimal:
    return Decimal(value) * Decimal("0.0005")


async def test_the_figures_of_a_leader_are_sums_over_his_round_trips(pair, plugin, market):
    await pair.buy(10)  # 150 USDT
    pair.set_price(SOL, "155.00")
    await pair.sell(10)  # at 154.99
    await pair.sell(10, SHORT)
    pair.set_price(SOL, "160.00")
    await pair.buy(10, SHORT)  # back at 160: a loss
    await pair.buy(1, symbol=BTC)  # open still

    market.clock.advance(seconds=60)
    await plugin.run_jobs("statistics")

    won = Decimal("4.99") - fee("150") - fee("154.99")
    lost = Decimal("-5.01") - fee("154.99") - fee("160")
    [figures] = pair.rows(LeaderStatisticsRow)
    assert figures.total_profit == won + lost
    assert figures.total_margin == Decimal(15) + Decimal("15.499")
    assert (figures.trades_closed, figures.trades_won) == (2, 1)
    assert (figures.trades_opened, figures.trade_frequency) == (3, 5)
    assert (figures.copiers, figures.follows_ever, figures.positions_copied) == (1, 1, 3)
    latest = max(pair.rows(LeaderEquityRow), key=lambda row: row.at)
    assert latest.profit == won + lost
    assert latest.equity == Decimal(market.exchange.equity(pair.leader)).scaleb(-8)


async def test_a_round_trip_keeps_the_sums_of_its_fills_and_the_latest_leverage(pair, market):
    await pair.buy(10)
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(10)

    [trade] = pair.rows(LeaderTradeRow)
    assert trade.state is TradeState.OPEN
    assert (trade.opened_contracts, trade.opened_value) == (20, Decimal(300))
    assert trade.margin == Decimal(15) + Decimal("7.5")
    assert trade.leverage == 20
    assert [row.leverage for row in pair.positions] == [20]


async def test_what_was_open_before_we_knew_the_leader_is_no_round_trip_of_ours(plugin, market):
    leader = market.open_account("leader", contract=copy_world.AMPLE)
    market.offer(SOL, copy_world.Side.SELL, 100)
    market.trade(leader, SOL, copy_world.Side.BUY, 10, LONG)
    await plugin.add_leader(leader)
    market.offer(SOL, copy_world.Side.BUY, 100, Decimal("149.99"))

    market.trade(leader, SOL, copy_world.Side.SELL, 4, LONG, price=Decimal("149.99"))
    await plugin.settle()

    with plugin.database.read() as session:
        assert session.query(LeaderTradeRow).all() == []


async def test_marks_wallets_and_open_positions_are_brought_from_the_venue(pair, plugin, market):
    await pair.buy(10)
    pair.set_price(SOL, "151.00")
    market.clock.advance(seconds=1)

    await plugin.run_jobs("marks", "position data")

    marks = {row.symbol: row.price for row in pair.rows(MarkPriceRow)}
    assert marks == {SOL: Decimal("151.00"), BTC: Decimal("60000.0")}
    [position] = pair.positions
    assert position.unrealized_pnl == 1
    assert position.margin == 15
    view = market.exchange.position(pair.sub_account, SOL, LONG)
    assert position.liquidation_price == Decimal(view.liquidation_price) / 100
    wallets = {row.account: row for row in pair.rows(WalletSnapshotRow)}
    assert wallets[str(pair.follower)].spot_available == 49_000
    assert wallets[str(pair.sub_account)].contract_wallet == 1000 - fee("150")


async def test_funding_is_in_the_result_the_share_and_the_books(tmp_path, monkeypatch):
    paid_every_eight_hours = msgspec.structs.replace(copy_world.SOL, funding=FundingRules())
    monkeypatch.setattr(copy_world, "SOL", paid_every_eight_hours)
    market = Market()
    plugin = Plugin(tmp_path, market)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    market.apply(SetFundingRate(SOL, 1_000_000))  # 1 %: longs pay 1.5 of 150
    await pair.buy(10)
    market.clock.advance(microseconds=8 * HOUR_US)
    market.apply(AdvanceTime())
    await plugin.run_jobs("position data")
    pair.set_price(SOL, "155.00")
    await pair.sell(10)
    await plugin.run_jobs("settle", "statistics", "reconcile")

    profit = Decimal("4.99") - fee("150") - fee("154.99") - Decimal("1.5")
    [position] = pair.positions
    assert position.funding == Decimal("1.5")
    with plugin.database.read() as session:
        balances = ledger.balances(session)
    assert profit == Decimal("3.337505")
    share = Decimal("0.3337")  # 10 %, truncated
    assert balances[f"leader:{pair.leader}"] == share
    assert balances[f"sub:{pair.follow_id}"] == 1000 + profit - share
    account = market.exchange.account(pair.sub_account)
    assert Decimal(account.contract_balance).scaleb(-8) == 1000 + profit - share
    [figures] = pair.rows(LeaderStatisticsRow)
    assert figures.total_profit == profit
    plugin.close()
