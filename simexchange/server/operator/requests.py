"""What an operator may ask; money and prices are decimal texts in settle currency."""

import msgspec

from simexchange.core.types import AccountKind, Wallet


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all requests."""


class NewAccount(_Request, frozen=True):
    label: str = ""
    owner: int | None = None
    kind: AccountKind = AccountKind.USER
    contract: str = "0"
    spot: str = "0"


class Money(_Request, frozen=True):
    account: int
    wallet: Wallet
    money: str


class NewKey(_Request, frozen=True):
    """``public_key``: PEM of an RSA or Ed25519 key, whose owner keeps the private half."""

    account: int
    trade: bool = True
    transfer: bool = True
    withdraw: bool = False
    name: str = ""
    addresses: tuple[str, ...] = ("*",)
    secret: str | None = None
    public_key: str = ""


class KeyName(_Request, frozen=True):
    key: str


class Price(_Request, frozen=True):
    """``mark`` "" gives the mark price back to the formula."""

    symbol: str
    index: str | None = None
    mark: str | None = None


class Time(_Request, frozen=True):
    """``speed`` 0 freezes; ``advance_us`` jumps forward."""

    speed: int | None = None
    advance_us: int = 0


class Limits(_Request, frozen=True):
    is_on: bool
