"""How far from the leader's price an open may trade (C8); a close never is bounded."""

from fractions import Fraction

from copyplugin.domain.fill import OrderSide
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio, product


def price_bound(
    instrument: Instrument, side: OrderSide, leader_price: Fraction, bound: Ratio
) -> Price:
    """Return the worst price of an open: leader's average price ± bound, on the grid.

    Rounded toward the leader's price, so that the bound is never exceeded; a price that is on the
    grid and at the bound may be paid.
    """
    assert leader_price > 0
    assert 0 <= bound < 1
    tick = Fraction(instrument.tick_size)
    if side is OrderSide.BUY:
        ticks = leader_price * (1 + Fraction(bound)) // tick
    else:
        ticks = -(-leader_price * (1 - Fraction(bound)) // tick)
    return Price(product(max(ticks, 1), instrument.tick_size))
