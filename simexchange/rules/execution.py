"""Rules of execution against displayed liquidity: price bounds, queues, levels that empty."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self

from simexchange.rules.exact import Number, decimal_from, not_negative, positive
from simexchange.rules.side import OrderSide


def protected_price(
    *, side: OrderSide | str, best_price: Number, points: Number, tick: Number
) -> Decimal:
    """Return the worst price a market or stop order may trade at, in quote currency, exact.

    Best opposite price + points × tick for a buy, - for a sell; liquidity beyond it is left alone
    and the order may stay partly unfilled. Source: NautilusTrader docs, backtesting concepts.
    """
    offset = not_negative(points, "points") * positive(tick, "tick")
    best = positive(best_price, "best price")
    return decimal_from(best + OrderSide(side).sign * offset)


def trigger_is_protected(
    *, mark_price: Number, last_price: Number, trigger_protect: Number
) -> bool:
    """Return whether mark and last are close enough for a price-protected trigger to fire.

    |mark - last| ÷ mark ≤ trigger protect (a ratio). Source: Binance futures, priceProtect.
    """
    mark = positive(mark_price, "mark price")
    distance = abs(mark - positive(last_price, "last price"))
    return distance <= not_negative(trigger_protect, "trigger protect") * mark


@dataclass(frozen=True, slots=True)
class DisplayedLevel:
    """One price level of a replayed book, and what our orders have taken from it.

    Available = displayed - consumed. When the book shows another size, the level is fresh again.
    """

    displayed: Fraction
    consumed: Fraction = Fraction(0)

    @classmethod
    def of(cls, displayed: Number) -> Self:
        return cls(not_negative(displayed, "displayed size"))

    @property
    def available(self) -> Decimal:
        return decimal_from(self.displayed - self.consumed)

    def take(self, quantity: Number) -> tuple[Decimal, Self]:
        """Return what an order fills, at most what is available, and the level after it."""
        wanted = not_negative(quantity, "quantity")
        filled = min(wanted, self.displayed - self.consumed)
        return decimal_from(filled), type(self)(self.displayed, self.consumed + filled)

    def shown(self, displayed: Number) -> Self:
        """Return the level after the book showed a size; the same size changes nothing."""
        size = not_negative(displayed, "displayed size")
        return self if size == self.displayed else type(self)(size)


def queue_fills(
    *, quantity_ahead: Number, order_quantity: Number, trades: Sequence[Number]
) -> tuple[Decimal, ...]:
    """Return what a resting order fills by each trade at its price: only the excess over the queue.

    Quantities in base currency, unsigned, exact; the fills never exceed the order.
    Source: NautilusTrader docs, backtesting concepts (queue position).
    """
    ahead = not_negative(quantity_ahead, "quantity ahead")
    left = positive(order_quantity, "order quantity")
    fills: list[Decimal] = []
    for trade in trades:
        traded = not_negative(trade, "trade")
        passed = min(ahead, traded)
        ahead -= passed
        filled = min(left, traded - passed)
        left -= filled
        fills.append(decimal_from(filled))
    return tuple(fills)
