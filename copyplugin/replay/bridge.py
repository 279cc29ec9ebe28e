"""From the leader's result to the follower's, difference by difference, exactly.

At every moment the leader holds what the follower holds and what each difference has kept from the
follower: contracts he did not open, or closed otherwise. A difference opens its contracts at the
leader's price and gives them up as the leader closes, so it earns what the follower has missed by
it. What is open at the end counts at the mark. Nothing is rounded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.order import OrderPurpose
from copyplugin.replay.accounting import (
    PRICE,
    ROUNDING_UP,
    SMALL_REST,
    exact_open,
    parts_of_open,
    skipped_words,
)
from copyplugin.store.copy_trail import Leg, TrailMove
from copyplugin.store.rows import CopyOrderRow

SIZE = "the mode's own size"
NOT_COPIED = "not an instrument or a time of the follow"
HELD_BEFORE = "opened by the leader before the beginning"
NOT_CLOSED = "not closed in the leader's proportion"
OUTSIDE = {
    OrderPurpose.COPY: "copied later than the leader's move",
    OrderPurpose.CLOSE: "closed because the follow ended",
    OrderPurpose.REPAIR: "put right after a difference to the venue",
    OrderPurpose.PROTECT: "closed by the follower's own protection",
}
TAKEN = "closed by liquidation"
FEES = "fees"
FUNDING = "funding"
SHARE = "leader share"


@dataclass(slots=True)
class LeaderCash:
    """A leader's result by his cash alone: what he got less what he paid, and what he holds.

    It knows neither legs nor average prices, and so checks those who do. Quantities in base asset.
    """

    _cash: Fraction = Fraction(0)
    _held: dict[Symbol, Fraction] = field(default_factory=dict[Symbol, Fraction])
    fees: Fraction = Fraction(0)

    def traded(self, symbol: Symbol, quantity: Fraction, price: Decimal, *, is_buy: bool) -> None:
        signed = quantity if is_buy else -quantity
        self._cash -= signed * Fraction(price)
        self._held[symbol] = self._held.get(symbol, Fraction(0)) + signed

    def result(self, marks: Mapping[Symbol, Price]) -> Fraction:
        """Return the profit before fees and funding, what is open at the mark."""
        return self._cash + sum(
            (held * Fraction(marks[symbol]) for symbol, held in self._held.items() if held),
            Fraction(0),
        )


@dataclass(slots=True)
class Bridge:
    """`leader` − Σ `parts` = `follower`: before the leader's fees, after the follower's. USDT.

    A part is positive where it has cost the follower something. `leader` comes from the leader's
    fills alone, `follower` from the money on the exchange, so that the sum proves something.
    """

    leader: Fraction
    follower: Fraction
    parts: Mapping[str, Fraction]

    @property
    def unexplained(self) -> Fraction:
        return self.leader - self.follower - sum(self.parts.values(), Fraction(0))


@dataclass(slots=True)
class _Lane:
    """One side of one instrument. `gaps` are the contracts each difference keeps from him."""

    sign: int
    size: Fraction
    parts: dict[str, Fraction]
    held: Fraction = Fraction(0)
    gaps: dict[str, Fraction] = field(default_factory=dict[str, Fraction])

    def keep(self, part: str, contracts: Fraction, price: Fraction) -> None:
        """Let a difference open so many contracts; fewer than none: it gives them up."""
        if contracts:
            self.gaps[part] = self.gaps.get(part, Fraction(0)) + contracts
            self.add(part, -self.sign * contracts * price * self.size)

    def add(self, part: str, value: Fraction) -> None:
        self.parts[part] = self.parts.get(part, Fraction(0)) + value

    def trade(self, move: TrailMove, price: Fraction, *, is_opening: bool) -> None:
        """Take what the follower traded, and what his own prices made of it."""
        way = 1 if is_opening else -1
        value = Fraction(move.filled_value)
        self.held += way * move.filled
        self.add(PRICE, way * self.sign * (value - move.filled * price * self.size))

    def give_up(self, part: Fraction, price: Fraction) -> None:
        """Let every difference close that part of its contracts, as the leader does."""
        for name, contracts in tuple(self.gaps.items()):
            self.keep(name, -contracts * part, price)


@dataclass(slots=True)
class Walk:
    """Goes through all moves of the leader, and all orders of the follower that no move explains.

    `rule_of` is the follower's rule of an instrument.
    """

    rule_of: Callable[[Symbol], CopyRule]
    instruments: Mapping[Symbol, Instrument]
    parts: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    _lanes: dict[Leg, _Lane] = field(default_factory=dict[Leg, _Lane])

    def held_before(self, leg: Leg, contracts: Contracts, price: Price) -> None:
        """Note what the leader held when it began, counted at the price of then."""
        self._lane(leg).keep(HELD_BEFORE, Fraction(contracts), Fraction(price))

    def take(self, moves: Iterable[TrailMove]) -> None:
        for move in moves:
            lane = self._lane(move.leg)
            if move.order is not None:
                self._outside(lane, move, move.order)
                continue
            assert move.signal is not None, "a move is the leader's or an order of the follower"
            price = Fraction(move.signal.price_sum) / move.signal.contracts
            if move.signal.increases:
                for part, contracts in self._not_opened(move):
                    lane.keep(part, contracts, price)
            else:
                closed = Fraction(move.signal.contracts, move.signal.contracts_before)
                lane.give_up(closed, price)
                for part, contracts in _not_closed(move, lane.held * closed):
                    lane.keep(part, contracts, price)
            lane.trade(move, price, is_opening=move.signal.increases)

    def at_marks(self, marks: Mapping[Symbol, Price]) -> None:
        """Count what every difference still keeps at the mark."""
        for (symbol, _), lane in self._lanes.items():
            if any(lane.gaps.values()):
                lane.give_up(Fraction(1), Fraction(marks[symbol]))

    def _lane(self, leg: Leg) -> _Lane:
        if leg not in self._lanes:
            self._lanes[leg] = _Lane(
                sign=1 if leg[1] is PositionSide.LONG else -1,
                size=Fraction(self.instruments[leg[0]].contract_size),
                parts=self.parts,
            )
        return self._lanes[leg]

    def _not_opened(self, move: TrailMove) -> Iterator[tuple[str, Fraction]]:
        """Yield what the follower opened less than the leader, by cause; all of it."""
        assert move.signal is not None
        leaders = Fraction(move.signal.contracts)
        step = move.step
        if step is None:
            yield NOT_COPIED, leaders - move.filled
            return
        rule, instrument = self.rule_of(move.leg[0]), self.instruments[move.leg[0]]
        exact, reason = exact_open(rule, step, instrument), step.decision.skip_reason
        if exact is None:
            yield SIZE if reason is None else skipped_words(reason), leaders - move.filled
            return
        yield SIZE, leaders - exact
        yield from parts_of_open(rule, step, exact)

    def _outside(self, lane: _Lane, move: TrailMove, order: CopyOrderRow) -> None:
        """Enter an order that follows no move of the leader, at its own price."""
        if not move.filled:
            return
        way = -1 if order.reduce_only else 1
        price = Fraction(move.filled_value) / (move.filled * lane.size)
        is_taken = order.purpose is OrderPurpose.REPAIR and order.reject_reason is not None
        lane.held += way * move.filled
        lane.keep(
            TAKEN if is_taken else OUTSIDE[order.purpose], Fraction(-way * move.filled), price
        )


def _not_closed(move: TrailMove, exact: Fraction) -> Iterator[tuple[str, Fraction]]:
    """Yield what the follower closed more than his part of the leader's close, by cause."""
    whole = -(-exact // 1)  # a close is rounded up: never more is kept than the proportion
    more = move.filled - whole
    if more > 0:
        yield ROUNDING_UP, whole - exact
        yield SMALL_REST, Fraction(more)
        return
    if more == 0:
        yield ROUNDING_UP, whole - exact
        return
    reason = None if move.step is None else move.step.decision.skip_reason
    yield NOT_CLOSED if reason is None else skipped_words(reason), move.filled - exact
