"""The venue that the settings name, put together."""

from datetime import timedelta
from pathlib import Path

from copyplugin.errors import ConfigurationError
from copyplugin.settings import Settings
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialects import DIALECTS
from copyplugin.venues.ccxt.key_file import KeyFile, accounts_from
from copyplugin.venues.ccxt.venue import CcxtVenue


def venue_config(settings: Settings, dialect: str | None = None) -> VenueConfig:
    """Return how to reach the venue; `dialect` goes before the setting.

    Raises `ConfigurationError` where none is named or the values do not fit.
    """
    name = dialect or settings.venue
    if not name:
        raise ConfigurationError(
            f"Say which venue, in COPYPLUGIN_VENUE or with --venue: {', '.join(sorted(DIALECTS))}."
        )
    return VenueConfig(
        dialect=name,
        address=settings.venue_address or None,
        testnet=settings.venue_testnet,
        timeout=timedelta(milliseconds=settings.venue_timeout_milliseconds),
        receive_window=timedelta(milliseconds=settings.venue_receive_window_milliseconds),
        history=timedelta(days=settings.venue_history_days),
        requests_at_once=settings.venue_requests_at_once,
        requests_per_second=settings.venue_requests_per_second,
        processes=settings.venue_processes,
        socket_silence=timedelta(seconds=settings.venue_silence_seconds),
        egress_addresses=settings.venue_egress_addresses,
        is_broker=settings.venue_is_broker,
    )


def venue_keys(settings: Settings) -> KeyFile:
    """Return the API keys of this installation; raises `ConfigurationError`."""
    return KeyFile(
        Path(settings.venue_keys_file),
        passphrase=settings.venue_keys_passphrase.get_secret_value(),
        beside=accounts_from(settings.venue_keys.get_secret_value()),
    )


def chosen_venue(settings: Settings, dialect: str | None = None) -> CcxtVenue:
    """Return the venue of these settings; raises `ConfigurationError`."""
    return CcxtVenue(venue_config(settings, dialect), venue_keys(settings))
