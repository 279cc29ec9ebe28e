"""The commands that keep the API keys of accounts of a real venue."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeVar

import click

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import ConfigurationError, VenueUnavailable
from copyplugin.settings import Settings, load_settings
from copyplugin.venue_choice import venue_config, venue_keys
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.dialect import Identity
from copyplugin.venues.ccxt.dialects import DIALECTS, dialect_of
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue

T = TypeVar("T")

VENUE = click.option(
    "--venue",
    "dialect",
    type=click.Choice(sorted(DIALECTS)),
    help="The venue.  [default: COPYPLUGIN_VENUE]",
)


class CannotRun(click.ClickException):
    """What was given cannot be used; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


class VenueSilent(click.ClickException):
    """The venue gave no answer, or one that does not do."""

    exit_code: ClassVar[int] = 1


@click.group("keys")
def keys_group() -> None:
    """Connect accounts of the venue: API keys that trade and cannot withdraw."""


@keys_group.command("add")
@VENUE
@click.option("--owner", metavar="UID", help="The main account, where this is a sub-account.")
@click.option("--pool", is_flag=True, help="A spare account, for follows to come.")
@click.option("--email", default="", help="What the venue moves money to, if not the UID.")
@click.option("--read-only", is_flag=True, help="A leader's key, which only reads.")
@click.option("--key", prompt="API key", hide_input=True, help="Asked for where it is not given.")
@click.option("--secret", prompt="API secret", hide_input=True, help="As the key.")
@click.option("--passphrase", default="", help="As the key, where the venue's keys have one.")
def keys_add(  # noqa: PLR0913, PLR0917 - the options of the command
    dialect: str | None,
    owner: str | None,
    pool: bool,  # noqa: FBT001 - a switch
    email: str,
    read_only: bool,  # noqa: FBT001 - a switch
    key: str,
    secret: str,
    passphrase: str,
) -> None:
    """Connect an account: the venue says whose key it is, and what it may do."""
    settings = _settings()
    if not passphrase and _needs_passphrase(settings, dialect):
        passphrase = click.prompt("API passphrase", hide_input=True)
    keys = ApiKeys(key.strip(), secret.strip(), passphrase)
    identity = _asked(settings, dialect, keys)
    wrong = _fault_of(identity, owner, read_only=read_only)
    if wrong is not None:
        raise CannotRun(wrong)
    known_owner = identity.owner or (None if owner is None else AccountId(owner))
    known = KnownAccount(
        account=identity.account,
        keys=keys,
        owner=known_owner,
        is_pooled=pool,
        address=email,
    )
    _guarded(lambda: venue_keys(settings).keep(known))
    kind = "read only" if read_only else "trades"
    click.echo(f"Account {identity.account} is connected: {kind}, cannot withdraw.")


@keys_group.command("list")
def keys_list() -> None:
    """List the accounts that are connected; keys are not shown."""
    accounts = _guarded(lambda: venue_keys(_settings()).accounts())
    if not accounts:
        click.echo("No account is connected yet: see copyplugin keys add.")
        return
    for known in accounts:
        words: list[str] = [known.account]
        if known.owner is not None:
            words.append(f"of {known.owner}")
        if known.is_pooled:
            words.append("in use" if known.label else "spare")
        if known.label:
            words.append(known.label)
        click.echo("  ".join(words))


@keys_group.command("forget")
@click.argument("account")
def keys_forget(account: str) -> None:
    """Drop an account's key. It stays valid at the venue until it is deleted there."""
    if not _guarded(lambda: venue_keys(_settings()).forget(AccountId(account))):
        raise CannotRun(f"No account {account} is connected.")
    click.echo(f"The key of account {account} is forgotten.")


def _needs_passphrase(settings: Settings, dialect: str | None) -> bool:
    return _guarded(lambda: dialect_of(venue_config(settings, dialect))).needs_passphrase


def _asked(settings: Settings, dialect: str | None, keys: ApiKeys) -> Identity:
    """Ask the venue whose key this is."""
    unnamed = KnownAccount(account=AccountId("?"), keys=keys)
    venue = _guarded(lambda: CcxtVenue(venue_config(settings, dialect), KeysInMemory(unnamed)))

    async def ask() -> Identity:
        try:
            return await venue.identity(unnamed.account)
        finally:
            await venue.close()

    return _answered(ask())


def _fault_of(identity: Identity, owner: str | None, *, read_only: bool) -> str | None:
    if identity.can_withdraw:
        return "This key can withdraw: make one that cannot, and delete this one."
    if not read_only and not identity.can_trade:
        return "This key cannot trade: allow it at the venue, or give --read-only for a leader."
    if owner is not None and identity.owner is not None and identity.owner != owner:
        return f"The venue says that {identity.account} belongs to {identity.owner}, not {owner}."
    return None


def _settings() -> Settings:
    return _guarded(load_settings)


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except ConfigurationError as error:
        raise CannotRun(str(error)) from error


def _answered(asking: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(asking)
    except VenueUnavailable as error:
        raise VenueSilent(f"The venue does not take this key: {error}") from error
