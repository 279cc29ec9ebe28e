"""Taking, keeping and dropping leases; the database's clock says when one has run out.

What is written under a lease is written in a transaction that has confirmed it first: a process
that was not quite dead, and wakes up when its lease is another's, writes nothing.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from copyplugin.store.statement import Statement

ENGINE = -1
"""The number of the lease of whoever runs the feed, commands and the jobs by the clock."""

_TAKE = Statement(
    "UPDATE lease SET owner = :owner, until = NOW_US + :length,"
    " epoch = epoch + CASE WHEN owner = :owner AND until >= NOW_US THEN 0 ELSE 1 END"
    " WHERE number IN :numbers"
    " AND (owner IS NULL OR owner = :owner OR until < NOW_US) RETURNING number, epoch"
)
_KEEP = Statement(
    "UPDATE lease SET until = NOW_US + :length"
    " WHERE number IN :numbers AND owner = :owner AND until >= NOW_US RETURNING number"
)
_CONFIRM = Statement(
    "SELECT number, epoch FROM lease"
    " WHERE number IN :numbers AND owner = :owner AND until >= NOW_US FOR SHARE OF lease"
)
# What was marked while it was held is seen here, or wakes somebody who finds the lease free.
_DROP_IDLE = Statement(
    "UPDATE lease SET owner = NULL WHERE number IN :numbers AND owner = :owner"
    " AND NOT EXISTS (SELECT 1 FROM lane WHERE lane.shard = lease.number AND lane.marked"
    " AND (lane.retry_at IS NULL OR lane.retry_at <= NOW_US)) RETURNING number"
)
_DROP = Statement(
    "UPDATE lease SET owner = NULL WHERE number IN :numbers AND owner = :owner RETURNING number"
)
_HELD = Statement(
    "SELECT number FROM lease WHERE number IN :numbers AND owner IS NOT NULL AND until >= NOW_US"
)


def take(
    session: Session, numbers: Collection[int], *, owner: str, length: timedelta
) -> Mapping[int, int]:
    """Take those that are free or have run out; return the epochs of all the owner has then."""
    return dict(_TAKE.run(session, numbers=numbers, owner=owner, length=_us(length)))


def keep(
    session: Session, numbers: Collection[int], *, owner: str, length: timedelta
) -> frozenset[int]:
    """Hold on to these for so long from now; return those that were not lost."""
    kept = _KEEP.run(session, numbers=numbers, owner=owner, length=_us(length))
    return frozenset(row[0] for row in kept)


def confirm(session: Session, numbers: Collection[int], *, owner: str) -> Mapping[int, int]:
    """Return the epochs of those the owner holds; nobody takes them before the transaction ends."""
    return dict(_CONFIRM.run(session, numbers=numbers, owner=owner))


def drop_idle(session: Session, shards: Collection[int], *, owner: str) -> frozenset[int]:
    """Drop the leases of shards in which nothing is left to do now, and return them."""
    return frozenset(row[0] for row in _DROP_IDLE.run(session, numbers=shards, owner=owner))


def drop(session: Session, numbers: Collection[int], *, owner: str) -> None:
    _DROP.run(session, numbers=numbers, owner=owner)


def held(session: Session, numbers: Collection[int]) -> frozenset[int]:
    """Return those that somebody holds."""
    return frozenset(row[0] for row in _HELD.run(session, numbers=numbers))


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
