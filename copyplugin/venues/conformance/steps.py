"""What tests of the suite have in common: a scene to trade in, orders, and waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import pytest

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, LaneId, TransferId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio, ceil_to_step, product
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.ports import Venue
from copyplugin.venues.conformance.bench import Errand, Fault, VenueBench

T = TypeVar("T")

LEVERAGE = Ratio(Decimal(5))
LOTS_OFFERED = 400
CENT = Decimal("0.01")
PAUSE_SECONDS = 0.02
PAUSE_MAX_SECONDS = 0.3
ATTEMPTS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One instrument whose market is a bid and an ask beside the mark.

    A lot is the number of contracts that may be ordered alone, whatever the price does in a test.
    """

    instrument: Instrument
    mark: Price
    bid: Price
    ask: Price
    lot: Contracts

    def lots(self, count: int) -> Contracts:
        return Contracts(self.lot * count)

    def price_for(self, side: PositionSide, *, closing: bool = False) -> Price:
        """Return what a market order meets."""
        return self.ask if (side is PositionSide.LONG) is not closing else self.bid


class Trial:
    """One test's work on a bench."""

    def __init__(self, bench: VenueBench) -> None:
        self.bench = bench
        self._orders = 0
        self._transfers = 0

    @property
    def venue(self) -> Venue:
        return self.bench.venue

    # -- scene and accounts

    async def scene(self, *, percent: int = 0, lots: int = LOTS_OFFERED) -> Scene:
        """Set the mark so many percent from where it is, with a market around it."""
        symbol = self.bench.symbol
        instrument = (await self.venue.instruments())[symbol]
        before = (await self.venue.marks())[symbol]
        mark = instrument.round_price_down(product(before, 100 + percent) / 100)
        bid = Price(mark - instrument.tick_size)
        ask = Price(mark + instrument.tick_size)
        lot = Contracts(2 * instrument.smallest_order(mark))
        if percent:
            await self.bench.set_price(symbol, mark)
        await self.bench.quote(symbol, bid=bid, ask=ask, contracts=Contracts(lots * lot))
        return Scene(instrument=instrument, mark=mark, bid=bid, ask=ask, lot=lot)

    def funds(self, scene: Scene) -> Money:
        """Return money that margins many lots, in whole hundredths."""
        return Money(ceil_to_step(scene.instrument.notional(scene.lots(20), scene.ask), CENT))

    async def trader(self, scene: Scene) -> AccountId:
        """Return an account with contract money, in hedge mode, isolated, at `LEVERAGE`."""
        account = await self.bench.open_account(spot=Money(Decimal(0)), contract=self.funds(scene))
        await self.venue.set_hedge_mode(account)
        await self.venue.configure(account, scene.instrument.symbol, LEVERAGE, MarginMode.ISOLATED)
        return account

    # -- orders

    def next_id(self) -> ClientOrderId:
        self._orders += 1
        return client_order_id(LaneId(1), self._orders, prefix="conform")

    def next_transfer_id(self) -> TransferId:
        self._transfers += 1
        return TransferId(f"conformance-{self._transfers}")

    def order(
        self,
        account: AccountId,
        contracts: int,
        *,
        side: PositionSide = PositionSide.LONG,
        closing: bool = False,
        limit_price: Price | None = None,
        reduce_only: bool | None = None,
    ) -> OrderRequest:
        return OrderRequest(
            account=account,
            symbol=self.bench.symbol,
            order_side=side.closing_side if closing else side.opening_side,
            position_side=side,
            contracts=Contracts(contracts),
            limit_price=limit_price,
            time_in_force=TimeInForce.IOC,
            reduce_only=closing if reduce_only is None else reduce_only,
            client_order_id=self.next_id(),
        )

    async def done(self, request: OrderRequest) -> OrderReport:
        """Place an order that certainly fills or ends, and return how it ended."""
        report = await self.venue.place_order(request)
        if report.status is OrderStatus.DONE:
            return report
        return await self.ended(request)

    async def ended(self, request: OrderRequest) -> OrderReport:
        """Return how an order that has been placed ended."""

        async def ask() -> OrderReport | None:
            return await self.venue.find_order(
                request.account, request.symbol, request.client_order_id
            )

        found = await self.eventually(
            ask, lambda report: report is not None and report.status is OrderStatus.DONE
        )
        assert found is not None
        return found

    async def place_surely(self, request: OrderRequest) -> OrderReport:
        """Place an order as the engine does: whoever is in doubt asks before he sends again."""
        for _ in range(ATTEMPTS):
            try:
                report = await self.venue.place_order(request)
            except (OutcomeUnknown, VenueUnavailable):
                found = await self.found(request)
                if found is None:
                    continue
                report = found
            return report if report.status is OrderStatus.DONE else await self.ended(request)
        raise AssertionError(f"{request.client_order_id} was in doubt {ATTEMPTS} times in a row")

    async def found(self, request: OrderRequest) -> OrderReport | None:
        """Return what the venue certainly knows of an order; None where it will never arrive."""

        async def ask() -> OrderReport | None:
            return await self.venue.find_order(
                request.account, request.symbol, request.client_order_id
            )

        return await self.surely(ask)

    async def held(self, account: AccountId, side: PositionSide = PositionSide.LONG) -> Contracts:
        """Return how much the account holds on this side."""
        for position in await self.venue.positions(account):
            if (position.symbol, position.position_side) == (self.bench.symbol, side):
                return position.contracts
        return Contracts(0)

    async def holds(
        self, account: AccountId, contracts: int, side: PositionSide = PositionSide.LONG
    ) -> None:
        """Wait until the account holds exactly that much."""
        await self.eventually(lambda: self.held(account, side), lambda held: held == contracts)

    # -- fills

    async def all_fills(self, account: AccountId, venue: Venue | None = None) -> list[LeaderFill]:
        """Return every fill there is, page by page, as the feed reads them."""
        fills: list[LeaderFill] = []
        asked = venue or self.venue
        while True:
            page = await asked.leader_fills(account, fills[-1].venue_fill_id if fills else None)
            if not page:
                return fills
            fills.extend(page)

    async def fills_of(self, account: AccountId, contracts: int) -> Sequence[LeaderFill]:
        """Return all fills once they add up to so many contracts."""
        return await self.eventually(
            lambda: self.all_fills(account),
            lambda fills: sum(fill.contracts for fill in fills) == contracts,
        )

    # -- faults and time

    def needs(self, *faults: Fault) -> None:
        """Skip the test where the bench cannot bring these faults about."""
        missing = [fault.value for fault in faults if fault not in self.bench.faults]
        if missing:
            pytest.skip(f"the bench cannot inject {', '.join(missing)}")

    async def inject(self, fault: Fault, errand: Errand, *, times: int = 1) -> None:
        self.needs(fault)
        await self.bench.inject(fault, errand, times=times)

    async def eventually(self, ask: Callable[[], Awaitable[T]], accepts: Callable[[T], bool]) -> T:
        """Ask until the answer is as it must be; fail with the last one after the patience.

        A question without an answer is put again.
        """
        answer: T | VenueUnavailable
        until = self._now() + self.bench.patience_seconds
        pause = PAUSE_SECONDS
        while True:
            try:
                answer = await ask()
                if accepts(answer):
                    return answer
            except VenueUnavailable as error:
                answer = error
            waited = f"this was still so after {self.bench.patience_seconds} s: {answer!r}"
            assert self._now() < until, waited
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX_SECONDS)  # a venue counts how often it is asked

    async def surely(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Put a question until it is answered: an order that is missing may still be on its way."""
        return await self.eventually(ask, lambda _: True)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
