"""Trading fees."""

from simexchange.core.positions import Position
from simexchange.core.types import RATE_SCALE


def fee_of(notional: int, rate: int) -> int:
    """Return the fee on ``notional`` at ``rate``, rounded up; a rebate (negative) is rounded down.

    Either way the rounding favours the exchange, by less than one money unit.
    """
    return -(-notional * rate // RATE_SCALE)


def set_rates(position: Position) -> None:
    """Set the fee rates of a position's trades: the account's own, else the instrument's.

    ``hold_rate`` is what orders hold money for, the dearer of the two; ``closing_rate`` is what
    liquidation counts for closing, the taker's. Neither is below zero.
    """
    account, market = position.account, position.market
    maker, taker = account.maker_fee, account.taker_fee
    position.maker_rate = market.maker_fee if maker is None else maker
    position.taker_rate = market.taker_fee if taker is None else taker
    position.hold_rate = max(0, position.maker_rate, position.taker_rate)
    position.closing_rate = max(0, position.taker_rate)
