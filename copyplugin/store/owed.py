"""What of a sub-account's money is owed to others, for decisions that rest on its balance.

Read for many follows at once, in one statement: what is held, what waits and what has gone are of
one moment.
"""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.money import Money, money_of_steps
from copyplugin.store.columns import literals
from copyplugin.store.statement import Statement
from copyplugin.store.transfers import RELEASES, SHARES, STILL_THERE


class Owed(NamedTuple):
    """Of one follow. `gone` is how many shares have left or are settled otherwise; it only grows.

    `money` is what is in its sub-account and not the follower's: shares that are held there, and
    those that are booked and have not left.
    """

    money: Money
    gone: int


_SHARES_OUT = (
    "transfer.follow_id = follow.id AND transfer.from_account = follow.sub_account"
    f" AND transfer.kind IN ({literals(SHARES | RELEASES)})"
)
_THERE = f"transfer.state IN ({literals(STILL_THERE)})"
_OWED = Statement(
    "SELECT follow.id,"  # noqa: S608 - our names
    " (SELECT coalesce(sum(settlement.held), 0) FROM settlement"
    " WHERE settlement.follow_id = follow.id AND settlement.transfer_id IS NULL),"
    f" (SELECT coalesce(sum(transfer.money), 0) FROM transfer WHERE {_SHARES_OUT} AND {_THERE}),"
    f" (SELECT count(*) FROM transfer WHERE {_SHARES_OUT} AND NOT {_THERE})"
    " FROM follow WHERE follow.id IN :follows"
)


def owed_by(session: Session, follow_ids: Collection[FollowId]) -> dict[FollowId, Owed]:
    """Return what each of these follows owes out of its sub-account."""
    return {
        follow_id: Owed(money_of_steps(int(held) + int(waiting)), gone)
        for follow_id, held, waiting, gone in _OWED.run(session, follows=follow_ids)
    }
