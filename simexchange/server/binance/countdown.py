"""Orders that are cancelled unless their owner says in time that he is still there."""

import asyncio

from simexchange.server.binance.call import TRADE, Call, Endpoint
from simexchange.server.binance.orders import cancel_open
from simexchange.server.binance.parameters import Params, invalid
from simexchange.server.clock import reach
from simexchange.server.venue import Venue


class Countdown(Params, frozen=True):
    symbol: str
    countdown_time: int


class Countdowns:
    """One countdown for each account and instrument, in the exchange's time."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._running: dict[tuple[int, str], asyncio.Task[None]] = {}

    def endpoints(self) -> tuple[Endpoint, ...]:
        path = "/fapi/v1/countdownCancelAll"
        return (Endpoint("POST", path, Countdown, self._start, TRADE, 10),)

    def _start(self, call: Call, params: Countdown) -> object:
        """Begin anew; 0 stops the countdown."""
        call.grid(params.symbol)
        if params.countdown_time < 0:
            raise invalid("countdownTime")
        key = (call.account, params.symbol)
        running = self._running.pop(key, None)
        if running is not None:
            running.cancel()
        if params.countdown_time:
            due = self._venue.now() + params.countdown_time * 1_000
            self._running[key] = asyncio.get_running_loop().create_task(self._run(call, key, due))
        return {"symbol": params.symbol, "countdownTime": str(params.countdown_time)}

    async def _run(self, call: Call, key: tuple[int, str], due: int) -> None:
        await reach(self._venue.simulation.clock, due)
        self._running.pop(key, None)
        cancel_open(call, key[1])
