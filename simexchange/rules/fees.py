"""Trading fees, in settle currency."""

from decimal import Decimal

from simexchange.rules.exact import (
    Number,
    decimal_from,
    exact,
    half_up_to_step,
    not_negative,
    positive,
)
from simexchange.rules.margin import notional
from simexchange.rules.position import ContractType


def trading_fee(
    *,
    quantity: Number,
    price: Number,
    fee_rate: Number,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    unit: Number | None = None,
) -> Decimal:
    """Return notional × rate, in settle currency; below 0 for a maker who is paid.

    Rounded half up (away from zero) to `unit`, if given; Binance prints 8 places. |rate| < 1.
    Source: Binance, commission FAQ.
    """
    rate = exact(fee_rate, "fee rate")
    if abs(rate) >= 1:
        raise ValueError(f"fee rate is a ratio and must lie between -1 and 1, not {fee_rate}")
    value = notional(
        quantity=quantity, price=price, contract_size=contract_size, contract_type=contract_type
    )
    fee = exact(value) * rate
    return decimal_from(fee) if unit is None else half_up_to_step(fee, unit)


def commission_in_discount_asset(
    *,
    standard_commission: Number,
    tax_commission: Number,
    special_commission: Number,
    discount_factor: Number,
    discount_asset_price: Number,
    unit: Number | None = None,
) -> Decimal:
    """Return the whole commission of a trade, paid in the discount asset.

    (standard × factor + tax + special) ÷ price of the asset: the discount touches the standard part
    only. `discount_factor` is the factor itself: the source's page multiplies by 0.25 and calls it
    the discount; a discount of 25 % would be 0.75. Rounded half up to `unit`, if given.
    Source: Binance, commission FAQ.
    """
    standard = exact(standard_commission, "standard commission")
    total = standard * not_negative(discount_factor, "discount factor")
    total += exact(tax_commission, "tax commission")
    total += exact(special_commission, "special commission")
    amount = total / positive(discount_asset_price, "discount asset price")
    return decimal_from(amount) if unit is None else half_up_to_step(amount, unit)
