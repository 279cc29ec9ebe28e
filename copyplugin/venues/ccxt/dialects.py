"""The dialects we know, by name."""

from collections.abc import Callable, Mapping

from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.bybit import Bybit
from copyplugin.venues.ccxt.dialect import Dialect

DIALECTS: Mapping[str, Callable[[], Dialect]] = {"bybit": Bybit}


def dialect_of(name: str) -> Dialect:
    """Return the dialect; raises `ConfigurationError` with the names there are."""
    made = DIALECTS.get(name)
    if made is None:
        raise ConfigurationError(
            f"There is no venue {name!r}: choose one of {', '.join(sorted(DIALECTS))}."
        )
    return made()
