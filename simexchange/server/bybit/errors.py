"""The venue's error codes, and which of them answers which refusal of the exchange."""

from typing import NamedTuple

from simexchange.core.types import RejectReason as R


class Code(NamedTuple):
    number: int
    message: str


class WireError(Exception):
    """A request is answered with an error; nothing was changed unless the answer says so."""

    def __init__(
        self,
        code: Code,
        message: str = "",
        *,
        result: object = None,
        status: int = 200,
    ) -> None:
        super().__init__(f"{code.number} {message or code.message}")
        self.code = code.number
        self.message = message or code.message
        self.result = result
        self.status = status


OK = Code(0, "OK")
PARAMETER = Code(10001, "Request parameter error.")
EXPIRED_REQUEST = Code(10002, "The request time exceeds the time window range.")
INVALID_KEY = Code(10003, "API key is invalid.")
INVALID_SIGNATURE = Code(10004, "Error sign, please check your signature generation algorithm.")
NOT_PERMITTED = Code(10005, "Permission denied, please check your API key permissions.")
TOO_MANY_VISITS = Code(10006, "Too many visits. Exceeded the API Rate Limit.")
NOT_AUTHENTICATED = Code(10007, "User authentication failed.")
FROZEN = Code(10008, "User had been banned, please check your account mode.")
UNMATCHED_ADDRESS = Code(10010, "Unmatched IP, please check your API key's bound IP addresses.")
INTERNAL = Code(10016, "Server error.")
FORBIDDEN_FOR_UNIFIED = Code(100028, "The API cannot be called by unified account users.")
RESTARTING = Code(10019, "ws trade service is restarting, please try again later.")
ADDRESS_LIMIT = Code(10018, "Exceeded the IP Rate Limit.")
EXPIRED_KEY = Code(33004, "Your api key has expired.")
UNKNOWN_PATH = Code(404, "Path not found.")
UNKNOWN_OPERATION = Code(10404, "Unknown op type or unsupported category.")
REPEATED_REQUEST_ID = Code(20006, "Duplicate reqId.")

ORDER_NOT_FOUND = Code(110001, "order not exists or too late to cancel")
PRICE_RANGE = Code(110003, "Order price exceeds the allowable range.")
NO_MARGIN = Code(110007, "ab not enough for new order")
TOO_MANY_STOP_ORDERS = Code(
    110009, "The number of stop orders exceeds the maximum allowable limit."
)
FINISHED = Code(110008, "The order has been completed or cancelled.")
WOULD_LIQUIDATE = Code(110011, "Liquidation will be triggered immediately by this adjustment.")
NO_BALANCE = Code(110012, "Insufficient available balance.")
LEVERAGE_RISK = Code(110013, "Cannot set leverage due to risk limit level.")
MARGIN_SHORT = Code(110014, "Insufficient available balance to add additional margin.")
IN_CROSS = Code(110015, "The position is in cross margin mode.")
EXCEEDS_RISK = Code(110016, "The quantity of contracts requested exceeds the risk limit.")
REDUCE_ONLY = Code(110017, "Reduce-only rule not satisfied.")
TOO_MANY_ORDERS = Code(110020, "Not allowed to have more than the maximum number of active orders.")
POSITION_OPEN = Code(
    110024, "You have an existing position, so the position mode cannot be switched."
)
MODE_UNCHANGED = Code(110025, "Position mode is not modified.")
MARGIN_UNCHANGED = Code(110027, "Margin is not modified.")
ORDERS_OPEN = Code(
    110028, "You have existing open orders, so the position mode cannot be switched."
)
NO_POSITION = Code(110034, "There is no net position.")
LEVERAGE_UNCHANGED = Code(110043, "leverage not modified")
AVAILABLE_MARGIN_SHORT = Code(110044, "Available margin is insufficient.")
NOT_ALLOWED_NOW = Code(110066, "Trading is currently not allowed.")
DUPLICATE_LINK_ID = Code(110072, "OrderLinkedID is duplicate")
MARGIN_MODE_FAILED = Code(3400045, "Set margin mode failed")
TRIGGER_RISING = Code(110092, "expect Rising")
TRIGGER_FALLING = Code(110093, "expect Falling")
BELOW_VALUE = Code(110094, "Order does not meet minimum order value.")
TP_SL_UNCHANGED = Code(34040, "not modified")
NO_POSITION_FOR_STOPS = Code(10001, "can not set tp/sl/ts for zero position")
IDX_MISMATCH = Code(10001, "position idx not match position mode")

