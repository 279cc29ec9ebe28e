"""A server that comes back as it was: its journal and its notes are read together."""

from pathlib import Path

from simexchange.clock import Clock
from simexchange.core.commands import PlaceOrder, PlacePlanOrder
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.records import JournalError
from simexchange.journal.writer import Durability
from simexchange.server import notes as n
from simexchange.server.clock import SteeredClock
from simexchange.server.records.kept import NO_WORDS
from simexchange.server.venue import Venue

EXCHANGE_FILE, NOTES_FILE = "exchange.journal", "served.notes"


class Home:
    """The directory in which a served exchange lives."""

    def __init__(self, directory: Path, config: ExchangeConfig) -> None:
        """Open or begin it; JournalError where it cannot be used."""
        if directory.exists() and not directory.is_dir():
            raise JournalError(f"{directory} is no directory; name one for the server's files")
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"cannot make {directory}: {error.strerror}") from error
        self.exchange = JournaledExchange(
            directory / EXCHANGE_FILE,
            config,
            durability=Durability.SYSTEM,
            snapshot_every=0,
            is_replayed_later=True,
        )
        self.journal = directory / EXCHANGE_FILE
        self.notes = n.NoteBook(directory / NOTES_FILE)
        self._drop_unused_words()

    @property
    def begun(self) -> n.Begun | None:
        """What the server was started with the first time; None if this is the first.

        JournalError when it ended before its world was built.
        """
        first = self.notes.lines[0].note if self.notes.lines else None
        if isinstance(first, n.Begun):
            return first
        if self.exchange.sequence:
            raise JournalError(
                f"{self.journal.parent} was left before its exchange was set up; remove it, or "
                "name another directory"
            )
        return None

    def _drop_unused_words(self) -> None:
        """Take back words of an order that was never journaled: it was never placed."""
        lines = self.notes.lines
        while lines and isinstance(lines[-1].note, n.Described):
            if lines[-1].after < self.exchange.sequence:
                return
            self.notes.forget_last()

    def clock(self, base: Clock, speed: int | None) -> SteeredClock:
        """Return the clock as it was steered, at ``speed`` if that is given.

        At the speed of the computer's clock it keeps its distance from that one. At any other
        speed time stood still while the server was down.
        """
        steered = [line.note for line in self.notes.lines if isinstance(line.note, n.Steered)]
        latest = self.exchange.latest_at
        if not steered:
            return SteeredClock(base, start=None, speed=1 if speed is None else speed)
        last = steered[-1]
        start = max(last.at, latest)
        if last.speed == 1:
            start = max(start, last.at + base.now() - last.base)
        return SteeredClock(base, start=start, speed=last.speed if speed is None else speed)

    def restore(self, venue: Venue) -> None:
        """Carry everything out again, in order, so that all records are as they were."""
        waiting = iter([*self.notes.lines, None])
        line = next(waiting)
        latest: list[Event] = []
        for sequence, command, events in self.exchange.replay():
            while line is not None and line.after < sequence:
                _restore(venue, line.note)
                line = next(waiting)
            venue.simulation.hear_again(events)
            if isinstance(command, PlaceOrder | PlacePlanOrder):
                venue.records.next_words = NO_WORDS
            if not (isinstance(command, PlacePlanOrder) and command.attached):
                latest = list(events)
        while line is not None:
            _restore(venue, line.note)
            line = next(waiting)
        venue.unfinished = latest
        venue.book = self.notes

    def close(self) -> None:
        self.exchange.close()
        self.notes.close()


def _restore(venue: Venue, note: n.Note) -> None:
    """Do once more what a note says."""
    match note:
        case n.KeyMade() | n.KeyChanged() | n.KeyRevoked():
            _restore_key(venue, note)
        case n.MemberSet():
            venue.members.set_state(note.account, note.state)
        case n.CrossSet():
            venue.set_cross(note.account, is_cross=note.is_cross)
        case n.Described():
            venue.records.describe_next(note.account, note.words)
        case n.Refused():
            venue.records.sequence = note.order.sequence  # it had taken the next one
            venue.records.keep_refused(note.order)
        case n.Begun() | n.Steered():
            pass


def _restore_key(venue: Venue, note: n.KeyMade | n.KeyChanged | n.KeyRevoked) -> None:
    match note:
        case n.KeyMade():
            venue.keys.restore(note)
            venue.records.track(note.account)
        case n.KeyChanged():
            venue.keys.change(note.key, note.grant, note.addresses)
        case n.KeyRevoked():
            venue.keys.drop(note.key)
