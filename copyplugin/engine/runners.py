"""Errands on their way to the venue: so many at once, those that reduce first, the others wait."""

import asyncio
import heapq
from collections.abc import Callable, Iterable

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import AccountId, LaneId, Symbol
from copyplugin.domain.money import Ratio
from copyplugin.engine.errands import (
    Answered,
    AskBalance,
    AskOrder,
    BalanceKnown,
    Errand,
    InDoubt,
    NotThere,
    Outcome,
    Rejected,
    SendOrder,
    Unreachable,
)
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable

SLACK = 0.05
"""An errand may get less than its time by this part of it: setting a limit is not free."""


class Runners:
    """Each runner is one coroutine that runs errand after errand until none waits."""

    def __init__(
        self,
        around: Surroundings,
        *,
        back: Callable[[Outcome], None],
        dropped: Callable[[LaneId], None],
        may_send: Callable[[LaneId], bool],
    ) -> None:
        """`back` is told what came of an errand, `dropped` of which lane nothing will come.

        `may_send` is asked just before an errand leaves; one that may not is forgotten: the rows
        say what becomes of it.
        """
        self._around = around
        self._back = back
        self._dropped = dropped
        self._may_send = may_send
        self._waiting: list[tuple[bool, int, Errand]] = []
        self._queued = 0
        self._running = 0
        self._configured: dict[tuple[AccountId, Symbol], tuple[Ratio, MarginMode]] = {}
        self.under_way = 0
        """So many errands are with the venue now."""

    def send(self, errands: Iterable[Errand]) -> None:
        """Queue the errands and have runners for them."""
        for errand in errands:
            self._queued += 1
            heapq.heappush(self._waiting, (not errand.is_urgent, self._queued, errand))
        self._start()

    def _start(self) -> None:
        room = self._around.settings.orders_in_flight_max - self._running
        for _ in range(min(room, len(self._waiting))):
            self._running += 1
            self._around.dispatcher.spawn("errands", self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._run_in_a_row()
        except Exception:
            self._running -= 1
            self._start()  # one lane's bug holds up nobody else's errand
            raise
        else:
            self._running -= 1

    def _next(self) -> Errand | None:
        """Take the next errand; one whose lane may be another's meanwhile is forgotten."""
        while self._waiting:
            _, _, errand = heapq.heappop(self._waiting)
            if self._may_send(errand.lane_id):
                return errand
            self._dropped(errand.lane_id)
        return None

    async def _run_in_a_row(self) -> None:
        """Run errands until none waits, or one takes too long."""
        clock, longest = asyncio.get_running_loop().time, self._time_for_one
        errand: Errand | None = None
        try:
            async with asyncio.timeout(longest) as limit:
                set_at = clock()
                while (errand := self._next()) is not None:
                    if clock() - set_at > SLACK * longest:
                        set_at = clock()
                        limit.reschedule(set_at + longest)
                    outcome = await self._carry_out(errand)
                    errand = None
                    self._back(outcome)
                    if self._waiting:
                        await asyncio.sleep(0)  # let others have their turn
        except TimeoutError:
            if errand is not None:
                self._back(self._too_late(errand))
        except BaseException:
            # A bug, or the end: the lane is let go, and whoever claims it next asks the venue.
            if errand is not None:
                self._dropped(errand.lane_id)
            raise

    @property
    def _time_for_one(self) -> int:
        return self._around.settings.request_timeout_seconds

    async def _carry_out(self, errand: Errand) -> Outcome:
        self.under_way += 1
        try:
            match errand:
                case SendOrder():
                    return await self._send(errand)
                case AskOrder():
                    return await self._ask(errand)
                case AskBalance():
                    balance = await self._around.venue.balance(errand.account)
                    return BalanceKnown(
                        lane_id=errand.lane_id,
                        shares_gone=errand.shares_gone,
                        available=balance.contract_available,
                        equity=balance.equity,
                    )
        except VenueUnavailable as error:
            return Unreachable(lane_id=errand.lane_id, sentence=str(error))
        finally:
            self.under_way -= 1

    async def _send(self, errand: SendOrder) -> Outcome:
        venue, request = self._around.venue, errand.request
        sent_at = self._around.clock.now()
        try:
            if errand.leverage is not None and errand.margin_mode is not None:
                await self._configure(errand, errand.leverage, errand.margin_mode)
            report = await venue.place_order(request)
        except RequestRejected as error:
            return Rejected(
                lane_id=errand.lane_id,
                order_id=errand.order_id,
                reason=error.reason,
                sentence=error.sentence,
            )
        except OutcomeUnknown as error:
            return self._in_doubt(errand, str(error))
        return Answered(
            lane_id=errand.lane_id, order_id=errand.order_id, report=report, sent_at=sent_at
        )

    async def _configure(self, errand: SendOrder, leverage: Ratio, margin_mode: MarginMode) -> None:
        """Set leverage and margin mode before an open, once per change."""
        key, wanted = (errand.request.account, errand.request.symbol), (leverage, margin_mode)
        if self._configured.get(key) == wanted:
            return
        self._configured.pop(key, None)
        await self._around.venue.configure(*key, *wanted)
        self._configured[key] = wanted

    async def _ask(self, errand: AskOrder) -> Outcome:
        report = await self._around.venue.find_order(
            errand.account, errand.symbol, errand.client_order_id
        )
        if report is None:
            return NotThere(lane_id=errand.lane_id, order_id=errand.order_id)
        return Answered(
            lane_id=errand.lane_id, order_id=errand.order_id, report=report, sent_at=None
        )

    def _too_late(self, errand: Errand) -> Outcome:
        sentence = "the venue did not answer in time"
        if isinstance(errand, SendOrder):
            return self._in_doubt(errand, sentence)
        return Unreachable(lane_id=errand.lane_id, sentence=sentence)

    def _in_doubt(self, errand: SendOrder, sentence: str) -> InDoubt:
        return InDoubt(
            lane_id=errand.lane_id,
            order_id=errand.order_id,
            sentence=sentence,
            sent_at=self._around.clock.now(),
        )
