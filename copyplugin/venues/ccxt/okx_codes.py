"""OKX's codes that say for certain that nothing was done, and why."""

from collections.abc import Mapping

from copyplugin.domain.reject_reason import RejectReason
from copyplugin.venues.ccxt.errors import (
    IN_DOUBT,
    INSUFFICIENT_MARGIN,
    NOT_FOUND,
    TRY_LATER,
)

ABSENT = frozenset({"51063", "51503", "51600", "51603", "58129"})
"""Answers to a question about an order or a movement: there is none of this name."""

REDUCE_ONLY = "reduce_only_rejected"

REFUSALS: Mapping[str, str] = {
    "50000": "invalid_request",
    "50001": IN_DOUBT,  # the service is down, since whenever
    "50002": "invalid_request",
    "50004": IN_DOUBT,  # 'does not indicate success or failure'
    "50007": "account_suspended",
    "50009": "account_suspended",
    "50011": TRY_LATER,
    "50012": "account_suspended",
    "50013": IN_DOUBT,  # the system is busy, at whatever point
    "50014": "invalid_request",
    "50015": "invalid_request",
    "50016": "invalid_request",
    "50024": "invalid_request",
    "50026": IN_DOUBT,  # a system error, at whatever point
    "50027": "account_suspended",
    "50028": "account_suspended",
    "50030": "permission_denied",
    "50035": "address_refused",  # the key is to be bound to an address
    "50037": TRY_LATER,  # too old when it was taken up
    "50038": "not_supported",  # not in demo trading
    "50040": TRY_LATER,
    "50044": "invalid_request",
    "50061": TRY_LATER,
    "50071": IN_DOUBT,  # this name is there
    "50101": "keys_refused",  # a key of demo trading, or of the other
    "50102": TRY_LATER,  # too old when it arrived
    "50103": "keys_refused",
    "50104": "keys_refused",
    "50105": "keys_refused",
    "50106": "keys_refused",
    "50107": "keys_refused",
    "50110": "address_refused",
    "50111": "keys_refused",
    "50112": "keys_refused",
    "50113": "keys_refused",
    "50114": "keys_refused",
    "50119": "keys_refused",
    "50120": "permission_denied",
    "50121": "address_refused",
    "51000": "invalid_request",
    "51001": "unknown_instrument",
    "51004": "exceeds_tier",
    "51005": "above_maximum",
    "51006": "price_outside_band",
    "51007": "below_minimum",
    "51008": INSUFFICIENT_MARGIN,
    "51010": "account_mode",  # spot mode trades no swaps
    "51015": "unknown_instrument",
    "51016": IN_DOUBT,  # an order of this name is there: ours
    "51020": "below_minimum",
    "51021": "market_closed",
    "51022": "market_closed",
    "51023": RejectReason.NO_POSITION,
    "51024": "account_suspended",
    "51025": "too_many_orders",
    "51027": "market_closed",
    "51028": "market_closed",
    "51029": "market_closed",
    "51030": TRY_LATER,  # funding is being settled
    "51031": "price_outside_band",
    "51043": RejectReason.NO_POSITION,
    "51054": IN_DOUBT,
    "51058": RejectReason.NO_POSITION,
    "51065": IN_DOUBT,  # a plan order of this name is there: ours
    "51068": IN_DOUBT,
    "51088": "too_many_plans",
    "51101": "above_maximum",
    "51102": "too_many_orders",
    "51103": "too_many_orders",
    "51104": "too_many_orders",
    "51105": "exceeds_tier",
    "51106": "exceeds_tier",
    "51107": "exceeds_tier",
    "51109": "no_liquidity",
    "51112": REDUCE_ONLY,  # more than may be closed
    "51116": "price_outside_band",
    "51117": "too_many_orders",
    "51119": INSUFFICIENT_MARGIN,
    "51120": "below_minimum",
    "51121": "invalid_amount",
    "51122": "price_outside_band",
    "51127": INSUFFICIENT_MARGIN,
    "51131": INSUFFICIENT_MARGIN,
    "51135": "price_outside_band",
    "51136": "price_outside_band",
    "51137": "price_outside_band",
    "51138": "price_outside_band",
    "51149": IN_DOUBT,  # timed out: 'neither success nor failure'
    "51150": "invalid_amount",
    "51155": "restricted_location",
    "51169": RejectReason.NO_POSITION,
    "51170": REDUCE_ONLY,
    "51174": "too_many_orders",
    "51185": "above_maximum",
    "51186": "leverage_out_of_range",
    "51187": "exceeds_tier",
    "51202": "above_maximum",
    "51203": "above_maximum",
    "51250": "price_outside_band",
    "51261": "too_many_plans",
    "51277": RejectReason.ALREADY_THROUGH,
    "51278": RejectReason.ALREADY_THROUGH,
    "51279": RejectReason.ALREADY_THROUGH,
    "51280": RejectReason.ALREADY_THROUGH,
    "51300": RejectReason.ALREADY_THROUGH,
    "51302": RejectReason.ALREADY_THROUGH,
    "51303": RejectReason.ALREADY_THROUGH,
    "51304": RejectReason.ALREADY_THROUGH,
    "51400": NOT_FOUND,
    "51401": NOT_FOUND,
    "51402": NOT_FOUND,
    "51503": NOT_FOUND,
    "51509": NOT_FOUND,
    "51510": NOT_FOUND,
    "51603": NOT_FOUND,
    "54030": "too_much_open_interest",
    "54031": "too_much_open_interest",
    "54072": "market_closed",
    "58004": "transfers_refused",
    "58100": "transfers_refused",
    "58101": "transfers_refused",
    "58102": TRY_LATER,
    "58103": "unknown_account",
    "58104": "transfers_refused",
    "58110": "transfers_refused",
    "58111": TRY_LATER,  # funding is being charged
    "58114": "invalid_amount",
    "58115": "unknown_account",
    "58116": "insufficient_balance",
    "58127": "invalid_request",
    "58128": "invalid_request",
    "58350": "insufficient_balance",
    "59000": "open_position",
    "59100": "open_position",
    "59101": "open_orders",
    "59102": "leverage_out_of_range",
    "59103": INSUFFICIENT_MARGIN,
    "59104": "exceeds_tier",
    "59105": "leverage_out_of_range",
    "59106": "exceeds_tier",
    "59107": "open_orders",
    "59108": INSUFFICIENT_MARGIN,
    "59109": INSUFFICIENT_MARGIN,
    "59200": "insufficient_balance",
    "59300": RejectReason.NO_POSITION,
    "59301": "insufficient_balance",
    "59500": "permission_denied",
}
"""Codes that are not here leave an order in doubt, unless ccxt's class can mean nothing else."""
