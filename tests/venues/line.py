"""A bad line in front of a venue in this process: faults strike the next calls of an errand."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.ports import Subscription, Venue
from copyplugin.venues.conformance.bench import Errand, Fault
from tests.venues.line_stream import STREAM_FAULTS, LineStream

ERRANDS = {
    "place_order": Errand.ORDER,
    "place_plan": Errand.PLAN,
    "transfer": Errand.TRANSFER,
    "open_sub_account": Errand.SUB_ACCOUNT,
    "positions": Errand.QUESTION,
    "balance": Errand.QUESTION,
}
ANSWERS = {"find_order", "find_plan", "transfer_outcome"}
"""What is asked by whoever is in doubt."""
CLOCKS = {Fault.CLOCK_SKEW, Fault.CLOCK_BEHIND}
FAULTS = (
    STREAM_FAULTS
    | CLOCKS
    | {
        Fault.LATENCY,
        Fault.LATE_REQUEST,
        Fault.LOST_REQUEST,
        Fault.LOST_ANSWER,
        Fault.SERVER_ERROR,
        Fault.RATE_LIMIT,
        Fault.MAINTENANCE,
    }
)
_STEP_S = 0.002
_LATE_S = 0.02


class Line:
    """What a caller sees of each fault, as the ports say it."""

    def __init__(self) -> None:
        self.waiting: dict[Errand, deque[Fault]] = {errand: deque() for errand in Errand}
        self._is_clock_off = False
        self._knows_clock: set[Errand] = set()
        self._late: set[asyncio.Task[Any]] = set()

    def inject(self, fault: Fault, errand: Errand, times: int) -> None:
        assert fault in FAULTS
        if fault in CLOCKS:
            self._is_clock_off, self._knows_clock = True, set()
        else:
            self.waiting[errand].extend([fault] * times)

    def heal(self) -> None:
        self._is_clock_off = False
        for queue in self.waiting.values():
            queue.clear()

    async def close(self) -> None:
        await asyncio.gather(*self._late, return_exceptions=True)

    def strike(self, errand: Errand) -> Fault | None:
        """Return the next fault of an errand, which is used up by that."""
        queue = self.waiting[errand]
        return queue.popleft() if queue else None

    async def call(self, errand: Errand, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._is_clock_off and errand not in self._knows_clock:
            self._knows_clock.add(errand)  # whoever is refused looks at the venue's clock
            raise VenueUnavailable("the time of the request is not the venue's")
        left = len(self.waiting[errand])
        fault = self.strike(errand)
        if fault is Fault.LATENCY:  # who asks first is answered last
            answer = await call()
            await asyncio.sleep(left * _STEP_S)
            return answer
        is_question = errand is Errand.QUESTION
        if fault in {Fault.RATE_LIMIT, Fault.MAINTENANCE} or (fault and is_question):
            raise VenueUnavailable(fault.value)
        if fault is Fault.LATE_REQUEST:
            self._send_late(call)
        if fault in {Fault.LOST_REQUEST, Fault.SERVER_ERROR, Fault.LATE_REQUEST}:
            raise OutcomeUnknown(fault.value)
        answer = await call()
        if fault is Fault.LOST_ANSWER:
            raise OutcomeUnknown(fault.value)
        return answer

    def _send_late(self, call: Callable[[], Awaitable[Any]]) -> None:
        async def send() -> None:
            await asyncio.sleep(_LATE_S)
            await call()

        task = asyncio.create_task(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Answer who is in doubt; while something is on its way nothing is certain."""
        if self._late:
            raise VenueUnavailable("what was sent may still arrive")
        return await call()


class LineVenue:
    """A venue behind a line."""

    def __init__(self, venue: Venue, line: Line) -> None:
        self._venue = venue
        self._line = line

    def __getattr__(self, name: str):
        found = getattr(self._venue, name)
        errand = ERRANDS.get(name)
        if errand is None and name not in ANSWERS:
            return found

        async def called(*given, **named):
            if errand is None:
                return await self._line.ask(lambda: found(*given, **named))
            return await self._line.call(errand, lambda: found(*given, **named))

        return called

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        stream = LineStream(
            self._venue, accounts, on_fill, lambda: self._line.strike(Errand.STREAM)
        )
        await stream.open()
        return stream
