"""Paper follows: copying with play money, on accounts that no real venue has.

Every such account has a name of its own kind, so that whoever holds a name knows which money it is.
"""

from copyplugin.domain.identifiers import AccountId

PREFIX = "paper-"
"""What the name of every account with play money begins with; no real venue's begins so."""

_MAIN = PREFIX + "main-"


def is_paper(account: str) -> bool:
    """Return whether an account, of a venue or of the ledger, holds play money."""
    return account.startswith(PREFIX)


def paper_main(account: AccountId) -> AccountId:
    """Return the account with play money of whoever has this real one."""
    assert not is_paper(account), f"{account} has play money already"
    return AccountId(_MAIN + account)


def paper_sub(label: str) -> AccountId:
    """Return the account of a paper follow by its label."""
    assert not label.startswith("main-"), f"{label} would read as somebody's main account"
    return AccountId(PREFIX + label)


def is_paper_main(account: AccountId) -> bool:
    return account.startswith(_MAIN)
