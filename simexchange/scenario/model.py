"""A scenario that has been read: commands of the core with the lines they came from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simexchange.core.commands import Command
from simexchange.core.types import RejectReason
from simexchange.faults import FaultPlan
from simexchange.market.candles import RecordedCandle
from simexchange.market.ladder import LadderShape
from simexchange.market.synthetic import IndexShape
from simexchange.market.tape import RecordedTrade
from simexchange.scenario.names import Names
from simexchange.scenario.problem import Place

if TYPE_CHECKING:
    from simexchange.scenario.world import World


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What an expectation did not find; ``what`` names it, such as ``alice BTCUSDT contracts``."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of an ``expect``; ``check`` changes nothing."""

    place: Place
    text: str
    check: Callable[["World"], list[Mismatch]]


@dataclass(frozen=True, slots=True)
class Act:
    """Commands that one step applies.

    ``rejected`` is the reason with which the last command must be refused; None: none may be.
    ``may_be_unchanged``: to ask for what already holds is no refusal (set-up).
    """

    place: Place
    text: str
    commands: tuple[Command, ...]
    rejected: RejectReason | None = None
    may_be_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Time moves to ``at``; the exchange notices at every ``stride_us`` and at the end."""

    place: Place
    text: str
    at: int
    stride_us: int | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """The section ``market`` runs until ``at``: prices move, makers quote, tapes trade."""

    place: Place
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Switch:
    """The fault plan goes on or off."""

    place: Place
    text: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Check:
    place: Place
    expectations: tuple[Expectation, ...]


Step = Act | Move | Market | Switch | Check


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticMarket:
    """A seeded index for some instruments; ``ladders`` are quoted by the account ``maker``."""

    place: Place
    shapes: tuple[IndexShape, ...]
    ladders: dict[str, LadderShape]
    maker: int | None
    seed: int
    step_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleMarket:
    """Recorded candles as the index, read already; ``ladders`` are quoted by ``maker``."""

    place: Place
    candles: dict[str, tuple[RecordedCandle, ...]]
    since: int | None
    until: int | None
    ladders: dict[str, LadderShape]
    maker: int | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeMarket:
    """Recorded trades, read already: ``maker`` offers each again and ``taker`` takes it."""

    place: Place
    trades: dict[str, tuple[RecordedTrade, ...]]
    maker: int
    taker: int
    step_us: int


MovingMarket = SyntheticMarket | CandleMarket | TapeMarket


@dataclass(slots=True)
class Scenario:
    """One file, ready to run. ``start_at`` is in microseconds; ``seed`` is for its chance."""

    file: str
    title: str
    start_at: int
    seed: int
    names: Names
    set_up: tuple[Act, ...]
    steps: tuple[Step, ...]
    fault_plan: FaultPlan | None
    insurance_fund: int  # money it begins with
    market: MovingMarket | None = None
