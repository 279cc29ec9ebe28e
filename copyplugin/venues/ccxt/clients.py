"""One loaded ccxt exchange, and a clone for each account that shares everything but its keys.

An exchange of ccxt's own for each account costs megabytes: markets, a session, an SSL context. A
clone is a shallow copy with its own keys, options and stream state, and costs kilobytes.
"""

import asyncio
import copy
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast
from urllib.request import getproxies

import aiohttp
import ccxt
import ccxt.pro

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import RequestRejected, VenueUnavailable
from copyplugin.venues.ccxt import errors, lean
from copyplugin.venues.ccxt.answers import Row, exact_json
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig, address_rate
from copyplugin.venues.ccxt.doubt import CLOCKS_APART_SECONDS
from copyplugin.venues.ccxt.gate import Gate, Rate, Urgency

MARKETS_KEPT_SECONDS = 30.0
CLOCK_KEPT_SECONDS = 600.0
CLOCK_TRIES = 3
CLOCKS_APART_MS = round(CLOCKS_APART_SECONDS * 1000)
_SCHEME_AND_HOST = re.compile(r"^(https?|wss?)://[^/]+")
_SECTIONS = ("api", "test", "demo", "demotrading")


Params = Mapping[str, object] | Sequence[Mapping[str, object]]
"""What a request says; a list where the venue takes lists."""


class Wire(Protocol):
    """What a client needs to know of its venue's protocol."""

    @property
    def ccxt_id(self) -> str:
        """Return what ccxt calls the venue."""
        ...

    @property
    def refusals(self) -> Mapping[str, str]:
        """Return the venue's codes of certain refusals, and our reasons for them."""
        ...

    @property
    def account_rate(self) -> Rate | None: ...

    @property
    def address_rate(self) -> Rate | None: ...

    @property
    def absences(self) -> frozenset[str]:
        """Return the venue's codes that say: there is nothing of this name."""
        ...

    def prepare(self, exchange: Any) -> None:
        """Set up a new ccxt exchange in ways that options do not reach."""
        ...

    def signed(
        self, client: "Client", method: str, params: Mapping[str, object]
    ) -> lean.Signed | None:
        """Return a POST as it goes out past ccxt's machinery; None where ccxt is to send it."""
        ...

    def use_testnet(self, exchange: Any) -> None:
        """Point a new ccxt exchange at the venue's place for trying out."""
        ...

    def options(self, config: VenueConfig) -> dict[str, Any]:
        """Return ccxt's options for this venue."""
        ...

    async def server_time(self, client: "Client") -> int:
        """Return the venue's time in milliseconds since the epoch."""
        ...


class Client:
    """Requests of one account, or public ones. Errors are ours; nothing is sent twice."""

    __slots__ = ("_clients", "_signer", "account", "ccxt")

    def __init__(self, clients: "Clients", exchange: Any, account: AccountId | None) -> None:
        self._clients = clients
        self.ccxt = exchange
        self.account = account
        self._signer: lean.Signer | None = None

    @property
    def signer(self) -> lean.Signer:
        """Return what signs with this account's secret."""
        if self._signer is None:
            self._signer = lean.Signer(self.ccxt.secret)
        return self._signer

    async def ask(
        self,
        method: str,
        params: Mapping[str, object] | None = None,
        *,
        urgency: Urgency = Urgency.READ,
        cost: int = 1,
    ) -> Row:
        """Ask a question by ccxt's name of the endpoint; raises `VenueUnavailable`."""
        try:
            return await self._send(method, params or {}, urgency, cost, 0)
        except ccxt.BaseError as error:
            self._clients.noticed(error)
            raise errors.asked(error) from error

    async def ask_maybe(
        self, method: str, params: Mapping[str, object], *, urgency: Urgency = Urgency.READ
    ) -> Row | None:
        """Ask for one thing by its name; None where the venue says that there is none."""
        try:
            return await self._send(method, params, urgency, 1, 0)
        except ccxt.BaseError as error:
            self._clients.noticed(error)
            if errors.code_of(error) in self._clients.wire.absences:
                return None
            raise errors.asked(error) from error

    async def tell(
        self,
        method: str,
        params: Params,
        *,
        rejected: type[RequestRejected] = RequestRejected,
        urgency: Urgency = Urgency.TRADE,
        cost: int = 1,
    ) -> Row:
        """Have something done; `cost` counts for the address, and one for the account.

        Raises `rejected`, `OutcomeUnknown` or `VenueUnavailable`.
        """
        try:
            return await self._send(method, params, urgency, cost, 1)
        except ccxt.BaseError as error:
            self._clients.noticed(error)
            raise errors.told(error, self._clients.wire.refusals, rejected) from error

    async def _send(
        self,
        method: str,
        params: Params,
        urgency: Urgency,
        cost: int,
        account_cost: int,
    ) -> Row:
        gate = self._clients.gate
        await gate.enter(self.account, urgency, cost, account_cost)
        try:
            signed = self._clients.signed(self, method, params)
            if signed is not None:
                return await lean.post(self.ccxt, signed, self._clients.patience)
            return cast("Row", await getattr(self.ccxt, method)(params))
        finally:
            gate.leave()


