"""Read-only pictures of the exchange's state, for callers; changing one changes nothing."""

from fractions import Fraction

import msgspec

from simexchange.core.types import (
    AccountKind,
    MarginMode,
    OrderKind,
    OrderStatus,
    PositionMode,
    PositionSide,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
)


class AccountView(msgspec.Struct, frozen=True):
    account: int
    owner: int | None
    label: str
    kind: AccountKind
    position_mode: PositionMode
    spot_balance: int
    contract_balance: int  # what isolated positions hold is not in it
    order_hold: int
    maker_fee: int | None  # None: the instrument's
    taker_fee: int | None


class PositionView(msgspec.Struct, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    contracts: int  # signed for NET, ≥ 0 for LONG and SHORT
    entry_cost: int
    average_entry_price: Fraction | None  # in ticks; None when flat
    margin: int  # isolated: what the position holds; cross: its initial margin requirement
    unrealized_pnl: int  # at mark
    maintenance_margin: int  # at mark, rounded up
    liquidation_price: int | None
    bankruptcy_price: Fraction | None  # in ticks
    leverage: int
    margin_mode: MarginMode


class OrderView(msgspec.Struct, frozen=True):
    order_id: int
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    kind: OrderKind
    price: int | None
    contracts: int
    filled: int
    remaining: int  # still open; 0 when the order has ended
    filled_notional: int
    fee: int
    time_in_force: TimeInForce
    reduce_only: bool
    close_on_trigger: bool
    status: OrderStatus
    created_at: int
    updated_at: int
    hold: int
    expires_at: int | None


class PlanView(msgspec.Struct, frozen=True):
    """A plan order that waits."""

    plan_id: int
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    contracts: int  # 0 when it closes whatever the position holds
    trigger_price: int  # 0: trailing, not yet active
    trigger_by: TriggerBy
    direction: TriggerDirection
    kind: OrderKind
    price: int | None
    reduce_only: bool
    close_on_trigger: bool
    close_position: bool
    attached: bool
    group: str | None
    callback_rate: int | None
    expires_at: int | None


class FundingView(msgspec.Struct, frozen=True):
    rate: int  # that would be paid now
    last_rate: int
    interval_us: int
    next_funding_at: int
