"""API keys: who they are, what they may do, and whether a signature is theirs."""

import hmac
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from simexchange.server.grants import Grant
from simexchange.server.notes import KeyChanged, KeyMade, KeyRevoked, Note

ANY_ADDRESS = "*"
NEVER_EXPIRES = 2**62
_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_KEY_LENGTH, _SECRET_LENGTH = 18, 36


READ_ONLY = Grant()
FULL = Grant(trade=True, transfer=True)


class ApiKey:
    """One key of one account.

    ``account`` is the account it acts for. ``created_at`` and ``expires_at`` are microseconds
    since the epoch.
    """

    __slots__ = (
        "_mac",
        "account",
        "addresses",
        "created_at",
        "expires_at",
        "grant",
        "is_revoked",
        "key",
        "name",
        "number",
        "secret",
    )

    def __init__(  # noqa: PLR0913 - what a key is
        self,
        *,
        number: int,
        key: str,
        secret: str,
        account: int,
        grant: Grant,
        created_at: int,
        name: str = "",
        addresses: tuple[str, ...] = (ANY_ADDRESS,),
        expires_at: int = NEVER_EXPIRES,
    ) -> None:
        self.number = number
        self.key = key
        self.secret = secret
        self.account = account
        self.grant = grant
        self.created_at = created_at
        self.name = name
        self.addresses = addresses
        self.expires_at = expires_at
        self.is_revoked = False
        self._mac = hmac.new(secret.encode(), digestmod="sha256")

    def signature(self, payload: bytes) -> str:
        """Return HMAC-SHA256 of ``payload`` in hexadecimal."""
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest()

    def has_signed(self, payload: bytes, signature: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.signature(payload).encode(), signature.lower().encode())

    def may_come_from(self, address: str) -> bool:
        """Say whether the key's list of addresses and networks has ``address`` in it."""
        if ANY_ADDRESS in self.addresses:
            return True
        came_from = ip_address(address)
        return any(came_from in ip_network(allowed) for allowed in self.addresses)


def valid_addresses(addresses: tuple[str, ...]) -> bool:
    """Say whether each is an address, a network or the word for any."""
    for address in addresses:
        if address == ANY_ADDRESS:
            continue
        try:
            ip_network(address)
        except ValueError:
            return False
    return True


class KeyRing:
    """All keys of a server. New ones follow from the seed, so that a run can be repeated."""

    def __init__(self, seed: str, tell: Callable[[Note], None]) -> None:
        """Begin without keys; ``tell`` hears of every change."""
        self._seed = seed
        self._made = 0
        self._keys: dict[str, ApiKey] = {}
        self._tell = tell

    def find(self, key: str) -> ApiKey | None:
        return self._keys.get(key)

    def of_account(self, account: int) -> list[ApiKey]:
        return [key for key in self._keys.values() if key.account == account]

    def create(  # noqa: PLR0913 - what a key is
        self,
        account: int,
        grant: Grant,
        created_at: int,
        *,
        name: str = "",
        addresses: tuple[str, ...] = (ANY_ADDRESS,),
        expires_at: int = NEVER_EXPIRES,
        secret: str | None = None,
    ) -> ApiKey:
        self._made += 1
        made = ApiKey(
            number=self._made,
            key=self._word("key", _KEY_LENGTH),
            secret=secret or self._word("secret", _SECRET_LENGTH),
            account=account,
            grant=grant,
            created_at=created_at,
            name=name,
            addresses=addresses,
            expires_at=expires_at,
        )
        self._keys[made.key] = made
        self._tell(
            KeyMade(
                number=made.number,
                key=made.key,
                secret=made.secret,
                account=account,
                grant=grant,
                created_at=created_at,
                name=name,
                addresses=addresses,
                expires_at=expires_at,
            )
        )
        return made

    def restore(self, note: KeyMade) -> None:
        """Take in a key that was made before."""
        self._made = note.number
        self._keys[note.key] = ApiKey(
            number=note.number,
            key=note.key,
            secret=note.secret,
            account=note.account,
            grant=note.grant,
            created_at=note.created_at,
            name=note.name,
            addresses=note.addresses,
            expires_at=note.expires_at,
        )

    def change(self, name: str, grant: Grant, addresses: tuple[str, ...]) -> None:
        """Give a key other permissions and addresses."""
        key = self._keys[name]
        key.grant, key.addresses = grant, addresses
        self._tell(KeyChanged(key=name, grant=grant, addresses=addresses))

    def revoke(self, key: ApiKey) -> None:
        self.drop(key.key)
        self._tell(KeyRevoked(key=key.key))

    def drop(self, name: str) -> None:
        """Forget a key, if it is there."""
        key = self._keys.pop(name, None)
        if key is not None:
            key.is_revoked = True

    def _word(self, purpose: str, length: int) -> str:
        return self.word(f"{purpose}/{self._made}", length)

    def word(self, purpose: str, length: int) -> str:
        """Return letters and digits that follow from the seed and their purpose."""
        digest = blake2b(f"{self._seed}/{purpose}".encode(), digest_size=64).digest()
        number = int.from_bytes(digest)
        letters: list[str] = []
        for _ in range(length):
            number, digit = divmod(number, len(_DIGITS))
            letters.append(_DIGITS[digit])
        return "".join(letters)
