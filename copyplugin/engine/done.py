"""A command as it is carried out, what it came to, and what has to be woken by it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from copyplugin.domain.identifiers import AccountId, FollowId, LeaderId
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store.database import Session
from copyplugin.store.rows import CommandRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One command as it is carried out, inside a transaction."""

    session: Session
    row: CommandRow
    given: Arguments
    around: Surroundings


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """Without a message the command has begun and is answered later."""

    message: str | None
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shards: Collection[int] = ()
    follow_ids: Collection[FollowId] = ()
    moves_money: bool = False  # a transfer was planned
    reconcile: Collection[FollowId] = ()  # to be compared with the venue at once
    leader: tuple[LeaderId, AccountId] | None = None  # to be listened to from now on
    wallets: Collection[AccountId] = ()  # to be asked for
