"""How a request is proven to be a key's: by a shared secret, or by a public key."""

import base64
import binascii
import hmac
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_RSA_BITS_LEAST = 2_048


class KeyKind(StrEnum):
    HMAC = "hmac"
    RSA = "rsa"
    ED25519 = "ed25519"


class Verifier(Protocol):
    @property
    def kind(self) -> KeyKind: ...

    def has_signed(self, payload: bytes, signature: str) -> bool: ...


class HmacVerifier:
    """HMAC-SHA256 in hexadecimal, with a secret that both sides know."""

    __slots__ = ("_mac",)
    kind = KeyKind.HMAC

    def __init__(self, secret: str) -> None:
        self._mac = hmac.new(secret.encode(), digestmod="sha256")

    def has_signed(self, payload: bytes, signature: str) -> bool:
        """Compare in constant time; capitals do not matter."""
        mac = self._mac.copy()
        mac.update(payload)
        return hmac.compare_digest(mac.hexdigest().encode(), signature.lower().encode())


class PublicVerifier:
    """RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519; signatures come in base64."""

    __slots__ = ("_public", "kind")

    def __init__(self, pem: str) -> None:
        """Read a public key in PEM; ValueError with a sentence when it cannot be used."""
        try:
            found = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("public_key is no public key in PEM") from error
        if isinstance(found, RSAPublicKey):
            if found.key_size < _RSA_BITS_LEAST:
                raise ValueError(f"an RSA key has at least {_RSA_BITS_LEAST} bits")
            self.kind = KeyKind.RSA
        elif isinstance(found, Ed25519PublicKey):
            self.kind = KeyKind.ED25519
        else:
            raise ValueError("public_key is an RSA or an Ed25519 key")  # noqa: TRY004 - of a text
        self._public: RSAPublicKey | Ed25519PublicKey = found

    def has_signed(self, payload: bytes, signature: str) -> bool:
        try:
            signed = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):  # ValueError: letters that are not ASCII
            return False
        try:
            if isinstance(self._public, RSAPublicKey):
                self._public.verify(signed, payload, PKCS1v15(), SHA256())
            else:
                self._public.verify(signed, payload)
        except InvalidSignature:
            return False
        return True


def verifier(secret: str, public_key: str) -> Verifier:
    """Return what proves the requests of a key, which has one of the two."""
    return PublicVerifier(public_key) if public_key else HmacVerifier(secret)
