"""An owner with a key that trades and moves, a venue that knows it, and orders to place."""

import asyncio
from datetime import timedelta
from decimal import Decimal

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.doubt import CLOCKS_APART_SECONDS
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from simexchange.core.types import PositionSide as ExchangeSide
from tests.wire.rig import SYMBOL, Rig

BTC = Symbol(SYMBOL)
WINDOW = timedelta(milliseconds=500)


def config_for(rig: Rig, dialect: str, **more: object) -> VenueConfig:
    given = {"receive_window": WINDOW, "timeout": timedelta(seconds=2), **more}
    return VenueConfig(dialect=dialect, address=rig.url, **given)


class Stage:
    """One owner; `venue` is on the wire, `rig` is the exchange's side of it."""

    def __init__(self, rig: Rig, dialect: str, **more: object) -> None:
        self.rig = rig
        self.owner = self.open()
        self.keys = KeysInMemory(self.known(self.owner))
        self.venue = CcxtVenue(config_for(rig, dialect, **more), self.keys)

    def open(self, contract: int = 10_000, spot: int = 1_000) -> AccountId:
        return AccountId(str(self.rig.open(contract=contract, spot=spot)))

    def known(self, account: AccountId) -> KnownAccount:
        key = self.rig.key(int(account))
        return KnownAccount(account=account, keys=ApiKeys(key.key, key.secret))

    def order(
        self,
        name: str,
        contracts: int = 10,
        *,
        account: AccountId | None = None,
        position_side: PositionSide = PositionSide.LONG,
        closes: bool = False,
        limit: str | None = None,
        time_in_force: TimeInForce = TimeInForce.IOC,
    ) -> OrderRequest:
        side = position_side.closing_side if closes else position_side.opening_side
        return OrderRequest(
            account=account or self.owner,
            symbol=BTC,
            order_side=side,
            position_side=position_side,
            contracts=Contracts(contracts),
            limit_price=None if limit is None else Price(Decimal(limit)),
            time_in_force=time_in_force,
            reduce_only=closes,
            client_order_id=ClientOrderId(name),
        )

    async def trade(self, request: OrderRequest) -> OrderReport:
        """Place an order and ask until it has ended."""
        report = await self.venue.place_order(request)
        return report if report.status is OrderStatus.DONE else await self.ended(request)

    async def ended(self, request: OrderRequest) -> OrderReport:
        """Ask for an order until it has ended."""
        async with asyncio.timeout(10):
            while True:
                report = await self.venue.find_order(
                    request.account, request.symbol, request.client_order_id
                )
                assert report is not None
                if report.status is OrderStatus.DONE:
                    return report

    async def past_the_window(self) -> None:
        """Let the time pass in which a request that was lost might still have arrived."""
        await asyncio.sleep(WINDOW.total_seconds() + CLOCKS_APART_SECONDS)

    def position(self, side: PositionSide = PositionSide.LONG, account: AccountId | None = None):
        leg = ExchangeSide.LONG if side is PositionSide.LONG else ExchangeSide.SHORT
        number = int(account or self.owner)
        return self.rig.call(lambda: self.rig.exchange.position(number, SYMBOL, leg))


__all__ = ["BTC", "OrderSide", "Stage", "config_for"]
