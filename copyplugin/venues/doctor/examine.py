"""The whole examination of a venue and the accounts that are connected to it."""

from collections.abc import Sequence
from datetime import datetime

from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.connections import Connection
from copyplugin.venues.doctor.account_checks import AccountCheck, pool_findings
from copyplugin.venues.doctor.findings import Diagnosis, Finding, Level
from copyplugin.venues.doctor.venue_checks import venue_findings


async def examine(
    config: VenueConfig, connections: Sequence[Connection], *, now: datetime
) -> Diagnosis:
    """Ask the venue about itself and each account; raises `ConfigurationError` for its dialect."""
    keys = KeysInMemory(*(connection.known for connection in connections))
    venue = CcxtVenue(config, keys)
    findings: list[Finding] = []
    try:
        findings += [finding async for finding in venue_findings(venue)]
        if all(f.check != "reachable" or f.level is not Level.FAULT for f in findings):
            findings += pool_findings(
                connections, opens_sub_accounts=venue.capabilities.opens_sub_accounts
            )
            for connection in connections:
                check = AccountCheck(venue, connection, now)
                findings += [finding async for finding in check.findings()]
    finally:
        await venue.close()
    where = config.address or ("its testnet" if config.testnet else "its own address")
    return Diagnosis(venue=venue.name, address=where, findings=findings)
