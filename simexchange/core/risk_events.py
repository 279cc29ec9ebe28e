"""Liquidation, insurance fund, deleveraging and funding, as facts."""

from simexchange.core.event_base import ExchangeEvent
from simexchange.core.types import (
    MarginMode,
    PositionSide,
    Side,
)


class LiquidationStarted(ExchangeEvent, frozen=True):
    """A position reached its liquidation price, or a cross account its maintenance margin."""

    account: int
    symbol: str
    position_side: PositionSide
    contracts: int
    mark: int
    liquidation_price: int | None
    bankruptcy_price: int | None
    maintenance_margin: int
    margin_mode: MarginMode


class PositionLiquidated(ExchangeEvent, frozen=True):
    """What one liquidation took from the account, all steps together.

    ``contracts`` were closed, by ``through_book``, ``taken_over`` and ``deleveraged`` contracts.
    """

    account: int
    symbol: str
    position_side: PositionSide
    contracts: int
    mark: int
    through_book: int
    taken_over: int
    deleveraged: int
    realized_pnl: int
    liquidation_fee: int
    position_contracts: int
    entry_cost: int
    margin: int
    balance: int
    margin_mode: MarginMode


class BankruptcyTakeover(ExchangeEvent, frozen=True):
    """The insurance fund took contracts of a liquidated position at ``value`` (money, ≥ 0)."""

    account: int
    symbol: str
    position_side: PositionSide
    side: Side  # of the liquidated account: it sold a long or bought a short
    contracts: int
    value: int
    realized_pnl: int
    position_contracts: int
    entry_cost: int
    margin: int
    fund_contracts: int  # signed, afterwards
    fund_entry_cost: int
    fund_realized_pnl: int  # when the takeover closed an opposite position of the fund
    fund_balance: int


class InsuranceFundMoved(ExchangeEvent, frozen=True):
    money: int  # positive: into the fund
    balance: int
    account: int | None
    symbol: str | None
    cause: str


class Deleveraged(ExchangeEvent, frozen=True):
    """A profitable position was closed against a bankrupt one at its bankruptcy price."""

    account: int
    symbol: str
    position_side: PositionSide
    side: Side
    contracts: int
    value: int
    realized_pnl: int
    position_contracts: int
    entry_cost: int
    margin: int
    balance: int
    rank: int  # 0 was first in line
    execution_id: int
    against: int  # the bankrupt account
    against_realized_pnl: int


class FundingRateSet(ExchangeEvent, frozen=True):
    symbol: str
    rate: int | None  # None: returned to the formula
    interval_us: int
    next_funding_at: int | None


class FundingSettled(ExchangeEvent, frozen=True):
    """One funding exchange of an instrument; payments sum to ``-residue``."""

    symbol: str
    mark: int
    index: int
    rate: int
    premium: int
    residue: int  # to the rounding account
    skipped: bool
    next_funding_at: int


class FundingPaid(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    contracts: int  # signed
    mark: int
    rate: int
    payment: int  # positive: the account paid
    margin: int
    balance: int
