"""Trailing stops: a trigger that follows the market one way and never gives way again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Self

from simexchange.rules.exact import Number, decimal_from, positive
from simexchange.rules.side import OrderSide


class TrailingKind(StrEnum):
    """Which way the activation price is crossed: a SELL stop loss by falling to it, and so on."""

    STOP_LOSS = "SL"
    TAKE_PROFIT = "TP"

    @classmethod
    def _missing_(cls, value: object) -> "TrailingKind":
        text = str(value).upper().removesuffix("_LIMIT").replace(" ", "_")
        text = {"SL": "STOP_LOSS", "TP": "TAKE_PROFIT"}.get(text, text)
        kind = {"STOP_LOSS": cls.STOP_LOSS, "TAKE_PROFIT": cls.TAKE_PROFIT}.get(text)
        if kind is None:
            raise ValueError(f'a trailing stop is "SL" or "TP", not {value!r}')
        return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailingStop:
    """A trailing stop and how far it has come; `seen` gives the next one.

    `extreme`: the best price since it became active (highest for SELL, lowest for BUY); None: not
    active yet. `fired_price`: the price that triggered it; a fired stop stays as it is.
    """

    side: OrderSide
    kind: TrailingKind
    callback: Fraction
    activation_price: Fraction | None
    extreme: Decimal | None = None
    fired_price: Decimal | None = None

    @classmethod
    def of(
        cls,
        *,
        side: OrderSide | str,
        callback: Number,
        activation_price: Number | None = None,
        kind: TrailingKind | str = TrailingKind.STOP_LOSS,
    ) -> Self:
        """Return the stop before any price; callback is a ratio (0.1 = 10 % = 1000 bips).

        Without an activation price it is active from the first price on, and kind plays no part.
        """
        ratio = positive(callback, "callback")
        if ratio >= 1:
            raise ValueError(f"callback is a ratio and must be below 1 (10 % is 0.1): {callback}")
        return cls(
            side=OrderSide(side),
            kind=TrailingKind(kind),
            callback=ratio,
            activation_price=(
                None if activation_price is None else positive(activation_price, "activation price")
            ),
        )

    @property
    def trigger_price(self) -> Decimal | None:
        """Return extreme × (1 ∓ callback), exact; None before the stop is active."""
        return None if self.extreme is None else decimal_from(self._trigger(self.extreme))

    def seen(self, price: Number) -> Self:
        """Return the stop after one price. Equality activates and triggers."""
        at = positive(price, "price")
        if self.fired_price is not None:
            return self
        if self.extreme is None:
            return replace(self, extreme=decimal_from(at)) if self._activates(at) else self
        if self.side.sign * (at - self._trigger(self.extreme)) >= 0:
            return replace(self, fired_price=decimal_from(at))
        best = max if self.side is OrderSide.SELL else min
        return replace(self, extreme=best(self.extreme, decimal_from(at)))

    def _trigger(self, extreme: Decimal) -> Fraction:
        return Fraction(extreme) * (1 + self.side.sign * self.callback)

    def _activates(self, price: Fraction) -> bool:
        if self.activation_price is None:
            return True
        rises = (self.side is OrderSide.BUY) == (self.kind is TrailingKind.STOP_LOSS)
        return price >= self.activation_price if rises else price <= self.activation_price


def trailing_stop_price(
    *,
    side: OrderSide | str,
    callback: Number,
    prices: Iterable[Number],
    activation_price: Number | None = None,
    kind: TrailingKind | str = TrailingKind.STOP_LOSS,
) -> Decimal | None:
    """Return the price of a path at which a trailing stop fires, in quote currency; None: never.

    Activated at or past the activation price (SELL SL and BUY TP from above, SELL TP and BUY SL
    from below), then fired at or past extreme × (1 - callback) for SELL, × (1 + callback) for BUY.
    Exact. Source: Binance, trailing stop FAQ.
    """
    stop = TrailingStop.of(
        side=side, callback=callback, activation_price=activation_price, kind=kind
    )
    for price in prices:
        stop = stop.seen(price)
    return stop.fired_price
