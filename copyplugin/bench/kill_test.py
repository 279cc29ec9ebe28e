"""kill -9 at random moments of fan-outs: engine, worker, database, exchange; then what is true.

Or one of them is frozen for longer than its lease (SIGSTOP) and goes on: it believes that it still
holds what others have taken over.
"""

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Self

from copyplugin.bench.exchange_process import JOURNAL, orders_sent_twice
from copyplugin.bench.kill_world import LEASE_SECONDS, Crew, KillWorld
from copyplugin.bench.stage import PRICE_TICKS
from simexchange.core.types import Side

Move = tuple[Side, int, int]
"""A leader's trade: side, contracts, and the price in ticks."""

DEARER_TICKS = PRICE_TICKS // 100
"""What is opened is closed 1 % dearer: everybody earns, so that everybody owes a share."""

FREEZES_FOR = (1.1, 1.6)
"""How many leases a frozen process is still."""

OPENS_AND_REDUCES = ((Side.BUY, 2), (Side.BUY, 1), (Side.SELL, 1), (Side.SELL, 2))

VICTIMS = ("engine", "worker", "database", "exchange")
NEED_A_SERVER = frozenset({"worker", "database"})
"""Who is not there on SQLite."""

NOT_FROZEN = frozenset({"database"})
"""Its sessions are processes of their own, which go on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KillTest:
    """How many rounds with how many followers; a world is left for a new one after a few."""

    rounds: int
    crew: Crew
    seed: int
    freezes: bool = False  # ... instead of killing
    rounds_of_a_world: int = 16

    @property
    def victims(self) -> tuple[str, ...]:
        left_out = NEED_A_SERVER if self.crew.is_on_sqlite else frozenset[str]()
        left_out |= NOT_FROZEN if self.freezes else frozenset[str]()
        return tuple(victim for victim in VICTIMS if victim not in left_out)


@dataclass
class Tally:
    """What came of it. `lost`: followers who did not end where their leader did."""

    rounds: int = 0
    worlds: int = 0
    orders: int = 0
    settlements: int = 0
    shares: Decimal = Decimal(0)
    lost: int = 0
    stuck: int = 0
    sent_twice: int = 0
    ledger_faults: int = 0
    kills: Counter[str] = field(default_factory=Counter[str])
    freezes: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    processor_seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.stuck or self.sent_twice or self.ledger_faults)

    def as_json(self) -> dict[str, Any]:
        figures = asdict(self)
        rounded = {
            name: round(value, 1) for name, value in figures.items() if isinstance(value, float)
        }
        victims = {
            "kills": dict(sorted(self.kills.items())),
            "freezes": dict(sorted(self.freezes.items())),
        }
        return {**figures, **rounded, "shares": str(self.shares), **victims}

    @classmethod
    def from_json(cls, figures: Mapping[str, Any]) -> Self:
        tally = cls()
        for name, value in figures.items():
            setattr(tally, name, value)
        tally.shares = Decimal(tally.shares)
        tally.kills = Counter(tally.kills)
        tally.freezes = Counter(tally.freezes)
        return tally


async def run(test: KillTest, tally: Tally, *, after_world: Callable[[Tally], None]) -> None:
    """Run what is missing of the rounds, each world in a folder of its own that is removed.

    What follows from the seed is the victims and moments of each world; a run that was ended goes
    on with the world it was in.
    """
    while tally.rounds < test.rounds:
        random = Random(f"{test.seed} {tally.rounds}")  # noqa: S311 - repeatable, not secret
        began, used = time.monotonic(), _children_seconds()
        with ExitStack() as stack:
            world = KillWorld(test.crew, stack)
            try:
                await world.start()
                await _live(world, test, random, tally)
            finally:
                await world.stop()
            tally.sent_twice += orders_sent_twice(world.folder / JOURNAL)
        tally.worlds += 1
        tally.seconds += time.monotonic() - began
        tally.processor_seconds += _children_seconds() - used
        after_world(tally)


async def _live(world: KillWorld, test: KillTest, random: Random, tally: Tally) -> None:
    for move in _moves(min(test.rounds_of_a_world, test.rounds - tally.rounds)):
        if await _round(world, test, move, random, tally):
            tally.stuck += 1
            sys.stderr.write(f"{world.evidence()}\n")
            break
    count, money = world.settled()
    tally.settlements += count
    tally.shares += money


async def _round(
    world: KillWorld, test: KillTest, move: Move, random: Random, tally: Tally
) -> bool:
    """Trade, kill or freeze somebody meanwhile, and look; return whether the world is stuck."""
    victim = random.choice(test.victims)
    began = time.monotonic()
    await world.trade(*move)
    part = random.uniform(0.0, 1.0 if world.target else 2.0)
    await world.reach(part)
    if test.freezes:
        await world.freeze(victim, random.uniform(*FREEZES_FOR) * LEASE_SECONDS)
        tally.freezes[victim] += 1
    else:
        await world.kill(victim, stays_dead=random.uniform(0.0, 0.5))
        tally.kills[victim] += 1
    unfinished = await world.settle()
    taken = time.monotonic() - began
    lost = await world.count_lost()
    faults = await world.ledger_faults()
    tally.rounds += 1
    tally.orders += world.crew.followers
    tally.lost += lost
    tally.ledger_faults += len(faults)
    tally.slowest_seconds = max(tally.slowest_seconds, taken)
    ending = "all there" if unfinished is None else f"stuck: {unfinished}"
    sys.stderr.write(
        f"round {tally.rounds}: {victim} {'frozen' if test.freezes else 'killed'} "
        f"with {part:.0%} done, "
        f"{ending} after {taken:.1f} s, {lost} lost\n"
    )
    sys.stderr.writelines(f"  {fault}\n" for fault in faults[:5])
    return unfinished is not None


def _moves(rounds: int) -> list[Move]:
    """Return the trades of a leader who holds one: the last closes it all, 1 % dearer."""
    moves = [(*OPENS_AND_REDUCES[n % 4], PRICE_TICKS) for n in range(rounds - 1)]
    held = 1 + sum(int(side) * contracts for side, contracts, _ in moves)
    return [*moves, (Side.SELL, held, PRICE_TICKS + DEARER_TICKS)]


def _children_seconds() -> float:
    """Return what processes used that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kept_in(path: Path) -> Tally:
    """Return the tally of a run that was ended; a new one where there is no such file."""
    return Tally.from_json(json.loads(path.read_text())) if path.exists() else Tally()
