"""Seeded streams of mixed commands: everything that can be asked for, sense and nonsense alike."""

from collections.abc import Callable
from random import Random

from simexchange.campaign.instruments import STALE_US, STRICT, STRICT_STEP, listed_instruments
from simexchange.core.commands import (
    AdjustMargin,
    AdvanceTime,
    AmendOrder,
    AmendPlanOrder,
    Batch,
    CancelAll,
    CancelOrder,
    CancelPlanOrder,
    Command,
    Deposit,
    ForceReject,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    PlacePlanOrder,
    SetFeeTier,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
    SkipFunding,
    Transfer,
    Withdraw,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event
from simexchange.core.exchange import Exchange
from simexchange.core.types import (
    SECOND_US,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)
from simexchange.core.views import OrderView

START_AT = SECOND_US
UNKNOWN_SYMBOL = "NOUSDT"
RICH = 5  # quotes both sides, so that what must be sold finds a buyer
FUNDS = (0, 10**10, 10**14)  # of the insurance fund: nothing, too little, plenty
_WALLETS = (Wallet.SPOT, Wallet.CONTRACT)
_MONEY = (-1, 0, 1, 10**6, 10**9, 10**12)


class Stream:
    """An endless mixed stream; it looks at the exchange only to cancel and amend what exists."""

    def __init__(
        self, seed: int, exchange: Exchange, accounts: int = 8, *, has_funding: bool = True
    ) -> None:
        self.has_funding = has_funding
        self.random = Random(seed)  # noqa: S311 - a reproducible stream, not a secret
        self.exchange = exchange
        self.at = START_AT
        self.accounts = accounts
        self.prices = {"BTCUSDT": 6_000, "ETHUSDT": 2_500, STRICT: 9_000}
        self.transfers = 0
        self.is_set_up = False
        self.may_go_back = False  # whether a command may now and then come from the past
        self.latest_transfer: Transfer | None = None
        self.log: list[tuple[Command, int]] = []
        self.listeners: list[Callable[[Command, list[Event]], None]] = []

    def apply(self, command: Command) -> list[Event]:
        """Apply a command a moment after the one before, or, now and then, before it."""
        self.at += self.random.randrange(1_000)
        at = self.at - SECOND_US // 2 if self.may_go_back and self._happens(0.001) else self.at
        self.log.append((command, at))
        events = self.exchange.apply(command, at)
        for listen in self.listeners:
            listen(command, events)
        return events

    def set_up(self) -> None:
        for instrument in listed_instruments(has_funding=self.has_funding):
            self.apply(ListInstrument(instrument))
            self.apply(self._plan())  # too early: there is no price yet
        for number in range(1, self.accounts + 1):
            self._open(number)
        for symbol, price in self.prices.items():
            self.apply(SetIndex(symbol, price))
        self.is_set_up = self.may_go_back = True

    def step(self) -> list[Event]:
        """Make the next command from the seed and apply it."""
        makers = (
            (self._place, 60),
            (self._cancel, 14),
            (self._amend, 8),
            (self._tick, 8),
            (self._money, 4),
            (self._settings, 5),
            (self._cancel_all, 1),
            (self._plan, 14),
            (self._batch, 2),
            (self._quote, 5),
            (self._fault, 1),
            (self._listing, 0.3),
        )
        chosen = self.random.choices([m for m, _ in makers], [w for _, w in makers])[0]
        return self.apply(chosen())

    # ------------------------------------------------------------------ who, where, whether

    def _open(self, number: int) -> None:
        """Open an account; 2 and 3 belong to 1, every third is hedged, half are cross, one rich."""
        self.apply(OpenAccount(owner=1 if number in (2, 3) else None, label=f"account {number}"))
        most = 10**13 if number == RICH else self.random.choice((2 * 10**8, 10**10, 10**11, 10**12))
        self.apply(Deposit(number, Wallet.CONTRACT, self.random.randrange(10**8, most)))
        self.apply(Deposit(number, Wallet.SPOT, self.random.randrange(10**8, 10**10)))
        if self._is_hedged(number):
            self.apply(SetPositionMode(number, PositionMode.HEDGE))
        if number % 4 in (0, 3):
            for symbol in self.prices:
                self.apply(SetMarginMode(number, symbol, MarginMode.CROSS))

    def _is_hedged(self, number: int) -> bool:
        return number % 3 == 0 and number <= self.accounts

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _account(self) -> int:
        # now and then one that does not exist
        return self.random.randrange(1, self.accounts + (2 if self._happens(0.02) else 1))

    def _existing(self) -> int:
        return self.random.randrange(1, self.accounts + 1)

    def _symbol(self) -> str:
        return UNKNOWN_SYMBOL if self._happens(0.003) else self.random.choice(list(self.prices))

    def _price(self, symbol: str, away: int) -> int:
        price = self.prices.get(symbol, 1_000)
        return price + self.random.randrange(-away, away + 1)

    def _client_id(self) -> str | None:
        return f"c{self.random.randrange(500)}" if self._happens(0.2) else None

    def _contracts(self, symbol: str) -> int:
        if self._happens(0.005):
            return self.random.choice((0, 3, 10**13))
        if symbol == STRICT:
            return STRICT_STEP * self.random.choice((1, 2, 7, 40, 100))
        return self.random.choice((1, 2, 3, 7, 40, 400, 1_500))

    # ------------------------------------------------------------------ orders

    def _place(self) -> PlaceOrder:
        rng = self.random
        number, symbol = self._account(), self._symbol()
        kind = rng.choice((OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.MARKET))
        price = None
        if (kind is OrderKind.LIMIT) is not self._happens(0.003):
            price = self._price(symbol, 2_000 if self._happens(0.01) else 40)
        side = PositionSide.NET
        if self._is_hedged(number) and self._happens(0.98):
            side = rng.choice((PositionSide.LONG, PositionSide.SHORT))
        return PlaceOrder(
            number,
            symbol,
            rng.choice((Side.BUY, Side.SELL)),
            self._contracts(symbol),
            kind,
            price,
            rng.choice((TimeInForce.GTC,) * 5 + tuple(TimeInForce)),
            reduce_only=self._happens(0.15),
            position_side=side,
            client_order_id=self._client_id(),
            self_trade_prevention=rng.choice(
                (SelfTradePrevention.NONE,) * 5 + tuple(SelfTradePrevention)
            ),
            close_on_trigger=self._happens(0.05),
            expires_at=self.at + rng.randrange(200_000) if self._happens(0.02) else None,
        )

    def _batch(self) -> Batch:
        makers = (self._place, self._place, self._place, self._cancel, self._amend)
        return Batch(tuple(self.random.choice(makers)() for _ in range(self.random.randrange(4))))

    def _quote(self) -> Batch:
        """Return bids and asks around the price, deep enough to liquidate into."""
        symbol = self.random.choice(list(self.prices))
        price, step = self.prices[symbol], self.random.choice((1, 5, 15))
        return Batch(
            tuple(
                PlaceOrder(
                    RICH,
                    symbol,
                    side,
                    STRICT_STEP * self.random.choice((2, 10, 60)),
                    OrderKind.LIMIT,
                    max(1, price - side * step * level),
                )
                for level in (1, 2, 3)
                for side in (Side.BUY, Side.SELL)
            )
        )

    def _open_order(self) -> OrderView | None:
        orders = self.exchange.open_orders(self._existing()) or self.exchange.open_orders(
            self._existing()
        )
        return self.random.choice(orders) if orders else None

    def _cancel(self) -> CancelOrder:
        order = self._open_order()
        if order is None:
            return CancelOrder(1, "BTCUSDT", 999_999)
        if order.client_order_id is not None:
            return CancelOrder(order.account, order.symbol, client_order_id=order.client_order_id)
        return CancelOrder(order.account, order.symbol, order.order_id)

    def _amend(self) -> AmendOrder:
        order = self._open_order()
        if order is None or order.price is None:
            return AmendOrder(1, "BTCUSDT", 999_999, price=5)
        price = order.price + self.random.randrange(-30, 31) if self._happens(0.6) else None
        more = self._contracts(order.symbol)
        contracts = self.random.choice((None, more, order.contracts // 2 + 1))
        if order.client_order_id is not None:
            return AmendOrder(
                order.account,
                order.symbol,
                client_order_id=order.client_order_id,
                price=price,
                contracts=contracts,
            )
        return AmendOrder(
            order.account, order.symbol, order.order_id, price=price, contracts=contracts
        )

    def _cancel_all(self) -> CancelAll:
        return CancelAll(self._account(), self.random.choice((None, self._symbol())))

    # ------------------------------------------------------------------ plan orders

    def _plan(self) -> PlacePlanOrder | AmendPlanOrder | CancelPlanOrder:
        existing = self.exchange.open_plans(self._existing()) if self.is_set_up else []
        if existing and self._happens(0.2):
            plan = self.random.choice(existing)
            if self._happens(0.5):
                gone = self._happens(0.05)
                return CancelPlanOrder(plan.account, plan.symbol, plan.plan_id + gone * 10**6)
            trigger = plan.trigger_price + self.random.choice((0, *range(-20, 21)))
            return AmendPlanOrder(plan.account, plan.symbol, plan.plan_id, trigger_price=trigger)
        return self._new_plan()

    def _new_plan(self) -> PlacePlanOrder:
        rng = self.random
        number, symbol = self._account(), self._symbol()
        side = rng.choice((Side.BUY, Side.SELL))
        position_side = PositionSide.NET
        held = self.exchange.positions(number) if number in self.exchange.accounts else []
        if held and self._happens(0.8):
            position = rng.choice(held)
            symbol, position_side = position.symbol, position.position_side
            long = position.contracts * (position_side or 1) > 0
            side = Side.SELL if long else Side.BUY
        close, trailing = self._happens(0.4), self._happens(0.15)
        limit = self._happens(0.3)
        return PlacePlanOrder(
            number,
            symbol,
            side,
            0 if close else rng.choice((1, 5, 50)),
            0 if trailing else self._price(symbol, 60),
            rng.choice(tuple(TriggerBy)),
            rng.choice((None, None, *TriggerDirection)),
            OrderKind.LIMIT if limit else OrderKind.MARKET,
            self._price(symbol, 30) if limit else None,
            reduce_only=self._happens(0.5),
            position_side=position_side,
            client_order_id=self._client_id(),
            close_position=close,
            attached=self._happens(0.4),
            group=rng.choice((None, None, "a", "b")),
            callback_rate=rng.choice((500_000, 100_000)) if trailing else None,
            activation_price=(self._price(symbol, 20) if trailing and self._happens(0.4) else None),
            expires_at=self.at + rng.randrange(200_000) if self._happens(0.3) else None,
            refuse_if_through=self._happens(0.5),
            close_on_trigger=self._happens(0.2),
            price_protect=self._happens(0.2),
        )

    # ------------------------------------------------------------------ prices, time, faults

    def _tick(self) -> Command:
        symbol = self._symbol()
        if symbol == UNKNOWN_SYMBOL:
            return SetIndex(symbol, 5)
        away = self.random.choice((5, 20, 20, 60, 600))
        price = max(1_000, self._price(symbol, away))
        self.prices[symbol] = price
        if self._happens(0.4):
            return SetMark(symbol, self.random.choice((None, price, price)))
        if self._happens(0.1):
            return self._sources(symbol, price)
        if self._happens(0.1):
            return AdvanceTime()
        return SetIndex(symbol, 0 if self._happens(0.01) else price)

    def _sources(self, symbol: str, price: int) -> SetIndexSources:
        """Return sources of which one is an outlier; now and then they are old, or none is left."""
        if self._happens(0.2):
            return SetIndexSources(symbol, ())
        ages = tuple(self.random.choice((0, STALE_US, STALE_US + 1)) for _ in range(4))
        prices = (price, price + 2, price * 2, price - 1)
        return SetIndexSources(symbol, prices, (1, 2, 3, 4), ages)

    def _fault(self) -> Command:
        rng = self.random
        faults: tuple[Command, ...] = (
            SkipFunding(self._symbol()),
            SkipFunding(self._symbol()),
            SetFundingRate(self._symbol(), rng.choice((None, 1_234_567, -1_777_777, 0))),
            SetFundingRate(self._symbol(), rng.choice((None, 98_765, -98_765))),
            SetFundingInterval(self._symbol(), rng.choice((5, 10**6, 3 * 10**6))),
            ForceReject(self._account(), rng.choice(("order", "plan", "fire")), rng.randrange(3)),
            ForceReject(self._account(), rng.choice(("order", "plan", "fire")), 1),
        )
        return rng.choice(faults)

    def _listing(self) -> ListInstrument:
        """Return what must be refused: an instrument there is, or one that cannot be."""
        known, *_, strict = listed_instruments(has_funding=self.has_funding)
        return ListInstrument(
            known
            if self._happens(0.5)
            else type(strict)(
                symbol="BADUSDT",
                base="BAD",
                tick_size=strict.tick_size,
                contract_size=strict.contract_size / 10**6,
            )
        )

    # ------------------------------------------------------------------ money and settings

    def _money(self) -> Command:
        rng = self.random
        money = rng.choice(_MONEY)
        choice = rng.random()
        if choice < 0.2:  # noqa: PLR2004 - a share
            return Deposit(self._account(), rng.choice(_WALLETS), money)
        if choice < 0.4:  # noqa: PLR2004 - a share
            return Withdraw(self._account(), rng.choice(_WALLETS), money)
        if self.latest_transfer is not None and self._happens(0.05):
            return self.latest_transfer
        self.transfers += self._happens(0.9)
        self.latest_transfer = Transfer(
            self._account(),
            rng.choice(_WALLETS),
            self._account(),
            rng.choice(_WALLETS),
            money,
            f"t{self.transfers}",
        )
        return self.latest_transfer

    def _settings(self) -> Command:
        rng = self.random
        number, symbol = self._account(), self._symbol()
        side = rng.choice(tuple(PositionSide))
        rate = rng.choice((None, 0, 33_333, 99_999))
        makers: tuple[tuple[Command, int], ...] = (
            (SetLeverage(number, symbol, rng.choice((0, 1, 3, 10, 25, 50, 125, 126)), side), 50),
            (AdjustMargin(number, symbol, side, rng.randrange(-(10**10), 10**10)), 30),
            (SetMarginMode(number, symbol, rng.choice(tuple(MarginMode))), 5),
            (SetFeeTier(number, rate, rng.choice((rate, 123_456))), 7),
            (SetPositionMode(number, rng.choice(tuple(PositionMode))), 8),
        )
        return rng.choices([c for c, _ in makers], [w for _, w in makers])[0]


def make_run(
    seed: int,
    commands: int,
    *,
    has_funding: bool = True,
    check_every: int = 1,
    closed_orders_kept: int = 200,
) -> Stream:
    """Return a stream after `commands` steps, every one of them checked in full."""
    config = ExchangeConfig(
        check_every=check_every,
        insurance_fund=fund_of(seed),
        closed_orders_kept=closed_orders_kept,
    )
    stream = Stream(seed, Exchange(config), has_funding=has_funding)
    stream.set_up()
    for _ in range(commands):
        stream.step()
    return stream


def fund_of(seed: int) -> int:
    """Return what the insurance fund starts with in this seed's stream, in money units."""
    return FUNDS[seed % len(FUNDS)]
