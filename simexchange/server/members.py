"""Who owns which sub-accounts, by name; frozen ones and those that were closed."""

from collections.abc import Callable

from simexchange.core.events import AccountOpened, Event
from simexchange.core.exchange import Exchange
from simexchange.server.notes import MemberSet, Note

FROZEN, FREE, CLOSED = "frozen", "free", "closed"


class Members:
    """An index over the accounts of the exchange; a listener of the simulation."""

    def __init__(self, exchange: Exchange, tell: Callable[[Note], None]) -> None:
        self._tell = tell
        self._by_owner: dict[int, dict[int, str]] = {}
        self._names: dict[str, int] = {}
        self.frozen: set[int] = set()
        self.tags: dict[int, str] = {}
        """What a broker calls his sub-accounts."""
        self._closed: set[int] = set()
        for number in exchange.accounts:
            view = exchange.account(number)
            self._note(number, view.owner, view.label)

    def _note(self, account: int, owner: int | None, label: str) -> None:
        if owner is not None:
            self._by_owner.setdefault(owner, {})[account] = label
            self._names.setdefault(label, account)

    def listen(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, AccountOpened):
                self._note(event.account, event.owner, event.label)

    def of(self, owner: int) -> dict[int, str]:
        """Return the names of an account's sub-accounts by number, oldest first."""
        subs = self._by_owner.get(owner, {})
        return {number: name for number, name in subs.items() if number not in self._closed}

    def is_taken(self, name: str) -> bool:
        return name in self._names

    def freeze(self, account: int) -> None:
        self.set_state(account, FROZEN)

    def free(self, account: int) -> None:
        self.set_state(account, FREE)

    def close(self, account: int) -> None:
        self.set_state(account, CLOSED)

    def set_state(self, account: int, state: str) -> None:
        """Freeze a sub-account, free it, or close it for ever."""
        if state == CLOSED:
            self._closed.add(account)
        elif state == FROZEN:
            self.frozen.add(account)
        else:
            self.frozen.discard(account)
        self._tell(MemberSet(account=account, state=state))
