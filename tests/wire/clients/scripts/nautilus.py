"""A node of nautilus_trader with a strategy of ours: orders by its adapters of both venues."""

import json
import os
import sys
import traceback
from datetime import timedelta
from decimal import Decimal
from threading import Timer

from nautilus_trader.adapters.binance import (
    BINANCE,
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.adapters.bybit import (
    BYBIT,
    BybitExecClientConfig,
    BybitLiveExecClientFactory,
    BybitProductType,
)
from nautilus_trader.adapters.bybit.factories import (
    get_bybit_http_client,
    get_bybit_instrument_provider,
)
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderCanceled, OrderFilled, OrderUpdated
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

URL = os.environ["EXCHANGE_URL"]
SOCKETS = URL.replace("http", "ws")
PATIENCE_S = 40
TOLD = {
    BINANCE: ["accepted", "updated 0.020 41000.0", "canceled", "accepted"],
    BYBIT: ["accepted", "updated 0.02 41000.0", "canceled"],  # a market order is told once, filled
}


class Walk(Strategy):
    """Places, amends and cancels an order, then buys, and stops."""

    def __init__(self, instrument: str, *, quotes: bool) -> None:
        super().__init__(StrategyConfig(strategy_id="WALK-001"))
        self.instrument_id = InstrumentId.from_str(instrument)
        self.wants_quotes = quotes
        self.told: list[str] = []
        self.quote: list[str] = []
        self.fill: list[str] = []
        self.done = lambda: None

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(self.instrument_id)
        if self.wants_quotes:
            self.subscribe_quote_ticks(self.instrument_id)
        terms = {"time_in_force": TimeInForce.GTC}
        if self.wants_quotes:  # Bybit has no orders that end at a date
            end = self.clock.utc_now() + timedelta(hours=1)
            terms = {"time_in_force": TimeInForce.GTD, "expire_time": end}
        order = self.order_factory.limit(
            self.instrument_id,
            OrderSide.BUY,
            self.instrument.make_qty(Decimal("0.010")),
            self.instrument.make_price(Decimal(40_000)),
            **terms,
        )
        self.resting = order
        self.submit_order(order)

    def on_quote_tick(self, tick) -> None:
        if not self.quote:
            self.quote = [str(tick.bid_price), str(tick.ask_price)]

    def on_order_accepted(self, event) -> None:
        self.told.append("accepted")
        if event.client_order_id == self.resting.client_order_id:
            self.modify_order(
                self.resting,
                quantity=self.instrument.make_qty(Decimal("0.020")),
                price=self.instrument.make_price(Decimal(41_000)),
            )

    def on_order_updated(self, event: OrderUpdated) -> None:
        self.told.append(f"updated {event.quantity} {event.price}")
        self.cancel_order(self.resting)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        self.told.append("canceled")
        quantity = self.instrument.make_qty(Decimal("0.010"))
        self.bought = self.order_factory.market(self.instrument_id, OrderSide.BUY, quantity)
        self.submit_order(self.bought)

    def on_order_rejected(self, event) -> None:
        self.told.append(f"rejected: {event.reason}")

    def on_order_filled(self, event: OrderFilled) -> None:
        self.fill = [str(event.last_px), str(event.last_qty), str(event.commission)]
        self.clock.set_timer("end", timedelta(seconds=1), callback=lambda _: self.done())


def node_of(venue: str) -> tuple[TradingNode, str]:
    provider = InstrumentProviderConfig(load_all=True)
    key = {
        "api_key": os.environ[f"EXCHANGE_KEY_{venue.upper()}"],
        "api_secret": os.environ[f"EXCHANGE_SECRET_{venue.upper()}"],
        "instrument_provider": provider,
        "base_url_http": URL,
    }
    name = BINANCE if venue == "binanceusdm" else BYBIT
    data = {}
    if name == BINANCE:
        key |= {"account_type": BinanceAccountType.USDT_FUTURES, "base_url_ws": SOCKETS}
        execution = {name: BinanceExecClientConfig(**key)}
        data = {name: BinanceDataClientConfig(**key)}
    else:
        more = {
            "base_url_ws_private": f"{SOCKETS}/v5/private",
            "base_url_ws_trade": f"{SOCKETS}/v5/trade",
        }
        products = [BybitProductType.LINEAR]
        execution = {name: BybitExecClientConfig(product_types=products, **more, **key)}
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("WALKER-001"),
            logging=LoggingConfig(log_level="ERROR"),
            exec_engine=LiveExecEngineConfig(reconciliation=True),
            data_clients=data,
            exec_clients=execution,
            timeout_connection=20.0,
        )
    )
    node.add_exec_client_factory(
        name, BinanceLiveExecClientFactory if name == BINANCE else BybitLiveExecClientFactory
    )
    if data:
        node.add_data_client_factory(name, BinanceLiveDataClientFactory)
    return node, name


async def bybit_instruments(node: TradingNode) -> list:
    clock = node.kernel.clock
    key, secret = os.environ["EXCHANGE_KEY_BYBIT"], os.environ["EXCHANGE_SECRET_BYBIT"]
    client = get_bybit_http_client(clock, key, secret, URL)
    products = frozenset({BybitProductType.LINEAR})
    config = InstrumentProviderConfig(load_all=True)
    provider = get_bybit_instrument_provider(client, clock, products, config)
    await provider.load_all_async()
    return list(provider.get_all().values())


def walked(venue: str) -> dict[str, object]:
    """Return each step and whether its values were right."""
    node, name = node_of(venue)
    symbol = "BTCUSDT-PERP" if name == BINANCE else "BTCUSDT-LINEAR"
    walk = Walk(f"{symbol}.{name}", quotes=name == BINANCE)
    node.trader.add_strategy(walk)
    node.build()
    loop = node.kernel.loop
    if name == BYBIT:  # its data client cannot be pointed elsewhere, so instruments come by hand
        for instrument in loop.run_until_complete(bybit_instruments(node)):
            node.cache.add_instrument(instrument)

    def stop() -> None:
        loop.call_soon_threadsafe(node.stop)

    walk.done = stop
    timer = Timer(PATIENCE_S, stop)
    timer.start()
    node.run()
    timer.cancel()
    account = node.cache.account_for_venue(Venue(name))
    positions = node.cache.positions_open()
    found = {
        "orders": (walk.told, TOLD[name]),
        "fill": (walk.fill, ["50001.0", "0.010", "0.27500550 USDT"]),
        "position": (
            [[str(p.quantity), str(p.avg_px_open)] for p in positions],
            [["0.010", "50001.0"]],
        ),
        "order is filled": (
            getattr(walk, "bought", None) and walk.bought.status == OrderStatus.FILLED,
            True,
        ),
        "balance": (str(account.balance_total(Currency.from_str("USDT"))), "9999.72499450 USDT"),
    }
    if walk.wants_quotes:
        found["quotes"] = (walk.quote, ["49999.0", "50001.0"])
    node.dispose()
    return {
        f"{venue}: {step}": "ok" if got == want else {"got": got, "want": want}
        for step, (got, want) in found.items()
    }


if __name__ == "__main__":
    steps: dict[str, object] = {}
    venue = sys.argv[1]
    try:
        steps |= walked(venue)
    except Exception:  # what went wrong is what this is run for
        steps[f"{venue}: runs"] = {"error": traceback.format_exc()[-1500:]}
    print(json.dumps(steps))
