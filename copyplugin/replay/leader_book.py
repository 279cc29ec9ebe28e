"""What a recorded leader earned, exactly: average entry price, nothing rounded.

The plugin and the exchange count in whole units of 10⁻⁸; this book counts in fractions and so
checks both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction


@dataclass(slots=True)
class Trip:
    """One round trip of one leg: flat, open, flat. Quantity in base asset, money in USDT."""

    quantity: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    realized: Fraction = Fraction(0)
    recorded: Decimal = Decimal(0)
    closing_fills: int = 0
    excess: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class LeaderResult:
    """A leader's realised profit by kind of round trip; fees and funding are not in it.

    `recorded_difference` is what the record says more than `closed`, over trips without excess;
    each of its rows is rounded to 10⁻⁸, so `closing_fills` times that is the most it may be.
    """

    closed: Fraction
    still_open: Fraction
    recorded_difference: Fraction
    closing_fills: int
    trips: int
    open_trips: int
    with_excess: int
    excess_closed: Fraction
    excess_recorded: Decimal

    @property
    def agrees_with_record(self) -> bool:
        return abs(self.recorded_difference) <= self.closing_fills * Fraction(1, 10**8)


@dataclass(slots=True)
class LeaderBook:
    """Takes the leader's fills leg by leg."""

    _open: dict[tuple[str, str], Trip] = field(default_factory=dict[tuple[str, str], Trip])
    _done: list[Trip] = field(default_factory=list[Trip])
    _before_record: Decimal = Decimal(0)

    def opened(self, leg: tuple[str, str], quantity: Fraction, price: Decimal) -> None:
        trip = self._open.setdefault(leg, Trip())
        trip.quantity += quantity
        trip.cost += quantity * Fraction(price)

    def closed(
        self, leg: tuple[str, str], quantity: Fraction, price: Decimal, *, is_long: bool
    ) -> None:
        """Close a part at `price`; it takes its share of the cost along."""
        trip = self._open[leg]
        assert 0 < quantity <= trip.quantity
        cost = trip.cost * quantity / trip.quantity
        profit = quantity * Fraction(price) - cost
        trip.realized += profit if is_long else -profit
        trip.quantity -= quantity
        trip.cost -= cost

    def recorded(
        self, leg: tuple[str, str], realized: Decimal, *, is_closing: bool, excess: Fraction
    ) -> None:
        """Note what the record says of a fill, after `opened` or `closed`."""
        trip = self._open.get(leg)
        if trip is None:  # all of it was open before the record
            self._before_record += realized
            return
        trip.recorded += realized
        trip.closing_fills += is_closing
        trip.excess += excess
        if trip.quantity == 0:
            self._done.append(self._open.pop(leg))

    def result(self) -> LeaderResult:
        whole = [trip for trip in self._done if not trip.excess]
        cut = [trip for trip in self._done if trip.excess]
        known = [*whole, *self._open.values()]
        return LeaderResult(
            closed=_sum(trip.realized for trip in self._done),
            still_open=_sum(trip.realized for trip in self._open.values()),
            recorded_difference=_sum(Fraction(trip.recorded) - trip.realized for trip in known),
            closing_fills=sum(trip.closing_fills for trip in known),
            trips=len(self._done),
            open_trips=len(self._open),
            with_excess=len(cut),
            excess_closed=_sum(trip.realized for trip in cut),
            excess_recorded=sum((trip.recorded for trip in cut), self._before_record),
        )


def _sum(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction(0))
