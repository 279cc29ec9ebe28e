"""Keys of user streams: one for each account, good for an hour after it was last asked for."""

import asyncio
from typing import Protocol

import msgspec

from simexchange.server.binance import errors
from simexchange.server.binance.call import KEYED, Call, Endpoint
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.parameters import Nothing, Params
from simexchange.server.venue import Venue

_encode = msgspec.json.encode


class Hearer(Protocol):
    """A socket that hears a user stream."""

    def publish(self, topic: str, message: bytes) -> None: ...
    def leave(self, name: str) -> None: ...


class _ListenKey:
    __slots__ = ("account", "expires_at", "hearers", "timer", "word")

    def __init__(self, word: str, account: int) -> None:
        self.word = word
        self.account = account
        self.expires_at = 0
        self.hearers: list[Hearer] = []
        self.timer: asyncio.TimerHandle | None = None


class OneKey(Params, frozen=True):
    listen_key: str | None = None


class ListenKeys:
    """The keys in force; new ones follow from the server's seed."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._by_word: dict[str, _ListenKey] = {}
        self._by_account: dict[int, _ListenKey] = {}
        self._made = 0

    def endpoints(self) -> tuple[Endpoint, ...]:
        path = "/fapi/v1/listenKey"
        return (
            Endpoint("POST", path, Nothing, self._open, KEYED),
            Endpoint("PUT", path, OneKey, self._keep, KEYED),
            Endpoint("DELETE", path, OneKey, self._close, KEYED),
        )

    # ------------------------------------------------------------------ endpoints

    def _open(self, call: Call, _: Nothing) -> object:
        """Return the account's key, good for another hour."""
        key = self._valid(self._by_account.get(call.account))
        if key is None:
            self._made += 1
            word = self._venue.keys.word(f"listen/{call.account}/{self._made}", 64)
            key = _ListenKey(word, call.account)
            self._by_word[word] = self._by_account[call.account] = key
        return self._prolonged(key)

    def _keep(self, call: Call, _: OneKey) -> object:
        key = self._valid(self._by_account.get(call.account))
        if key is None:
            raise WireError(errors.INVALID_LISTEN_KEY)
        return self._prolonged(key)

    def _close(self, call: Call, _: OneKey) -> object:
        key = self._by_account.get(call.account)
        if key is not None:
            self._end(key)
        return {}

    def _prolonged(self, key: _ListenKey) -> object:
        key.expires_at = self._venue.edge_now() + self._venue.settings.listen_key_us
        self._watch(key)
        return {"listenKey": key.word}

    # ------------------------------------------------------------------ streams

    def join(self, word: str, hearer: Hearer) -> int | None:
        """Let a socket hear a key's account and return it; None for a key that is not good."""
        key = self._valid(self._by_word.get(word))
        if key is None:
            return None
        key.hearers.append(hearer)
        return key.account

    def leave(self, word: str, hearer: Hearer) -> None:
        key = self._by_word.get(word)
        if key is not None and hearer in key.hearers:
            key.hearers.remove(hearer)

    # ------------------------------------------------------------------ expiry

    def _valid(self, key: _ListenKey | None) -> _ListenKey | None:
        if key is not None and key.expires_at <= self._venue.edge_now():
            self._expire(key)
            return None
        return key

    def _watch(self, key: _ListenKey) -> None:
        """Look again when the key should have expired, by whatever clock the edge has then."""
        if key.timer is not None:
            key.timer.cancel()
        left_us = max(1_000, key.expires_at - self._venue.edge_now())
        loop = asyncio.get_running_loop()
        key.timer = loop.call_later(left_us / 1_000_000, self._look, key)

    def _look(self, key: _ListenKey) -> None:
        if self._valid(key) is not None:
            self._watch(key)

    def _expire(self, key: _ListenKey) -> None:
        now_ms = self._venue.edge_now() // 1_000
        said = _encode({"e": "listenKeyExpired", "E": now_ms, "listenKey": key.word})
        for hearer in tuple(key.hearers):
            hearer.publish(key.word, said)
        self._end(key)

    def _end(self, key: _ListenKey) -> None:
        if key.timer is not None:
            key.timer.cancel()
            key.timer = None
        for hearer in tuple(key.hearers):
            hearer.leave(key.word)
        self._by_word.pop(key.word, None)
        if self._by_account.get(key.account) is key:
            del self._by_account[key.account]
