"""Mixed streams, one seed after another, with every invariant checked and a drain at the end."""

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable

import msgspec

from simexchange.campaign.drain import drain
from simexchange.campaign.features import expected_events, expected_features, features_of
from simexchange.campaign.stream import Stream, fund_of
from simexchange.campaign.witness import Witness
from simexchange.core.commands import Command
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event
from simexchange.core.exchange import Exchange

COMMANDS_FOR_ALL_FEATURES = 100_000
"""From so many commands on, a feature that never occurred is a fault."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run broke. `command` counts from 1 within its seed; `ledger` is a table."""

    seed: int
    command: int
    text: str
    problem: str
    ledger: str
    trace: str


class MixedReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the streams did; `event_hash` is SHA-256 over the event hashes of all seeds."""

    commands: int
    seeds: int
    full_checks: int
    drained: int
    events: dict[str, int]
    features: dict[str, int]
    never: tuple[str, ...]
    event_hash: str
    failure: Failure | None

    @property
    def is_sound(self) -> bool:
        long = self.commands >= COMMANDS_FOR_ALL_FEATURES
        return self.failure is None and not (long and self.never)


class MixedRun:
    """Counts over all seeds of one run."""

    def __init__(self, check_every: int) -> None:
        self._check_every = check_every
        self._hash = hashlib.sha256()
        self.failure: Failure | None = None
        self.commands = self.seeds = self.full_checks = self.drained = 0
        self.events: Counter[str] = Counter()
        self.features: Counter[str] = Counter()

    def run_seed(self, seed: int, commands: int) -> None:
        """Run one stream of `commands` and its drain; a failure is kept, not raised."""
        config = ExchangeConfig(check_every=self._check_every, insurance_fund=fund_of(seed))
        stream = Stream(seed, Exchange(config))
        stream.listeners.append(Witness(stream.exchange).see)
        stream.listeners.append(self._count)
        try:
            stream.set_up()
            while len(stream.log) < commands:
                stream.step()
            stream.exchange.check()
            drain(stream)
        except Exception as error:  # noqa: BLE001 - whatever the exchange raises is what we look for
            self.failure = _failure(seed, stream, error)
        else:
            self.drained += 1
        self.seeds += 1
        self.commands += len(stream.log)
        self.full_checks += len(stream.log) // self._check_every if self._check_every else 0
        self._hash.update(stream.exchange.event_hash.encode())

    def report(self) -> MixedReport:
        never = [f"event {name}" for name in expected_events() - self.events.keys()]
        never += expected_features() - self.features.keys()
        return MixedReport(
            commands=self.commands,
            seeds=self.seeds,
            full_checks=self.full_checks,
            drained=self.drained,
            events=dict(sorted(self.events.items())),
            features=dict(sorted(self.features.items())),
            never=tuple(sorted(never)),
            event_hash=self._hash.hexdigest(),
            failure=self.failure,
        )

    def _count(self, command: Command, events: list[Event]) -> None:
        self.features.update(features_of(command, events))
        self.events.update(type(event).__name__ for event in events)


def run_mixed(
    *,
    commands: int,
    first_seed: int = 1,
    commands_per_seed: int = 2_000,
    check_every: int = 1,
    on_seed: Callable[[int], None] = lambda _: None,
) -> MixedReport:
    """Run seeds from `first_seed` on until `commands` are done or one fails.

    `check_every`: commands between two full checks of all invariants; the ledger's sum is asserted
    after every command in any case. `on_seed` is told the commands done after each seed.
    """
    run = MixedRun(check_every)
    seed = first_seed
    while run.commands < commands and run.failure is None:
        run.run_seed(seed, min(commands_per_seed, commands - run.commands))
        seed += 1
        on_seed(run.commands)
    return run.report()


def _failure(seed: int, stream: Stream, error: Exception) -> Failure:
    command, at = stream.log[-1]
    return Failure(
        seed=seed,
        command=len(stream.log),
        text=f"{command} at {at}",
        problem=str(error) or type(error).__name__,
        ledger=stream.exchange.ledger_text(),
        trace="".join(traceback.format_exception(error)),
    )
