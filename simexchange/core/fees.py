"""Trading fees."""

from math import gcd

from simexchange.core.positions import Position
from simexchange.core.types import RATE_SCALE


class FeeRate:
    """A fee rate, and what it makes of one tick of one contract of an instrument.

    A fee is ``units`` of money for every ``ticks`` of notional (price × contracts), rounded up:
    ``rate × tick_value / RATE_SCALE`` in lowest terms. Small numbers cost a third of large ones.
    """

    __slots__ = ("rate", "ticks", "units")

    def __init__(self, rate: int, tick_value: int) -> None:
        self.rate = rate
        common = gcd(rate * tick_value, RATE_SCALE)
        self.units = rate * tick_value // common
        self.ticks = RATE_SCALE // common


def fee_of(notional: int, rate: int) -> int:
    """Return the fee on ``notional`` at ``rate``, rounded up; a rebate (negative) is rounded down.

    Either way the rounding favours the exchange, by less than one money unit.
    """
    return -(-notional * rate // RATE_SCALE)


def set_rates(position: Position) -> None:
    """Set the fee rates of a position's trades: the account's own, else the instrument's.

    ``hold_fee`` is what orders hold money for, the dearer of the two; ``closing_rate`` is what
    liquidation counts for closing, the taker's. Neither is below zero.
    """
    account, market = position.account, position.market
    maker, taker = market.maker_fee, market.taker_fee
    if account.maker_fee is not None:
        maker = FeeRate(account.maker_fee, market.tick_value)
    if account.taker_fee is not None:
        taker = FeeRate(account.taker_fee, market.tick_value)
    position.maker_fee = maker
    position.taker_fee = taker
    dearer = maker if maker.rate > taker.rate else taker
    position.hold_fee = dearer if dearer.rate >= 0 else FeeRate(0, market.tick_value)
    position.closing_rate = max(0, taker.rate)
