"""One account as a test sees it: orders, money and positions in human units."""

from fractions import Fraction
from typing import TYPE_CHECKING, Unpack

from simexchange.core.commands import (
    AdjustMargin,
    AmendOrder,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Command,
    Deposit,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
    SetFeeTier,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Transfer,
    Withdraw,
)
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    OrderKind,
    PositionSide,
    Side,
    TriggerBy,
)
from simexchange.pytest_plugin.answers import Balance, Order, OrderOptions, PlanOptions, Position
from simexchange.scenario.amounts import (
    Number,
    contracts_from_base,
    contracts_of,
    duration_us,
    money_decimal,
    money_of,
    price_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.facts import (
    BALANCE_NUMBERS,
    ORDER_NUMBERS,
    ORDER_WORDS,
    PLAN_NUMBERS,
    PLAN_WORDS,
    POSITION_NUMBERS,
    POSITION_WORDS,
    mismatches,
    wanted_facts,
)
from simexchange.scenario.model import Mismatch
from simexchange.scenario.reading import (
    DIRECTIONS,
    MARGIN_MODES,
    POSITION_MODES,
    POSITION_SIDES,
    SELF_TRADE_PREVENTIONS,
    TIMES_IN_FORCE,
    TRIGGERS_BY,
    WALLETS,
    one_of,
)
from simexchange.scenario.world import World

if TYPE_CHECKING:
    from simexchange.pytest_plugin.facade import ExchangeFacade

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_REJECT_TARGETS = {"order": "order", "plan": "plan", "fire": "fire"}


class AccountFacade:
    """An account. Where ``rejected`` is given, the exchange must refuse for that reason."""

    def __init__(self, exchange: "ExchangeFacade", name: str, number: int) -> None:
        self.exchange = exchange
        self.name = name
        self.number = number
        self._orders = 0
        self._transfers = 0

    def __repr__(self) -> str:
        return f"<account {self.name}>"

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
        instrument = self._instrument(symbol)
        name = options.get("name")
        if name is None:
            self._orders += 1
            name = f"{self.name}-{self._orders}"
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
        )
        self._send(command, f"plan to {side} {symbol}", rejected)

    def cancel_plan(self, symbol: str, name: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        command = CancelPlanOrder(self.number, symbol, client_order_id=name)
        self._send(command, f"cancel plan {name}", rejected)

    def reject_next(self, count: int = 1, *, what: str = "order") -> None:
        """Fault: let the exchange refuse the next orders (``what``: order, plan or fire)."""
        target = one_of(what, "target", _REJECT_TARGETS)
        self._send(ForceReject(self.number, target, count), "reject next", None)

    # ------------------------------------------------------------------ money and settings

    def deposit(self, amount: Number, *, wallet: str = "contract") -> None:
        __tracebackhide__ = True
        into = one_of(wallet, "wallet", WALLETS)
        self._send(Deposit(self.number, into, money_of(amount)), f"deposit {amount}", None)

    def withdraw(
        self, amount: Number, *, wallet: str = "contract", rejected: str | None = None
    ) -> None:
        __tracebackhide__ = True
        source = one_of(wallet, "wallet", WALLETS)
        command = Withdraw(self.number, source, money_of(amount))
        self._send(command, f"withdraw {amount}", rejected)

    def transfer(
        self,
        amount: Number,
        to: "AccountFacade | None" = None,
        *,
        from_wallet: str = "contract",
        to_wallet: str = "contract",
        transfer_id: str | None = None,
        rejected: str | None = None,
    ) -> None:
        """Move money to another account or wallet; the same ``transfer_id`` moves it once."""
        __tracebackhide__ = True
        if transfer_id is None:
            self._transfers += 1
            transfer_id = f"{self.name}-{self._transfers}"
        command = Transfer(
            self.number,
            one_of(from_wallet, "wallet", WALLETS),
            (to or self).number,
            one_of(to_wallet, "wallet", WALLETS),
            money_of(amount),
            transfer_id,
        )
        self._send(command, f"transfer {amount}", rejected)

    def leverage(
        self,
        symbol: str,
        leverage: Number,
        *,
        position_side: str | None = None,
        rejected: str | None = None,
    ) -> None:
        __tracebackhide__ = True
        times, side = whole_of(leverage, "leverage"), self._side(position_side)
        command = SetLeverage(self.number, symbol, times, side)
        self._send(command, f"leverage {leverage}", rejected)

    def margin_mode(self, symbol: str, mode: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        margin = one_of(mode, "margin mode", MARGIN_MODES)
        self._send(SetMarginMode(self.number, symbol, margin), f"margin mode {mode}", rejected)

    def position_mode(self, mode: str, *, rejected: str | None = None) -> None:
        __tracebackhide__ = True
        wanted = one_of(mode, "position mode", POSITION_MODES)
        self._send(SetPositionMode(self.number, wanted), f"position mode {mode}", rejected)

    def adjust_margin(
        self,
        symbol: str,
        amount: Number,
        *,
        position_side: str | None = None,
        rejected: str | None = None,
    ) -> None:
        """Add money to an isolated position, or with a minus take it out."""
        __tracebackhide__ = True
        command = AdjustMargin(self.number, symbol, self._side(position_side), money_of(amount))
        self._send(command, f"adjust margin {amount}", rejected)

    def fee_tier(self, *, maker_fee: str | None = None, taker_fee: str | None = None) -> None:
        """Give the account fee rates of its own; None: the instrument's."""
        maker = None if maker_fee is None else rate_of(maker_fee)
        taker = None if taker_fee is None else rate_of(taker_fee)
        self._send(SetFeeTier(self.number, maker, taker), "fee tier", None)

    # ------------------------------------------------------------------ questions

    def position(self, symbol: str, side: str | None = None) -> Position:
        """Return the position, flat or not; ``side`` is long or short in hedge mode."""
        view = self._world.position(self.number, symbol, self._side(side))
        instrument, average = self._instrument(symbol), view.average_entry_price
        liquidation = view.liquidation_price
        return Position(
            symbol=symbol,
            contracts=view.contracts,
            base=instrument.base_from_contracts(view.contracts),
            entry_price=None if average is None else Fraction(instrument.tick_size) * average,
            entry_cost=money_decimal(view.entry_cost),
            margin=money_decimal(view.margin),
            unrealized_pnl=money_decimal(view.unrealized_pnl),
            maintenance_margin=money_decimal(view.maintenance_margin),
            liquidation_price=(
                None if liquidation is None else instrument.ticks_to_price(liquidation)
            ),
            leverage=view.leverage,
        )

    def balance(self) -> Balance:
        exchange = self._world.exchange
        view = exchange.account(self.number)
        return Balance(
            spot=money_decimal(view.spot_balance),
            contract=money_decimal(view.contract_balance),
            available=money_decimal(exchange.available_balance(self.number)),
            equity=money_decimal(exchange.equity(self.number)),
        )

    # ------------------------------------------------------------------ assertions

    def assert_position(self, symbol: str, side: str | None = None, **facts: Number) -> None:
        """Assert facts of a position by the words of scenario files (contracts, margin …)."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, POSITION_NUMBERS, POSITION_WORDS)
        view = self._world.position(self.number, symbol, self._side(side))
        subject = f"{self.name} {symbol}{f' {side}' if side else ''}"
        self.exchange.expect_none(mismatches(subject, self._world.position_facts(view), wanted))

    def assert_balance(self, **facts: Number) -> None:
        """Assert spot, contract, available, equity or order_hold."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, BALANCE_NUMBERS)
        found = self._world.balance_facts(self.number)
        self.exchange.expect_none(mismatches(self.name, found, wanted))

    def assert_plan(self, name: str, **facts: Number) -> None:
        """Assert status (waiting or gone), trigger, price or contracts of a plan order."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, PLAN_NUMBERS, PLAN_WORDS)
        found = self._world.plan_facts(self.number, name)
        self.exchange.expect_none(mismatches(f"plan {name}", found, wanted))

    def assert_order(self, name: str, **facts: Number) -> None:
        """Assert status, contracts, filled, remaining, price, average_price or fee."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, ORDER_NUMBERS, ORDER_WORDS)
        found = self._world.order_facts(self.number, name)
        if found is None:
            missing = Mismatch(f"order {name}", "an order", "the exchange knows none")
            self.exchange.expect_none([missing])
            return
        self.exchange.expect_none(mismatches(f"order {name}", found, wanted))

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
