"""One position: contracts, what they cost, and the isolated margin that backs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import MarginMode, PositionSide

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
    Its fees are set by ``fees.set_rates``. ``hold_per_tick`` is the money that an order holds for
    each contract it opens and each tick of its price, initial margin and fee, where both are whole
    units; else 0, and who asks must round (``margin.hold_of``). ``margin_per_tick`` is the initial
    margin in it, likewise.
    """

    __slots__ = (
        "account",
        "closers",
        "closing_orders",
        "closing_rate",
        "contracts",
        "cost",
        "hold_fee",
        "hold_per_tick",
        "indexed_in",
        "is_cross",
        "is_stale",
        "leg",
        "leverage",
        "maker_fee",
        "margin",
        "margin_mode",
        "margin_per_tick",
        "market",
        "number",
        "plans",
        "promised",
        "side",
        "symbol",
        "taker_fee",
        "tier_cap",
        "version",
        "view_sign",
    )

    maker_fee: FeeRate
    taker_fee: FeeRate
    hold_fee: FeeRate
    hold_per_tick: int
    margin_per_tick: int
    closing_rate: int

    def __init__(self, account: Account, market: Market, side: PositionSide, leverage: int) -> None:
        self.account = account
        self.market = market
        self.symbol = market.symbol
        self.side = side
        self.number = 0  # order of adoption by the exchange, from 1; breaks ties
        self.leverage = leverage
        self.tier_cap = tier_cap(market, leverage)
        self.margin_mode = MarginMode.ISOLATED
        self.is_cross = False
        self.contracts = 0
        self.cost = 0
        self.margin = 0
        self.promised = 0
        self.leg = int(side)
        self.view_sign = -1 if side < 0 else 1  # shows the contracts of a leg as positive
        self.closing_orders = 0  # how many of its closers are reduce-only or against the leg
        self.closers: dict[int, Order] = {}
        self.plans: dict[int, Plan] = {}  # attached to it
        self.indexed_in: PriceHeap[Position] | None = None
        self.is_stale = False  # its liquidation price must be computed before the next tick
        self.version = 0  # of its entries in the liquidation heaps

    def set_leverage(self, leverage: int) -> None:
        """Set the leverage, and with it the exposure from which a tier allows less than it."""
        self.leverage = leverage
        self.tier_cap = tier_cap(self.market, leverage)
        self.note_hold()

    def set_margin_mode(self, mode: MarginMode) -> None:
        self.margin_mode = mode
        self.is_cross = mode is MarginMode.CROSS  # is asked all the time

    def note_hold(self) -> None:
        """Work out what a tick needs; to be called when leverage or fees have changed."""
        margin, over = divmod(self.market.tick_value, self.leverage)
        fee = self.hold_fee
        self.margin_per_tick = 0 if over else margin
        self.hold_per_tick = 0 if over or not fee.is_whole else margin + fee.per_tick

    def unrealized_pnl(self, mark: int) -> int:
        """Return the profit if all contracts were closed at ``mark``, before fees."""
        return self.contracts * mark * self.market.tick_value - self.cost


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
