"""The dialects we know, by name."""

from collections.abc import Callable, Mapping

from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.binance import Binance
from copyplugin.venues.ccxt.bitget import Bitget
from copyplugin.venues.ccxt.bybit import Bybit
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Dialect
from copyplugin.venues.ccxt.okx import Okx

DIALECTS: Mapping[str, Callable[[VenueConfig], Dialect]] = {
    "binance": Binance,
    "bitget": Bitget,
    "bybit": Bybit,
    "okx": Okx,
}


def dialect_of(config: VenueConfig) -> Dialect:
    """Return the dialect; raises `ConfigurationError` with the names there are."""
    made = DIALECTS.get(config.dialect)
    if made is None:
        raise ConfigurationError(
            f"There is no venue {config.dialect!r}: choose one of {', '.join(sorted(DIALECTS))}."
        )
    return made(config)
