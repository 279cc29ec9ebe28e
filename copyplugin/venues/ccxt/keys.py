"""Whose keys are whose: accounts of the venue, who owns them, and the pool of spare ones."""

from dataclasses import dataclass
from typing import Protocol

from copyplugin.domain.identifiers import AccountId
from copyplugin.venues.ccxt.config import ApiKeys


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownAccount:
    """An account that this installation can act for.

    `owner` is the main account of a sub-account; None for a main account. `address` is what the
    venue calls the account where it moves money, where that is not its UID.
    """

    account: AccountId
    keys: ApiKeys
    owner: AccountId | None = None
    label: str = ""  # of the follow it belongs to; "" where it belongs to none
    is_pooled: bool = False
    address: str = ""


class AccountKeys(Protocol):
    """Where keys are kept. What `keep` was given is there after a crash."""

    def find(self, account: AccountId) -> KnownAccount | None:
        """Return the account with its keys; None where it is not known here."""
        ...

    def sub_account(self, owner: AccountId, label: str) -> KnownAccount | None:
        """Return the owner's sub-account of this label."""
        ...

    def spare(self, owner: AccountId) -> KnownAccount | None:
        """Return an account of the pool that no follow uses and that the owner may use."""
        ...

    def masters(self) -> tuple[KnownAccount, ...]:
        """Return the main accounts."""
        ...

    def keep(self, known: KnownAccount) -> None:
        """Add the account, or replace what was known of it."""
        ...


class KeysInMemory:
    """Forgets with the process: for tests and for accounts that are given anew at each start."""

    def __init__(self, *accounts: KnownAccount) -> None:
        self._accounts = {known.account: known for known in accounts}

    def find(self, account: AccountId) -> KnownAccount | None:
        return self._accounts.get(account)

    def sub_account(self, owner: AccountId, label: str) -> KnownAccount | None:
        assert label
        for known in self._accounts.values():
            if known.owner == owner and known.label == label:
                return known
        return None

    def spare(self, owner: AccountId) -> KnownAccount | None:
        for known in self._accounts.values():
            if known.is_pooled and not known.label and known.owner in {None, owner}:
                return known
        return None

    def masters(self) -> tuple[KnownAccount, ...]:
        return tuple(k for k in self._accounts.values() if k.owner is None and not k.is_pooled)

    def accounts(self) -> tuple[KnownAccount, ...]:
        """Return all accounts, as they were added."""
        return tuple(self._accounts.values())

    def keep(self, known: KnownAccount) -> None:
        self._accounts[known.account] = known

    def forget(self, account: AccountId) -> None:
        self._accounts.pop(account, None)
