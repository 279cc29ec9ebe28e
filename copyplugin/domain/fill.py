"""One execution, and the words for its sides and kinds."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId, VenueOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "OrderSide":
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY


class PositionSide(StrEnum):
    LONG = "long"
    SHORT = "short"

    @property
    def opposite(self) -> "PositionSide":
        return PositionSide.SHORT if self is PositionSide.LONG else PositionSide.LONG

    @property
    def opening_side(self) -> OrderSide:
        """Return the order side that adds to a position of this side."""
        return OrderSide.BUY if self is PositionSide.LONG else OrderSide.SELL

    @property
    def closing_side(self) -> OrderSide:
        """Return the order side that takes from a position of this side."""
        return self.opening_side.opposite


class MarginMode(StrEnum):
    ISOLATED = "isolated"
    CROSS = "cross"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class FillCause(StrEnum):
    """Why the leader's position changed; every cause is copied alike (L8)."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    TAKEOVER = "takeover"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderFill:
    """One execution of a leader's order, as the venue told it.

    `position_side` is None in one-way mode, where an order has no side but its own.
    `contracts_closed` is how many of the contracts took from a position, where the venue tells it.
    `available_after` is the leader's available balance right after this fill, `initial_margin` what
    all of this order that has filled so far ties up: both only where the venue tells them (C5).
    """

    venue_fill_id: VenueFillId
    order_id: VenueOrderId
    account: AccountId
    symbol: Symbol
    side: OrderSide
    position_side: PositionSide | None
    contracts: Contracts
    price: Price
    fee: Money  # positive: paid
    realized_pnl: Money  # before fees and funding
    liquidity: Liquidity
    at: datetime
    leverage: Ratio
    margin_mode: MarginMode
    cause: FillCause = FillCause.TRADE
    contracts_closed: Contracts | None = None
    order_contracts: Contracts | None = None  # ordered in total, if known
    available_after: Money | None = None
    initial_margin: Money | None = None

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.price > 0
        assert self.leverage > 0
        assert self.at.tzinfo is not None
        assert self.contracts_closed is None or 0 <= self.contracts_closed <= self.contracts
