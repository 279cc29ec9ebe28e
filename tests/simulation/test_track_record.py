"""A leader's record on an exchange that knows the truth: what was brought in is told from results.

The world moves prices, pays funding, liquidates, and lets the leader bring and take money; the
record must find exactly what he brought and took, from his fills, his funding and his wallet.
"""

from datetime import UTC
from decimal import Decimal
from random import Random

import msgspec
import pytest

from copyplugin.store.rows import LeaderEquityRow, LeaderStatisticsRow, LeaderTradeRow
from copyplugin.store.statistics_proof import statistics_differences
from simexchange.core.commands import AdvanceTime, Deposit, SetFundingRate, Withdraw
from simexchange.core.instrument import FundingRules
from simexchange.core.types import HOUR_US, MONEY_SCALE, PositionSide, Wallet
from tests.simulation import copy_world
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
async def funded_pair(tmp_path, monkeypatch):
    """Yield a pair on an exchange that pays funding every eight hours."""
    paid = msgspec.structs.replace(copy_world.SOL, funding=FundingRules())
    monkeypatch.setattr(copy_world, "SOL", paid)
    market = Market()
    plugin = Plugin(tmp_path, market)
    await plugin.start()
    yield await Pair(plugin, market).start(money=10_000 * MONEY_SCALE)
    plugin.close()


def recorded(pair: Pair) -> list[LeaderEquityRow]:
    return [row for row in pair.rows(LeaderEquityRow) if row.unit_value is not None]


def contract_equity(pair: Pair) -> Decimal:
    return Decimal(pair.market.exchange.equity(pair.leader)).scaleb(-8)


def differences(pair: Pair) -> list[str]:
    now = pair.plugin.clock.now()
    return pair.plugin.database.write_and_wait(
        lambda session: statistics_differences(session, now=now, zone=UTC)
    )


class Life:
    """What a leader and his market do, by a seed; `brought` is net of what he took."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self.pair = pair
        self.random = Random(seed)
        self.brought = Decimal(0)

    async def go_on(self) -> None:
        moves = (self.open, self.open, self.close, self.move_price, self.move_money, self.record)
        await self.random.choice(moves)()

    async def open(self) -> None:
        if self.random.random() < 0.5:
            await self.pair.buy(self.random.randint(1, 60), LONG)
        else:
            await self.pair.sell(self.random.randint(1, 40), SHORT)

    async def close(self) -> None:
        held = self.pair.held_by_leader(LONG)
        if held:
            await self.pair.sell(self.random.randint(1, held), LONG)

    async def move_price(self) -> None:
        market = self.pair.market
        price = market.prices[SOL] * Decimal(self.random.randint(97, 103)) / 100
        self.pair.set_price(SOL, str(price.quantize(Decimal("0.01"))))
        market.apply(SetFundingRate(SOL, self.random.randint(-200_000, 200_000)))
        market.clock.advance(microseconds=self.random.randint(1, 9) * HOUR_US)
        market.apply(AdvanceTime())
        await self.pair.plugin.settle()

    async def move_money(self) -> None:
        market, leader = self.pair.market, self.pair.leader
        units = self.random.randint(1, 50 * MONEY_SCALE)
        if self.random.random() < 0.5:
            market.apply(Deposit(leader, Wallet.CONTRACT, units))
            self.brought += Decimal(units).scaleb(-8)
        elif market.exchange.available_balance(leader) > units:
            market.apply(Withdraw(leader, Wallet.CONTRACT, units))
            self.brought -= Decimal(units).scaleb(-8)

    async def record(self) -> None:
        self.pair.market.clock.advance(seconds=300)
        await self.pair.plugin.run_jobs("statistics")


@pytest.mark.parametrize("seed", range(6))
async def test_exactly_what_was_brought_and_taken_is_found(funded_pair, seed):
    pair, life = funded_pair, Life(funded_pair, seed)
    await life.record()
    for _ in range(40):
        await life.go_on()
    await life.record()

    points = recorded(pair)
    assert len(points) > 2
    assert sum(row.flow for row in points) == life.brought
    assert points[-1].equity == contract_equity(pair)
    assert differences(pair) == []


async def test_a_liquidation_is_a_loss_and_nothing_that_was_taken_out(funded_pair):
    pair = funded_pair
    pair.market.set_leverage(pair.leader, SOL, 50)
    await pair.plugin.run_jobs("statistics")
    await pair.buy(100)
    pair.set_price(SOL, "140.00")
    await pair.plugin.settle()
    pair.market.clock.advance(seconds=300)
    await pair.plugin.run_jobs("statistics")

    assert pair.held_by_leader(LONG) == 0
    [trade] = pair.rows(LeaderTradeRow)
    assert trade.liquidated
    last = recorded(pair)[-1]
    assert last.flow == 0
    assert last.unit_value == (last.equity / 10_000).quantize(Decimal("1e-12"))
    assert last.unit_value < 1
    assert last.drawdown_max == 1 - last.unit_value
    [figures] = pair.rows(LeaderStatisticsRow)
    assert (figures.liquidations, figures.losing_run_max) == (1, 1)
    assert differences(pair) == []


async def test_the_days_give_volatility_once_two_of_them_are_over(funded_pair):
    pair = funded_pair
    await pair.plugin.run_jobs("statistics")
    await pair.buy(100)
    for price in ("151.00", "149.00", "153.00", "152.00"):
        pair.set_price(SOL, price)
        pair.market.clock.advance(microseconds=24 * HOUR_US)
        pair.market.apply(AdvanceTime())
        await pair.plugin.settle()
        await pair.plugin.run_jobs("statistics")

    [figures] = pair.rows(LeaderStatisticsRow)
    assert figures.daily_volatility > 0
    assert figures.sharpe_ratio is not None
    assert differences(pair) == []


async def test_a_run_in_the_instant_of_another_leaves_what_is_kept_as_the_rows_give_it(
    funded_pair,
):
    """The first figures may be asked for, and his first trades made, before the clock moves on."""
    pair = funded_pair
    await pair.plugin.run_jobs("statistics")
    await pair.buy(100)
    pair.set_price(SOL, "160.00")
    await pair.plugin.run_jobs("statistics")
    assert differences(pair) == []

    pair.market.clock.advance(seconds=300)
    await pair.plugin.run_jobs("statistics")
    assert differences(pair) == []
    last = recorded(pair)[-1]
    assert last.flow == 0
    assert last.equity == contract_equity(pair)
    assert last.unit_value == (last.equity / 10_000).quantize(Decimal("1e-12"))
