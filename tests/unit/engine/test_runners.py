"""Errands go to the venue one after the other as there is room, and none whose lease may end."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import pytest

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    CopyOrderId,
    LaneId,
    Symbol,
)
from copyplugin.domain.money import Contracts, Money
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.engine.errands import SendOrder
from copyplugin.engine.runners import Runners
from copyplugin.settings import Settings

NOTHING = Money(Decimal(0))


class Venue:
    """Takes every order and keeps their names; one at a time, when it is let."""

    def __init__(self) -> None:
        self.received: list[ClientOrderId] = []
        self.is_open = asyncio.Event()

    async def place_order(self, request: OrderRequest) -> OrderReport:
        self.received.append(request.client_order_id)
        await self.is_open.wait()
        return OrderReport(
            client_order_id=request.client_order_id,
            venue_order_id=request.client_order_id,
            status=OrderStatus.WORKING,
            filled=Contracts(0),
            filled_value=NOTHING,
            fee=NOTHING,
            realized_pnl=NOTHING,
            fills=(),
            acknowledged_at=None,
        )


class World:
    """Runners of which one may run at a time, with what they told."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.ours = {LaneId(number) for number in range(1, 5)}
        self.running: list[asyncio.Task[None]] = []
        self.back: list[LaneId] = []
        self.dropped: list[LaneId] = []
        self.runners = Runners(
            SimpleNamespace(
                venue=self.venue,
                settings=Settings(orders_in_flight_max=1),
                clock=SimpleNamespace(now=lambda: None),
                dispatcher=SimpleNamespace(
                    spawn=lambda _, work: self.running.append(asyncio.create_task(work))
                ),
            ),
            back=lambda outcome: self.back.append(outcome.lane_id),
            dropped=self.dropped.append,
            may_send=self.ours.__contains__,
        )

    async def finish(self) -> None:
        self.venue.is_open.set()
        async with asyncio.timeout(5):
            await asyncio.gather(*self.running)


def order(number: int, *, reduce_only: bool) -> SendOrder:
    return SendOrder(
        lane_id=LaneId(number),
        order_id=CopyOrderId(number),
        request=OrderRequest(
            account=AccountId("1"),
            symbol=Symbol("SOLUSDT"),
            order_side=OrderSide.SELL if reduce_only else OrderSide.BUY,
            position_side=PositionSide.LONG,
            contracts=Contracts(1),
            limit_price=None,
            time_in_force=TimeInForce.IOC,
            reduce_only=reduce_only,
            client_order_id=ClientOrderId(f"{'close' if reduce_only else 'open'} {number}"),
        ),
        leverage=None,
        margin_mode=None,
    )


@pytest.fixture
async def world():
    return World()


async def test_what_reduces_goes_before_what_has_waited_longer(world):
    world.runners.send([order(1, reduce_only=False), order(2, reduce_only=False)])
    world.runners.send([order(3, reduce_only=True), order(4, reduce_only=True)])

    await world.finish()

    assert world.venue.received == ["close 3", "close 4", "open 1", "open 2"]


async def test_what_waited_until_its_lane_may_be_anothers_is_not_sent_and_the_lane_is_let_go(world):
    world.runners.send([order(number, reduce_only=number == 2) for number in (1, 2, 3)])
    await asyncio.sleep(0)  # the first is with the venue
    assert world.venue.received == ["close 2"]
    world.ours.remove(1)

    await world.finish()

    assert world.venue.received == ["close 2", "open 3"]
    assert (world.back, world.dropped) == ([2, 3], [1])
