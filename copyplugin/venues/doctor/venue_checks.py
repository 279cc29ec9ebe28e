"""The venue as a whole: does it answer, what time is it there, what can it do, how fast."""

from collections.abc import AsyncGenerator, Mapping
from decimal import Decimal

from copyplugin.errors import VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.venues.ccxt.config import address_rate
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.doctor.findings import Finding, Level

SKEW_HINT_MS = 1_000
SKEW_FAULT_MS = 30_000
CROWD = 1_000
REQUESTS_AN_ORDER = 2  # one to place it, one to learn what became of it

_MONEY: Mapping[MovesMoney, tuple[Level, str]] = {
    MovesMoney.FULL: (Level.OK, "Money moves between any two accounts."),
    MovesMoney.OWN_ACCOUNTS: (
        Level.HINT,
        "Money moves inside one owner's accounts only: a leader's share is owed, then paid apart.",
    ),
    MovesMoney.NONE: (
        Level.HINT,
        "No money moves here: sub-accounts come from the pool with a fixed allotment each.",
    ),
}


async def venue_findings(venue: CcxtVenue) -> AsyncGenerator[Finding]:
    """Yield what is found; ends after the first fault where the venue cannot be reached."""
    try:
        instruments = await venue.instruments()
    except VenueUnavailable as error:
        yield _found(
            Level.FAULT,
            "reachable",
            f"The venue does not answer: {error}. Check its address, your network and its "
            "status page.",
        )
        return
    if not instruments:
        yield _found(
            Level.FAULT, "instruments", "No linear USDT perpetual trades here: wrong address?"
        )
    else:
        yield _found(Level.OK, "reachable", f"It answers and trades {len(instruments)} perpetuals.")
    yield _clock(venue.clock_ahead_ms)
    yield _rates(venue)
    level, sentence = _MONEY[venue.capabilities.moves_money]
    yield _found(level, "transfers", sentence)
    yield _plans(venue)
    if not venue.dialect.is_proven:
        yield _found(
            Level.HINT,
            "proven",
            "This venue's quirks are tested on messages written by hand, not on the wire: begin "
            "with small amounts.",
        )


def _found(level: Level, check: str, sentence: str) -> Finding:
    return Finding(level=level, about="venue", check=check, sentence=sentence)


def _clock(ahead_ms: int) -> Finding:
    seconds = Decimal(abs(ahead_ms)) / 1000
    word = "ahead of" if ahead_ms > 0 else "behind"
    if abs(ahead_ms) >= SKEW_FAULT_MS:
        return _found(
            Level.FAULT,
            "clock",
            f"This computer's clock is {seconds:.1f} s {word} the venue's: set it by NTP.",
        )
    if abs(ahead_ms) >= SKEW_HINT_MS:
        return _found(
            Level.HINT,
            "clock",
            f"This computer's clock is {seconds:.1f} s {word} the venue's. Requests are signed "
            "with the venue's time; set it by NTP all the same.",
        )
    return _found(Level.OK, "clock", f"The clocks agree to {abs(ahead_ms)} ms.")


def _rates(venue: CcxtVenue) -> Finding:
    limit = address_rate(venue.config, venue.dialect.address_rate)
    if limit is None:
        return _found(Level.OK, "limits", "Requests are not limited by the address they come from.")
    seconds = max(Decimal(0), Decimal(CROWD * REQUESTS_AN_ORDER - limit.burst))
    seconds /= Decimal(str(limit.per_second))
    return _found(
        Level.HINT if seconds > 1 else Level.OK,
        "limits",
        f"{limit.per_second:g} requests a second leave this address: an order of each of "
        f"{CROWD} followers takes about {seconds:.0f} s. More addresses make it faster."
        + _parts(venue.config.processes),
    )


def _parts(processes: int) -> str:
    if processes == 1:
        return " Several engines or workers on it need COPYPLUGIN_VENUE_PROCESSES."
    return f" Each of {processes} processes takes its part."


def _plans(venue: CcxtVenue) -> Finding:
    can = venue.capabilities
    if not can.plan_orders:
        return _found(
            Level.HINT,
            "plan_orders",
            "The venue rests no plan orders for us: take profit and stop loss need this program "
            "to be running.",
        )
    how = "changed in place" if can.amends_plans else "placed anew when they change"
    return _found(Level.OK, "plan_orders", f"Plan orders rest at the venue and are {how}.")
