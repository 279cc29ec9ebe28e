"""One position: contracts, what they cost, and the isolated margin that backs them."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from simexchange.core.types import PositionSide

if TYPE_CHECKING:
    from simexchange.core.accounts import Account
    from simexchange.core.fees import FeeRate
    from simexchange.core.markets import Market
    from simexchange.core.orders import Order
    from simexchange.core.plans import Plan
    from simexchange.core.price_heap import PriceHeap


class Position:
    """What an account holds in one instrument, on one position side.

    ``contracts`` and ``cost`` are signed (long positive); sums are stored, averages derived.
    ``margin`` is the isolated margin, 0 in cross mode. ``closers`` are its resting orders that
    would reduce it, ``promised`` the contracts of the normal ones among them (see ``Order``).
    Its fees are set by ``fees.set_rates``. Initial margin is ``margin_units`` of money for every
    ``margin_ticks`` of notional (price × contracts), rounded up.
    """

    __slots__ = (
        "account",
        "closers",
        "closing_orders",
        "closing_rate",
        "contracts",
        "cost",
        "hold_fee",
        "indexed_in",
        "is_cross",
        "is_stale",
        "leg",
        "leverage",
        "maker_fee",
        "margin",
        "margin_ticks",
        "margin_units",
        "market",
        "number",
        "plans",
        "promised",
        "side",
        "symbol",
        "taker_fee",
        "tier_cap",
        "version",
    )

    maker_fee: FeeRate
    taker_fee: FeeRate
    hold_fee: FeeRate
    closing_rate: int

    def __init__(self, account: Account, market: Market, side: PositionSide, leverage: int) -> None:
        self.account = account
        self.market = market
        self.symbol = market.symbol
        self.side = side
        self.number = 0  # order of adoption by the exchange, from 1; breaks ties
        self.set_leverage(leverage)
        self.is_cross = False
        self.contracts = 0
        self.cost = 0
        self.margin = 0
        self.promised = 0
        self.leg = int(side)
        self.closing_orders = 0  # how many of its closers are reduce-only or against the leg
        self.closers: dict[int, Order] = {}
        self.plans: dict[int, Plan] = {}  # attached to it
        self.indexed_in: PriceHeap[Position] | None = None
        self.is_stale = False  # its liquidation price must be computed before the next tick
        self.version = 0  # of its entries in the liquidation heaps

    def set_leverage(self, leverage: int) -> None:
        """Set the leverage, and with it the exposure from which a tier allows less than it."""
        known = self.market.margin_terms
        terms = known.get(leverage)
        if terms is None:
            terms = known[leverage] = _margin_terms(self.market, leverage)
        self.leverage = leverage
        self.margin_units, self.margin_ticks, self.tier_cap = terms

    def unrealized_pnl(self, mark: int) -> int:
        """Return the profit if all contracts were closed at ``mark``, before fees."""
        return self.contracts * mark * self.market.tick_value - self.cost


def _margin_terms(market: Market, leverage: int) -> tuple[int, int, int | None]:
    common = gcd(market.tick_value, leverage)
    return market.tick_value // common, leverage // common, tier_cap(market, leverage)


def tier_cap(market: Market, leverage: int) -> int | None:
    """Return the notional from which a margin tier allows less than ``leverage``, if any."""
    for tier in market.tiers:
        if tier.max_leverage < leverage:
            return tier.floor
    return None


def cost_share(cost: int, contracts: int, closed: int) -> int:
    """Return the part of the signed ``cost`` of ``contracts`` that ``closed`` of them take along.

    Rounded toward zero; the last close takes what remains, so that a position's shares sum to
    its cost however it is closed. ``contracts`` and ``closed`` are magnitudes.
    """
    if closed == contracts:
        return cost
    return cost * closed // contracts if cost >= 0 else -(-cost * closed // contracts)
