"""Double entry: what one account gets another gives, and every entry covers the one before it.

The accounts of the books are named by what they stand for, not by the venue's wallets. Those of
play money have names of their own kind, and no entry touches both kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NewType

from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.domain.money import Money, total
from copyplugin.domain.paper import PREFIX, is_paper

LedgerAccount = NewType("LedgerAccount", str)

GENESIS_HASH = "0" * 64
"""What the first entry has for the hash of the one before it."""


def main_account(account: AccountId) -> LedgerAccount:
    """Return a follower's own account: what he put in and what came back."""
    return _named("main", account, paper=is_paper(account))


def sub_account(follow_id: FollowId, *, paper: bool = False) -> LedgerAccount:
    """Return the money of one follow: what its sub-account at the venue holds."""
    return _named("sub", follow_id, paper=paper)


def result_account(follow_id: FollowId, *, paper: bool = False) -> LedgerAccount:
    """Return the trading result of one follow: negative when it earned, positive when it lost."""
    return _named("result", follow_id, paper=paper)


def leader_account(account: AccountId) -> LedgerAccount:
    """Return what a leader was paid in shares."""
    return _named("leader", account, paper=is_paper(account))


def sharer_account(account: AccountId) -> LedgerAccount:
    """Return what somebody was paid for bringing followers."""
    return _named("sharer", account, paper=is_paper(account))


def payable_account(account: AccountId | str) -> LedgerAccount:
    """Return what is owed to somebody: the venue does not move it, so it waits where it is."""
    return LedgerAccount(f"payable:{account}")


def escrow_account(follow_id: FollowId, *, paper: bool = False) -> LedgerAccount:
    """Return what is held of a follow's shares."""
    return _named("escrow", follow_id, paper=paper)


def _named(kind: str, name: object, *, paper: bool) -> LedgerAccount:
    return LedgerAccount(f"{PREFIX if paper else ''}{kind}:{name}")


def is_escrow(account: LedgerAccount) -> bool:
    """Return whether this account has held shares, of either kind of money."""
    return account.removeprefix(PREFIX).startswith("escrow:")


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One account's part of an entry: positive is credited to it, negative taken from it."""

    account: LedgerAccount
    money: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One event that moved money; its postings sum to zero."""

    number: int  # 1, 2, 3 … without gaps
    kind: str
    reference: str  # with the kind: happens once
    at: datetime
    postings: tuple[Posting, ...]

    def hash_after(self, previous_hash: str) -> str:
        """Return the hash of everything in this entry and, through the previous hash, before it."""
        fields = [previous_hash, str(self.number), self.kind, self.reference]
        fields.append(self.at.isoformat(timespec="microseconds"))
        for posting in self.postings:
            fields += [posting.account, f"{posting.money:.8f}"]
        # Each field's length stands before it, so that no two lists of fields read the same.
        text = "".join(f"{len(field)}:{field}" for field in fields)
        return sha256(text.encode()).hexdigest()


def is_balanced(postings: Sequence[Posting]) -> bool:
    """Return whether what is given equals what is taken, and something is."""
    amounts = [posting.money for posting in postings]
    return bool(amounts) and 0 not in amounts and total(*amounts) == 0


def is_mixed(postings: Sequence[Posting]) -> bool:
    """Return whether real money and play money meet in these postings, which they never may."""
    return len({is_paper(posting.account) for posting in postings}) > 1


def moved(source: LedgerAccount, target: LedgerAccount, money: Money) -> tuple[Posting, Posting]:
    """Return the postings of an amount that goes from one account to another."""
    assert money > 0
    assert source != target
    return (
        Posting(account=source, money=Money(-money)),
        Posting(account=target, money=money),
    )
