"""The living state of one instrument: its book, its prices, its positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.book import BookSide
from simexchange.core.commands import PlaceOrder
from simexchange.core.fees import FeeRate
from simexchange.core.funding_clock import FundingClock
from simexchange.core.instrument import Instrument
from simexchange.core.price_heap import PriceHeap
from simexchange.core.prices import BasisAverage
from simexchange.core.types import RATE_SCALE, OrderKind, Side, TriggerBy

if TYPE_CHECKING:
    from simexchange.core.accounts import Account
    from simexchange.core.plans import Plan
    from simexchange.core.positions import Position

NO_LIMIT = 10**9
"""As a number of orders: no limit."""


class Market:
    """One listed instrument. Prices are None until known."""

    __slots__ = (
        "asks",
        "basis",
        "bids",
        "clearing",
        "cross_falls",
        "cross_rises",
        "funding",
        "has_order_rules",
        "has_plans",
        "has_slippage",
        "has_tiers",
        "index",
        "index_at",
        "instrument",
        "last",
        "long_liquidations",
        "maker_fee",
        "manual_mark",
        "mark",
        "max_contracts",
        "min_contracts",
        "open_interest",
        "plain",
        "plain_contracts",
        "plan_heaps",
        "positions",
        "protection",
        "seen",
        "short_liquidations",
        "stale",
        "symbol",
        "taker_fee",
        "tick_value",
        "tier_lines",
        "tiers",
        "trailing",
        "watches_last",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.tick_value = instrument.tick_value
        self.maker_fee = FeeRate(instrument.maker_fee, instrument.tick_value)
        self.taker_fee = FeeRate(instrument.taker_fee, instrument.tick_value)
        self.tiers = instrument.tiers
        # scaled deduction and rate of each tier, for the liquidation price
        self.tier_lines = tuple((t.deduction * RATE_SCALE, t.maintenance_rate) for t in self.tiers)
        self.min_contracts = instrument.min_contracts
        self.max_contracts = instrument.max_contracts
        self.has_tiers = len(instrument.tiers) > 1
        self.has_slippage = instrument.market_slippage is not None
        self.has_order_rules = (
            instrument.contracts_step > 1
            or instrument.max_market_contracts < instrument.max_contracts
            or instrument.min_notional > 0
            or instrument.price_band is not None
            or instrument.max_open_orders < NO_LIMIT
        )
        # up to how many contracts an order needs no further look
        self.plain_contracts = 0 if self.has_order_rules else instrument.max_contracts
        self.plain: dict[int, Position] = {}  # net positions of plain accounts, by account
        self.bids = BookSide(-1)
        self.asks = BookSide(1)
        self.bids.plain = PlaceOrder(0, self.symbol, Side.BUY, 0, OrderKind.LIMIT)
        self.asks.plain = PlaceOrder(0, self.symbol, Side.SELL, 0, OrderKind.LIMIT)
        self.index: int | None = None
        self.index_at = 0  # when the index was true
        self.protection: tuple[int, int] | None = None  # bounds of the mark; None: index known
        self.mark: int | None = None
        self.manual_mark: int | None = None
        self.last: int | None = None
        self.basis = BasisAverage(instrument.mark_window_us)
        self.funding: FundingClock | None = None
        self.plan_heaps: dict[tuple[TriggerBy, int], PriceHeap[Plan]] = {}
        self.trailing: dict[TriggerBy, dict[int, Plan]] = {}
        self.has_plans = False  # a plan order ever waited here
        self.watches_last = False  # some plan order ever waited for a last price
        self.seen: list[int] = []  # last prices that plan orders have not seen: where they turned
        self.clearing = 0
        self.open_interest = 0
        self.positions: dict[int, Position] = {}  # by number; all that ever held contracts
        self.long_liquidations: PriceHeap[Position] = PriceHeap(-1)
        self.short_liquidations: PriceHeap[Position] = PriceHeap(1)
        self.cross_falls: PriceHeap[Account] = PriceHeap(-1)
        self.cross_rises: PriceHeap[Account] = PriceHeap(1)
        self.stale: list[Position] = []  # liquidation price not up to date
