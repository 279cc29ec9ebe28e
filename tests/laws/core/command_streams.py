"""Seeded streams of mixed commands for laws about the exchange."""

from decimal import Decimal
from random import Random

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
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import (
    MONEY_SCALE,
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

TIERS = (
    MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125, deduction=0),
    MarginTier(
        floor=2_000 * MONEY_SCALE,
        maintenance_rate=1_000_000,
        max_leverage=50,
        deduction=12 * MONEY_SCALE,
    ),
    MarginTier(
        floor=20_000 * MONEY_SCALE,
        maintenance_rate=2_500_000,
        max_leverage=20,
        deduction=312 * MONEY_SCALE,
    ),
)


def make_instrument(symbol="BTCUSDT", **changes) -> Instrument:
    fields = {
        "symbol": symbol,
        "base": symbol.removesuffix("USDT"),
        "tick_size": Decimal("0.1"),
        "contract_size": Decimal("0.001"),
    }
    return Instrument(**(fields | changes))


FUNDING_US = 150_000


class Stream:
    """An endless mixed stream; it looks at the exchange only to cancel and amend what exists."""

    def __init__(
        self, seed: int, exchange: Exchange, accounts: int = 8, *, has_funding: bool = True
    ) -> None:
        self.has_funding = has_funding
        self.random = Random(seed)
        self.exchange = exchange
        self.at = 1_000_000
        self.accounts = accounts
        self.prices = {"BTCUSDT": 6_000, "ETHUSDT": 2_500}
        self.transfers = 0
        self.log: list[tuple[Command, int]] = []

    def apply(self, command: Command):
        self.at += self.random.randrange(0, 1_000)
        self.log.append((command, self.at))
        return self.exchange.apply(command, self.at)

    def set_up(self) -> None:
        # few contracts per unit of money and odd fee rates, so that every division leaves a rest
        funding = FundingRules(
            interval_us=FUNDING_US, sample_us=50_000, impact_notional=100 * MONEY_SCALE
        )
        self.apply(
            ListInstrument(
                make_instrument(
                    maker_fee=-7_777,
                    taker_fee=54_321,
                    funding=funding if self.has_funding else None,
                    liquidation_fee=99_999,
                )
            )
        )
        self.apply(
            ListInstrument(make_instrument("ETHUSDT", tiers=TIERS, contract_size=Decimal("0.0371")))
        )
        for number in range(1, self.accounts + 1):
            owner = 1 if number in (2, 3) else None
            self.apply(OpenAccount(owner=owner, label=f"account {number}"))
            self.apply(Deposit(number, Wallet.CONTRACT, self.random.randrange(10**8, 10**11)))
            self.apply(Deposit(number, Wallet.SPOT, self.random.randrange(10**8, 10**10)))
            if number % 3 == 0:
                self.apply(SetPositionMode(number, PositionMode.HEDGE))
            if number % 4 in (0, 3):
                for symbol in self.prices:
                    self.apply(SetMarginMode(number, symbol, MarginMode.CROSS))
        for symbol, price in self.prices.items():
            self.apply(SetIndex(symbol, price))

    def step(self):
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
            (self._fault, 1),
        )
        chosen = self.random.choices([m for m, _ in makers], [w for _, w in makers])[0]
        return self.apply(chosen())

    def _account(self) -> int:
        # now and then one that does not exist
        return self.random.randrange(1, self.accounts + (2 if self.random.random() < 0.02 else 1))

    def _symbol(self) -> str:
        return self.random.choice(list(self.prices))

    def _place(self) -> Command:
        rng = self.random
        number, symbol = self._account(), self._symbol()
        kind = rng.choice((OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.LIMIT, OrderKind.MARKET))
        price = None
        if kind is OrderKind.LIMIT:
            price = max(1, self.prices[symbol] + rng.randrange(-40, 41))
        side = PositionSide.NET
        if number % 3 == 0 and number <= self.accounts and rng.random() < 0.98:
            side = rng.choice((PositionSide.LONG, PositionSide.SHORT))
        return PlaceOrder(
            number,
            symbol,
            rng.choice((Side.BUY, Side.SELL)),
            rng.choice((1, 2, 3, 7, 40, 400)),
            kind,
            price,
            rng.choice((TimeInForce.GTC,) * 5 + tuple(TimeInForce)),
            reduce_only=rng.random() < 0.15,
            position_side=side,
            client_order_id=f"c{rng.randrange(500)}" if rng.random() < 0.2 else None,
            self_trade_prevention=rng.choice(
                (SelfTradePrevention.NONE,) * 5 + tuple(SelfTradePrevention)
            ),
        )

    def _plan(self) -> Command:
        rng = self.random
        plans = self.exchange.open_plans(rng.randrange(1, self.accounts + 1))
        if plans and rng.random() < 0.2:
            plan = rng.choice(plans)
            if rng.random() < 0.5:
                return CancelPlanOrder(plan.account, plan.symbol, plan.plan_id)
            trigger = max(1, plan.trigger_price + rng.randrange(-20, 21))
            return AmendPlanOrder(plan.account, plan.symbol, plan.plan_id, trigger_price=trigger)
        number, symbol = self._account(), self._symbol()
        side = rng.choice((Side.BUY, Side.SELL))
        position_side = PositionSide.NET
        if number <= self.accounts:
            held = self.exchange.positions(number)
            if held and rng.random() < 0.8:
                position = rng.choice(held)
                symbol, position_side = position.symbol, position.position_side
                long = position.contracts * (position_side or 1) > 0
                side = Side.SELL if long else Side.BUY
        price = self.prices[symbol]
        close = rng.random() < 0.4
        trailing = rng.random() < 0.15
        limit = rng.random() < 0.3
        return PlacePlanOrder(
            number,
            symbol,
            side,
            0 if close else rng.choice((1, 5, 50)),
            0 if trailing else price + rng.randrange(-60, 61),
            rng.choice(tuple(TriggerBy)),
            rng.choice((None, None, *TriggerDirection)),
            OrderKind.LIMIT if limit else OrderKind.MARKET,
            price + rng.randrange(-30, 31) if limit else None,
            reduce_only=rng.random() < 0.5,
            position_side=position_side,
            client_order_id=f"c{rng.randrange(500)}" if rng.random() < 0.2 else None,
            close_position=close,
            attached=rng.random() < 0.4,
            group=rng.choice((None, None, "a", "b")),
            callback_rate=rng.choice((500_000, 100_000)) if trailing else None,
            activation_price=price + 10 if trailing and rng.random() < 0.4 else None,
            expires_at=self.at + rng.randrange(200_000) if rng.random() < 0.3 else None,
            refuse_if_through=rng.random() < 0.5,
        )

    def _batch(self) -> Command:
        return Batch(tuple(self._place() for _ in range(self.random.randrange(4))))

    def _fault(self) -> Command:
        rng = self.random
        choice = rng.random()
        if choice < 0.3:
            return SkipFunding(self._symbol())
        if choice < 0.6:
            return SetFundingRate(self._symbol(), rng.choice((None, None, 1_234_567, -777_777, 0)))
        if choice < 0.7:
            return SetFundingInterval(self._symbol(), rng.choice((10**6, 3 * 10**6)))
        return ForceReject(self._account(), rng.choice(("order", "plan", "fire")), rng.randrange(3))

    def _open_order(self):
        orders = self.exchange.open_orders(self.random.randrange(1, self.accounts + 1))
        return self.random.choice(orders) if orders else None

    def _cancel(self) -> Command:
        order = self._open_order()
        if order is None:
            return CancelOrder(1, "BTCUSDT", 999_999)
        return CancelOrder(order.account, order.symbol, order.order_id)

    def _amend(self) -> Command:
        order = self._open_order()
        if order is None:
            return AmendOrder(1, "BTCUSDT", 999_999, price=5)
        price = order.price + self.random.randrange(-30, 31) if self.random.random() < 0.6 else None
        contracts = self.random.choice((None, 1, 2, 30, order.contracts // 2 + 1))
        return AmendOrder(
            order.account, order.symbol, order.order_id, price=price, contracts=contracts
        )

    def _cancel_all(self) -> Command:
        return CancelAll(self._account(), self.random.choice((None, self._symbol())))

    def _tick(self) -> Command:
        symbol = self._symbol()
        size = self.random.choice((5, 20, 20, 60, 600))
        price = max(1_000, self.prices[symbol] + self.random.randrange(-size, size + 1))
        self.prices[symbol] = price
        if self.random.random() < 0.4:
            return SetMark(symbol, self.random.choice((None, price, price)))
        if self.random.random() < 0.1:
            return SetIndexSources(symbol, (price, price + 2, price * 2, price - 1), (1, 2, 3, 4))
        if self.random.random() < 0.1:
            return AdvanceTime()
        return SetIndex(symbol, price)

    def _money(self) -> Command:
        rng = self.random
        wallets = (Wallet.SPOT, Wallet.CONTRACT)
        money = rng.choice((-1, 0, 1, 10**6, 10**9, 10**12))
        choice = rng.random()
        if choice < 0.2:
            return Deposit(self._account(), rng.choice(wallets), money)
        if choice < 0.4:
            return Withdraw(self._account(), rng.choice(wallets), money)
        self.transfers += rng.random() < 0.9
        return Transfer(
            self._account(),
            rng.choice(wallets),
            self._account(),
            rng.choice(wallets),
            money,
            f"t{self.transfers}",
        )

    def _settings(self) -> Command:
        rng = self.random
        number, symbol = self._account(), self._symbol()
        side = rng.choice(tuple(PositionSide))
        choice = rng.random()
        if choice < 0.5:
            return SetLeverage(number, symbol, rng.choice((0, 1, 3, 10, 25, 50, 125, 126)), side)
        if choice < 0.8:
            return AdjustMargin(number, symbol, side, rng.randrange(-(10**10), 10**10))
        if choice < 0.85:
            return SetMarginMode(number, symbol, rng.choice(tuple(MarginMode)))
        if choice < 0.92:
            rate = rng.choice((None, 0, 33_333, 99_999))
            return SetFeeTier(number, rate, rng.choice((rate, 123_456)))
        return SetPositionMode(number, rng.choice(tuple(PositionMode)))


def make_run(seed: int, commands: int, *, has_funding: bool = True, **config) -> Stream:
    """Return a stream after ``commands`` steps, every one of them checked in full."""
    fund = (0, 10**10, 10**14)[seed % 3]  # nothing, too little, plenty
    defaults = {"check_every": 1, "insurance_fund": fund}
    exchange = Exchange(ExchangeConfig(**(defaults | config)))
    stream = Stream(seed, exchange, has_funding=has_funding)
    stream.set_up()
    for _ in range(commands):
        stream.step()
    return stream
