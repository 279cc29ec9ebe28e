"""The exchange's book beside the slow one: the same orders, the same trades, the same depth."""

from random import Random

from simexchange.campaign.instruments import make_instrument
from simexchange.campaign.slow_book import SlowBook, Traded
from simexchange.core.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
)
from simexchange.core.events import Event, Filled, OrderAccepted, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.types import Liquidity, OrderKind, RejectReason, Side, TimeInForce, Wallet
from simexchange.core.views import OrderView

SYMBOL = "BTCUSDT"
MIDDLE = 1_000
ACCOUNTS = (1, 2, 3)
_DEPOSIT = 10**16
_ALL_LEVELS = 10**6


class BookPair:
    """The exchange and the slow book, given the same orders; AssertionError where they differ."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a reproducible stream, not a secret
        self._slow = SlowBook()
        self._at = 0
        self.exchange = Exchange()
        self.trades = 0
        self._apply(ListInstrument(make_instrument()))
        for number in ACCOUNTS:
            self._apply(OpenAccount())
            self._apply(Deposit(number, Wallet.CONTRACT, _DEPOSIT))
        self._apply(SetIndex(SYMBOL, MIDDLE))

    def step(self) -> None:
        """Place, cancel or change an order on both, and compare trades and depth."""
        draw = self._random.random()
        order = self._resting() if draw < 0.45 else None  # noqa: PLR2004 - a share
        if order is None:
            self._place()
        elif draw < 0.25:  # noqa: PLR2004 - a share
            self._apply(CancelOrder(order.account, SYMBOL, order.order_id))
            self._slow.cancel(order.order_id)
        else:
            self._amend(order)
        bids, asks = self.exchange.depth(SYMBOL, _ALL_LEVELS)
        assert bids == self._slow.ladder(Side.BUY), f"bids differ: {bids}"
        assert asks == self._slow.ladder(Side.SELL), f"asks differ: {asks}"

    def _apply(self, command: Command) -> list[Event]:
        self._at += 1
        return self.exchange.apply(command, self._at)

    def _resting(self) -> OrderView | None:
        orders = self.exchange.open_orders(self._random.choice(ACCOUNTS))
        return self._random.choice(orders) if orders else None

    def _some_price(self) -> int:
        return MIDDLE + self._random.randrange(-15, 16)

    def _place(self) -> None:
        rng, slow = self._random, self._slow
        side, contracts = rng.choice((Side.BUY, Side.SELL)), rng.randrange(1, 20)
        tif = rng.choice((TimeInForce.GTC,) * 4 + tuple(TimeInForce))
        price = None if rng.randrange(8) == 0 else self._some_price()
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        can_trade = slow.fillable(side, price)
        number = rng.choice(ACCOUNTS)
        events = self._apply(PlaceOrder(number, SYMBOL, side, contracts, kind, price, tif))
        first = events[0]
        if tif is TimeInForce.POST_ONLY and can_trade:
            assert isinstance(first, OrderRejected), first
            assert first.reason is RejectReason.POST_ONLY_WOULD_CROSS, first
            return
        assert isinstance(first, OrderAccepted), first
        expected: list[Traded] = []
        if tif is not TimeInForce.FOK or can_trade >= contracts:
            rests = price is not None and tif in (TimeInForce.GTC, TimeInForce.POST_ONLY)
            expected = slow.place(first.order_id, side, contracts, price, rests=rests)
        self._compare(events, expected)

    def _amend(self, order: OrderView) -> None:
        assert order.price is not None
        price = order.price if self._random.randrange(2) else self._some_price()
        remaining = self._random.randrange(1, 20)
        if (price, remaining) == (order.price, order.remaining):
            return
        command = AmendOrder(
            order.account, SYMBOL, order.order_id, price=price, contracts=order.filled + remaining
        )
        crosses = self._slow.fillable(order.side, price)
        moves = price != order.price or remaining > order.remaining
        events = self._apply(command)
        if order.time_in_force is TimeInForce.POST_ONLY and moves and crosses:
            self._slow.cancel(order.order_id)
            self._compare(events, [])
        else:
            self._compare(events, self._slow.amend(order.order_id, price, remaining))

    def _compare(self, events: list[Event], expected: list[Traded]) -> None:
        found = trades_of(events)
        assert found == expected, f"traded {found}, the slow book {expected}"
        self.trades += len(found)


def trades_of(events: list[Event]) -> list[Traded]:
    """Return trades as (maker, taker, price, contracts) from fills, which come in pairs."""
    fills = [event for event in events if isinstance(event, Filled)]
    found: list[Traded] = []
    for maker, taker in zip(fills[::2], fills[1::2], strict=True):
        assert (maker.liquidity, taker.liquidity) == (Liquidity.MAKER, Liquidity.TAKER)
        assert maker.trade_id == taker.trade_id
        assert (maker.contracts, maker.price) == (taker.contracts, taker.price)
        found.append((maker.order_id, taker.order_id, maker.price, maker.contracts))
    return found
