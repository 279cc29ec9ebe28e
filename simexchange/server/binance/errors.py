"""The venue's error codes, and which of them answers which refusal of the exchange."""

from typing import NamedTuple

from simexchange.core.types import RejectReason as R


class Code(NamedTuple):
    number: int
    message: str
    status: int = 400


class WireError(Exception):
    """A request is answered with an error; nothing was changed."""

    def __init__(self, code: Code, message: str = "") -> None:
        super().__init__(f"{code.number} {message or code.message}")
        self.code = code.number
        self.message = message or code.message
        self.status = code.status


UNKNOWN = Code(-1000, "An unknown error occurred while processing the request.", 500)
TOO_MANY_REQUESTS = Code(
    -1003, "Too many requests; please use the websocket for live updates.", 429
)
BANNED = Code(-1003, "Way too much request weight used; IP banned.", 418)
TOO_MANY_ORDERS_SENT = Code(-1015, "Too many new orders.", 429)
UNSUPPORTED = Code(-1020, "This operation is not supported.")
OUTSIDE_WINDOW = Code(-1021, "Timestamp for this request is outside of the recvWindow.")
INVALID_SIGNATURE = Code(-1022, "Signature for this request is not valid.")
START_AFTER_END = Code(-1023, "Start time is greater than end time.")
ILLEGAL = Code(-1100, "Illegal characters found in a parameter.")
MANDATORY = Code(-1102, "A mandatory parameter was not sent, was empty/null, or malformed.")
UNREAD = Code(-1104, "Not all sent parameters were read.")
EMPTY = Code(-1105, "A parameter was empty.")
NOT_REQUIRED = Code(-1106, "A parameter was sent when not required.")
BAD_ASSET = Code(-1108, "Invalid asset.")
TOO_PRECISE = Code(-1111, "Precision is over the maximum defined for this asset.")
BAD_TIME_IN_FORCE = Code(-1115, "Invalid timeInForce.")
NO_SUCH_TYPE = Code(-1116, "Invalid orderType.")
BAD_SIDE = Code(-1117, "Invalid side.")
BAD_INTERVAL = Code(-1120, "Invalid interval.")
INVALID_SYMBOL = Code(-1121, "Invalid symbol.")
INVALID_LISTEN_KEY = Code(-1125, "This listenKey does not exist.")
BAD_COMBINATION = Code(-1128, "Combination of optional parameters invalid.")
INVALID_DATA = Code(-1130, "Data sent for a parameter is not valid.")
BAD_RESPONSE_TYPE = Code(-1136, "Invalid newOrderRespType")
ORDER_REJECTED = Code(-2010, "NEW_ORDER_REJECTED")
CANCEL_REJECTED = Code(-2011, "Unknown order sent.")
NO_SUCH_ORDER = Code(-2013, "Order does not exist.")
BAD_KEY_FORMAT = Code(-2014, "API-key format invalid.", 401)
REJECTED_KEY = Code(-2015, "Invalid API-key, IP, or permissions for action.", 401)
BALANCE_SHORT = Code(-2018, "Balance is insufficient.")
MARGIN_SHORT = Code(-2019, "Margin is insufficient.")
WOULD_TRIGGER = Code(-2021, "Order would immediately trigger.")
REDUCE_ONLY = Code(-2022, "ReduceOnly Order is rejected.")
TOO_MANY_OPEN = Code(-2025, "Reach max open order limit.")
POSITION_LIMIT = Code(-2027, "Exceeded the maximum allowable position at current leverage.")
LEVERAGE_SMALL = Code(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
PRICE_TOO_LOW = Code(-4001, "Price less than 0.")
QUANTITY_TOO_SMALL = Code(-4003, "Quantity less than or equal to zero.")
QUANTITY_BELOW = Code(-4004, "Quantity less than min quantity.")
QUANTITY_ABOVE = Code(-4005, "Quantity greater than max quantity.")
OFF_TICK = Code(-4014, "Price not increased by tick size.")
CLIENT_ID = Code(-4015, "Client order id is not valid.")
BAD_DEPTH = Code(-4021, "This is not a valid depth limit.")
PRICE_HIGH = Code(-4016, "Price is higher than mark price multiplier cap.")
OFF_STEP = Code(-4023, "Quantity not increased by step size.")
PRICE_LOW = Code(-4024, "Price is lower than mark price multiplier floor.")
BAD_LEVERAGE = Code(-4028, "Leverage is not valid.")
TOO_MANY_STOPS = Code(-4045, "Reach max stop order limit.")
MARGIN_UNCHANGED = Code(-4046, "No need to change margin type.")
MARGIN_ORDERS = Code(-4047, "Margin type cannot be changed if there exists open orders.")
MARGIN_POSITION = Code(-4048, "Margin type cannot be changed if there exists position.")
ISOLATED_ONLY = Code(-4049, "Add margin only support for isolated position.")
NO_ISOLATED_POSITION = Code(
    -4054, "Cannot add position margin: position is 0 or position is not isolated."
)
NOT_POSITIVE = Code(-4055, "Amount must be positive.")
HMAC_KEY = Code(-4056, "HMAC_SHA256 API key is not supported.")
SIDE_UNCHANGED = Code(-4059, "No need to change position side.")
BAD_POSITION_SIDE = Code(-4060, "Invalid position side.")
SIDE_MISMATCH = Code(-4061, "Order's position side does not match user's setting.")
BAD_REDUCE_ONLY = Code(-4062, "Invalid or improper reduceOnly value.")
SIDE_ORDERS = Code(-4067, "Position side cannot be changed if there exists open orders.")
SIDE_POSITION = Code(-4068, "Position side cannot be changed if there exists position.")
BATCH_SIZE = Code(-4082, "Invalid number of batch place orders.")
DUPLICATE_CLIENT_ID = Code(-4116, "ClientOrderId is duplicated.")
USE_ALGO = Code(-4120, "Order type not supported for this endpoint. Use the Algo Order endpoints.")
BAD_ACTIVATION = Code(-4135, "Invalid activation price")
QUANTITY_WITH_CLOSE = Code(-4137, "Quantity must be zero with closePosition equals true")
BELOW_NOTIONAL = Code(-4164, "Order's notional must be no smaller than the minimum.")
LOWER_LEVERAGE = Code(
    -4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions."
)
INTERVAL_TOO_LONG = Code(-4165, "Maximum time interval is 7 days.")
MULTI_ASSETS = Code(-4171, "Multi-Assets mode is not offered here.")
FILL_OR_KILL = Code(
    -5021,
    "Due to the order could not be filled immediately, the FOK order has been rejected.",
)
LIMIT_ONLY = Code(-5025, "Only limit order is supported.")
NOT_AMENDED = Code(-5027, "No need to modify the order.")
POST_ONLY = Code(
    -5022,
    "Due to the order could not be executed as maker, the Post Only order will be rejected.",
)
BAD_PRICE_MATCH = Code(-5037, "Invalid price match")
MATCH_WITHOUT_LIMIT = Code(
    -5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT"
)
BAD_PREVENTION = Code(-5039, "Invalid self trade prevention mode")
BAD_GOOD_TILL = Code(
    -5040, "The goodTillDate timestamp must be greater than the current time plus 600 seconds"
)
NO_DEPTH = Code(-5041, "No depth matches this BBO order")
BALANCE = Code(-4051, "Isolated balance insufficient.")
TRANSFER_BALANCE = Code(-9000, "user have no avaliable amount")

REFUSALS: dict[R, Code] = {
    R.UNKNOWN_ACCOUNT: REJECTED_KEY,
    R.UNKNOWN_INSTRUMENT: INVALID_SYMBOL,
    R.UNKNOWN_ORDER: CANCEL_REJECTED,
    R.UNKNOWN_PLAN: CANCEL_REJECTED,
    R.INVALID_INSTRUMENT: INVALID_SYMBOL,
    R.INVALID_REQUEST: MANDATORY,
    R.DUPLICATE_INSTRUMENT: INVALID_SYMBOL,
    R.DUPLICATE_CLIENT_ORDER_ID: DUPLICATE_CLIENT_ID,
    R.TIME_WENT_BACK: UNKNOWN,
    R.INVALID_AMOUNT: MANDATORY,
    R.INVALID_PRICE: PRICE_TOO_LOW,
    R.INVALID_CONTRACTS: QUANTITY_TOO_SMALL,
    R.BELOW_MINIMUM: QUANTITY_BELOW,
    R.ABOVE_MAXIMUM: QUANTITY_ABOVE,
    R.BELOW_MINIMUM_NOTIONAL: BELOW_NOTIONAL,
    R.PRICE_OUTSIDE_BAND: PRICE_HIGH,
    R.TOO_MANY_ORDERS: TOO_MANY_OPEN,
    R.POSITION_SIDE_MISMATCH: SIDE_MISMATCH,
    R.REDUCE_ONLY_REJECTED: REDUCE_ONLY,
    R.POST_ONLY_WOULD_CROSS: POST_ONLY,
    R.INSUFFICIENT_MARGIN: MARGIN_SHORT,
    R.INSUFFICIENT_BALANCE: TRANSFER_BALANCE,
    R.TRANSFER_ID_REUSED: MANDATORY,
    R.LEVERAGE_OUT_OF_RANGE: BAD_LEVERAGE,
    R.UNCHANGED: NOT_AMENDED,
    R.WOULD_LIQUIDATE: MARGIN_SHORT,
    R.LEVERAGE_NOT_LOWERED: LOWER_LEVERAGE,
    R.OPEN_ORDERS: MARGIN_ORDERS,
    R.OPEN_POSITION: MARGIN_POSITION,
    R.NO_POSITION: REDUCE_ONLY,
    R.NOT_ISOLATED: ISOLATED_ONLY,
    R.MARGIN_LIMIT: BALANCE,
    R.WOULD_TRIGGER_NOW: WOULD_TRIGGER,
    R.NO_PRICE: ORDER_REJECTED,
    R.EXCEEDS_TIER: POSITION_LIMIT,
    R.FORCED: ORDER_REJECTED,
}


def refusal_error(reason: R, said: str) -> WireError:
    """Return the venue's answer to a refusal of the exchange, with the exchange's sentence."""
    code = REFUSALS[reason]
    return WireError(code, f"{code.message} ({said})")