TRANSFER_PARAMETER = Code(131203, "Request parameter error.")
MEMBER_UNKNOWN = Code(131202, "memberId is not existed or is not yours.")
AMOUNT_PRECISION = Code(131210, "Amount accuracy error.")
SAME_ACCOUNT_TYPE = Code(131211, "fromAccountType can't be the same as toAccountType.")
TRANSFER_BALANCE = Code(131212, "Insufficient balance.")
TRANSFER_REPEATED = Code(131214, "TransferId exist.")
TRANSFER_AMOUNT = Code(131215, "Amount error.")
NO_TRANSFER_IN = Code(131231, "Transfers into this account are not supported.")
NO_TRANSFER_OUT = Code(131232, "Transfers out of this account are not supported.")

NAME_TAKEN = Code(31015, "the subaccount name already exists.")
NAME_INVALID = Code(
    31002, "the subaccount name must be 6 to 16 letters and digits, with at least one of each."
)
KEY_NOT_FOUND = Code(10003, "API key is invalid.")
STILL_HOLDS = Code(31019, "the subaccount still holds assets or positions.")

SYMBOL_INVALID = "params error: symbol invalid"
QUANTITY_INVALID = "Qty invalid"

REFUSALS: dict[R, Code] = {
    R.UNKNOWN_ACCOUNT: INVALID_KEY,
    R.UNKNOWN_INSTRUMENT: Code(10001, SYMBOL_INVALID),
    R.UNKNOWN_ORDER: ORDER_NOT_FOUND,
    R.UNKNOWN_PLAN: ORDER_NOT_FOUND,
    R.INVALID_INSTRUMENT: PARAMETER,
    R.INVALID_REQUEST: PARAMETER,
    R.DUPLICATE_INSTRUMENT: PARAMETER,
    R.DUPLICATE_CLIENT_ORDER_ID: DUPLICATE_LINK_ID,
    R.TIME_WENT_BACK: INTERNAL,
    R.INVALID_AMOUNT: PARAMETER,
    R.INVALID_PRICE: Code(10001, "The price is invalid"),
    R.INVALID_CONTRACTS: Code(10001, QUANTITY_INVALID),
    R.BELOW_MINIMUM: Code(10001, "The number of contracts exceeds minimum limit allowed"),
    R.ABOVE_MAXIMUM: Code(10001, "The number of contracts exceeds maximum limit allowed"),
    R.BELOW_MINIMUM_NOTIONAL: BELOW_VALUE,
    R.PRICE_OUTSIDE_BAND: PRICE_RANGE,
    R.TOO_MANY_ORDERS: TOO_MANY_ORDERS,
    R.POSITION_SIDE_MISMATCH: IDX_MISMATCH,
    R.REDUCE_ONLY_REJECTED: Code(
        110017, "current position is zero, cannot fix reduce-only order qty"
    ),
    R.POST_ONLY_WOULD_CROSS: PARAMETER,  # a fresh order is acknowledged instead, then cancelled
    R.INSUFFICIENT_MARGIN: NO_MARGIN,
    R.INSUFFICIENT_BALANCE: NO_BALANCE,
    R.TRANSFER_ID_REUSED: TRANSFER_REPEATED,
    R.LEVERAGE_OUT_OF_RANGE: Code(10001, "leverage invalid"),
    R.UNCHANGED: Code(10001, "order not modified"),
    R.WOULD_LIQUIDATE: WOULD_LIQUIDATE,
    R.LEVERAGE_NOT_LOWERED: AVAILABLE_MARGIN_SHORT,
    R.OPEN_ORDERS: ORDERS_OPEN,
    R.OPEN_POSITION: POSITION_OPEN,
    R.NO_POSITION: NO_POSITION,
    R.NOT_ISOLATED: IN_CROSS,
    R.MARGIN_LIMIT: MARGIN_SHORT,
    R.WOULD_TRIGGER_NOW: TRIGGER_RISING,
    R.NO_PRICE: Code(10001, "the symbol has no price yet"),
    R.EXCEEDS_TIER: EXCEEDS_RISK,
    R.FORCED: NOT_ALLOWED_NOW,
}


def refusal_error(reason: R, said: str) -> WireError:
    """Return the venue's answer to a refusal of the exchange, with the exchange's sentence.

    The venue's own words come first, because clients compare them.
    """
    code = REFUSALS[reason]
    return WireError(code, f"{code.message} ({said})")
