"""The whole examination of a venue and the accounts that are connected to it."""

from collections.abc import Sequence
from datetime import datetime

from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.doctor.account_checks import AccountCheck, pool_findings
from copyplugin.venues.doctor.findings import Diagnosis, Finding, Level
from copyplugin.venues.doctor.venue_checks import venue_findings


async def examine(
    config: VenueConfig, accounts: Sequence[KnownAccount], *, now: datetime
) -> Diagnosis:
    """Ask the venue about itself and each account; raises `ConfigurationError` for its dialect."""
    public = CcxtVenue(config, KeysInMemory())
    try:
        findings = [finding async for finding in venue_findings(public)]
    finally:
        await public.close()
    if all(f.check != "reachable" or f.level is not Level.FAULT for f in findings):
        opens = public.capabilities.opens_sub_accounts
        findings += pool_findings(accounts, opens_sub_accounts=opens)
        for known in accounts:
            findings += await _examine_one(config, known, now)
    where = config.address or ("its testnet" if config.testnet else "its own address")
    return Diagnosis(venue=public.name, address=where, findings=findings)


async def _examine_one(config: VenueConfig, known: KnownAccount, now: datetime) -> list[Finding]:
    """Examine an account with its own key alone: a bad one must not spoil the others' answers."""
    venue = CcxtVenue(config, KeysInMemory(known))
    try:
        check = AccountCheck(venue, known, now)
        return [finding async for finding in check.findings()]
    finally:
        await venue.close()
