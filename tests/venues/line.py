"""A bad line in front of a venue in this process: faults strike the next calls of an errand."""

from collections import deque

from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.ports import Venue
from copyplugin.venues.conformance.bench import Errand, Fault

ERRANDS = {
    "place_order": Errand.ORDER,
    "place_plan": Errand.PLAN,
    "transfer": Errand.TRANSFER,
    "open_sub_account": Errand.SUB_ACCOUNT,
    "positions": Errand.QUESTION,
    "balance": Errand.QUESTION,
}
FAULTS = frozenset(
    {
        Fault.LOST_REQUEST,
        Fault.LOST_ANSWER,
        Fault.SERVER_ERROR,
        Fault.RATE_LIMIT,
        Fault.MAINTENANCE,
    }
)


class Line:
    """What a caller sees of each fault, as the ports say it."""

    def __init__(self) -> None:
        self.waiting: dict[Errand, deque[Fault]] = {errand: deque() for errand in Errand}

    def inject(self, fault: Fault, errand: Errand, times: int) -> None:
        assert fault in FAULTS
        self.waiting[errand].extend([fault] * times)

    def heal(self) -> None:
        for queue in self.waiting.values():
            queue.clear()

    async def call(self, errand: Errand, call):
        queue = self.waiting[errand]
        fault = queue.popleft() if queue else None
        is_question = errand is Errand.QUESTION
        if fault in {Fault.RATE_LIMIT, Fault.MAINTENANCE} or (fault and is_question):
            raise VenueUnavailable(fault.value)
        if fault in {Fault.LOST_REQUEST, Fault.SERVER_ERROR}:
            raise OutcomeUnknown(fault.value)
        answer = await call()
        if fault is Fault.LOST_ANSWER:
            raise OutcomeUnknown(fault.value)
        return answer


class LineVenue:
    """A venue behind a line."""

    def __init__(self, venue: Venue, line: Line) -> None:
        self._venue = venue
        self._line = line

    def __getattr__(self, name: str):
        found = getattr(self._venue, name)
        errand = ERRANDS.get(name)
        if errand is None:
            return found

        async def called(*given, **named):
            return await self._line.call(errand, lambda: found(*given, **named))

        return called
