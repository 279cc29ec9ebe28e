"""Binance's codes that say for certain that nothing was done, and why."""

from collections.abc import Mapping

from copyplugin.domain.reject_reason import RejectReason
from copyplugin.venues.ccxt.errors import (
    IN_DOUBT,
    INSUFFICIENT_MARGIN,
    NOT_FOUND,
    TRY_LATER,
    UNCHANGED,
)

ABSENT = frozenset({"-2011", "-2013"})
"""Answers to a question about an order: there is none of this name."""

REDUCE_ONLY = "reduce_only_rejected"

REFUSALS: Mapping[str, str] = {
    "-1000": IN_DOUBT,  # an unknown error, at whatever point
    "-1001": IN_DOUBT,
    "-1002": "keys_refused",
    "-1003": TRY_LATER,
    "-1006": IN_DOUBT,  # 'execution status unknown'
    "-1007": IN_DOUBT,  # 'send status unknown'
    "-1008": TRY_LATER,
    "-1013": "invalid_request",
    "-1015": TRY_LATER,
    "-1021": TRY_LATER,  # too old when it arrived
    "-1022": "keys_refused",
    "-1100": "invalid_request",
    "-1101": "invalid_request",
    "-1102": "invalid_request",
    "-1103": "invalid_request",
    "-1104": "invalid_request",
    "-1105": "invalid_request",
    "-1106": "invalid_request",
    "-1111": "invalid_amount",
    "-1116": "invalid_request",
    "-1121": "unknown_instrument",
    "-2010": "rejected",
    "-2011": NOT_FOUND,
    "-2013": NOT_FOUND,
    "-2014": "keys_refused",
    "-2015": "keys_refused",
    "-2018": "insufficient_balance",
    "-2019": INSUFFICIENT_MARGIN,
    "-2020": "no_liquidity",
    "-2021": RejectReason.ALREADY_THROUGH,
    "-2022": REDUCE_ONLY,
    "-2023": "account_suspended",  # in liquidation
    "-2024": REDUCE_ONLY,
    "-2025": "too_many_orders",
    "-2026": REDUCE_ONLY,
    "-2027": "exceeds_tier",
    "-2028": INSUFFICIENT_MARGIN,
    "-4001": "invalid_price",
    "-4003": "invalid_amount",
    "-4004": "below_minimum",
    "-4005": "above_maximum",
    "-4014": "invalid_price",
    "-4015": "invalid_request",
    "-4016": "price_outside_band",
    "-4023": "invalid_amount",
    "-4024": "price_outside_band",
    "-4028": "leverage_out_of_range",
    "-4045": "too_many_plans",
    "-4046": UNCHANGED,
    "-4047": "open_orders",
    "-4048": "open_position",
    "-4049": "not_isolated",
    "-4050": "insufficient_balance",
    "-4051": "insufficient_balance",
    "-4052": UNCHANGED,
    "-4059": UNCHANGED,
    "-4061": "position_mode",
    "-4067": "open_orders",
    "-4068": "open_position",
    "-4087": "too_few_rights",
    "-4088": "too_few_rights",
    "-4109": "account_suspended",
    "-4116": IN_DOUBT,  # an order of this name is there: ours
    "-4120": "not_supported",
    "-4130": "too_many_plans",
    "-4131": "price_outside_band",
    "-4140": "market_closed",
    "-4161": "leverage_not_lowered",
    "-4164": "below_minimum_notional",
    "-4509": RejectReason.NO_POSITION,
    "-5022": "post_only",
    "-5027": UNCHANGED,
    "-9000": "insufficient_balance",
    "-12022": "unknown_account",
}
"""Codes that are not here leave an order in doubt, unless ccxt's class can mean nothing else."""
