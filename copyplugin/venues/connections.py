"""The accounts that an operator has connected, as a file tells them.

[[account]]
uid = "1001"
role = "follower"      # leader, follower or pool
key = "..."
secret = "..."
passphrase = "..."     # where the venue has one
owner = "1000"         # of a pool account: whose it is; nobody else's follow gets it
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.keys import KnownAccount

OTHERS_MAY = 0o077
_NEEDED = ("uid", "role", "key", "secret")
_ALLOWED = {*_NEEDED, "passphrase", "owner"}


class Role(StrEnum):
    LEADER = "leader"  # his fills are read
    FOLLOWER = "follower"  # his main account: copy amounts come from it, sub-accounts belong to it
    POOL = "pool"  # a spare sub-account that a follow may be given


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    role: Role
    known: KnownAccount

    @property
    def account(self) -> AccountId:
        return self.known.account


def read_connections(path: Path) -> list[Connection]:
    """Return the accounts of a file; raises `ConfigurationError` with a sentence."""
    try:
        if path.stat().st_mode & OTHERS_MAY:
            raise ConfigurationError(
                f"{path} holds keys and may be read by others: run `chmod 600 {path}`."
            )
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error
    rows = document.get("account")
    if set(document) != {"account"} or not isinstance(rows, list) or not rows:
        raise ConfigurationError(f"{path} needs [[account]] tables and nothing else.")
    found = [
        _connection(path, number, row) for number, row in enumerate(cast("list[Any]", rows), 1)
    ]
    _check_once(path, found)
    return found


def _check_once(path: Path, found: Sequence[Connection]) -> None:
    seen: set[AccountId] = set()
    for each in found:
        if each.account in seen:
            raise ConfigurationError(f"{path} has account {each.account} twice: remove one.")
        seen.add(each.account)


def _connection(path: Path, number: int, row: Any) -> Connection:
    where = f"account {number} of {path}"
    if not isinstance(row, dict):
        raise ConfigurationError(f"{where} is not a table.")
    given = cast("Mapping[str, Any]", row)
    missing = [name for name in _NEEDED if not given.get(name)]
    if missing:
        raise ConfigurationError(f"{where} lacks {', '.join(missing)}.")
    unknown = sorted(set(given) - _ALLOWED)
    if unknown:
        raise ConfigurationError(f"{where} has {', '.join(unknown)}, which nothing reads.")
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    if len(texts) != len(given):
        raise ConfigurationError(f"{where}: write every value in quotes.")
    if texts["role"] not in set(Role):
        raise ConfigurationError(f"{where} is a {texts['role']!r}: write one of {', '.join(Role)}.")
    role = Role(texts["role"])
    return Connection(
        role=role,
        known=KnownAccount(
            account=AccountId(texts["uid"]),
            keys=ApiKeys(texts["key"], texts["secret"], texts.get("passphrase", "")),
            owner=AccountId(texts["owner"]) if "owner" in texts else None,
            is_pooled=role is Role.POOL,
        ),
    )
