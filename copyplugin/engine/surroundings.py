"""What every part of the engine works with: settings, database, venue, clock, dispatcher."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from copyplugin.changeable_settings import with_changes
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.notice import Channel
from copyplugin.ports import Clock, Dispatcher, Notifier, RemembersInstruments, Venue
from copyplugin.settings import Settings
from copyplugin.store import market
from copyplugin.store.database import Database, Session
from copyplugin.store.setting_changes import values_in_force


class Work(StrEnum):
    """What is announced and served. The keys of an announcement are of the kind named here."""

    FEED = "feed"  # leaders whose fills are to be read
    LANES = "lanes"  # shards with marked lanes; none where an errand has come back
    PROTECT = "protect"  # follows whose positions have changed
    FOLLOWS = "follows"  # follows whose state may have to move on
    TRANSFERS = "transfers"  # no keys: planned movements of money are due
    RECONCILE = "reconcile"  # follows whose positions are to be compared with the venue
    FIGURES = "figures"  # no keys: pages show what is not computed yet
    COMMANDS = "commands"  # no keys: commands are waiting


class Fence(Protocol):
    """Which shards are ours, where several processes share them or come after one another."""

    def confirm(self, session: Session, shards: Collection[int]) -> Mapping[int, int]:
        """Return the epochs of those that are ours until the transaction ends."""
        ...

    def may_send(self, shard: int, epoch: int) -> bool:
        """Return whether what is sent now has come to its end before the shard is another's."""
        ...


@dataclass
class Surroundings:
    """`instruments` is what the venue trades or traded, as last asked; replaced as a whole.

    Those of them that are `unlisted` are closed by the terms they last had, and not opened.
    Without a fence all shards are ours, for ever. `has_paper`: the venue has accounts with play
    money. `is_at_work`: no other engine can begin before what is asked of the venue now has come to
    its end; nothing but questions goes to the venue otherwise.
    """

    settings: Settings
    database: Database
    venue: Venue
    clock: Clock
    dispatcher: Dispatcher
    instruments: Mapping[Symbol, Instrument] = field(default_factory=dict[Symbol, Instrument])
    unlisted: Collection[Symbol] = frozenset()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    fence: Fence | None = None
    notifiers: Mapping[Channel, Notifier] = field(default_factory=dict[Channel, Notifier])
    has_paper: bool = False
    is_at_work: Callable[[], bool] = lambda: True

    def learn_instruments(self, session: Session) -> None:
        """Read what the venue trades and what it traded, and let the venue know the latter too."""
        self.instruments = market.instruments(session)
        self.unlisted = self.instruments.keys() - market.tradable_symbols(session)
        if isinstance(self.venue, RemembersInstruments):
            self.venue.remember(self.instruments)

    def settings_at(self, session: Session, at: datetime) -> Settings:
        """Return the settings with what was changed at run time, as in force at that time.

        Read inside the transaction that uses it: a turn is wholly under one set of values, in
        whichever process it is.
        """
        return with_changes(self.settings, values_in_force(session, at=at))
