"""The market's heartbeat: index, makers, traders, time; one step at a time or paced by a clock."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from simexchange.clock import Clock
from simexchange.core.commands import AdvanceTime, Command, SetIndex
from simexchange.core.events import Event, refusal_among
from simexchange.core.types import SECOND_US
from simexchange.market.maker import Requote
from simexchange.simulation import Simulation


class IndexSource(Protocol):
    """Where index prices come from: a synthetic walk, recorded candles, a script."""

    @property
    def step_us(self) -> int:
        """Microseconds of the exchange's time between two steps."""
        ...

    @property
    def prices(self) -> Mapping[str, int]:
        """The index of each instrument in ticks, as of the latest step."""
        ...

    def step(self) -> Mapping[str, int]:
        """Move on by one step and return the prices in ticks.

        Raises EndOfRecord when there is no further step.
        """
        ...


class Quoter(Protocol):
    """Whoever keeps quotes in the book: a market maker by rule, or one who repeats a record."""

    @property
    def symbols(self) -> Collection[str]:
        """The instruments he quotes."""
        ...

    def requote(self, symbol: str, index: int) -> Requote:
        """Return what he sends now that the index stands at `index` ticks."""
        ...


class Participant(Protocol):
    """Whoever trades at each step: a trader by rule, or a tape that trades what was recorded."""

    @property
    def account(self) -> int:
        """Whose money he trades with."""
        ...

    def act(self, step: int, prices: Mapping[str, int]) -> Iterable[Command]:
        """Return what he sends in this step, the index standing at `prices` (ticks)."""
        ...


class EndOfRecord(Exception):
    """A recorded source has no further prices."""


class MarketDriver:
    """Moves a market: each step sets the index, lets makers requote, traders trade and time pass.

    It owns no thread: `step()` is synchronous, and `run()` is a loop round it. Refusals of orders
    are facts of a market (a trader out of money); they are counted in `refusals` by reason.
    """

    def __init__(
        self,
        simulation: Simulation,
        index: IndexSource,
        makers: Sequence[Quoter] = (),
        traders: Sequence[Participant] = (),
    ) -> None:
        self.simulation = simulation
        self.index = index
        self.makers = tuple(makers)
        self.traders: tuple[Participant, ...] = tuple(traders)
        self.steps = 0
        self.refusals: Counter[str] = Counter()

    def open(self) -> None:
        """Quote round the index as it stands before the first step."""
        self._quote(self.index.prices)

    def step(self) -> None:
        """Do one step at the simulation's present time."""
        prices = self.index.step()
        self._quote(prices)
        for trader in self.traders:
            for command in trader.act(self.steps, prices):
                self._send(command)
        self._send(AdvanceTime())
        self.steps += 1

    async def run(self, stop: asyncio.Event, *, speed: int = 1) -> None:
        """Step at the source's pace on the simulation's clock until `stop` is set.

        `speed` is how fast that clock runs against the computer's (1 unless it is accelerated). A
        loop that falls behind does not catch up by bursts: the next step is due one period after
        the present one began. Ends quietly when a recorded source ends.
        """
        clock = self.simulation.clock
        while not stop.is_set():
            due = clock.now() + self.index.step_us
            try:
                self.step()
            except EndOfRecord:
                return
            await _until(clock, due, stop, speed)

    def _quote(self, prices: Mapping[str, int]) -> None:
        for symbol, price in prices.items():
            self._send(SetIndex(symbol, price))
            requotes = [
                maker.requote(symbol, price) for maker in self.makers if symbol in maker.symbols
            ]
            for requote in requotes:
                for command in requote.retreats:
                    self._send(command)
            for requote in requotes:
                for command in requote.advances:
                    self._send(command)

    def _send(self, command: Command) -> list[Event]:
        events = self.simulation.apply(command)
        refused = refusal_among(events)
        if refused is not None:
            self.refusals[refused.reason] += 1
        return events


async def _until(clock: Clock, due: int, stop: asyncio.Event, speed: int) -> None:
    """Return when `clock` shows `due` or `stop` is set; never without letting other tasks run."""
    await asyncio.sleep(0)
    while (left := due - clock.now()) > 0 and not stop.is_set():
        with suppress(TimeoutError):  # the clock may still be short of `due`: the loop looks again
            await asyncio.wait_for(stop.wait(), timeout=left / (SECOND_US * speed))
