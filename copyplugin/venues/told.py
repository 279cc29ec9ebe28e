"""A leader's stored fills as a venue: he is told of again, whoever follows him really trades.

Beside `simulated` and `recorded` a file of the plugin that knows `simexchange`. The leader trades
nothing here: each of his fills is told as it was stored, with balance, leverage and cause. His
followers' orders meet a counterparty at his prices.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from copyplugin.domain.account import AccountBalance, VenuePosition
from copyplugin.domain.fill import LeaderFill, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio, product
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.transition import Legs
from copyplugin.venues.listing import exchange_instrument, slipped_ticks
from copyplugin.venues.scripted import ScriptedVenue
from copyplugin.venues.simulated import SimulatedSubscription
from copyplugin.venues.simulated_values import SIDES
from simexchange.core import commands, types
from simexchange.core.instrument import FundingRules
from simexchange.market.scripted import ScriptedMarket


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What was told of one leader order at one moment, and his equity then where it is known."""

    fills: tuple[LeaderFill, ...]
    leader_equity: Money | None

    @property
    def symbol(self) -> Symbol:
        return self.fills[0].symbol

    @property
    def side(self) -> OrderSide:
        return self.fills[0].side

    @property
    def at(self) -> datetime:
        return self.fills[0].at


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What was there when the first of the fills was told.

    `slippage` is how much worse than the leader each follower's prices are, as a ratio;
    `funding_rate` is what longs pay to shorts every eight hours, a ratio of the value at the mark.
    """

    instruments: Mapping[Symbol, Instrument]
    legs: Mapping[Symbol, Legs]
    begins_at: datetime
    slippage: Ratio
    funding_rate: Ratio


class ToldVenue(ScriptedVenue):
    """The stage of one what-if: one leader, told of fill by fill, and whoever follows him.

    An order of the latest moment's instrument and side meets the leader's levels in the leader's
    proportion, what is left over at the worst of them; any other the latest price.
    """

    def __init__(self, scene: Scene) -> None:
        """Set the stage; raise `Refused` where an instrument cannot be traded exactly."""
        rate = int(product(scene.funding_rate, types.RATE_SCALE))
        listed = {
            symbol: exchange_instrument(one, FundingRules() if rate else None)
            for symbol, one in scene.instruments.items()
        }
        super().__init__(ScriptedMarket({str(symbol): one for symbol, one in listed.items()}))
        self._scene = scene
        self._number = self._market.open_account("leader", types.PositionMode.HEDGE)
        self.leader = AccountId(str(self._number))
        self._fills: list[LeaderFill] = []
        self._told_at: dict[VenueFillId, int] = {}
        self._latest: Told | None = None
        self._prices: dict[Symbol, Price] = {}
        self._on_fill: list[Callable[[LeaderFill], None]] = []
        self.set_clock(scene.begins_at)
        for symbol in scene.instruments if rate else ():
            self._market.apply(commands.SetFundingRate(symbol, rate))

    def set_prices(self, prices: Mapping[Symbol, Price], at: datetime) -> None:
        """Move clock, index and mark: positions may be liquidated by it."""
        self.set_clock(at)
        for symbol, price in prices.items():
            self._set_price(symbol, price)

    def tell(self, told: Told) -> None:
        """Let the fills happen; the followers trade when the engine works."""
        self.set_clock(told.at)
        self._latest = told
        for fill in told.fills:
            self._set_price(fill.symbol, fill.price)
            own = replace(fill, account=self.leader)
            self._told_at[fill.venue_fill_id] = len(self._fills)
            self._fills.append(own)
        for fill in told.fills:
            for callback in tuple(self._on_fill):
                callback(fill)

    def _set_price(self, symbol: Symbol, price: Price) -> None:
        self._prices[symbol] = price
        ticks = max(1, int(price // self._scene.instruments[symbol].tick_size))
        self._market.apply(commands.SetIndex(symbol, ticks))
        self._market.apply(commands.SetMark(symbol, ticks))

    # -- the leader, as he was

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        if account != self.leader:
            return await super().leader_fills(account, after)
        return self._fills[0 if after is None else self._told_at[after] + 1 :]

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> SimulatedSubscription:
        assert set(accounts) == {self.leader}, "the stage has one leader"
        own = _heard_as(self.leader, on_fill)
        self._on_fill.append(own)
        return SimulatedSubscription(lambda: self._on_fill.remove(own))

    async def balance(self, account: AccountId) -> AccountBalance:
        balance = await super().balance(account)
        if account != self.leader or self._latest is None:
            return balance
        equity = self._latest.leader_equity
        # Nothing known is nothing he has: what rests on it is skipped, never guessed.
        return replace(balance, equity=ZERO_MONEY if equity is None else equity)

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        if account != self.leader:
            return await super().positions(account)
        return [
            self._position(symbol, side, legs.of(side))
            for symbol, legs in self._scene.legs.items()
            for side in PositionSide
            if legs.of(side)
        ]

    def _position(self, symbol: Symbol, side: PositionSide, contracts: Contracts) -> VenuePosition:
        instrument = self._scene.instruments[symbol]
        price = self._prices[symbol]
        return VenuePosition(
            symbol=symbol,
            position_side=side,
            contracts=contracts,
            entry_cost=instrument.notional(contracts, price),
            average_entry_price=price,
            unrealized_pnl=ZERO_MONEY,
            margin=ZERO_MONEY,
            leverage=Ratio(Decimal(1)),
            margin_mode=MarginMode.CROSS,
            liquidation_price=None,
        )

    # -- those who follow him

    async def place_order(self, request: OrderRequest) -> OrderReport:
        counterparty = self._market.counterparty
        for price, contracts in self._levels(request):
            self._market.apply(
                commands.PlaceOrder(
                    counterparty,
                    request.symbol,
                    SIDES[request.order_side.opposite],
                    contracts,
                    types.OrderKind.LIMIT,
                    price,
                )
            )
        try:
            return await super().place_order(request)
        finally:
            self._market.apply(commands.CancelAll(counterparty, request.symbol))

    def _levels(self, request: OrderRequest) -> Iterator[tuple[int, int]]:
        """Yield what the counterparty offers for this order, in ticks and contracts."""
        latest = self._latest
        if latest is None or (latest.symbol, latest.side) != (request.symbol, request.order_side):
            yield self._ticks(request, self._prices[request.symbol]), request.contracts
            return
        worst_last = sorted(
            latest.fills,
            key=lambda fill: fill.price,
            reverse=request.order_side is OrderSide.SELL,
        )
        leaders = sum(fill.contracts for fill in worst_last)
        left = int(request.contracts)
        for fill in worst_last[:-1]:
            contracts = request.contracts * fill.contracts // leaders
            left -= contracts
            if contracts:
                yield self._ticks(request, fill.price), contracts
        yield self._ticks(request, worst_last[-1].price), left

    def _ticks(self, request: OrderRequest, price: Price) -> int:
        """Return the leader's price with the slippage on it, rounded against the follower."""
        tick = self._scene.instruments[request.symbol].tick_size
        return slipped_ticks(price, request.order_side, self._scene.slippage, tick)


def _heard_as(
    account: AccountId, on_fill: Callable[[LeaderFill], None]
) -> Callable[[LeaderFill], None]:
    return lambda fill: on_fill(replace(fill, account=account))
