"""A served exchange with a quiet book, and clients that talk to it unmodified."""

from decimal import Decimal
from types import TracebackType
from typing import Self

import ccxt
import ccxt.async_support
import ccxt.pro

from simexchange.clock import Clock, SystemClock
from simexchange.core import commands
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import AccountOpened
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.core.types import MONEY_SCALE, AccountKind, OrderKind, Side, Wallet
from simexchange.faults import FaultySimulation
from simexchange.pointing import point_ccxt
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.clock import SteeredClock
from simexchange.server.keys import FULL, ApiKey, Grant
from simexchange.server.operator.api import OperatorApi
from simexchange.server.serving import Server, ServerThread
from simexchange.server.venue import Venue, VenueSettings

SYMBOL, UNIFIED = "BTCUSDT", "BTC/USDT:USDT"
ETH, UNIFIED_ETH = "ETHUSDT", "ETH/USDT:USDT"
OPERATOR_KEY = "operator key of a test"

BTC_PERPETUAL = Instrument(
    symbol=SYMBOL,
    base="BTC",
    tick_size=Decimal("0.1"),
    contract_size=Decimal("0.001"),
    max_contracts=100_000,
    min_notional=5 * MONEY_SCALE,
    max_leverage=100,
    tiers=(
        MarginTier(floor=0, maintenance_rate=500_000, max_leverage=100),
        MarginTier(
            floor=2_000_000 * MONEY_SCALE,
            maintenance_rate=1_000_000,
            max_leverage=50,
            deduction=10_000 * MONEY_SCALE,
        ),
    ),
    maker_fee=20_000,
    taker_fee=55_000,
    price_band=50_000_000,
    funding=FundingRules(),
)
ETH_PERPETUAL = Instrument(
    symbol=ETH,
    base="ETH",
    tick_size=Decimal("0.01"),
    contract_size=Decimal("0.01"),
    max_contracts=100_000,
    funding=FundingRules(),
)


class Rig:
    """One served exchange. The book is what the test puts there; time is the computer's."""

    def __init__(
        self,
        *,
        are_limits_on: bool = False,
        socket_backlog: int = 2_000,
        check_every: int = 1,
        edge: Clock | None = None,
        listen_key_us: int = 3_600_000_000,
    ) -> None:
        self.clock = SteeredClock(SystemClock())
        exchange = Exchange(ExchangeConfig(check_every=check_every))
        self.simulation = FaultySimulation(exchange, self.clock)
        for instrument in (BTC_PERPETUAL, ETH_PERPETUAL):
            self.simulation.apply(commands.ListInstrument(instrument))
        self.maker = self._open("maker", AccountKind.MAKER)
        self.simulation.apply(
            commands.Deposit(self.maker, Wallet.CONTRACT, 100_000_000 * MONEY_SCALE)
        )
        settings = VenueSettings(
            seed="test",
            are_limits_on=are_limits_on,
            socket_backlog=socket_backlog,
            listen_key_us=listen_key_us,
        )
        self.edge: Clock = edge or SystemClock()
        self.venue = Venue(self.simulation, settings, self.edge)
        self._thread = ServerThread(self._build)
        self.set_price(SYMBOL, "50000")
        self.set_price(ETH, "2500")
        self.quote(SYMBOL, "49999", "50001", "20")
        self.quote(ETH, "2499", "2501", "100")

    def _build(self) -> Server:
        return Server(
            (
                BybitDialect(self.venue),
                BinanceDialect(self.venue),
                OperatorApi(self.venue, OPERATOR_KEY),
            )
        )

    def __enter__(self) -> Self:
        self._thread.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.__exit__(kind, error, trace)
        self.simulation.exchange.check()

    @property
    def url(self) -> str:
        return self._thread.url

    @property
    def exchange(self) -> Exchange:
        return self.simulation.exchange

    # ------------------------------------------------------------------ the exchange's side

    def apply(self, command: commands.Command) -> list[object]:
        """Apply a command between two requests; a refusal is a mistake of the test."""
        events = self._thread.call(lambda: self.simulation.apply(command))
        refusal = self.venue.refusal(events)
        assert refusal is None, refusal
        return list(events)

    def _open(self, label: str, kind: AccountKind) -> int:
        opened = self.simulation.apply(commands.OpenAccount(label=label, kind=kind))[0]
        assert isinstance(opened, AccountOpened)
        return opened.account

    def open(self, contract: int = 10_000, spot: int = 0) -> int:
        """Open an account with so many USDT in its wallets."""

        def work() -> int:
            account = self._open("", AccountKind.USER)
            for wallet, money in ((Wallet.CONTRACT, contract), (Wallet.SPOT, spot)):
                if money:
                    self.simulation.apply(commands.Deposit(account, wallet, money * MONEY_SCALE))
            return account

        return self._thread.call(work)

    def key(self, account: int, grant: Grant = FULL, **more: object) -> ApiKey:
        now = self.venue.edge_now()
        return self._thread.call(lambda: self.venue.keys.create(account, grant, now, **more))

    def call(self, do):
        return self._thread.call(do)

    def set_price(self, symbol: str, price: str) -> None:
        ticks = self.exchange.instrument(symbol).price_to_ticks(Decimal(price))
        self._maybe(commands.SetIndex(symbol, ticks))
        self._maybe(commands.SetMark(symbol, ticks))

    def _maybe(self, command: commands.Command) -> None:
        if self._thread.is_running:
            self.apply(command)
        else:
            self.simulation.apply(command)

    def quote(self, symbol: str, bid: str, ask: str, quantity: str) -> None:
        """Let the maker stand with one bid and one ask and nothing else."""
        instrument = self.exchange.instrument(symbol)
        contracts = instrument.contracts_from_base(Decimal(quantity))
        self._maybe(commands.CancelAll(self.maker, symbol))
        for side, price in ((Side.BUY, bid), (Side.SELL, ask)):
            ticks = instrument.price_to_ticks(Decimal(price))
            self._maybe(
                commands.PlaceOrder(self.maker, symbol, side, contracts, OrderKind.LIMIT, ticks)
            )

    # ------------------------------------------------------------------ the clients' side

    def _point_here(self, client, key: ApiKey | None):
        point_ccxt(client, self.url)
        client.number = Decimal
        if key is not None:
            client.apiKey, client.secret = key.key, key.secret
        return client

    def _options(self) -> dict[str, object]:
        return {"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["linear"]}}}

    def ccxt(self, key: ApiKey | None = None):
        return self._point_here(ccxt.bybit(self._options()), key)

    def ccxt_async(self, key: ApiKey | None = None):
        return self._point_here(ccxt.async_support.bybit(self._options()), key)

    def ccxt_pro(self, key: ApiKey | None = None):
        return self._point_here(ccxt.pro.bybit(self._options()), key)

    def binance(self, key: ApiKey | None = None):
        return self._point_here(ccxt.binanceusdm({"enableRateLimit": False}), key)

    def binance_async(self, key: ApiKey | None = None):
        client = ccxt.async_support.binanceusdm({"enableRateLimit": False})
        return self._point_here(client, key)

    def binance_pro(self, key: ApiKey | None = None):
        client = ccxt.pro.binanceusdm({"enableRateLimit": False})
        return self._point_here(client, key)
