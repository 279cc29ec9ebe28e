"""The demonstration's exchange behind sockets: it serves a venue's protocol, ccxt trades on it.

The exchange is a host: money between accounts of two people moves by its own interface, everything
else as on the venue whose protocol it speaks.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import aiohttp
import msgspec

from copyplugin.domain.account import TransferOutcome, TransferRequest, Wallet
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.ports import MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from simexchange.core import commands as c
from simexchange.core.types import Wallet as ExchangeWallet
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.keys import FULL, READ_ONLY
from simexchange.server.operator.api import KEY_HEADER, PREFIX, OperatorApi
from simexchange.server.serving import Dialect, Server
from simexchange.server.venue import Venue as ServedVenue
from simexchange.server.venue import VenueSettings
from simexchange.simulation import Simulation

DIALECTS: dict[str, Callable[[ServedVenue], Dialect]] = {
    "bybit": BybitDialect,
    "binance": BinanceDialect,
}
MONEY_PLACES = 8
REQUESTS_PER_SECOND = 2_000
"""The demonstration hurries its jobs, which a real venue's limits would not allow."""
_WALLETS = {Wallet.SPOT: ExchangeWallet.SPOT, Wallet.CONTRACT: ExchangeWallet.CONTRACT}


class ServedExchange:
    """Opened and closed in the thread of the exchange; `venue` is made in the engine's."""

    def __init__(self, simulation: Simulation, dialect: str, *, seed: int) -> None:
        self._served = ServedVenue(simulation, VenueSettings(seed=str(seed)))
        self._dialect = dialect
        self._operator_key = secrets.token_urlsafe(24)
        self._server = Server(
            (DIALECTS[dialect](self._served), OperatorApi(self._served, self._operator_key))
        )
        self._keys = KeysInMemory()

    async def open(self) -> None:
        await self._server.start("127.0.0.1", 0)

    async def close(self) -> None:
        await self._server.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def give_key(self, number: int, *, may_trade: bool) -> None:
        """Make a key of the account, a leader's to read with only, and let the plugin have it."""
        grant = FULL if may_trade else READ_ONLY
        key = self._served.keys.create(number, grant, self._served.edge_now())
        self._keys.keep(
            KnownAccount(account=AccountId(str(number)), keys=ApiKeys(key.key, key.secret))
        )

    def venue(self) -> "HostVenue":
        config = VenueConfig(
            dialect=self._dialect,
            address=self.address,
            requests_per_second=REQUESTS_PER_SECOND,
            is_broker=True,
        )
        return HostVenue(config, self._keys, self._operator_key)


class HostVenue(CcxtVenue):
    """The venue through ccxt; what crosses from one owner to another goes by the host's own way."""

    def __init__(self, config: VenueConfig, keys: KeysInMemory, operator_key: str) -> None:
        super().__init__(config, keys)
        assert config.address is not None
        self._operator = config.address + PREFIX
        self._operator_key = operator_key

    @property
    def capabilities(self) -> VenueCapabilities:
        return replace(super().capabilities, moves_money=MovesMoney.FULL)

    async def transfer(self, request: TransferRequest) -> None:
        if self._is_within_one_owner(request):
            await super().transfer(request)
            return
        try:
            events = await self._ask("POST", "commands", msgspec.json.encode(_command(request)))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OutcomeUnknown(f"the host did not answer: {error}") from error
        for event in cast("list[dict[str, Any]]", events):
            if event["event"] == "CommandRejected":
                raise TransferRejected(str(event["reason"]), str(event["message"]))

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        if self._is_within_one_owner(request):
            return await super().transfer_outcome(request)
        try:
            found = await self._ask("GET", f"transfers?transfer_id={request.transfer_id}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise VenueUnavailable(f"the host did not answer: {error}") from error
        is_done = cast("dict[str, bool]", found)["done"]
        return TransferOutcome.DONE if is_done else TransferOutcome.UNKNOWN_TO_VENUE

    def _is_within_one_owner(self, request: TransferRequest) -> bool:
        owners = {self._owner(request.from_account), self._owner(request.to_account)}
        return len(owners) == 1

    def _owner(self, account: AccountId) -> AccountId:
        known = self.keys.find(account)
        return account if known is None or known.owner is None else known.owner

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> object:
        timeout = aiohttp.ClientTimeout(total=self.config.timeout.total_seconds())
        headers = {KEY_HEADER: self._operator_key}
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, raise_for_status=True) as host,
            host.request(method, self._operator + path, data=body) as answer,
        ):
            return await answer.json()


def _command(request: TransferRequest) -> c.Command:
    return c.Transfer(
        from_account=int(request.from_account),
        from_wallet=_WALLETS[request.from_wallet],
        to_account=int(request.to_account),
        to_wallet=_WALLETS[request.to_wallet],
        money=int(request.money.scaleb(MONEY_PLACES)),
        transfer_id=request.transfer_id,
    )
