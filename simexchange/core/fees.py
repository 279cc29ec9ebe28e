"""Trading fees."""

from simexchange.core.accounts import Account
from simexchange.core.markets import Market
from simexchange.core.types import RATE_SCALE


def fee_of(notional: int, rate: int) -> int:
    """Return the fee on ``notional`` at ``rate``, rounded up; a rebate (negative) is rounded down.

    Either way the rounding favours the exchange, by less than one money unit.
    """
    return -(-notional * rate // RATE_SCALE)


def taker_rate(account: Account, market: Market) -> int:
    rate = account.taker_fee
    return market.taker_fee if rate is None else rate


def closing_rate(account: Account, market: Market) -> int:
    """Return the rate that liquidation counts for closing: the taker's, never below zero."""
    return max(0, taker_rate(account, market))


def hold_rate(account: Account, market: Market) -> int:
    """Return the rate an order holds money for: the dearer of the two, never below zero."""
    maker = account.maker_fee
    taker = account.taker_fee
    return max(
        0,
        market.maker_fee if maker is None else maker,
        market.taker_fee if taker is None else taker,
    )
