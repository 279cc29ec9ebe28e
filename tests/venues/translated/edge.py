"""What the fakes of venues have in common: keys, signatures, faults, streams, all on loopback.

A fake answers in a venue's documented form and lets the simulated exchange of this process do the
trading: so that a dialect's logic is tried, though no served exchange speaks that protocol.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import SystemClock
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import SECOND_US
from simexchange.faults import FaultySimulation
from simexchange.server.clock import SteeredClock
from tests.venues.scenery import Scenery

SKEW_MS = 60_000
SYSTEM_ERROR = 502
LIMITED = 429

Row = dict[str, Any]
Handler = Callable[[AccountId, Any], Awaitable[object]]


class Refusal(Exception):
    """The venue says no, in its own words."""

    def __init__(self, code: str, said: str = "", *, status: int = 200) -> None:
        super().__init__(code)
        self.code, self.said, self.status = code, said, status


@dataclass(frozen=True)
class Recorded:
    """A request as it came."""

    method: str
    path: str
    params: Any
    headers: dict[str, str]


@dataclass
class Rule:
    fault: Fault
    paths: tuple[str, ...]
    left: int


@dataclass
class Stream:
    """One socket of a client, of whom it has signed in."""

    socket: web.WebSocketResponse
    account: AccountId | None = None
    channels: list[dict[str, str]] = field(default_factory=list)
    is_silent: bool = False
    held: list[str] = field(default_factory=list)


class Edge:
    """A venue on loopback. `stale_ms`: what was signed longer ago is refused."""

    prefix = ""  # of every path
    stale_ms = 1_000

    def __init__(self, *, taker_fee: int) -> None:
        self.clock = SteeredClock(SystemClock())
        self.simulation = FaultySimulation(Exchange(ExchangeConfig(check_every=1)), self.clock)
        self.scenery = Scenery(self.simulation, taker_fee=taker_fee)
        self.venue = SimulatedVenue(self.simulation)
        self.keys: dict[str, tuple[ApiKeys, AccountId]] = {}
        self.routes: Mapping[tuple[str, str], Handler] = {}
        self.requests: list[Recorded] = []
        self.rules: list[Rule] = []
        self.skew_ms = 0
        self.finer = Decimal(0)  # what each fee is more than the exchange took, below our places
        self.mistakes: list[Exception] = []  # what a dialect sent that the venue does not document
        self._streams: list[Stream] = []
        self._heard: set[AccountId] = set()
        self._runner: web.AppRunner | None = None
        self._work: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        assert self._runner is not None
        for stream in self._streams:
            if not stream.socket.closed:
                await stream.socket.close()
        await self._runner.cleanup()
        self.venue.close()
        self.simulation.exchange.check()

    def add_key(self, account: AccountId) -> ApiKeys:
        name = f"{account}-{len(self.keys)}"
        made = ApiKeys(f"key-{name}", f"secret-{name}", f"pass-{name}")
        self.keys[made.key] = made, account
        return made

    def now_ms(self) -> int:
        return self.clock.now() // 1_000 + self.skew_ms

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds * SECOND_US)

    # -- what each venue does in its own way

    def signer_of(self, request: web.Request, target: str, body: str) -> AccountId | None:
        """Return whose request it is, None for a public one; raise `Refusal` where it is ill."""
        raise NotImplementedError

    def answer(self, data: object) -> object:
        raise NotImplementedError

    def refused(self, refusal: Refusal) -> object:
        raise NotImplementedError

    def limited(self) -> tuple[int, object]:
        raise NotImplementedError

    def closed(self) -> tuple[int, object]:
        raise NotImplementedError

    def login_of(self, message: dict[str, Any]) -> AccountId:
        raise NotImplementedError

    def fill_message(self, fill: LeaderFill, channel: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError

    # -- requests

    def check_age(self, stamp_ms: int) -> None:
        if abs(self.now_ms() - stamp_ms) > self.stale_ms:
            raise Refusal(self.stale_code, "Request timestamp expired", status=401)

    stale_code = ""

    @staticmethod
    def signature(keys: ApiKeys, payload: str) -> str:
        digest = hmac.new(keys.secret.encode(), payload.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._listen(request)
        path = request.path.removeprefix(self.prefix)
        fault = self._struck(path)
        if fault is Fault.LOST_REQUEST:
            return _lost(request)
        if fault is Fault.SERVER_ERROR:
            return web.Response(status=SYSTEM_ERROR, text="<html>Bad Gateway</html>")
        if fault is Fault.RATE_LIMIT:
            return _json(*self.limited())
        if fault is Fault.MAINTENANCE:
            return _json(*self.closed())
        answer = await self._answered(request, path)
        return _lost(request) if fault is Fault.LOST_ANSWER else answer

    async def _answered(self, request: web.Request, path: str) -> web.Response:
        body = await request.text()
        target = request.path
        if request.query_string:
            target += "?" + request.query_string
        try:
            account = self.signer_of(request, target, body)
            params: Any = json.loads(body) if body else dict(parse_qsl(request.query_string))
            self.requests.append(Recorded(request.method, path, params, dict(request.headers)))
            handler = self.routes.get((request.method, path))
            assert handler is not None, f"the fake has no {request.method} {path}"
            return _json(200, self.answer(await handler(account or AccountId(""), params)))
        except Refusal as refusal:
            return _json(refusal.status, self.refused(refusal))
        except (AssertionError, KeyError, ValueError) as error:
            self.mistakes.append(error)
            raise

    def _struck(self, path: str) -> Fault | None:
        for rule in self.rules:
            if rule.left and any(path == each for each in rule.paths):
                rule.left -= 1
                return rule.fault
        return None

    # -- streams

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, autoping=False)
        await socket.prepare(request)
        stream = Stream(socket)
        self._streams.append(stream)
        async for message in socket:
            if message.type is not WSMsgType.TEXT or stream.is_silent:
                continue
            if message.data == "ping":
                await socket.send_str("pong")
                continue
            try:
                await self._told(stream, json.loads(message.data))
            except (AssertionError, KeyError, ValueError) as error:
                self.mistakes.append(error)
                raise
        self._streams.remove(stream)
        return socket

    async def _told(self, stream: Stream, message: dict[str, Any]) -> None:
        if message["op"] == "login":
            stream.account = self.login_of(message["args"][0])
            self._hear(stream.account)
            await stream.socket.send_json({"event": "login", "code": "0", "msg": ""})
            return
        assert message["op"] == "subscribe"
        assert stream.account is not None, "it has not signed in"
        for channel in message["args"]:
            stream.channels.append(channel)
            await stream.socket.send_json({"event": "subscribe", "arg": channel})

    def _hear(self, account: AccountId) -> None:
        """Tell an account's sockets of its fills from now on."""
        if account in self._heard:
            return
        self._heard.add(account)
        task = asyncio.create_task(self._subscribed(account))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _subscribed(self, account: AccountId) -> None:
        await self.venue.subscribe([account], self._tell)

    def _tell(self, fill: LeaderFill) -> None:
        for stream in self._streams:
            if stream.account == fill.account and stream.channels:
                text = json.dumps(self.fill_message(fill, stream.channels[0]))
                self._send(stream, text)

    def _send(self, stream: Stream, text: str) -> None:
        fault = self._struck(Errand.STREAM)
        texts = [text, *stream.held]
        stream.held.clear()
        if fault is Fault.STREAM_SILENCE:
            stream.is_silent = True
        if fault is Fault.STREAM_DROP or stream.is_silent:
            return
        if fault is Fault.STREAM_REORDER:
            stream.held.append(text)
            return
        if fault is Fault.STREAM_DUPLICATE:
            texts.append(text)
        task = asyncio.create_task(self._sent(stream, texts, fault))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _sent(self, stream: Stream, texts: list[str], fault: Fault | None) -> None:
        if stream.socket.closed:
            return
        if fault is Fault.STREAM_CLOSE:
            await stream.socket.close()
            return
        for text in texts:
            await stream.socket.send_str(text)


def routes_of(
    questions: Mapping[str, Handler], orders: Mapping[str, Handler]
) -> Mapping[tuple[str, str], Handler]:
    """Return what answers each path: what is asked by GET, what is told by POST."""
    gets = {("GET", f"/{path}"): handler for path, handler in questions.items()}
    return gets | {("POST", f"/{path}"): handler for path, handler in orders.items()}


def _json(status: int, body: object) -> web.Response:
    return web.json_response(body, status=status)


def _lost(request: web.Request) -> web.Response:
    """End the connection; what is returned reaches nobody."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
