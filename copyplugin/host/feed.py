"""Where the host's messages come in, and where the engine reads them.

A message is taken once, in its account's order, or not at all; what came is kept word for word, and
its sender learns which number comes next. So a host that sends from the number it is told, until
all have been taken, loses nothing and doubles nothing, whatever happens to either side.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.errors import Refused
from copyplugin.host.messages import AccountTold, HostMessage, read_message, told, unexplained
from copyplugin.host.signature import TOLERANCE, check
from copyplugin.ports import Clock
from copyplugin.settings import Settings
from copyplugin.store import host_messages
from copyplugin.store.database import Database, Session

MESSAGES_AT_ONCE = 200
"""So many messages are read for one page of fills."""

Listener = Callable[[Sequence[LeaderFill]], None]


class OutOfOrder(Refused):
    """Another number comes next; `next_number` says which."""

    def __init__(self, sentence: str, next_number: int) -> None:
        super().__init__(sentence)
        self.next_number = next_number


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What the host is told of a message that was taken, now or before."""

    account: AccountId
    next_number: int
    was_known: bool


class HostFeed:
    """Takes signed messages, from any thread; the engine reads through the other methods."""

    def __init__(self, database: Database, clock: Clock, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def receive(self, body: bytes, *, timestamp: str, signature: str) -> Receipt:
        """Take one message.

        Raises `NotFromTheHost` for a wrong signature, `OutOfOrder` where it is not its turn, and
        `Refused` where it cannot be read, repeats a number with other words, or where its fills do
        not explain its positions. Nothing is stored then.
        """
        now = self._clock.now()
        check(self._secret, timestamp, signature, body, now=now)
        message = read_message(body)
        after = told(message)
        _refuse_the_future(after, now)
        text = message.model_dump_json()
        receipt = self._database.write_and_wait(
            lambda session: _take(session, message, after, text, now), urgent=True
        )
        if not receipt.was_known and after.fills:
            with self._lock:
                listeners = tuple(self._listeners)
            for listener in listeners:
                listener(after.fills)
        return receipt

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call back, in the thread that received them, with new fills; return how to stop that."""
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return stop

    def knows(self, account: AccountId) -> bool:
        """Return whether the host has told of this account."""
        with self._database.read() as session:
            return host_messages.last_number(session, account) > 0

    def state(self, account: AccountId) -> tuple[AccountBalance, Sequence[VenuePosition]] | None:
        """Return balance and positions as last told; None where nothing was."""
        with self._database.read() as session:
            newest = _newest(session, account)
        return None if newest is None else (newest.balance, newest.positions)

    def fills(self, account: AccountId, after: VenueFillId | None) -> Sequence[LeaderFill]:
        """Return the next fills after that one, in order; none where there are no more.

        Raises `Refused` where that fill was never told: the account was fed by other means before.
        """
        with self._database.read() as session:
            first = 1 if after is None else host_messages.number_of_fill(session, account, after)
            if first is None:
                raise Refused(
                    f"The host never told of fill {after} of account {account}, the last one that"
                    " was copied: tell the fills from there on."
                )
            bodies = host_messages.bodies(session, account, first=first, limit=MESSAGES_AT_ONCE)
        fills = [fill for body in bodies for fill in told(read_message(body)).fills]
        if after is None:
            return fills
        at = next(i for i, fill in enumerate(fills) if fill.venue_fill_id == after)
        return fills[at + 1 :]

    def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        """Return the funding payments at or after that time, in order."""
        received_since = None if since is None else since - TOLERANCE
        with self._database.read() as session:
            bodies = host_messages.bodies_since(session, account, received_since)
        payments = [each for body in bodies for each in told(read_message(body)).funding]
        return [each for each in payments if since is None or each.at >= since]


def open_host_feed(database: Database, clock: Clock, settings: Settings) -> HostFeed | None:
    """Return where the host's messages come in; None where no secret is set to prove them by."""
    secret = settings.host_feed_secret.get_secret_value()
    return HostFeed(database, clock, secret) if secret else None


def _take(
    session: Session, message: HostMessage, after: AccountTold, text: str, now: datetime
) -> Receipt:
    account, number = after.account, message.number
    next_number = host_messages.last_number(session, account) + 1
    if number < next_number:
        if host_messages.body(session, account, number) != text:
            raise OutOfOrder(
                f"Message {number} of account {account} was taken before with other contents;"
                f" number {next_number} comes next.",
                next_number,
            )
        return Receipt(account=account, next_number=next_number, was_known=True)
    if number > next_number:
        raise OutOfOrder(
            f"Message {next_number} of account {account} is missing: send from there on.",
            next_number,
        )
    fault = _fault_of(session, after)
    if fault is not None:
        raise Refused(fault)
    fill_ids = [fill.venue_fill_id for fill in after.fills]
    if not host_messages.add(session, account, number, text=text, fill_ids=fill_ids, at=now):
        raise OutOfOrder(
            f"Message {number} of account {account} is being taken already: send it again.", number
        )
    return Receipt(account=account, next_number=next_number + 1, was_known=False)


def _fault_of(session: Session, after: AccountTold) -> str | None:
    fill_ids = [fill.venue_fill_id for fill in after.fills]
    if len(set(fill_ids)) < len(fill_ids):
        return "One fill is told twice in this message."
    again = host_messages.told_twice(session, after.account, fill_ids)
    if again is not None:
        return f"Fill {again} was told in an earlier message."
    return unexplained(_newest(session, after.account), after)


def _newest(session: Session, account: AccountId) -> AccountTold | None:
    number = host_messages.last_number(session, account)
    body = host_messages.body(session, account, number)
    return None if body is None else told(read_message(body))


def _refuse_the_future(after: AccountTold, now: datetime) -> None:
    for at in (*(fill.at for fill in after.fills), *(each.at for each in after.funding)):
        if at > now + TOLERANCE:
            raise Refused(f"{at.isoformat()} has not come yet: times are those of the execution.")
