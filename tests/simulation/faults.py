"""What can go wrong between the plugin and the world, from a seed; `heal` ends it.

A lost request was never carried out, a lost answer was; both look the same to whoever asked. A
killed process ends at an await: before or after what it waited for was done.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, TypeVar

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
)
from copyplugin.domain.capacity import Depth
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    VenueFillId,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.errors import OrderRejected, OutcomeUnknown, VenueUnavailable
from copyplugin.ports import Subscription, Venue, VenueCapabilities
from copyplugin.store.database import Database, Session

T = TypeVar("T")


class ProcessKilled(BaseException):
    """The process is gone; nothing but the rows and the exchange is left."""


@dataclass
class Faults:
    """Chances of one in a thousand, of each kind, at each call."""

    random: Random
    lost_requests: int = 0
    lost_answers: int = 0
    unavailable: int = 0
    rejected: int = 0
    kills: int = 0
    lost_wakes: int = 0
    kill_at: int | None = None  # the await, counted from 1, at which the process ends, once
    is_healed: bool = False
    struck: Counter[str] = field(default_factory=Counter[str])
    awaits: int = 0
    hold: Callable[[], Coroutine[Any, Any, None]] | None = None  # calls stay out as it likes

    @property
    def happened(self) -> int:
        return self.struck.total()

    def heal(self) -> None:
        self.is_healed = True

    def kills_here(self, moment: str) -> bool:
        """Count an await, and tell whether the process ends at it."""
        if self.is_healed:
            return False
        self.awaits += 1
        if self.awaits == self.kill_at:
            self.struck[f"killed {moment}"] += 1
            return True
        return self.strikes(f"killed {moment}", self.kills)

    def strikes(self, kind: str, in_a_thousand: int) -> bool:
        if self.is_healed or self.random.randrange(1000) >= in_a_thousand:
            return False
        self.struck[kind] += 1
        return True


class FaultyVenue:
    """A venue behind a bad line."""

    def __init__(self, venue: Venue, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self.sent: list[ClientOrderId] = []
        self.asked: list[ClientOrderId] = []
        self.planned: list[ClientOrderId] = []

    @property
    def name(self) -> str:
        return self._venue.name

    @property
    def capabilities(self) -> VenueCapabilities:
        return self._venue.capabilities

    async def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        with closing(question):  # a question that is never put is not left waiting
            await self._before(may_be_lost=False)
            answer = await question
            await self._pause()
            return answer

    async def _do(self, action: Coroutine[Any, Any, T], *, may_reject: bool = False) -> T:
        with closing(action):
            await self._before(may_be_lost=True)
            if may_reject and self._faults.strikes("order refused", self._faults.rejected):
                raise OrderRejected("forced", "not today")
            answer = await action
            await self._pause()
            if self._faults.strikes("answer lost", self._faults.lost_answers):
                raise OutcomeUnknown("the answer was lost")
            return answer

    async def _before(self, *, may_be_lost: bool) -> None:
        await self._pause()
        if self._faults.strikes("venue unavailable", self._faults.unavailable):
            raise VenueUnavailable("the line is dead")
        if may_be_lost and self._faults.strikes("request lost", self._faults.lost_requests):
            raise OutcomeUnknown("the request was lost")

    async def _pause(self) -> None:
        """Let others go first, or end the process here."""
        if self._faults.hold is not None and not self._faults.is_healed:
            self._faults.struck["call held up"] += 1
            await self._faults.hold()
        for _ in range(self._faults.random.randrange(3)):
            await asyncio.sleep(0)
        if self._faults.kills_here("at the venue"):
            raise ProcessKilled

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        return await self._venue.instruments()

    async def marks(self) -> Mapping[Symbol, Price]:
        return await self._venue.marks()

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        return await self._ask(self._venue.depth(symbol, bound))

    async def knows_account(self, account: AccountId) -> bool:
        return await self._ask(self._venue.knows_account(account))

    async def balance(self, account: AccountId) -> AccountBalance:
        return await self._ask(self._venue.balance(account))

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        return await self._ask(self._venue.positions(account))

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        self.asked.append(client_order_id)
        return await self._ask(self._venue.find_order(account, symbol, client_order_id))

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        fills = await self._ask(self._venue.leader_fills(account, after))
        if len(fills) > 1 and not self._faults.is_healed:  # the next page only
            self._faults.struck["page cut short"] += 1
            return fills[: self._faults.random.randint(1, len(fills))]
        return fills

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        return await self._ask(self._venue.funding(account, since))

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        return await self._ask(self._venue.transfer_outcome(request))

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        return await self._do(self._venue.open_sub_account(owner, label))

    async def transfer(self, request: TransferRequest) -> None:
        await self._do(self._venue.transfer(request))

    async def set_hedge_mode(self, account: AccountId) -> None:
        await self._do(self._venue.set_hedge_mode(account))

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        await self._do(self._venue.configure(account, symbol, leverage, margin_mode))

    async def place_order(self, request: OrderRequest) -> OrderReport:
        self.sent.append(request.client_order_id)
        return await self._do(self._venue.place_order(request), may_reject=not request.reduce_only)

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        self.planned.append(request.client_order_id)
        return await self._do(self._venue.place_plan(request), may_reject=True)

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        amendment = self._venue.amend_plan(
            account, symbol, client_order_id, contracts=contracts, trigger_price=trigger_price
        )
        return await self._do(amendment, may_reject=True)

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        await self._do(self._venue.cancel_plan(account, symbol, client_order_id))

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        return await self._ask(self._venue.find_plan(account, symbol, client_order_id))

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        return await self._ask(self._venue.plans(account))

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        await self._do(self._venue.adjust_margin(account, symbol, position_side, money))

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        def told(fill: LeaderFill) -> None:
            if not self._faults.strikes("wake-up lost", self._faults.lost_wakes):
                on_fill(fill)
                on_fill(fill)  # told twice changes nothing
                self._faults.struck["wake-up repeated"] += not self._faults.is_healed

        return await self._venue.subscribe(accounts, told)


class FaultyDatabase(Database):
    """A database whose process may end before or after a commit."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self.__dict__.update(database.__dict__)
        self._faults = faults

    async def write(self, work: Callable[[Session], T], *, urgent: bool = False) -> T:
        if self._faults.kills_here("before a commit"):
            raise ProcessKilled
        result = await super().write(work, urgent=urgent)
        if self._faults.kills_here("after a commit"):
            raise ProcessKilled
        return result
