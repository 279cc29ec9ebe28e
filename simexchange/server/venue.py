"""What all dialects of one server share: the exchange, its keys, records, limits and faults."""

import msgspec

from simexchange.clock import Clock, SystemClock
from simexchange.core.commands import Command, PlaceOrder
from simexchange.core.events import (
    Event,
    InstrumentListed,
    OrderAccepted,
    Refused,
    refusal_among,
)
from simexchange.core.instrument import Instrument
from simexchange.core.types import SECOND_US, PositionSide
from simexchange.journal.journaled import JournaledExchange
from simexchange.server.amounts import Grid
from simexchange.server.keys import KeyRing
from simexchange.server.limits import Windows
from simexchange.server.members import Members
from simexchange.server.notes import CrossSet, Note, NoteBook
from simexchange.server.records.listener import Records
from simexchange.server.records.tape import Tape
from simexchange.server.wire_faults import WireFaults
from simexchange.simulation import Simulation


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server behaves. ``seed`` is what keys and faults follow from."""

    seed: str
    are_limits_on: bool = False
    refuses_unknown_parameters: bool = True
    ack_delay_ms: int = 10  # of subscriptions: some clients register them only after sending
    socket_backlog: int = 2_000  # messages that may wait for a slow client
    listen_key_us: int = 60 * 60 * SECOND_US  # how long a user stream's key is good


class Venue:
    """One served exchange. ``edge_clock`` is the time that signatures are checked against."""

    def __init__(
        self,
        simulation: Simulation,
        settings: VenueSettings,
        edge_clock: Clock | None = None,
    ) -> None:
        self.simulation = simulation
        self.exchange = simulation.exchange
        self.settings = settings
        self.edge_clock = edge_clock or SystemClock()
        self.book: NoteBook | None = None
        """Where what the exchange's journal does not hold is written, if anywhere."""
        self.unfinished: list[Event] = []
        """What happened last before a crash: whoever acts on events may not have done so."""
        self.keys = KeyRing(settings.seed, self.note)
        self.limits = Windows(is_on=settings.are_limits_on)
        self.faults = WireFaults(settings.seed)
        self.records = Records(self.exchange, tell=self.note)
        self.tape = Tape(self.exchange)
        self.members = Members(self.exchange, self.note)
        self.cross_accounts: set[int] = set()  # whose new instruments start in cross margin
        self._lights: dict[str, tuple[int, dict[tuple[int, PositionSide], int]]] = {}
        self._grids: dict[str, Grid] = {
            instrument.symbol: Grid(instrument) for instrument in self.exchange.instruments
        }
        simulation.subscribe(self._note_listing)
        simulation.subscribe(self.records.listen)
        simulation.subscribe(self.tape.listen)
        simulation.subscribe(self.members.listen)

    def edge_now(self) -> int:
        """Return the time at the edge in microseconds, wrong by the clock skew of a fault."""
        return self.edge_clock.now() + self.faults.skew_us

    def now(self) -> int:
        """Return the exchange's time in microseconds."""
        return self.simulation.clock.now()

    def note(self, note: Note) -> None:
        """Write down what the exchange's journal does not hold."""
        if self.book is not None:
            assert isinstance(self.exchange, JournaledExchange), "notes go with a journal"
            self.book.write(self.exchange.sequence, note)

    def set_cross(self, account: int, *, is_cross: bool) -> None:
        """Let an account's new instruments start in cross margin, or no longer."""
        if is_cross:
            self.cross_accounts.add(account)
        else:
            self.cross_accounts.discard(account)
        self.note(CrossSet(account=account, is_cross=is_cross))

    def number_of_now(self) -> int:
        """Return a number that no other moment of this exchange has, and that comes back with it.

        It follows from everything that has happened, so it changes with every command that
        changes anything.
        """
        return int(self.exchange.event_hash[:12], 16)

    def grid(self, symbol: str) -> Grid | None:
        return self._grids.get(symbol)

    def instrument(self, symbol: str) -> Instrument | None:
        grid = self._grids.get(symbol)
        return None if grid is None else grid.instrument

    def lights(self, account: int, symbol: str, side: PositionSide) -> int:
        """Return a position's place in the queue of deleveraging, as of the present second."""
        second = self.now() // SECOND_US
        known = self._lights.get(symbol)
        if known is None or known[0] != second:
            known = self._lights[symbol] = (second, self.exchange.all_deleveraging_lights(symbol))
        return known[1].get((account, side), 1)

    def apply(self, command: Command) -> list[Event]:
        return self.simulation.apply(command)

    def refusal(self, events: list[Event]) -> Refused | None:
        """Return what refused the command of these events."""
        return refusal_among(events)

    def place(self, command: PlaceOrder) -> OrderAccepted | Refused:
        """Place an order and return its own acceptance, or what refused it.

        What was due before may have accepted others of the account (a liquidation), what it sets
        off may accept more (plan orders); it is the last one that no plan fired.
        """
        events = self.apply(command)
        refusal = self.refusal(events)
        if refusal is not None:
            return refusal
        for event in reversed(events):
            if (
                isinstance(event, OrderAccepted)
                and event.account == command.account
                and event.plan_id is None
            ):
                return event
        message = f"an order was neither accepted nor refused: {events}"
        raise AssertionError(message)

    def _note_listing(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, InstrumentListed):
                self._grids[event.instrument.symbol] = Grid(event.instrument)
