"""A market maker: an account like any other that keeps a ladder of quotes in the book.

He works in two halves so that several makers can requote one tick together: first all of them
retreat (cancel, or move quotes away from the touch), then all of them advance. In that order no
quote meets an old one of his own side of the table.
"""

from collections.abc import Collection

import msgspec

from simexchange.core.commands import AmendOrder, CancelOrder, Command, PlaceOrder
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    OrderKind,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from simexchange.core.views import OrderView
from simexchange.market.chance import Chance
from simexchange.market.ladder import LadderShape, Quote, ladder


class Requote(msgspec.Struct, frozen=True):
    """The commands that turn the quotes in the book into those wanted, in the order to send."""

    retreats: tuple[Command, ...]
    advances: tuple[Command, ...]


# A resting size between these shares of the wanted one is left alone: amending upward loses the
# place in the queue, and a book where everything changes at every tick looks like no real one.
KEEP_FROM_PERCENT = 60
KEEP_TO_PERCENT = 170
PERCENT = 100


class MarketMaker:
    """Quotes a ladder in each of his instruments; his money is in the exchange's ledger."""

    def __init__(
        self, exchange: Exchange, account: int, shapes: dict[str, LadderShape], *, seed: int
    ) -> None:
        self.account = account
        self.shapes = shapes
        self._exchange = exchange
        self._chances = {symbol: Chance(seed, f"maker {account} {symbol}") for symbol in shapes}

    @property
    def symbols(self) -> Collection[str]:
        return self.shapes.keys()

    def requote(self, symbol: str, index: int) -> Requote:
        """Return what he has to send now that the index stands at `index` ticks."""
        instrument = self._exchange.instrument(symbol)
        position = self._exchange.position(self.account, symbol, PositionSide.NET)
        wanted = ladder(
            instrument, index, position.contracts, self.shapes[symbol], self._chances[symbol]
        )
        return requote(
            instrument, self.account, self._exchange.open_orders(self.account, symbol), wanted
        )


def requote(
    instrument: Instrument,
    account: int,
    resting: list[OrderView],
    wanted: list[Quote],
    *,
    is_exact: bool = False,
) -> Requote:
    """Return the fewest commands from the `resting` orders to the `wanted` quotes.

    A quote at a wanted price stays, or is amended where its size is far off (`is_exact`: off at
    all); the others move to the prices still wanted; what is left over is cancelled, what is
    missing is placed.
    """
    keep = (PERCENT, PERCENT) if is_exact else (KEEP_FROM_PERCENT, KEEP_TO_PERCENT)
    retreats: list[Command] = []
    advances: list[Command] = []
    for side in (Side.BUY, Side.SELL):
        missing = {quote.price: quote for quote in wanted if quote.side is side}
        spare: list[OrderView] = []
        for order in (order for order in resting if order.side is side):
            quote = missing.pop(order.price or 0, None)
            if quote is None:
                spare.append(order)
            elif not _is_near(order.remaining, quote.contracts, keep):
                advances.append(_moved(order, quote))
        spare.sort(key=lambda order: -side * (order.price or 0))  # best to best: short ways
        for order in spare:
            if not missing:
                retreats.append(CancelOrder(account, instrument.symbol, order.order_id))
                continue
            quote = missing.pop(next(iter(missing)))
            assert order.price is not None, "a resting order has a price"
            is_retreat = side * (quote.price - order.price) < 0
            (retreats if is_retreat else advances).append(_moved(order, quote))
        advances.extend(_placed(account, instrument, quote) for quote in missing.values())
    return Requote(tuple(retreats), tuple(advances))


def _is_near(contracts: int, wanted: int, keep: tuple[int, int]) -> bool:
    least, most = keep
    return wanted * least <= contracts * PERCENT <= wanted * most


def _moved(order: OrderView, quote: Quote) -> AmendOrder:
    return AmendOrder(
        order.account,
        order.symbol,
        order_id=order.order_id,
        price=None if quote.price == order.price else quote.price,
        contracts=order.filled + quote.contracts,
    )


def _placed(account: int, instrument: Instrument, quote: Quote) -> PlaceOrder:
    return PlaceOrder(
        account,
        instrument.symbol,
        quote.side,
        quote.contracts,
        OrderKind.LIMIT,
        quote.price,
        TimeInForce.GTC,
        self_trade_prevention=SelfTradePrevention.MAKER,
    )
