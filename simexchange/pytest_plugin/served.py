"""An exchange that is served on a free port for one test."""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from simexchange.pointing import CcxtClient, point_ccxt
from simexchange.pytest_plugin.hopping import Hopping
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.keys import Grant
from simexchange.server.operator.api import KEY_HEADER, PREFIX, OperatorApi
from simexchange.server.serving import Server, ServerThread
from simexchange.server.venue import Venue, VenueSettings
from simexchange.server.wire_faults import WirePlan, WireRule

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from simexchange.pytest_plugin.account import AccountFacade
    from simexchange.pytest_plugin.facade import ExchangeFacade


class Credentials(NamedTuple):
    """An API key, good in every dialect."""

    key: str
    secret: str


class ServedExchange:
    """An exchange with an address. It speaks all dialects on one port of this machine.

    ``exchange`` is the same object that the fixture of that name gives; its calls are carried out
    between two requests. Signatures are checked against the computer's clock, whatever time it is
    on the exchange.
    """

    def __init__(self, facade: "ExchangeFacade", *, rate_limits: bool = False) -> None:
        self._facade = facade
        self._settings = VenueSettings(seed=str(facade.seed), are_limits_on=rate_limits)
        self.operator_key = "operator"
        self.exchange = cast("ExchangeFacade", Hopping(facade, self._between))
        self._thread = ServerThread(self._build)
        self._venue: Venue | None = None

    def _build(self) -> Server:
        self._venue = Venue(self._facade.simulation, self._settings)
        operator = OperatorApi(self._venue, self.operator_key)
        return Server((BybitDialect(self._venue), BinanceDialect(self._venue), operator))

    def __enter__(self) -> "Self":
        self._thread.__enter__()
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._thread.__exit__(kind, error, trace)

    def _between(self, work: "Callable[[], Any]") -> Any:
        return self._thread.call(work)

    @property
    def venue(self) -> Venue:
        assert self._venue is not None, "the exchange is not served yet"
        return self._venue

    # ------------------------------------------------------------------ addresses

    @property
    def url(self) -> str:
        """Where it is: ``http://127.0.0.1:port``."""
        return self._thread.url

    @property
    def socket_url(self) -> str:
        """Where its WebSockets are: ``ws://127.0.0.1:port``."""
        return self.url.replace("http", "ws", 1)

    @property
    def operator_url(self) -> str:
        """Where its operator API is; ``operator_headers`` open it."""
        return f"{self.url}{PREFIX}"

    @property
    def operator_headers(self) -> dict[str, str]:
        return {KEY_HEADER: self.operator_key}

    # ------------------------------------------------------------------ clients

    def credentials(
        self,
        account: "AccountFacade",
        *,
        trade: bool = True,
        transfer: bool = True,
        withdraw: bool = False,
    ) -> Credentials:
        """Make an API key for an account."""
        grant = Grant(trade=trade, transfer=transfer, withdraw=withdraw)
        number, venue = account.number, self.venue
        made = self._thread.call(lambda: venue.keys.create(number, grant, venue.edge_now()))
        return Credentials(made.key, made.secret)

    def point(self, client: CcxtClient, account: "AccountFacade | None" = None) -> None:
        """Let a ccxt client talk to this exchange, with a new key of ``account`` if there is one.

        Any client of ccxt for Bybit or Binance will do: sync, async or pro.
        """
        point_ccxt(client, self.url)
        if account is not None:
            keyed = cast("Any", client)
            keyed.apiKey, keyed.secret = self.credentials(account)

    # ------------------------------------------------------------------ faults and limits

    def use_wire_faults(self, *rules: WireRule, seed: str | None = None) -> None:
        """Let these faults strike requests and streams, in the place of those before.

        ``seed`` None: the seed of the marker.
        """
        plan = WirePlan(seed=seed, rules=rules)
        self._thread.call(lambda: self.venue.faults.set_plan(plan))

    def stop_wire_faults(self) -> None:
        self.use_wire_faults()

    @property
    def wire_faults_struck(self) -> list[int]:
        """How often each rule has struck."""
        return self._thread.call(lambda: list(self.venue.faults.struck))
