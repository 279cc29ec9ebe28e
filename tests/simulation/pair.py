"""One leader and one follow of him, the smallest world in which anything is copied."""

from decimal import Decimal

from sqlalchemy import select

from copyplugin.domain.command import CommandState
from copyplugin.store import follows
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    LaneRow,
)
from simexchange.core.types import MONEY_SCALE, PositionMode, PositionSide, Side
from tests.simulation.copy_world import AMPLE, Market, Plugin

LONG, SHORT, NET = PositionSide.LONG, PositionSide.SHORT, PositionSide.NET
SOL, BTC = "SOLUSDT", "BTCUSDT"


class Pair:
    """One leader and one follow of him, with plenty to trade with beside the price."""

    def __init__(self, plugin: Plugin, market: Market) -> None:
        self.plugin = plugin
        self.market = market
        self.leader = 0
        self.follower = 0
        self.follow_id = 0

    async def start(
        self,
        *,
        position_mode: PositionMode = PositionMode.HEDGE,
        money: int = AMPLE,
        leader: dict[str, object] | None = None,
        **terms: object,
    ) -> "Pair":
        self.leader = self.market.open_account("leader", contract=money, mode=position_mode)
        self.follower = self.market.open_account("follower", spot=50_000 * MONEY_SCALE)
        leader_id = await self.plugin.add_leader(self.leader, **(leader or {}))
        started = await self.plugin.follow(leader_id, self.follower, **terms)
        assert started.state is CommandState.DONE, started.message
        self.follow_id = started.result["follow_id"]
        self.stand_by(SOL)
        self.stand_by(BTC)
        return self

    def stand_by(self, symbol: str) -> None:
        price = self.market.prices[symbol]
        self.market.cancel_offers(symbol)
        self.market.offer(symbol, Side.SELL, 10_000, price)
        self.market.offer(symbol, Side.BUY, 10_000, price - self.tick(symbol))

    def tick(self, symbol: str) -> Decimal:
        return self.market.exchange.instrument(symbol).tick_size

    def set_price(self, symbol: str, price: str) -> None:
        self.market.cancel_offers(symbol)
        self.market.set_price(symbol, Decimal(price))
        self.stand_by(symbol)

    async def buy(self, contracts: int, leg: PositionSide = LONG, symbol: str = SOL) -> None:
        self.market.trade(self.leader, symbol, Side.BUY, contracts, leg)
        await self.plugin.settle()

    async def sell(self, contracts: int, leg: PositionSide = LONG, symbol: str = SOL) -> None:
        price = self.market.prices[symbol] - self.tick(symbol)
        self.market.trade(self.leader, symbol, Side.SELL, contracts, leg, price=price)
        await self.plugin.settle()

    @property
    def follow(self):
        with self.plugin.database.read() as session:
            return follows.get_follow(session, self.follow_id)

    @property
    def sub_account(self) -> int:
        return int(self.follow.sub_account)

    def held(self, leg: PositionSide = LONG, symbol: str = SOL) -> int:
        return self.market.exchange.position(self.sub_account, symbol, leg).contracts

    def held_by_leader(self, leg: PositionSide = LONG, symbol: str = SOL) -> int:
        return self.market.exchange.position(self.leader, symbol, leg).contracts

    def rows(self, row, *conditions):
        with self.plugin.database.read() as session:
            return list(session.scalars(select(row).where(*conditions)))

    def lanes_of(self):
        return {(lane.symbol, lane.target, lane.actual) for lane in self.rows(LaneRow)}

    @property
    def positions(self):
        return self.rows(CopiedPositionRow)

    @property
    def skips(self):
        return [row for row in self.rows(CopyDecisionRow) if row.skip_reason is not None]
