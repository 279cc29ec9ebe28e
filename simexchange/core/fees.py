"""Trading fees."""

from simexchange.core.positions import Position
from simexchange.core.types import RATE_SCALE


class FeeRate:
    """A fee rate, and what it makes of one tick of one contract of an instrument.

    ``per_tick`` is that fee where it is a whole unit of money or several; else, and where there is
    none, it is 0 and ``of`` must be asked: a sum needs no rounding as long as no part does.
    """

    __slots__ = ("_tick_value", "per_tick", "rate")

    def __init__(self, rate: int, tick_value: int) -> None:
        self.rate = rate
        self._tick_value = tick_value
        per_tick, over = divmod(rate * tick_value, RATE_SCALE)
        self.per_tick = 0 if over else per_tick

    @property
    def is_whole(self) -> bool:
        """Say whether no fee at this rate is ever rounded."""
        return self.per_tick != 0 or self.rate == 0

    def of(self, ticks: int) -> int:
        """Return the fee on ``ticks`` of notional (price × contracts), rounded up."""
        return fee_of(ticks * self._tick_value, self.rate)


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
    position.note_hold()
