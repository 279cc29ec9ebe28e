"""From a worked example to a call of the public rules, and from both values to a verdict.

Dispatch is by topic, inputs and formula, never by an example's id: further examples of the same
kinds run through the same table.
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from tests.conformance.worked_market import (
    answer_funding_payment,
    answer_funding_rate_clamp,
    answer_funding_rounding,
    answer_funding_sampling,
    answer_funding_settlement,
    answer_funding_window,
    answer_impact_price,
    answer_liquidity_consumption,
    answer_premium_index,
    answer_price_protection,
    answer_queue_position,
    answer_self_trade_prevention,
    answer_trailing_stop,
)
from tests.conformance.worked_money import (
    answer_adl_allocation,
    answer_adl_ranking,
    answer_fee,
    answer_initial_margin,
    answer_insurance_pool_adl,
    answer_liquidation_fee,
    answer_liquidation_trigger,
    answer_loss_socialization,
    answer_maintenance_amount,
    answer_maintenance_margin,
    answer_margin_ratio,
    answer_margin_requirement,
    answer_order_cost,
    answer_partial_liquidation,
    answer_realized_pnl,
)
from tests.conformance.worked_prices import (
    answer_bankruptcy_price,
    answer_cross_bankruptcy,
    answer_insurance_fund,
    answer_liquidation_order_price,
    answer_liquidation_price,
    answer_seed_formula,
)

ANSWERS = {
    "adl_allocation": answer_adl_allocation,
    "adl_ranking": answer_adl_ranking,
    "bankruptcy_price": answer_bankruptcy_price,
    "bankruptcy_price_cross": answer_cross_bankruptcy,
    "fee": answer_fee,
    "funding_payment": answer_funding_payment,
    "funding_rate_clamp": answer_funding_rate_clamp,
    "funding_rounding": answer_funding_rounding,
    "funding_sampling": answer_funding_sampling,
    "funding_settlement": answer_funding_settlement,
    "funding_settlement_window": answer_funding_window,
    "impact_price": answer_impact_price,
    "initial_margin": answer_initial_margin,
    "insurance_fund": answer_insurance_fund,
    "insurance_pool_adl": answer_insurance_pool_adl,
    "liquidation_fee": answer_liquidation_fee,
    "liquidation_order_price": answer_liquidation_order_price,
    "liquidation_price": answer_liquidation_price,
    "liquidation_trigger": answer_liquidation_trigger,
    "liquidity_consumption": answer_liquidity_consumption,
    "loss_socialization": answer_loss_socialization,
    "maintenance_amount": answer_maintenance_amount,
    "maintenance_margin": answer_maintenance_margin,
    "margin_ratio": answer_margin_ratio,
    "margin_requirement": answer_margin_requirement,
    "order_cost": answer_order_cost,
    "partial_liquidation": answer_partial_liquidation,
    "premium_index": answer_premium_index,
    "price_protection": answer_price_protection,
    "queue_position": answer_queue_position,
    "realized_pnl": answer_realized_pnl,
    "seed_formula": answer_seed_formula,
    "self_trade_prevention": answer_self_trade_prevention,
    "trailing_stop": answer_trailing_stop,
}


def answer(example):
    """Return what the public rules say to an example."""
    inputs = {**example["inputs"], "formula": example["formula"] or ""}
    return ANSWERS[example["topic"]](inputs)


def tolerance_of(example):
    """Return how far a value may be from the printed one; "exact" and "0" are no distance."""
    text = example["tolerance"]
    return Fraction(0) if text == "exact" else Fraction(text)


def agrees(value, printed, tolerance):
    """Return whether a value is the printed one: dict and list part by part, numbers nearly."""
    if isinstance(printed, dict):
        return all(agrees(value.get(name), part, tolerance) for name, part in printed.items())
    if isinstance(printed, list):
        return len(value) == len(printed) and all(
            agrees(one, part, tolerance) for one, part in zip(value, printed, strict=True)
        )
    if printed == "none":
        return value is None
    number = _number(printed)
    if number is None or isinstance(printed, bool):
        return value == printed
    return value is not None and abs(Fraction(value) - number) <= tolerance


def last_digit_of(printed):
    """Return one unit in the last place of a number cut at 15 decimals or more, else 0."""
    if isinstance(printed, dict):
        return max((last_digit_of(part) for part in printed.values()), default=Fraction(0))
    if isinstance(printed, list):
        return max((last_digit_of(part) for part in printed), default=Fraction(0))
    number = _number(printed)
    if number is None:
        return Fraction(0)
    places = -Decimal(str(printed)).as_tuple().exponent
    return Fraction(1, 10**places) if places >= 15 else Fraction(0)


def _number(printed):
    try:
        return Fraction(Decimal(str(printed)))
    except InvalidOperation:
        return None
