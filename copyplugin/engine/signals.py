"""From a leader's fills to signals: what each order did to one leg, growing while it fills."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import LeaderId, Symbol, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, money_ceil, product, total
from copyplugin.domain.sizing import leader_balance_before
from copyplugin.domain.transition import Effect, Transition, legs_after, transitions
from copyplugin.engine.leader_trades import TradeBook
from copyplugin.store import leader_feed, marking
from copyplugin.store.database import Session
from copyplugin.store.rows import SignalRow

SignalKey = tuple[VenueOrderId, Symbol, str, bool]


@dataclass
class SignalBook:
    """The signals of the leader orders in one batch of fills, oldest part first."""

    leader_id: LeaderId
    received_at: datetime
    instruments: Mapping[Symbol, Instrument]
    leader_equity: Money | None = None  # where a follow rests on it
    parts: dict[SignalKey, list[SignalRow]] = field(
        default_factory=dict[SignalKey, list[SignalRow]]
    )
    made: list[SignalRow] = field(default_factory=list[SignalRow])
    grown: dict[int, SignalRow] = field(default_factory=dict[int, SignalRow])

    def load(self, session: Session, order_ids: Iterable[VenueOrderId]) -> None:
        for row in leader_feed.signals_of_orders(session, self.leader_id, order_ids):
            order_id = VenueOrderId(row.order_id.partition(leader_feed.SEGMENT_MARK)[0])
            key = (order_id, row.symbol, row.position_side, row.increases)
            self.parts.setdefault(key, []).append(row)

    def note(self, fill: LeaderFill, moved: Transition) -> SignalRow:
        """Grow the order's signal, or make one.

        Where another order moved the leg in between, what follows is a part of its own, so that
        before and after of one signal hold nobody else's contracts.
        """
        key = (fill.order_id, fill.symbol, moved.position_side, moved.effect.increases)
        parts = self.parts.setdefault(key, [])
        if parts and parts[-1].contracts_after == moved.contracts_before:
            return self._grow(parts[-1], fill, moved)
        signal = self._make(fill, moved, part=len(parts) + 1)
        parts.append(signal)
        self.made.append(signal)
        return signal

    def of_order(self, order_id: VenueOrderId) -> list[SignalRow]:
        return [row for key, parts in self.parts.items() if key[0] == order_id for row in parts]

    def _grow(self, signal: SignalRow, fill: LeaderFill, moved: Transition) -> SignalRow:
        if not signal.increases:
            signal.effect = moved.effect
        signal.contracts_after = moved.contracts_after
        signal.contracts = Contracts(signal.contracts + moved.contracts)
        signal.price_sum = total(signal.price_sum, moved.price_sum)
        signal.initial_margin = self._initial_margin(signal)
        signal.order_contracts = fill.order_contracts
        signal.last_fill_at = fill.at
        signal.received_at = self.received_at
        if all(signal is not made for made in self.made):
            self.grown[id(signal)] = signal
        return signal

    def _make(self, fill: LeaderFill, moved: Transition, *, part: int) -> SignalRow:
        mark = f"{leader_feed.SEGMENT_MARK}{part}" if part > 1 else ""
        signal = SignalRow(
            leader_id=self.leader_id,
            order_id=VenueOrderId(fill.order_id + mark),
            symbol=fill.symbol,
            position_side=moved.position_side,
            effect=moved.effect,
            increases=moved.effect.increases,
            contracts_before=moved.contracts_before,
            contracts_after=moved.contracts_after,
            contracts=moved.contracts,
            price_sum=moved.price_sum,
            leverage=fill.leverage,
            margin_mode=fill.margin_mode,
            leader_equity=self.leader_equity if moved.effect.increases else None,
            order_contracts=fill.order_contracts,
            first_fill_at=fill.at,
            last_fill_at=fill.at,
            received_at=self.received_at,
        )
        signal.initial_margin = margin = self._initial_margin(signal)
        if fill.available_after is not None and margin is not None:
            signal.leader_balance_before = leader_balance_before(
                available_after=fill.available_after, initial_margin=margin, fee=fill.fee
            )
        return signal

    def _initial_margin(self, signal: SignalRow) -> Money | None:
        """Return value / leverage of what has filled, rounded up; None for closes."""
        instrument = self.instruments.get(signal.symbol)
        if instrument is None or not signal.increases:
            return None
        value = Fraction(product(signal.price_sum, instrument.contract_size))
        return money_ceil(value / Fraction(signal.leverage))


def store_fills(
    session: Session,
    *,
    leader_id: LeaderId,
    fills: Sequence[LeaderFill],
    instruments: Mapping[Symbol, Instrument],
    received_at: datetime,
    leader_equity: Money | None = None,
) -> set[int]:
    """Store a leader's fills with the cursor, fold them into signals, mark the lanes concerned.

    All in the caller's transaction: a fill is either known with all it causes, or will be read
    again. Fills that are known already change nothing. Returns the shards with new work.
    """
    assert fills
    new = leader_feed.add_new_fills(session, leader_id, fills, received_at=received_at)
    leader_feed.set_cursor(session, leader_id, fills[-1].venue_fill_id)
    if not new:
        return set()
    book = SignalBook(leader_id, received_at, instruments, leader_equity)
    book.load(session, {fill.order_id for fill in new})
    _fold(session, book, new)
    _finish_orders(session, book, new)
    session.add_all(book.made)
    for signal in book.grown.values():
        signal.revision += 1
    session.flush()
    shards: set[int] = set()
    for signal in book.made:
        shards |= marking.announce_signal(session, signal)
    for signal in book.grown.values():
        shards |= marking.revise_decisions(session, signal.id)
    return shards


def finish_quiet_orders(session: Session, *, last_fill_before: datetime) -> set[int]:
    """Make signals final whose order has been silent since that time; return shards to look at."""
    shards: set[int] = set()
    quiet = leader_feed.quiet_signals(session, last_fill_before=last_fill_before)
    if quiet:
        leader_feed.make_final(session, quiet)
    for signal_id in quiet:
        shards |= marking.revise_decisions(session, signal_id)
    return shards


def _fold(session: Session, book: SignalBook, fills: Sequence[LeaderFill]) -> None:
    symbols = {fill.symbol for fill in fills}
    before = leader_feed.legs(session, book.leader_id, symbols)
    legs = dict(before)
    trades = TradeBook(session, book.leader_id, symbols, book.instruments)
    for fill in fills:
        moved = transitions(legs[fill.symbol], fill)
        legs[fill.symbol] = legs_after(legs[fill.symbol], moved)
        for transition in moved:
            signal = book.note(fill, transition)
            is_flipped = len(moved) > 1 and not transition.effect.increases
            signal.final = signal.final or is_flipped or transition.effect is Effect.CLOSE
            trades.note(fill, transition)
    leader_feed.save_legs(session, book.leader_id, before, legs, at=book.received_at)


def _finish_orders(session: Session, book: SignalBook, fills: Sequence[LeaderFill]) -> None:
    ordered = {fill.order_id: fill.order_contracts for fill in fills}
    for order_id, contracts in ordered.items():
        filled = leader_feed.filled_of_order(session, book.leader_id, order_id)
        is_whole = contracts is not None and filled >= contracts
        for signal in book.of_order(order_id):
            signal.final = signal.final or is_whole
