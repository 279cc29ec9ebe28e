"""Which way a position points, and which way an order trades."""

from enum import StrEnum


class PositionSide(StrEnum):
    """The side of a position; the texts "long" and "short" in any case are accepted for it."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        return 1 if self is PositionSide.LONG else -1

    @classmethod
    def _missing_(cls, value: object) -> "PositionSide":
        synonyms = {"long": cls.LONG, "buy": cls.LONG, "short": cls.SHORT, "sell": cls.SHORT}
        side = synonyms.get(str(value).lower())
        if side is None:
            raise ValueError(f'the side of a position is "long" or "short", not {value!r}')
        return side


class OrderSide(StrEnum):
    """The side of an order; the texts "BUY" and "SELL" in any case are accepted for it."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is OrderSide.BUY else -1

    @classmethod
    def _missing_(cls, value: object) -> "OrderSide":
        side = {"buy": cls.BUY, "sell": cls.SELL}.get(str(value).lower())
        if side is None:
            raise ValueError(f'the side of an order is "BUY" or "SELL", not {value!r}')
        return side
