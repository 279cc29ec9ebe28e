"""What an account is told and what it answers, as plain values in human units."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypedDict

from simexchange.core.types import OrderStatus
from simexchange.scenario.amounts import Number
from simexchange.scenario.problem import suggestion


class OrderOptions(TypedDict, total=False):
    """What an order may say besides its size and price."""

    time_in_force: str
    reduce_only: bool
    position_side: str
    name: str
    self_trade_prevention: str
    close_on_trigger: bool
    expires_after: str


class PlanOptions(TypedDict, total=False):
    """What a plan order may say besides its side and size; as in a scenario's ``plan``."""

    trigger: Number
    trigger_by: str
    direction: str
    price: Number
    time_in_force: str
    reduce_only: bool
    position_side: str
    name: str
    close_position: bool
    attached: bool
    group: str
    trail: str
    activation: Number
    expires_after: str
    refuse_if_through: bool
    close_on_trigger: bool
    price_protect: bool


def check_options(what: str, options: Mapping[str, object], known: type) -> None:
    """Refuse a misspelt option: a typed dictionary takes every key while a program runs."""
    words = known.__annotations__
    for word in options:
        if word not in words:
            raise ValueError(f"{what} has no {word}; {suggestion(word, words)}")


@dataclass(frozen=True, slots=True)
class Position:
    """A position when it was asked for. Prices that are averages are exact fractions."""

    symbol: str
    contracts: int  # signed in one-way mode, ≥ 0 in a leg of hedge mode
    base: Decimal
    entry_price: Fraction | None  # None when flat
    entry_cost: Decimal
    margin: Decimal
    unrealized_pnl: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None
    leverage: int


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's money when it was asked for."""

    spot: Decimal
    contract: Decimal
    available: Decimal
    equity: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """An order when it was asked for."""

    name: str
    status: OrderStatus
    contracts: int
    filled: int
    average_price: Fraction | None
    fee: Decimal
