"""What must be there: initial and maintenance margin, order cost, available balance.

Requirements are rounded up. Prices at which margin runs out are rounded to the tick toward the
entry, so that a position never looks safer than it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import RATE_SCALE

if TYPE_CHECKING:
    from simexchange.core.accounts import Account
    from simexchange.core.instrument import MarginTier
    from simexchange.core.markets import Market
    from simexchange.core.orders import Order
    from simexchange.core.positions import Position


def initial_margin(notional: int, leverage: int) -> int:
    """Return ``notional / leverage``, rounded up."""
    return -(-notional // leverage)


def tier_of(tiers: tuple[MarginTier, ...], notional: int) -> MarginTier:
    """Return the tier that ``notional`` falls in; a tier's floor belongs to it."""
    found = tiers[0]
    for tier in tiers:
        if tier.floor > notional:
            break
        found = tier
    return found


def maintenance_margin(tiers: tuple[MarginTier, ...], notional: int) -> int:
    """Return ``notional × rate − deduction`` of its tier, rounded up."""
    tier = tier_of(tiers, notional)
    return -(-notional * tier.maintenance_rate // RATE_SCALE) - tier.deduction


def requirement(position: Position, price: int) -> int:
    """Return maintenance margin plus the fee for closing at ``price``, each rounded up."""
    market = position.market
    notional = abs(position.contracts) * price * market.tick_value
    closing_fee = -(-notional * position.closing_rate // RATE_SCALE)
    return maintenance_margin(market.tiers, notional) + closing_fee


def order_cost(  # noqa: PLR0913, PLR0917 - a formula of seven figures
    sign: int,
    contracts: int,
    notional: int,
    worst_price: int,
    market: Market,
    leverage: int,
    fee_rate: int,
) -> int:
    """Return the money an order must be able to pay for the contracts it opens.

    Initial margin and fee on ``notional`` (at the highest price at which they can trade), plus
    what they would lose at once against the mark price if they traded at ``worst_price``:
    ``contracts × max(0, side × (worst_price − mark))``. Initial margin and fee are rounded up.
    After Binance's "cost required to open" (initial margin + open loss), with the fee added.
    """
    cost = -(-notional // leverage) - (-notional * fee_rate // RATE_SCALE)
    mark = market.mark
    if mark is not None:
        behind = sign * (worst_price - mark)
        if behind > 0:
            cost += contracts * behind * market.tick_value
    return cost


def hold_of(position: Position, ticks: int) -> int:
    """Return initial margin and fee of opening ``ticks`` (price × contracts), each rounded up."""
    notional = ticks * position.market.tick_value
    fee = -(-notional * position.hold_fee.rate // RATE_SCALE)
    return initial_margin(notional, position.leverage) + fee


def resting_cost(order: Order, contracts: int, leverage: int) -> int:
    """Return the order cost of ``contracts`` of an order that rests at its price."""
    position, price = order.position, order.price
    assert price is not None
    market = position.market
    notional = contracts * price * market.tick_value
    rate = position.hold_fee.rate
    return order_cost(order.sign, contracts, notional, price, market, leverage, rate)


def available_balance(account: Account) -> int:
    """Return what may back a new order or be taken out of the contract wallet.

    The wallet, less what orders hold, less the initial margin of cross positions and their
    unrealized loss. Unrealized profit does not count until it is realized. May be negative.
    """
    free = account.wallet - account.hold
    if not account.cross_positions:
        return free
    profit = 0
    for position in account.cross_positions.values():
        free -= initial_margin(abs(position.cost), position.leverage)
        mark = position.market.mark
        if mark is not None:
            profit += position.unrealized_pnl(mark)
    return free + min(0, profit)


def liquidation_price(position: Position) -> int | None:
    """Return the mark price, in ticks, at which an isolated position is liquidated.

    Where margin + unrealized profit meets maintenance margin + closing fee (spec X4, model C):
    ``(cost − s·(margin + deduction)) / (contracts × (1 − s·(rate + fee rate)))``. Maintenance
    margin is the largest of all tiers' lines, so the price nearest the entry of all tiers is the
    one. Rounded to the tick toward the entry. None when there is no such price above zero.
    """
    contracts = position.contracts
    if contracts == 0 or position.is_cross:
        return None
    market, fee_rate = position.market, position.closing_rate
    quantity = contracts * market.tick_value
    if contracts > 0:
        debt = (position.cost - position.margin) * RATE_SCALE
        highest = 0
        for deduction, rate in market.tier_lines:
            price = -((deduction - debt) // (quantity * (RATE_SCALE - rate - fee_rate)))
            highest = max(highest, price)
        return highest or None
    worth = (position.margin - position.cost) * RATE_SCALE
    lowest = -1
    for deduction, rate in market.tier_lines:
        price = (worth + deduction) // (-quantity * (RATE_SCALE + rate + fee_rate))
        if lowest < 0 or price < lowest:
            lowest = price
    return lowest
