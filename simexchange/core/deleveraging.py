"""Who is deleveraged first: the rank of open positions, and the lights that show it."""

from fractions import Fraction

from simexchange.core.cross import cross_equity, requirement_scaled
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.types import AccountKind

LIGHTS = 5


def queue(market: Market, sign: int) -> list[Position]:
    """Return the positions of one direction (``sign`` +1 long), those deleveraged first in front.

    Ordered by score (see ``score``), highest first, equal ones by number; the insurance fund has
    no place in it.
    """
    mark = market.mark
    assert mark is not None
    found = [
        position
        for position in market.positions.values()
        if position.contracts * sign > 0 and position.account.kind is not AccountKind.SYSTEM
    ]
    found.sort(key=lambda position: (-score(position, mark), position.number))
    return found


def score(position: Position, mark: int) -> Fraction:
    """Return profit ratio × effective leverage, or profit ratio / effective leverage for a loss.

    Profit ratio is profit / entry cost; effective leverage is mark value / equity, the equity of
    a cross position being its share of the account's by maintenance requirement. A position with
    no equity left counts as having the leverage of one money unit. After BitMEX's ranking.
    """
    profit = position.unrealized_pnl(mark)
    value = abs(position.contracts) * mark * position.market.tick_value
    ratio = Fraction(profit, max(1, abs(position.cost)))
    leverage = Fraction(value, max(1, equity_of(position, mark)))
    return ratio * leverage if profit > 0 else ratio / leverage


def equity_of(position: Position, mark: int) -> int:
    """Return what backs the position at ``mark``; for cross its share, rounded down."""
    if not position.is_cross:
        return position.margin + position.unrealized_pnl(mark)
    equity = cross_equity(position.account)
    total = own = 0
    for other in position.account.cross_positions.values():
        required = requirement_scaled(other, other.market.mark)
        total += required
        own = required if other is position else own
    return equity * own // total if total > 0 else equity


def lights(market: Market, position: Position) -> int:
    """Return 1 to 5, 5 being deleveraged first: steps of a fifth of all contracts of its side.

    A position opened since the last tick has no place yet and counts as last.
    """
    if position.contracts == 0:
        return 0
    return all_lights(market).get(position.number, 1)


def all_lights(market: Market) -> dict[int, int]:
    """Return the lights of all positions that have a place, by their number, in one pass."""
    found: dict[int, int] = {}
    for sign in (1, -1):
        line = queue(market, sign)
        total = sum(abs(position.contracts) for position in line)
        before = 0
        for position in line:
            found[position.number] = LIGHTS - before * LIGHTS // total
            before += abs(position.contracts)
    return found
