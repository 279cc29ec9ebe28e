"""How many requests are on their way, and how fast they leave: closes go before all else.

A venue limits requests per account and per address they come from. What waits here waits unsigned:
a signature carries its time, and a request that was signed and then queued would be refused.
"""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import IntEnum


class Urgency(IntEnum):
    """Who goes first where requests wait."""

    CLOSE = 0  # takes from a position, or finds out what became of that
    TRADE = 1
    READ = 2


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a second, so many of them at once."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        assert self.per_second > 0
        assert self.burst >= 1

    def shared_by(self, processes: int) -> "Rate":
        """Return what each of so many processes may send, so that all together keep to this."""
        return Rate(self.per_second / processes, max(1, self.burst // processes))


@dataclass(slots=True)
class _Bucket:
    """Tokens that come back with time.

    What costs more than the bucket holds goes when it is full, and leaves a debt.
    """

    rate: Rate
    tokens: float
    at: float  # of `tokens`, seconds of the loop's clock

    def refill(self, now: float) -> None:
        self.tokens = min(
            float(self.rate.burst), self.tokens + (now - self.at) * self.rate.per_second
        )
        self.at = now

    def seconds_until(self, cost: int) -> float:
        missing = min(cost, self.rate.burst) - self.tokens
        return max(0.0, missing / self.rate.per_second)

    def take(self, cost: int) -> None:
        self.tokens -= cost


@dataclass(order=True, slots=True)
class _Waiting:
    urgency: Urgency
    number: int
    tolls: "Tolls" = field(compare=False)
    ready: asyncio.Future[None] = field(compare=False)


Tolls = Sequence[tuple[_Bucket, int]]


class Gate:
    """Lets requests through: at most so many at once, at most so fast, urgent ones first.

    `address_rate` is for all of them together, `account_rate` for those of one account.
    """

    def __init__(
        self,
        *,
        at_once: int,
        address_rate: Rate | None,
        account_rate: Rate | None,
        time: Callable[[], float],
    ) -> None:
        self._free = at_once
        self._time = time
        self._address = None if address_rate is None else self._bucket(address_rate)
        self._account_rate = account_rate
        self._accounts: dict[str, _Bucket] = {}
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def _bucket(self, rate: Rate) -> _Bucket:
        return _Bucket(rate, float(rate.burst), self._time())

    @asynccontextmanager
    async def pass_through(
        self, account: str | None, urgency: Urgency, cost: int = 1, account_cost: int = 0
    ) -> AsyncGenerator[None]:
        """Hold a place while the request is under way; see `enter`."""
        await self.enter(account, urgency, cost, account_cost)
        try:
            yield
        finally:
            self.leave()

    async def enter(
        self, account: str | None, urgency: Urgency, cost: int = 1, account_cost: int = 0
    ) -> None:
        """Wait for a turn and take a place, which `leave` gives back.

        `cost` is what the request counts for the address, `account_cost` for the account.
        """
        tolls = self._tolls(account, cost, account_cost)
        if self._waiting or self._free <= 0 or self._seconds_until(tolls) > 0:
            await self._wait(tolls, urgency)
        else:
            self._go(tolls)

    def leave(self) -> None:
        """Give the place to whoever waits."""
        self._free += 1
        if self._waiting:
            self._admit()

    def _tolls(self, account: str | None, cost: int, account_cost: int) -> Tolls:
        """Return what is to be paid into which bucket, the address's first."""
        tolls: list[tuple[_Bucket, int]] = []
        if self._address is not None and cost:
            tolls.append((self._address, cost))
        if account is not None and self._account_rate is not None and account_cost:
            bucket = self._accounts.get(account)
            if bucket is None:
                bucket = self._accounts[account] = self._bucket(self._account_rate)
            tolls.append((bucket, account_cost))
        return tolls

    def _seconds_until(self, tolls: Tolls) -> float:
        now = self._time()
        longest = 0.0
        for bucket, cost in tolls:
            bucket.refill(now)
            longest = max(longest, bucket.seconds_until(cost))
        return longest

    def _go(self, tolls: Tolls) -> None:
        self._free -= 1
        for bucket, cost in tolls:
            bucket.take(cost)

    async def _wait(self, tolls: Tolls, urgency: Urgency) -> None:
        self._number += 1
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(urgency, self._number, tolls, ready)
        heapq.heappush(self._waiting, waiting)
        self._admit()
        try:
            await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():
                self._free += 1  # it had been let through
            self._admit()
            raise

    def _admit(self) -> None:
        """Let through what may go; who waits only for his own account's turn holds up nobody."""
        held: list[_Waiting] = []
        soonest: float | None = None
        while self._waiting and self._free > 0:
            first = heapq.heappop(self._waiting)
            if first.ready.done():
                continue  # cancelled
            seconds = self._seconds_until(first.tolls)
            if seconds == 0:
                self._go(first.tolls)
                first.ready.set_result(None)
                continue
            held.append(first)
            soonest = seconds if soonest is None else min(soonest, seconds)
            if any(
                bucket is self._address and bucket.seconds_until(cost) > 0
                for bucket, cost in first.tolls
            ):
                break  # it has the first claim on what comes back for all
        for each in held:
            heapq.heappush(self._waiting, each)
        if soonest is not None:
            self._wake_in(soonest)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._admit)