class Clients:
    """The venue's template, loaded when it is first needed on the running loop, and its clones."""

    def __init__(self, wire: Wire, config: VenueConfig) -> None:
        self.wire = wire
        self.config = config
        self._template: Any = None
        self._session: aiohttp.ClientSession | None = None
        self._clones: dict[AccountId, Client] = {}
        self._loading = asyncio.Lock()
        self._markets_at = 0.0
        self._clock_at: float | None = None
        self._ahead_ms = 0  # how far this computer's clock is ahead of the venue's
        self._gate: Gate | None = None
        self.patience = lean.patience_of(config.timeout.total_seconds())

    @property
    def gate(self) -> Gate:
        assert self._gate is not None, "a client is used before the venue was reached"
        return self._gate

    async def public(self) -> Client:
        """Return the client without keys; raises `VenueUnavailable` where nothing can be loaded."""
        if self._is_due():
            async with self._loading:
                if self._is_due():
                    await self._load()
        return Client(self, self._template, None)

    async def of(self, account: AccountId, keys: ApiKeys) -> Client:
        """Return the account's client."""
        public = await self.public()
        known = self._clones.get(account)
        if known is None or known.ccxt.apiKey != keys.key:
            known = self._clones[account] = Client(self, self._clone(public.ccxt, keys), account)
        return known

    async def markets(self) -> list[Row]:
        """Return ccxt's markets, loaded lately."""
        public = await self.public()
        if self._now() - self._markets_at > MARKETS_KEPT_SECONDS:
            async with self._loading:
                await self._load_markets()
        return list(public.ccxt.markets.values())

    async def watcher(self, keys: ApiKeys) -> Any:
        """Return a clone of its own for a stream: its state must not outlive the connection."""
        return self._clone((await self.public()).ccxt, keys)

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        template, self._template = self._template, None
        session, self._session = self._session, None
        for exchange in (template, *(clone.ccxt for clone in self._clones.values())):
            if exchange is not None:
                exchange.session = None  # shared: it is not the exchange's to close
        self._clones.clear()
        if session is not None:
            await session.close()

    def signed(self, client: Client, method: str, params: Params) -> lean.Signed | None:
        """Return a request that goes past ccxt's machinery, where the settings allow it."""
        if not self.config.is_lean or not isinstance(params, Mapping):
            return None
        return self.wire.signed(client, method, params)

    def noticed(self, error: ccxt.BaseError) -> None:
        """Measure the clock again before the next request where the venue found it wrong."""
        if isinstance(error, ccxt.InvalidNonce):
            self._clock_at = None

    # -- loading

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _is_due(self) -> bool:
        return (
            self._template is None
            or self._clock_at is None
            or self._now() - self._clock_at > CLOCK_KEPT_SECONDS
        )

    async def _load(self) -> None:
        if self._template is None:
            self._open()
        template: Any = self._template
        try:
            await self._set_clock()
            if not template.markets:
                await self._load_markets()
        except VenueUnavailable:
            if not template.markets:
                await self.close()
            raise

    def _open(self) -> None:
        config, loop = self.config, asyncio.get_running_loop()
        context = ssl.create_default_context()
        # Sockets stay open, so that a bound on connections would end with the first streams; the
        # gate bounds what is under way.
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        # Looking for a proxy costs two turns in a thread for each request: only where there is one.
        self._session = aiohttp.ClientSession(connector=connector, trust_env=bool(getproxies()))
        made = getattr(ccxt.pro, self.wire.ccxt_id)(
            {
                "enableRateLimit": False,  # the gate does it, for all accounts together
                "asyncio_loop": loop,
                "session": self._session,
                "ssl_context": context,
                "timeout": int(config.timeout.total_seconds() * 1000),
                "options": self.wire.options(config),
            }
        )
        made.on_json_response = exact_json
        self.wire.prepare(made)
        made.nonce = lambda: made.milliseconds() - self._ahead_ms
        if config.testnet:
            self.wire.use_testnet(made)
        if config.address is not None:
            redirect(made, config.address)
        if self._gate is None:
            rate = address_rate(config, self.wire.address_rate)
            self._gate = Gate(
                at_once=config.requests_at_once,
                address_rate=None if rate is None else rate.shared_by(config.processes),
                account_rate=self.wire.account_rate,
                time=loop.time,
            )
        self._template = made

    async def _load_markets(self) -> None:
        try:
            async with self.gate.pass_through(None, Urgency.READ):
                await self._template.load_markets(True)
        except ccxt.BaseError as error:
            raise errors.asked(error) from error
        self._markets_at = self._now()
        for clone in self._clones.values():  # markets are shared, and replaced as a whole
            for name in ("markets", "markets_by_id", "symbols", "ids", "currencies"):
                setattr(clone.ccxt, name, getattr(self._template, name))

    async def _set_clock(self) -> None:
        """Measure the difference of the clocks, good to half a round trip.

        The first round trip may pay for the connection, so a slow one is made again and the
        quickest counts. None was quick enough: requests are then dated as early as they may be, so
        that no order lives longer than `Doubts` believes. A venue may refuse it as too old.
        """
        quickest: int | None = None
        for _ in range(CLOCK_TRIES):
            try:
                took, ahead = await self._compare_clocks()
            except VenueUnavailable:
                if quickest is None:
                    raise
                break
            if quickest is None or took < quickest:
                quickest = took
                self._ahead_ms = ahead + max(0, took // 2 - CLOCKS_APART_MS)
            if took <= 2 * CLOCKS_APART_MS:
                break
        self._clock_at = self._now()

    async def _compare_clocks(self) -> tuple[int, int]:
        """Return how long it took to ask, and how far our clock was ahead half-way through."""
        client = Client(self, self._template, None)
        sent = self._template.milliseconds()
        theirs = await self.wire.server_time(client)
        answered = self._template.milliseconds()
        return answered - sent, sent + (answered - sent) // 2 - theirs

    @property
    def clock_ahead_ms(self) -> int:
        """Return how far this computer's clock is ahead of the venue's, as last measured."""
        return self._ahead_ms

    @staticmethod
    def _clone(template: Any, keys: ApiKeys) -> Any:
        made = copy.copy(template)
        made.apiKey, made.secret, made.password = keys.key, keys.secret, keys.passphrase
        made.options = dict(template.options)
        made.clients = {}
        made.orders = made.myTrades = made.positions = None
        made.balance = {}
        made.tokenBucket = dict(template.tokenBucket)
        made.init_throttler()
        return made


def redirect(exchange: Any, address: str) -> None:
    """Send every request and stream of a ccxt exchange to one server."""
    host = address.split("://", 1)[1].rstrip("/")
    tls = "s" if address.startswith("https") else ""

    def at(found: re.Match[str]) -> str:
        scheme = "ws" if found[1].startswith("ws") else "http"
        return f"{scheme}{tls}://{host}"

    for section in _SECTIONS:
        if section in exchange.urls:
            exchange.urls[section] = _rewritten(exchange.urls[section], at)


def _rewritten(urls: object, at: Callable[[re.Match[str]], str]) -> object:
    if isinstance(urls, dict):
        tree = cast("dict[str, object]", urls)
        return {name: _rewritten(value, at) for name, value in tree.items()}
    return _SCHEME_AND_HOST.sub(at, urls) if isinstance(urls, str) else urls
