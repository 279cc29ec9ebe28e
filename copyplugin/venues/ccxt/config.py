"""How an operator says which venue to trade on and how to reach it."""

from dataclasses import dataclass, field
from datetime import timedelta

from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.gate import Rate

ANSWER_WITHIN = timedelta(seconds=10)
"""A request that is older than this is answered or dead: what waits for it may be asked again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueConfig:
    """Which venue, where it listens, and how patient we are with it.

    `address` replaces scheme, host and port of every address of the venue, for a server that speaks
    its protocol: `http://127.0.0.1:8000`. None for the venue itself, or its testnet.
    `receive_window` is how old a request may be when the venue takes it up. `history` is how far
    back fills are looked for where no earlier fill is known. `requests_at_once` bounds what is on
    its way at one time, `requests_per_second` what this egress address sends (0: the venue's own
    limit), of which each of `processes` that share the address takes its part. `socket_silence` is
    how long a stream may say nothing before it is opened anew. Keys that we make for sub-accounts
    are bound to `egress_addresses`; unbound ones may expire. `is_broker`: the main keys belong to a
    broker of the venue, who can make keys for sub-accounts where others cannot (Binance).
    `is_lean`: orders go past ccxt's general machinery where the dialect knows how; the same request
    for a third less CPU.
    """

    dialect: str
    address: str | None = None
    testnet: bool = False
    timeout: timedelta = timedelta(seconds=8)
    receive_window: timedelta = timedelta(seconds=5)
    history: timedelta = timedelta(days=30)
    requests_at_once: int = 32
    requests_per_second: int = 0
    processes: int = 1
    socket_silence: timedelta = timedelta(seconds=20)
    reconnect_pause: timedelta = timedelta(milliseconds=250)
    egress_addresses: tuple[str, ...] = ()
    is_broker: bool = False
    is_lean: bool = True

    def __post_init__(self) -> None:
        for name in ("timeout", "receive_window"):
            given: timedelta = getattr(self, name)
            if not timedelta(milliseconds=100) <= given < ANSWER_WITHIN:
                raise ConfigurationError(
                    f"The venue's {name.replace('_', ' ')} is {given.total_seconds():g} s: "
                    "choose from 0.1 s to less than 10 s."
                )
        if self.requests_at_once < 1 or self.requests_per_second < 0:
            raise ConfigurationError("A venue needs at least one request at a time.")
        if self.processes < 1:
            raise ConfigurationError("At least one process sends requests to a venue.")
        if self.address is not None and not self.address.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"The venue's address {self.address} must begin with http:// or https://."
            )
        if self.address is not None and self.testnet:
            raise ConfigurationError("Give the venue's address or ask for its testnet, not both.")


def address_rate(config: VenueConfig, venues_own: Rate | None) -> Rate | None:
    """Return what leaves this address, from all its processes; None where nothing limits it."""
    if config.requests_per_second:
        return Rate(config.requests_per_second, config.requests_per_second)
    return venues_own


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """What signs the requests of one account; never shown."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
