"""A venue that fills whatever it is sent, any number of orders at once, each after the same time.

What is measured on it is a worker: nothing is shared between the processes but the database.
"""

import asyncio
import os
from decimal import Decimal
from typing import cast

from copyplugin.domain.fill import Liquidity, MarginMode
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.money import ZERO_MONEY, Money, Price, Ratio, product
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, OwnFill
from copyplugin.ports import Clock, Venue
from copyplugin.settings import Settings
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue

LATENCY_VARIABLE = "COPYPLUGIN_BENCH_LATENCY_MS"
CONTRACT_SIZE = Decimal("0.001")
MARKET = Price(Decimal(60_000))


class FillingVenue:
    """Has no money, no book and no account; it keeps what it has answered."""

    name = "filling"
    capabilities = SimulatedVenue.capabilities

    def __init__(self, clock: Clock, latency: float) -> None:
        """`latency` is in seconds."""
        self._clock = clock
        self._latency = latency
        self._answered: dict[ClientOrderId, OrderReport] = {}

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Take any leverage at once."""

    async def place_order(self, request: OrderRequest) -> OrderReport:
        await asyncio.sleep(self._latency)
        name, at = request.client_order_id, self._clock.now()
        price = request.limit_price or MARKET
        fill = OwnFill(
            venue_fill_id=VenueFillId(name),
            contracts=request.contracts,
            price=price,
            fee=ZERO_MONEY,
            realized_pnl=ZERO_MONEY,
            liquidity=Liquidity.TAKER,
            at=at,
        )
        report = OrderReport(
            client_order_id=name,
            venue_order_id=VenueOrderId(name),
            status=OrderStatus.DONE,
            filled=request.contracts,
            filled_value=Money(product(request.contracts, CONTRACT_SIZE, price)),
            fee=ZERO_MONEY,
            realized_pnl=ZERO_MONEY,
            fills=(fill,),
            acknowledged_at=at,
        )
        self._answered[name] = report
        return report

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        del account, symbol
        return self._answered.get(client_order_id)


async def connect(_: Settings) -> Venue:
    """Return a venue as far away as the environment says."""
    return cast("Venue", FillingVenue(SystemClock(), int(os.environ[LATENCY_VARIABLE]) / 1000))
