"""Cross margin: one wallet backs all cross positions of an account.

An account's slack is its wallet plus unrealized profit, less maintenance margin and closing fee
of every cross position, at the marks. It is kept exact by scaling with RATE_SCALE. Where slack
meets zero the account is liquidated; as for isolated positions the price is rounded to the tick
toward the entry, so the account is due when one tick further against it slack would be negative.

Before the first mark price of its instrument a position counts at its cost: it has no profit or
loss yet, its requirement is that of its entry value, and it cannot be liquidated.
"""

from collections.abc import Iterator

from simexchange.core.accounts import Account
from simexchange.core.margin import tier_of
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.types import RATE_SCALE


def requirement_scaled(position: Position, mark: int | None) -> int:
    """Return maintenance margin plus closing fee at ``mark``, times RATE_SCALE, exactly."""
    market = position.market
    if mark is None:
        notional = abs(position.cost)
    else:
        notional = abs(position.contracts) * mark * market.tick_value
    tier = tier_of(market.tiers, notional)
    rate = tier.maintenance_rate + position.closing_rate
    return notional * rate - tier.deduction * RATE_SCALE


def slack_of(position: Position, mark: int | None) -> int:
    """Return what one cross position adds to its account's slack at ``mark``, scaled."""
    profit = 0 if mark is None else position.unrealized_pnl(mark)
    return profit * RATE_SCALE - requirement_scaled(position, mark)


def slack(account: Account) -> int:
    """Return the account's slack at the marks, scaled."""
    total = account.wallet * RATE_SCALE
    for position in account.cross_positions.values():
        total += slack_of(position, position.market.mark)
    return total


def cross_equity(account: Account) -> int:
    """Return the wallet plus the unrealized profit of all cross positions at the marks."""
    total = account.wallet
    for position in account.cross_positions.values():
        if position.market.mark is not None:
            total += position.unrealized_pnl(position.market.mark)
    return total


def is_due(account: Account, now: int) -> bool:
    """Say whether the account, with slack ``now``, is to be liquidated at the marks."""
    if now <= 0:
        return True
    for market, legs in priced_legs(account):
        mark = market.mark
        assert mark is not None
        here = sum(slack_of(leg, mark) for leg in legs)
        for worse in (mark - 1, mark + 1):
            if now + sum(slack_of(leg, worse) for leg in legs) - here < 0:
                return True
    return False


def priced_legs(account: Account) -> Iterator[tuple[Market, list[Position]]]:
    """Yield each instrument that has a mark price with the cross positions in it.

    That is one position, or both legs of a hedge.
    """
    found: dict[str, list[Position]] = {}
    for position in account.cross_positions.values():
        if position.market.mark is not None:
            found.setdefault(position.market.symbol, []).append(position)
    for legs in found.values():
        yield legs[0].market, legs


def steepness(legs: list[Position]) -> int:
    """Return a bound on how much slack one tick in the legs' instrument can take, scaled."""
    market = legs[0].market
    net = abs(sum(leg.contracts for leg in legs))
    gross = sum(abs(leg.contracts) for leg in legs)
    rate = market.tiers[-1].maintenance_rate + legs[0].closing_rate
    return (net * RATE_SCALE + gross * rate) * market.tick_value


def cross_liquidation_price(position: Position) -> int | None:
    """Return the mark price of this instrument at which the account is liquidated, in ticks.

    All other marks are held fixed, so it is exact for an account with one instrument, both legs
    of a hedge included. Slack is the lowest of one straight line for each choice of tiers:
    rising lines bound the price from below, falling ones from above. A net long position reports
    the lower bound, a net short one the upper, each rounded toward the entry; where there is no
    such bound above zero, the other, or None.
    """
    account, market = position.account, position.market
    legs = [p for p in account.cross_positions.values() if p.market is market]
    rest = account.wallet * RATE_SCALE
    for other in account.cross_positions.values():
        if other.market is not market:
            rest += slack_of(other, other.market.mark)
    lowest, highest = price_bounds(legs, rest)
    if sum(leg.contracts for leg in legs) >= 0:
        return lowest if lowest is not None else highest
    return highest if highest is not None else lowest


def price_bounds(legs: list[Position], rest: int) -> tuple[int | None, int | None]:
    """Return (lowest, highest) marks at which ``legs`` with ``rest`` slack are liquidated."""
    lowest: int | None = None
    highest: int | None = None
    for slope, start in _lines(legs, rest):
        if slope > 0 and start < 0:
            root = -(start // slope)
            lowest = root if lowest is None else max(lowest, root)
        elif slope < 0:
            root = max(0, start) // -slope
            highest = root if highest is None else min(highest, root)
    return lowest, highest


def _lines(legs: list[Position], rest: int) -> list[tuple[int, int]]:
    """Return slack as (slope per tick, slack at price 0) for each choice of tiers of the legs."""
    lines = [(0, rest)]
    for leg in legs:
        market = leg.market
        quantity = abs(leg.contracts) * market.tick_value
        fee_rate = leg.closing_rate
        gain = leg.contracts * market.tick_value * RATE_SCALE
        lines = [
            (
                slope + gain - quantity * (tier.maintenance_rate + fee_rate),
                start - leg.cost * RATE_SCALE + tier.deduction * RATE_SCALE,
            )
            for slope, start in lines
            for tier in market.tiers
        ]
    return lines
