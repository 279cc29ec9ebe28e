"""Bybit's codes that say for certain that nothing was done, and why."""

from collections.abc import Mapping

from copyplugin.domain.reject_reason import RejectReason
from copyplugin.venues.ccxt.errors import (
    IN_DOUBT,
    INSUFFICIENT_MARGIN,
    NOT_FOUND,
    TRY_LATER,
    UNCHANGED,
)

POSITION_MODE_UNCHANGED = "110025"
TRANSFER_REPEATED = "131214"
REDUCE_ONLY = "reduce_only_rejected"

REFUSALS: Mapping[str, str] = {
    "10000": IN_DOUBT,  # the server timed out
    "10001": "invalid_request",
    "10002": TRY_LATER,  # too old when it arrived
    "10003": "keys_refused",
    "10004": "keys_refused",
    "10005": "permission_denied",
    "10006": TRY_LATER,
    "10008": "account_suspended",
    "10010": "address_refused",
    "10016": IN_DOUBT,  # a server error, at whatever point
    "10018": TRY_LATER,
    "10024": "restricted_location",
    "10027": "account_suspended",
    "10029": "unknown_instrument",
    "33004": "keys_expired",
    "34036": UNCHANGED,
    "34040": UNCHANGED,
    "110001": NOT_FOUND,
    "110003": "price_outside_band",
    "110004": INSUFFICIENT_MARGIN,
    "110006": INSUFFICIENT_MARGIN,
    "110007": INSUFFICIENT_MARGIN,
    "110008": NOT_FOUND,
    "110009": "too_many_plans",
    "110010": NOT_FOUND,
    "110011": "would_liquidate",
    "110012": "insufficient_balance",
    "110013": "leverage_out_of_range",
    "110014": "insufficient_balance",
    "110015": "not_isolated",
    "110016": "exceeds_tier",
    "110017": REDUCE_ONLY,
    "110020": "too_many_orders",
    "110021": "too_much_open_interest",
    "110024": "open_position",
    POSITION_MODE_UNCHANGED: UNCHANGED,
    "110026": UNCHANGED,
    "110027": UNCHANGED,
    "110028": "open_orders",
    "110034": RejectReason.NO_POSITION,
    "110040": "would_liquidate",
    "110043": UNCHANGED,
    "110044": INSUFFICIENT_MARGIN,
    "110045": INSUFFICIENT_MARGIN,
    "110051": INSUFFICIENT_MARGIN,
    "110052": INSUFFICIENT_MARGIN,
    "110053": INSUFFICIENT_MARGIN,
    "110066": "market_closed",
    "110072": IN_DOUBT,  # an order of this name is there: ours
    "110074": "market_closed",
    "110090": "exceeds_tier",
    "110092": RejectReason.ALREADY_THROUGH,
    "110093": RejectReason.ALREADY_THROUGH,
    "110094": "below_minimum_notional",
    "3400045": "margin_mode_refused",
    "131001": "transfers_refused",
    "131002": "transfers_refused",
    "131202": "unknown_account",
    "131203": "invalid_request",
    "131204": "invalid_amount",
    "131210": "invalid_amount",
    "131211": "invalid_request",
    "131212": "insufficient_balance",
    TRANSFER_REPEATED: IN_DOUBT,
    "131215": "invalid_amount",
    "131231": "transfers_refused",
    "131232": "transfers_refused",
    "31002": "invalid_request",
    "31015": "name_taken",
    "31019": "still_holds",
}
"""Codes that are not here leave an order in doubt, unless ccxt's class can mean nothing else."""
