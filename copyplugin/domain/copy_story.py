"""What was recorded of one follow: enough to take its decisions again (N12)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId, SignalId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Money, Price, Ratio
from copyplugin.domain.open_size import NOTHING
from copyplugin.domain.steering import Decision, LeaderMove

Leg = tuple[Symbol, PositionSide]
RuleOf = Callable[[SignalId, Symbol], CopyRule]
DayOf = Callable[[datetime], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Contracts that an order of ours traded at one price, with the fee they cost."""

    contracts: Contracts
    price: Price
    fee: Fraction  # USDT, positive: paid


@dataclass(frozen=True, kw_only=True, slots=True)
class OpeningOrder:
    decided_at: datetime
    limit_price: Price | None
    made: tuple[Made, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A leader's move as far as it was known from then on."""

    known_at: datetime
    move: LeaderMove


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A decision as it stands in the rows, with the inputs that were frozen for it.

    `carried` is what the lane carried before it was first decided. `opened` are the orders that
    were sent for it, `closed` what its closing orders traded. `forgotten_after` is when it was
    decided last before the lane first forgot what it left.
    """

    decision: Decision
    decided_at: datetime
    available: Money | None
    equity: Money | None
    carried: Fraction = NOTHING
    opened: tuple[OpeningOrder, ...] = ()
    closed: tuple[Made, ...] = ()
    forgotten_after: datetime | None = None

    @property
    def times(self) -> list[datetime]:
        """Return when it was decided, as far as the rows tell: each order came of a decision."""
        told = {self.decided_at, *(order.decided_at for order in self.opened)}
        return sorted(told if self.forgotten_after is None else told | {self.forgotten_after})

    @property
    def has_forgotten(self) -> bool:
        """Return whether it was decided again after the lane forgot what it carries."""
        return self.forgotten_after is not None and self.forgotten_after < self.decided_at


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalStep:
    """A move of the leader on one leg. Not taken: the lane had nothing to close."""

    signal_id: SignalId
    leg: Leg
    seen: tuple[Seen, ...]
    taken: Taken | None
    first_fill_at: datetime
    is_held_at_start: bool = False  # bounded by the follower's distance from the entry (L2)

    @property
    def whole(self) -> LeaderMove:
        return self.seen[-1].move

    def known(self, at: datetime, *, at_once: bool = True) -> LeaderMove:
        """Return what was known of the move at that time, and at least how it began.

        What became known in that very instant belongs to it where `at_once` is set.
        """
        if self.taken is not None and at >= self.taken.decided_at:
            return self.whole
        return next(
            (
                seen.move
                for seen in reversed(self.seen)
                if seen.known_at < at or (at_once and seen.known_at == at)
            ),
            self.seen[0].move,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherStep:
    """What an order traded that follows no signal: a follower's close, a stop, a liquidation."""

    leg: Leg
    reduces: bool
    made: tuple[Made, ...]


Step = SignalStep | OtherStep


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneStart:
    """A lane before the first step; `opened_at` is the price that caps count it with."""

    target: Contracts = NO_CONTRACTS
    held: Contracts = NO_CONTRACTS
    opened_at: Fraction | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowStory:
    """One follow's steps in the leader's order. `marks` value what is open at the end."""

    follow_id: FollowId
    leader_id: LeaderId
    follower_id: FollowerId
    rule_of: RuleOf
    day_of: DayOf
    price_protection: Ratio | None
    open_held: Ratio | None
    instruments: Mapping[Symbol, Instrument]
    marks: Mapping[Symbol, Price]
    steps: tuple[Step, ...]
    starts: Mapping[Leg, LaneStart] = field(default_factory=dict[Leg, LaneStart])

    def contract_size_of(self, leg: Leg) -> Fraction:
        """Return the base quantity of one contract; 0 where the venue was never heard of it."""
        instrument = self.instruments.get(leg[0])
        return NOTHING if instrument is None else Fraction(instrument.contract_size)


def count_of(made: Iterable[Made]) -> Contracts:
    return Contracts(sum(each.contracts for each in made))


def value_of(made: Iterable[Made], contract_size: Fraction) -> Fraction:
    """Return Σ contracts × price × contract size."""
    return sum((each.contracts * Fraction(each.price) for each in made), NOTHING) * contract_size


def fees_of(made: Iterable[Made]) -> Fraction:
    return sum((each.fee for each in made), NOTHING)


def first_of(made: Iterable[Made], contracts: int) -> list[Made]:
    """Return the first so many contracts of the fills, the fee of a part in proportion."""
    left, found = contracts, list[Made]()
    for each in made:
        count = min(each.contracts, left)
        if count > 0:
            fee = each.fee * count / each.contracts
            found.append(replace(each, contracts=Contracts(count), fee=fee))
        left -= count
    return found


def sign_of(leg: Leg) -> int:
    """Return 1 for a long leg and -1 for a short one."""
    return 1 if leg[1] is PositionSide.LONG else -1
