"""API keys: who they are, what they may do, and whether a signature is theirs."""

from collections.abc import Callable
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from simexchange.server.grants import Grant
from simexchange.server.notes import KeyChanged, KeyMade, KeyRevoked, Note
from simexchange.server.signatures import KeyKind, verifier

ANY_ADDRESS = "*"
NEVER_EXPIRES = 2**62
_DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_KEY_LENGTH, _SECRET_LENGTH = 18, 36


READ_ONLY = Grant()
FULL = Grant(trade=True, transfer=True)


class ApiKey:
    """One key of one account.

    Its owner signs with ``secret``; or with the private half of ``public_key`` (PEM), and there is
    no secret then. ``account`` is the account it acts for. ``created_at`` and ``expires_at`` are
    microseconds since the epoch.
    """

    __slots__ = (
        "_verifier",
        "account",
        "addresses",
        "created_at",
        "expires_at",
        "grant",
        "is_revoked",
        "key",
        "name",
        "number",
        "public_key",
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
        public_key: str = "",
    ) -> None:
        self.number = number
        self.key = key
        self.secret = secret
        self.public_key = public_key
        self.account = account
        self.grant = grant
        self.created_at = created_at
        self.name = name
        self.addresses = addresses
        self.expires_at = expires_at
        self.is_revoked = False
        self._verifier = verifier(secret, public_key)

    @property
    def kind(self) -> KeyKind:
        return self._verifier.kind

    def has_signed(self, payload: bytes, signature: str) -> bool:
        return self._verifier.has_signed(payload, signature)

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
        public_key: str = "",
    ) -> ApiKey:
        """Make a key, with a secret of its own unless one or a ``public_key`` (PEM) is given.

        ValueError with a sentence when the public key cannot be used.
        """
        number = self._made + 1
        chosen = "" if public_key else secret or self._word("secret", number, _SECRET_LENGTH)
        made = ApiKey(
            number=number,
            key=self._word("key", number, _KEY_LENGTH),
            secret=chosen,
            public_key=public_key,
            account=account,
            grant=grant,
            created_at=created_at,
            name=name,
            addresses=addresses,
            expires_at=expires_at,
        )
        self._made = number
        self._keys[made.key] = made
        self._tell(
            KeyMade(
                number=made.number,
                key=made.key,
                secret=made.secret,
                public_key=public_key,
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
            public_key=note.public_key,
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

    def _word(self, purpose: str, number: int, length: int) -> str:
        return self.word(f"{purpose}/{number}", length)

    def word(self, purpose: str, length: int) -> str:
        """Return letters and digits that follow from the seed and their purpose."""
        digest = blake2b(f"{self._seed}/{purpose}".encode(), digest_size=64).digest()
        number = int.from_bytes(digest)
        letters: list[str] = []
        for _ in range(length):
            number, digit = divmod(number, len(_DIGITS))
            letters.append(_DIGITS[digit])
        return "".join(letters)
