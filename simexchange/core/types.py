"""Words of the exchange: units, enumerations and the reasons it gives.

Units everywhere inside simexchange, unless a name says otherwise:

- ``at``: microseconds since the epoch; durations end in their unit (``interval_us``).
- ``price``: whole ticks of the instrument.
- ``contracts``: whole contracts.
- money (``fee``, ``balance``, ``margin``, ``entry_cost``): units of 10⁻⁸ of the settle currency.
- rates (fees, maintenance, funding): units of 10⁻⁸, so ``RATE_SCALE`` is 100 %.
"""

from enum import IntEnum, StrEnum

MONEY_SCALE = 10**8
"""Money units in one unit of the settle currency."""

RATE_SCALE = 10**8
"""Rate units in 100 %."""

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


class Side(IntEnum):
    """Direction of an order; the sign of the contracts it adds."""

    BUY = 1
    SELL = -1


class PositionSide(IntEnum):
    """Which position of an account in an instrument."""

    NET = 0  # the one position of one-way mode
    LONG = 1
    SHORT = -1


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"


class MarginMode(StrEnum):
    ISOLATED = "isolated"
    CROSS = "cross"


class OrderKind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class Wallet(StrEnum):
    SPOT = "spot"  # the funding wallet: money that backs no position
    CONTRACT = "contract"


class AccountKind(StrEnum):
    USER = "user"
    MAKER = "maker"
    SYSTEM = "system"  # the insurance fund


class OrderStatus(StrEnum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class SelfTradePrevention(StrEnum):
    """What happens when an order would meet another of the same owner; the taker's mode decides."""

    NONE = "none"  # they trade
    TAKER = "cancel_taker"
    MAKER = "cancel_maker"
    BOTH = "cancel_both"
    DECREMENT = "decrement"  # both lose the smaller of the two; nothing trades


class TriggerBy(StrEnum):
    LAST = "last"
    MARK = "mark"
    INDEX = "index"


class TriggerDirection(IntEnum):
    RISES = 1  # fires when the price is at or above the trigger
    FALLS = -1  # fires when the price is at or below the trigger


class RejectReason(StrEnum):
    """Why a command was refused; the values are stable and part of the public API."""

    UNKNOWN_ACCOUNT = "unknown_account"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_PLAN = "unknown_plan"
    INVALID_INSTRUMENT = "invalid_instrument"
    INVALID_REQUEST = "invalid_request"
    DUPLICATE_INSTRUMENT = "duplicate_instrument"
    DUPLICATE_CLIENT_ORDER_ID = "duplicate_client_order_id"
    TIME_WENT_BACK = "time_went_back"
    INVALID_AMOUNT = "invalid_amount"
    INVALID_PRICE = "invalid_price"
    INVALID_CONTRACTS = "invalid_contracts"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    BELOW_MINIMUM_NOTIONAL = "below_minimum_notional"
    PRICE_OUTSIDE_BAND = "price_outside_band"
    TOO_MANY_ORDERS = "too_many_orders"
    POSITION_SIDE_MISMATCH = "position_side_mismatch"
    REDUCE_ONLY_REJECTED = "reduce_only_rejected"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    TRANSFER_ID_REUSED = "transfer_id_reused"  # same id, another transfer
    LEVERAGE_OUT_OF_RANGE = "leverage_out_of_range"
    UNCHANGED = "unchanged"
    WOULD_LIQUIDATE = "would_liquidate"
    LEVERAGE_NOT_LOWERED = "leverage_not_lowered"  # isolated, with an open position
    OPEN_ORDERS = "open_orders"
    OPEN_POSITION = "open_position"
    NO_POSITION = "no_position"
    NOT_ISOLATED = "not_isolated"
    MARGIN_LIMIT = "margin_limit"
    WOULD_TRIGGER_NOW = "would_trigger_now"
    NO_PRICE = "no_price"
    EXCEEDS_TIER = "exceeds_tier"
    FORCED = "forced"  # a fault plan asked for it


class CancelReason(StrEnum):
    """Why an order or a plan order ended before it was filled."""

    REQUESTED = "requested"
    NO_LIQUIDITY = "no_liquidity"  # a market order met an empty book or its slippage bound
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"
    REDUCE_ONLY = "reduce_only"  # the position it would reduce is gone
    POST_ONLY = "post_only"  # an amended price would have crossed
    SELF_TRADE = "self_trade"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    LIQUIDATION = "liquidation"
    DELEVERAGED = "deleveraged"
    FULLY_REDUCED = "fully_reduced"  # amended to what had already been filled
    POSITION_CLOSED = "position_closed"  # the position a plan order protected is gone
    SIBLING_FIRED = "sibling_fired"  # one cancels other
    EXPIRED = "expired"
    CLOSE_ON_TRIGGER = "close_on_trigger"  # it gave way to such an order of its account
