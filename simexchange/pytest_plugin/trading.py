"""The orders and plan orders of one account, as a test places them."""

from fractions import Fraction
from typing import TYPE_CHECKING, Unpack

from simexchange.core.commands import (
    AmendOrder,
    AmendPlanOrder,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Command,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
)
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    OrderKind,
    PositionSide,
    Side,
    TriggerBy,
)
from simexchange.pytest_plugin.answers import Order, OrderOptions, PlanOptions, check_options
from simexchange.scenario.amounts import (
    Number,
    contracts_from_base,
    contracts_of,
    duration_us,
    money_decimal,
    price_of,
    rate_of,
)
from simexchange.scenario.reading import (
    DIRECTIONS,
    POSITION_SIDES,
    SELF_TRADE_PREVENTIONS,
    TIMES_IN_FORCE,
    TRIGGERS_BY,
    one_of,
)
from simexchange.scenario.world import World

if TYPE_CHECKING:
    from simexchange.pytest_plugin.facade import ExchangeFacade

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_REJECT_TARGETS = {"order": "order", "plan": "plan", "fire": "fire"}


class TradingFacade:
    """What an account trades. Where ``rejected`` is given, it must be refused for that reason."""

    def __init__(self, exchange: "ExchangeFacade", name: str, number: int) -> None:
        self.exchange = exchange
        self.name = name
        self.number = number
        self._orders = 0
        self._transfers = 0

    # ------------------------------------------------------------------ orders

    def buy(
        self,
        symbol: str,
        *,
        contracts: Number | None = None,
        base: Number | None = None,
        price: Number | None = None,
        rejected: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order | None:
        """Place an order to buy; without a price it is a market order. None when rejected."""
        __tracebackhide__ = True
        size = self._size(symbol, contracts, base)
        return self._place(Side.BUY, symbol, size, price, rejected, options)

    def sell(
        self,
        symbol: str,
        *,
        contracts: Number | None = None,
        base: Number | None = None,
        price: Number | None = None,
        rejected: str | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order | None:
        """Place an order to sell; without a price it is a market order. None when rejected."""
        __tracebackhide__ = True
        size = self._size(symbol, contracts, base)
        return self._place(Side.SELL, symbol, size, price, rejected, options)

    def _place(
        self,
        side: Side,
        symbol: str,
        contracts: int,
        price: Number | None,
        rejected: str | None,
        options: OrderOptions,
    ) -> Order | None:
        __tracebackhide__ = True
        check_options("an order", options, OrderOptions)
        instrument = self._instrument(symbol)
        name = options.get("name")
        if name is None:
            self._orders += 1
            name = f"{self.name}-{self._orders}"
        expires_after = options.get("expires_after")
        command = PlaceOrder(
            self.number,
            symbol,
            side,
            contracts,
            OrderKind.MARKET if price is None else OrderKind.LIMIT,
            None if price is None else price_of(price, instrument),
            one_of(options.get("time_in_force", "gtc"), "time in force", TIMES_IN_FORCE),
            options.get("reduce_only", False),
            self._side(options.get("position_side")),
            name,
            one_of(
                options.get("self_trade_prevention", "none"),
                "self-trade prevention",
                SELF_TRADE_PREVENTIONS,
            ),
            options.get("close_on_trigger", False),
            None if expires_after is None else self._from_now(expires_after),
        )
        self._send(command, f"{side.name.lower()} {contracts} {symbol}", rejected)
        return None if rejected is not None else self.order(name)

    def amend(
        self,
        symbol: str,
        name: str,
        *,
        price: Number | None = None,
        contracts: Number | None = None,
        rejected: str | None = None,
    ) -> Order:
        """Change a resting order; ``contracts`` is its total with what is filled."""
        __tracebackhide__ = True
        instrument = self._instrument(symbol)
        command = AmendOrder(
            self.number,
            symbol,
            client_order_id=name,
            price=None if price is None else price_of(price, instrument),
            contracts=None if contracts is None else contracts_of(contracts),
        )
        self._send(command, f"amend {name}", rejected)
        return self.order(name)

    def cancel(self, symbol: str, name: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        self._send(
            CancelOrder(self.number, symbol, client_order_id=name), f"cancel {name}", rejected
        )

    def cancel_all(self, symbol: str | None = None) -> None:
        __tracebackhide__ = True
        self._send(CancelAll(self.number, symbol), "cancel all", None)

    def order(self, name: str) -> Order:
        """Return what has become of an order of this name."""
        view = self._world.exchange.order_by_client_id(self.number, name)
        if view is None:
            raise ValueError(f"{self.name} never placed an order {name}")
        average = None
        if view.filled:
            instrument = self._instrument(view.symbol)
            worth = Fraction(view.filled_notional, view.filled * instrument.tick_value)
            average = Fraction(instrument.tick_size) * worth
        return Order(
            name, view.status, view.contracts, view.filled, average, money_decimal(view.fee)
        )

    # ------------------------------------------------------------------ plan orders

    def plan(
        self,
        symbol: str,
        side: str,
        *,
        contracts: Number | None = None,
        rejected: str | None = None,
        **options: Unpack[PlanOptions],
    ) -> None:
        """Place an order that waits for a trigger: take-profit, stop-loss, trailing stop."""
        __tracebackhide__ = True
        check_options("a plan order", options, PlanOptions)
        instrument = self._instrument(symbol)

        def ticks(price: Number | None) -> int | None:
            return None if price is None else price_of(price, instrument)

        price, trail = options.get("price"), options.get("trail")
        expires_after, direction = options.get("expires_after"), options.get("direction")
        closes = options.get("close_position", False)
        command = PlacePlanOrder(
            self.number,
            symbol,
            one_of(side, "side", _SIDES),
            0 if closes else self._size(symbol, contracts, None),
            ticks(options.get("trigger")) or 0,
            one_of(options.get("trigger_by", TriggerBy.LAST), "trigger", TRIGGERS_BY),
            None if direction is None else one_of(direction, "direction", DIRECTIONS),
            OrderKind.MARKET if price is None else OrderKind.LIMIT,
            ticks(price),
            one_of(options.get("time_in_force", "gtc"), "time in force", TIMES_IN_FORCE),
            options.get("reduce_only", False),
            self._side(options.get("position_side")),
            options.get("name"),
            closes,
            options.get("attached", False),
            options.get("group"),
            None if trail is None else rate_of(trail, "trail"),
            ticks(options.get("activation")),
            None if expires_after is None else self._from_now(expires_after),
            options.get("refuse_if_through", False),
            options.get("close_on_trigger", False),
            options.get("price_protect", False),
        )
        self._send(command, f"plan to {side} {symbol}", rejected)

    def amend_plan(
        self,
        symbol: str,
        name: str,
        *,
        trigger: Number | None = None,
        price: Number | None = None,
        contracts: Number | None = None,
        rejected: str | None = None,
    ) -> None:
        """Change a plan order that has not fired."""
        __tracebackhide__ = True
        instrument = self._instrument(symbol)
        command = AmendPlanOrder(
            self.number,
            symbol,
            client_order_id=name,
            trigger_price=None if trigger is None else price_of(trigger, instrument, "trigger"),
            price=None if price is None else price_of(price, instrument),
            contracts=None if contracts is None else contracts_of(contracts),
        )
        self._send(command, f"amend plan {name}", rejected)

    def cancel_plan(self, symbol: str, name: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        command = CancelPlanOrder(self.number, symbol, client_order_id=name)
        self._send(command, f"cancel plan {name}", rejected)

    def reject_next(self, count: int = 1, *, what: str = "order") -> None:
        """Fault: let the exchange refuse the next orders (``what``: order, plan or fire)."""
        target = one_of(what, "target", _REJECT_TARGETS)
        self._send(ForceReject(self.number, target, count), "reject next", None)

    # ------------------------------------------------------------------ help

    @property
    def _world(self) -> World:
        return self.exchange.world

    def _send(self, command: Command, told: str, rejected: str | None) -> None:
        __tracebackhide__ = True
        self.exchange.send(command, told=f"{self.name}: {told}", rejected=rejected)

    def _instrument(self, symbol: str) -> Instrument:
        return self.exchange.world_instrument(symbol)

    def _size(self, symbol: str, contracts: Number | None, base: Number | None) -> int:
        if (contracts is None) == (base is None):
            raise ValueError("an order needs either contracts or base")
        if contracts is not None:
            return contracts_of(contracts)
        assert base is not None
        return contracts_from_base(base, self._instrument(symbol))

    def _side(self, position_side: str | None) -> PositionSide:
        if position_side is None:
            return PositionSide.NET
        return one_of(position_side, "position side", POSITION_SIDES)

    def _from_now(self, lasting: str) -> int:
        return self.exchange.clock.now() + duration_us(lasting)
