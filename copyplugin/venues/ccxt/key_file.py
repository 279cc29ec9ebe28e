"""API keys in a file that only its owner may read, encrypted where a passphrase is given."""

import base64
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount

OWNER_ONLY = 0o600
_SALT_BYTES = 16
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_MEMORY = 2**15, 8, 64 * 2**20


class KeyFile:
    """`AccountKeys` in a file. Other processes may write it too: what is missing is looked for.

    The file is made when the first key is kept. Accounts given beside it (from the environment) are
    known as well, and not written into it.
    """

    def __init__(
        self, path: Path, *, passphrase: str = "", beside: tuple[KnownAccount, ...] = ()
    ) -> None:
        """Read the file; raise `ConfigurationError` where it is not safe or cannot be read."""
        self._path = path
        self._passphrase = passphrase
        self._beside = beside
        self._salt = b""
        self._fernet: Fernet | None = None
        self._read_at: int | None = None
        self._known = KeysInMemory(*beside)
        self._read()

    def find(self, account: AccountId) -> KnownAccount | None:
        found = self._known.find(account)
        return found if found is not None or not self._read() else self._known.find(account)

    def sub_account(self, owner: AccountId, label: str) -> KnownAccount | None:
        self._read()
        return self._known.sub_account(owner, label)

    def spare(self, owner: AccountId) -> KnownAccount | None:
        self._read()
        return self._known.spare(owner)

    def masters(self) -> tuple[KnownAccount, ...]:
        self._read()
        return self._known.masters()

    def accounts(self) -> tuple[KnownAccount, ...]:
        """Return all accounts, as they were added."""
        self._read()
        return self._known.accounts()

    def keep(self, known: KnownAccount) -> None:
        with self._locked():
            self._read()
            self._known.keep(known)
            self._write()

    def forget(self, account: AccountId) -> bool:
        """Drop an account's keys; return whether they were known."""
        with self._locked():
            self._read()
            was_known = self._known.find(account) is not None
            self._known.forget(account)
            self._write()
        return was_known

    # -- the file

    def _read(self) -> bool:
        """Read the file if it is another one than before; return whether it was."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        if found.st_mtime_ns == self._read_at:
            return False
        if stat.S_IMODE(found.st_mode) & ~OWNER_ONLY:
            raise ConfigurationError(
                f"{self._path} holds API keys and others may read it: run chmod 600 {self._path}"
            )
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            self._salt = base64.b64decode(document["salt"])
            accounts = [self._account(row) for row in document["accounts"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{self._path} is no file of API keys: {error!r}") from error
        self._known = KeysInMemory(*accounts, *self._beside)
        self._read_at = found.st_mtime_ns
        return True

    def _write(self) -> None:
        if not self._salt:
            self._salt = secrets.token_bytes(_SALT_BYTES)
        beside = set(self._beside)
        document = {
            "salt": base64.b64encode(self._salt).decode(),
            "accounts": [
                self._row(known) for known in self._known.accounts() if known not in beside
            ],
        }
        new = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the key of a new sub-account must outlive a crash of the machine
        finally:
            os.close(folder)
        self._read_at = self._path.stat().st_mtime_ns

    @contextmanager
    def _locked(self) -> Generator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._path.with_name(f".{self._path.name}.lock")
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- one account

    def _account(self, row: dict[str, Any]) -> KnownAccount:
        return account_from({**row, **self._opened(row["keys"])})

    def _row(self, known: KnownAccount) -> dict[str, Any]:
        given = {
            "key": known.keys.key,
            "secret": known.keys.secret,
            "passphrase": known.keys.passphrase,
        }
        return {
            "account": known.account,
            "owner": known.owner,
            "label": known.label,
            "is_pooled": known.is_pooled,
            "address": known.address,
            "keys": self._closed(given),
        }

    def _closed(self, keys: dict[str, str]) -> dict[str, str] | str:
        if not self._passphrase:
            return keys
        return self._cipher().encrypt(json.dumps(keys).encode()).decode()

    def _opened(self, keys: object) -> dict[str, str]:
        if isinstance(keys, dict):
            return cast("dict[str, str]", keys)
        if not self._passphrase:
            raise ConfigurationError(
                f"{self._path} is encrypted: give its passphrase in "
                "COPYPLUGIN_VENUE_KEYS_PASSPHRASE."
            )
        try:
            return json.loads(self._cipher().decrypt(str(keys).encode()))
        except InvalidToken as error:
            raise ConfigurationError(f"The passphrase does not open {self._path}.") from error

    def _cipher(self) -> Fernet:
        if self._fernet is None:
            key = hashlib.scrypt(
                self._passphrase.encode(),
                salt=self._salt,
                n=_SCRYPT_COST,
                r=_SCRYPT_BLOCK,
                p=1,
                maxmem=_SCRYPT_MEMORY,
                dklen=32,
            )
            self._fernet = Fernet(base64.urlsafe_b64encode(key))
        return self._fernet


def account_from(row: dict[str, Any]) -> KnownAccount:
    """Return an account as a file or the environment describes it; raises KeyError, TypeError."""
    owner = row.get("owner")
    return KnownAccount(
        account=AccountId(str(row["account"])),
        keys=ApiKeys(str(row["key"]), str(row["secret"]), str(row.get("passphrase") or "")),
        owner=None if owner is None else AccountId(str(owner)),
        label=str(row.get("label") or ""),
        is_pooled=bool(row.get("is_pooled")),
        address=str(row.get("address") or ""),
    )


def accounts_from(text: str) -> tuple[KnownAccount, ...]:
    """Read accounts from JSON, as `COPYPLUGIN_VENUE_KEYS` has them.

    Raises `ConfigurationError`, which says nothing of what was given: it holds secrets.
    """
    try:
        rows = cast("list[dict[str, Any]]", json.loads(text)) if text.strip() else []
        return tuple(account_from(row) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            "COPYPLUGIN_VENUE_KEYS is no list of accounts in JSON: write "
            '[{"account": "UID", "key": "...", "secret": "..."}].'
        ) from None
