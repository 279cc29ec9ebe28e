"""The liquidation price that copy-trading back offices have printed, right and as printed.

The printed pair multiplies the entry notional by (1 + R) on both sides. For a long that is the fee
on the entry notional. For a short it has the wrong sign: it shows 2·R·Hp more room than there is,
whatever the leverage. Our own figure is `liquidation_price`, which counts margin and fee at the
liquidation price itself; this function exists to explain an old one.
"""

from decimal import Decimal

from simexchange.rules.exact import (
    Number,
    decimal_from,
    not_negative,
    positive,
    ratio_below_one,
)
from simexchange.rules.side import PositionSide


def seed_liquidation_price(  # noqa: PLR0913 - the printed formula has six symbols and a side
    *,
    side: PositionSide | str,
    entry_price: Number,
    contracts: Number,
    face_value: Number,
    initial_margin: Number,
    maintenance_margin: Number,
    taker_fee_rate: Number,
    as_printed: bool = False,
) -> Decimal:
    """Return the seed's liquidation price, in quote currency, exact; may be 0 or below for a long.

    Hp entry price, Vol contracts, S face value (base currency of one contract), IM and MM initial
    and maintenance margin in settle currency, R the taker's fee rate:
    - long: [Hp·Vol·S·(1 + R) - (IM - MM)] / (Vol·S), as printed
    - short: [Hp·Vol·S·(1 - R) + (IM - MM)] / (Vol·S); `as_printed` gives the printed (1 + R),
      which is too high by exactly 2·R·Hp.
    Right for a fee and a maintenance margin counted on the entry notional (rule set CHAINUP).
    """
    entry = positive(entry_price, "entry price")
    quantity = positive(contracts, "contracts") * positive(face_value, "face value")
    buffer = not_negative(initial_margin, "initial margin")
    buffer -= not_negative(maintenance_margin, "maintenance margin")
    rate = ratio_below_one(taker_fee_rate, "taker fee rate")
    if PositionSide(side) is PositionSide.LONG:
        return decimal_from((entry * quantity * (1 + rate) - buffer) / quantity)
    factor = 1 + rate if as_printed else 1 - rate
    return decimal_from((entry * quantity * factor + buffer) / quantity)
