"""Runs a scenario: applies its steps to a new exchange and compares what is expected."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simexchange.clock import ManualClock
from simexchange.core.commands import AdvanceTime
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import RejectReason
from simexchange.faults import FaultySimulation
from simexchange.market.driver import MarketDriver
from simexchange.scenario.amounts import moment_text
from simexchange.scenario.market import market_driver, run_market
from simexchange.scenario.model import (
    Act,
    Check,
    Market,
    Mismatch,
    Move,
    Scenario,
    Step,
    Switch,
)
from simexchange.scenario.problem import Place
from simexchange.scenario.units import refusal_text, rejection
from simexchange.scenario.world import World


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that did not go as the scenario says."""

    place: Place
    mismatches: tuple[Mismatch, ...]


@dataclass(slots=True)
class Outcome:
    """One run. ``transcript`` are lines; ``picture`` shows the end of a run that failed."""

    scenario: Scenario
    transcript: list[str]
    event_hash: str = ""
    steps_done: int = 0
    failure: Failure | None = None
    picture: list[str] = field(default_factory=list[str])

    @property
    def passed(self) -> bool:
        return self.failure is None


class Runner:
    """Runs one scenario once. It stops at the first step that does not go as written.

    ``make_exchange`` turns the scenario's settings into the exchange it runs on.
    """

    def __init__(
        self,
        scenario: Scenario,
        make_exchange: Callable[[ExchangeConfig], Exchange] = Exchange,
    ) -> None:
        self.scenario = scenario
        self.clock = ManualClock(scenario.start_at)
        config = ExchangeConfig(check_every=1, insurance_fund=scenario.insurance_fund)
        self.simulation = FaultySimulation(make_exchange(config), self.clock)
        self.world = World(self.simulation, scenario.names)
        self._driver: MarketDriver | None = None
        self._told = 0
        self._outcome = Outcome(scenario, [])

    def run(self) -> Outcome:
        """Run every step and check the books at the end."""
        for step, place in self._all_steps():
            mismatches = self._do(step)
            self._tell_events()
            if mismatches:
                self._fail(place, mismatches)
                break
            self._outcome.steps_done += 1
        self._outcome.event_hash = self.world.exchange.event_hash
        return self._outcome

    def _all_steps(self) -> Iterator[tuple[Step, Place]]:
        for act in self.scenario.set_up:
            yield act, act.place
        if self.scenario.fault_plan is not None:
            self.simulation.set_plan(self.scenario.fault_plan)
        for step in self.scenario.steps:
            yield step, step.place

    def _do(self, step: Step) -> list[Mismatch]:
        match step:
            case Act():
                return self._act(step)
            case Check():
                return self._check(step)
            case Move():
                return self._move(step)
            case Market():
                return self._run_market(step)
            case Switch():
                return self._switch(step)

    # ------------------------------------------------------------------ steps

    def _act(self, act: Act) -> list[Mismatch]:
        self._tell(act.place, act.text)
        self.world.begin_action()
        refused: tuple[RejectReason, str] | None = None
        for number, command in enumerate(act.commands, start=1):
            refused = rejection(self.world.apply(command))
            if refused and act.may_be_unchanged and refused[0] is RejectReason.UNCHANGED:
                refused = None
            if refused and number < len(act.commands):
                break
        return _rejection_mismatches(act, refused)

    def _move(self, move: Move) -> list[Mismatch]:
        self._tell(move.place, move.text)
        self.world.begin_action()
        if move.stride_us is not None:
            while self.clock.now() + move.stride_us < move.at:
                self.clock.advance(microseconds=move.stride_us)
                self.world.apply(AdvanceTime())
        self.clock.set(move.at)
        self.world.apply(AdvanceTime())
        return []

    def _run_market(self, market: Market) -> list[Mismatch]:
        self._tell(market.place, market.text)
        self.world.begin_action()
        if run_market(self._market_driver(), self.clock, market.at):
            return []
        left = "the record ends before; run the market for less, or take a longer record"
        return [Mismatch("the market", f"prices until {moment_text(market.at)}", left)]

    def _market_driver(self) -> MarketDriver:
        if self._driver is None:
            market = self.scenario.market
            assert market is not None, "the reader refuses run_market without a market"
            self._driver = market_driver(self.simulation, market)
        return self._driver

    def _switch(self, switch: Switch) -> list[Mismatch]:
        self._tell(switch.place, switch.text)
        self.simulation.is_on = switch.is_on
        return []

    def _check(self, check: Check) -> list[Mismatch]:
        wrong: list[Mismatch] = []
        for expectation in check.expectations:
            found = expectation.check(self.world)
            verdict = "as expected" if not found else "NOT AS EXPECTED"
            self._tell(expectation.place, f"expect {expectation.text}: {verdict}")
            wrong.extend(found)
        return wrong

    # ------------------------------------------------------------------ transcript

    def _tell(self, place: Place, text: str) -> None:
        self._outcome.transcript.append(
            f"{moment_text(self.clock.now())} line {place.line}: {text}"
        )

    def _tell_events(self) -> None:
        wording = self.world.wording
        for event in self.world.events[self._told :]:
            self._outcome.transcript.append(f"    {wording.sentence(event)}")
        self._told = len(self.world.events)

    def _fail(self, place: Place, mismatches: list[Mismatch]) -> None:
        self._outcome.failure = Failure(place, tuple(mismatches))
        self._outcome.picture = self.world.picture()


def _rejection_mismatches(act: Act, refused: tuple[RejectReason, str] | None) -> list[Mismatch]:
    if act.rejected is None:
        if refused is None:
            return []
        return [Mismatch(act.text, "to be accepted", refusal_text(refused))]
    if refused is None:
        return [Mismatch(act.text, f"rejected: {act.rejected.value}", "accepted")]
    if refused[0] is act.rejected:
        return []
    return [Mismatch(act.text, f"rejected: {act.rejected.value}", refusal_text(refused))]


def run_scenario(scenario: Scenario) -> Outcome:
    return Runner(scenario).run()
