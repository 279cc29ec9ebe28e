"""Recorded leaders trade again, order by order, and others may trade at the same levels after them.

One recorded order becomes one order on the exchange. It is moved from level to level, and a
counterparty offers or takes exactly the recorded contracts there, so that prices, sizes, their
sequence, and who was maker are the record's. `offered` then puts the same levels up again for
whoever copies.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from simexchange.core.commands import AmendOrder, CancelAll, PlaceOrder, SetIndex, SetLeverage
from simexchange.core.events import Event, Filled, OrderAccepted, refusal_among
from simexchange.core.types import (
    Liquidity,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
    TimeInForce,
)
from simexchange.market.fills import FillsError, RecordedFill, RecordedOrder
from simexchange.market.scripted import ScriptedMarket


@dataclass(frozen=True, slots=True)
class Level:
    """One recorded fill as far as the record itself opened what it closes. Ticks and contracts."""

    price: int
    contracts: int
    liquidity: Liquidity


@dataclass(frozen=True, slots=True)
class PlayedOrder:
    """What became of one recorded order on the exchange.

    `excess` is how many contracts closed what the record never opened: they were not traded.
    `execution_id` is of its last fill, None when all of it was excess.
    """

    order: RecordedOrder
    levels: tuple[Level, ...]
    excess: int
    execution_id: int | None


class RecordedLeader:
    """An account that trades as one leader of the record did."""

    def __init__(
        self,
        market: ScriptedMarket,
        name: str,
        *,
        mode: PositionMode,
        leverage: int | None,
        balance: int | None,
    ) -> None:
        """Open the account; `balance` in money units, None for more than any order needs."""
        self._market = market
        self._exchange = market.exchange
        self.name = name
        self.account = market.open_account(name, mode, balance=balance)
        for symbol in market.instruments:
            if leverage not in {None, market.instruments[symbol].default_leverage}:
                assert leverage is not None
                market.apply(SetLeverage(self.account, symbol, leverage))

    def play(self, order: RecordedOrder) -> PlayedOrder:
        """Trade one recorded order at its time, as far as it closes what is known to be open.

        Raises LeaderCannotTrade when the account's money does not bear the order, and
        LeaderLiquidated when the account is liquidated on the way.
        """
        market = self._market
        market.clock.set(max(market.clock.now(), order.fills[0].time_ms * 1000))
        levels, excess = self._levels(order)
        execution_id = None
        if levels:
            execution_id = self._trade(order, levels)
        return PlayedOrder(order, levels, excess, execution_id)

    @contextmanager
    def offered(self, played: PlayedOrder) -> Generator[None]:
        """Let the counterparty offer the levels of `played` on the other side while this lasts."""
        market, symbol = self._market, played.order.symbol
        for level in played.levels:
            market.apply(
                PlaceOrder(
                    market.counterparty,
                    symbol,
                    Side(-played.order.side),
                    level.contracts,
                    OrderKind.LIMIT,
                    level.price,
                )
            )
        try:
            yield
        finally:
            market.apply(CancelAll(market.counterparty, symbol))

    # ------------------------------------------------------------------ the record in ticks

    def _levels(self, order: RecordedOrder) -> tuple[tuple[Level, ...], int]:
        """Return the levels to trade, and the contracts of the order that are excess."""
        left = self._closable(order)
        levels: list[Level] = []
        excess = 0
        for fill in order.fills:
            contracts = self._contracts(fill)
            if left is not None:
                traded = min(left, contracts)
                left -= traded
                excess += contracts - traded
                contracts = traded
            if contracts:
                price = self._market.instruments[fill.symbol].price_to_ticks(fill.price)
                levels.append(Level(price, contracts, fill.liquidity))
        return tuple(levels), excess

    def _closable(self, order: RecordedOrder) -> int | None:
        """Return how much the order may close at most; None when it opens."""
        side = order.position_side
        if side is PositionSide.NET or int(order.side) == int(side):
            return None
        return self._exchange.position(self.account, order.symbol, side).contracts

    def _contracts(self, fill: RecordedFill) -> int:
        return self._market.instruments[fill.symbol].contracts_from_base(fill.quantity)

    # ------------------------------------------------------------------ trading

    def _trade(self, order: RecordedOrder, levels: tuple[Level, ...]) -> int:
        market = self._market
        total = sum(level.contracts for level in levels)
        order_id: int | None = None
        execution_id = 0
        for level in levels:
            market.apply(SetIndex(order.symbol, level.price))
            if level.liquidity is Liquidity.TAKER:
                if order_id is not None:
                    self._move(order, order_id, self._out_of_reach(order, level.price))
                self._counter(order, level, TimeInForce.GTC)
                if order_id is None:
                    order_id, execution_id = self._place(order, total, level.price)
                else:
                    execution_id = self._move(order, order_id, level.price)
            else:
                if order_id is None:
                    order_id, _ = self._place(order, total, level.price)
                else:
                    self._move(order, order_id, level.price)
                execution_id = self._counter(order, level, TimeInForce.IOC)
        assert self._exchange.best_bid(order.symbol) is None
        assert self._exchange.best_ask(order.symbol) is None
        return execution_id

    def _out_of_reach(self, order: RecordedOrder, price: int) -> int:
        """Return the nearest price at which the order does not meet what is offered at `price`."""
        return max(1, price - int(order.side))

    def _place(self, order: RecordedOrder, contracts: int, price: int) -> tuple[int, int]:
        events = self._send(
            order,
            PlaceOrder(
                self.account,
                order.symbol,
                order.side,
                contracts,
                OrderKind.LIMIT,
                price,
                position_side=order.position_side,
            ),
        )
        accepted = next(event for event in events if isinstance(event, OrderAccepted))
        return accepted.order_id, self._last_execution(events)

    def _move(self, order: RecordedOrder, order_id: int, price: int) -> int:
        """Move what is left of the order to another price; it may trade there at once."""
        view = self._exchange.order(order_id, self.account)
        assert view is not None
        if not view.remaining:  # taken away by the liquidation at a price of the record
            raise LeaderLiquidated(self.name, order)
        if view.price == price:
            return 0
        amend = AmendOrder(self.account, order.symbol, order_id=order_id, price=price)
        return self._last_execution(self._send(order, amend))

    def _counter(self, order: RecordedOrder, level: Level, time_in_force: TimeInForce) -> int:
        """Let the counterparty offer the level, or take it from the leader's resting order."""
        events = self._market.apply(
            PlaceOrder(
                self._market.counterparty,
                order.symbol,
                Side(-order.side),
                level.contracts,
                OrderKind.LIMIT,
                level.price,
                time_in_force=time_in_force,
            )
        )
        return self._last_execution(events)

    def _send(self, order: RecordedOrder, command: PlaceOrder | AmendOrder) -> list[Event]:
        events = self._market.simulation.apply(command)
        refused = refusal_among(events)
        if refused is not None:
            raise LeaderCannotTrade(self.name, order, refused.message)
        return events

    def _last_execution(self, events: list[Event]) -> int:
        """Return the id of the leader's latest fill among these, 0 where there is none."""
        return max(
            (
                event.execution_id
                for event in events
                if isinstance(event, Filled) and event.account == self.account
            ),
            default=0,
        )


class LeaderCannotTrade(FillsError):
    """The exchange refused a recorded order, for the leader's assumed balance or leverage."""

    def __init__(self, leader: str, order: RecordedOrder, refusal: str) -> None:
        super().__init__(
            f"leader {leader} could not have traded {order.quantity:f} {order.symbol} with the "
            f"balance and leverage assumed ({refusal}); assume a larger balance or leverage",
            line=order.fills[0].line,
        )


class LeaderLiquidated(FillsError):
    """The leader's account did not outlive a recorded price, with the leverage assumed."""

    def __init__(self, leader: str, order: RecordedOrder) -> None:
        super().__init__(
            f"leader {leader} was liquidated before {order.quantity:f} {order.symbol} was traded, "
            "with the balance and leverage assumed; assume a larger balance or a lower leverage",
            line=order.fills[0].line,
        )
