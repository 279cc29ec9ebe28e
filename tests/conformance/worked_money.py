"""Answers the examples about margin, fees, order cost, profit, insurance and deleveraging."""

from decimal import Decimal
from fractions import Fraction

from simexchange.rules import (
    BINANCE,
    BYBIT,
    NAUTILUS,
    NAUTILUS_STANDARD,
    OURS,
    AdlEntry,
    RiskItem,
    account_risk_rate,
    adl_allocation,
    adl_percentiles,
    adl_queue,
    assuming_price,
    commission_in_discount_asset,
    equity_to_used_margin,
    initial_margin,
    insurance_pool_adl,
    is_liquidatable,
    liquidation_fee_rate,
    maintenance_amounts,
    maintenance_margin,
    margin_ratio,
    margin_requirement,
    next_maintenance_amount,
    open_interest_scaled_margin,
    open_loss,
    order_cost,
    partial_liquidation_quantity,
    quote_quantums,
    realized_pnl,
    socialised_loss_per_unit,
    trading_fee,
    truncate_to_step,
    unrealized_pnl,
)
from tests.conformance.worked_inputs import ratio_from, read, read_all

QUANTITY = ("quantity", "contract_size", "contract_type")


def answer_maintenance_amount(inputs):
    if "tiers" in inputs:
        return list(maintenance_amounts([(floor, rate) for floor, rate in inputs["tiers"]]))
    floors = [value for name, value in inputs.items() if name.startswith("floor")]
    return next_maintenance_amount(
        floor=floors[0],
        maintenance_margin_rate=inputs["mmr"],
        previous_maintenance_margin_rate=inputs["prev_mmr"],
        previous_maintenance_amount=inputs["prev_cum"],
    )


def answer_maintenance_margin(inputs):
    return maintenance_margin(
        **read_all(inputs, *QUANTITY, "price", "leverage", "maintenance_amount"),
        maintenance_margin_rate=ratio_from(read(inputs, "maintenance_margin_rate")),
        rules=NAUTILUS if "leverage*" in inputs["formula"] else OURS,
    )


def answer_initial_margin(inputs):
    rules = NAUTILUS_STANDARD if "leverage*" not in inputs["formula"] else NAUTILUS
    return initial_margin(
        **read_all(inputs, *QUANTITY, "price", "leverage", "initial_margin_rate"), rules=rules
    )


def answer_margin_ratio(inputs):
    if "margin_balance" in inputs:
        required = inputs["maintenance_margin"]
        return margin_ratio(maintenance_margin=required, margin_balance=inputs["margin_balance"])
    if "used_margin" in inputs:
        return equity_to_used_margin(
            account_balance=inputs["account_balance"],
            used_margin=inputs["used_margin"],
            unrealized_pnl=inputs.get("pnl", 0),
            fees=inputs.get("fees", 0),
        )
    names = ("mark_price", "quantity", "contract_size", "maintenance_margin_rate")
    return account_risk_rate(
        positions=[RiskItem(**read_all(item, *names)) for item in inputs["positions"]],
        orders=[RiskItem(**read_all(item, *names)) for item in inputs.get("orders", [])],
        total_margin=inputs["total_margin"],
        taker_fee_rate=inputs["taker"],
    )


# Price of a base quantum in quote quantums, in the source's fixture for open-interest cases: its
# notional of 441,000,000 is of 12,000 base quantums.
FIXTURE_QUANTUM_PRICE = 36750


def answer_margin_requirement(inputs):
    if "oi" in inputs:
        return open_interest_scaled_margin(
            notional=inputs["notional"],
            base_initial_margin_ppm=inputs["base_im_ppm"],
            open_interest_notional=inputs["oi"] * FIXTURE_QUANTUM_PRICE,
            lower_cap=inputs["lower"],
            upper_cap=inputs["upper"],
        )
    required = margin_requirement(
        notional=quote_quantums(
            base_quantums=inputs["base_quantums"],
            price=inputs["price"],
            exponent=inputs["exponent"],
            atomic_resolution=inputs["atomic_resolution"],
        ),
        initial_margin_ppm=inputs["initial_margin_ppm"],
        maintenance_fraction_ppm=inputs["maintenance_fraction_ppm"],
    )
    return {"im": required.initial, "mm": required.maintenance}


def answer_liquidation_trigger(inputs):
    """Nautilus: maintenance margin frozen at entry and divided by leverage; open fee paid."""
    position = read_all(inputs, *QUANTITY)
    fee = trading_fee(**position, price=inputs["entry"], fee_rate=inputs["taker"])
    side = read(inputs, "side", "long")
    pnl = unrealized_pnl(
        side=side, **position, entry_price=inputs["entry"], mark_price=inputs["mark"]
    )
    required = maintenance_margin(
        **position,
        price=inputs["entry"],
        leverage=inputs["leverage"],
        maintenance_margin_rate=inputs["maint_rate"],
        rules=NAUTILUS,
    )
    equity = Decimal(inputs["balance"]) - fee + pnl
    ratio = inputs["trigger_ratio"]
    assert is_liquidatable(equity=equity, maintenance_margin=required, ratio=ratio)
    return {"pnl": pnl, "maint": required, "threshold": required * ratio, "equity": equity}


def answer_order_cost(inputs):
    if "last" in inputs:
        assuming = assuming_price(
            side=inputs["side"],
            order_price=inputs["order"],
            last_price=inputs["last"],
            mark_price=inputs["mark"],
        )
        margin = initial_margin(quantity=1, price=assuming, leverage=inputs["leverage"])
        return {"assuming": assuming, "im": margin}
    if "order_price" in inputs:
        return open_loss(
            side=inputs["side"],
            quantity=inputs["qty"],
            order_price=inputs["order_price"],
            mark_price=inputs["mark"],
        )
    arguments = read_all(inputs, *QUANTITY, "price", "leverage", "fee_rate")
    rules = BYBIT if "fee_rate" in arguments else BINANCE
    cost = order_cost(side=read(inputs, "side", "long"), **arguments, rules=rules).total
    return truncate_to_step(cost, "0.01") if "truncated to 2dp" in inputs["formula"] else cost


def answer_realized_pnl(inputs):
    side = next(name for name in ("long", "short") if name in inputs)
    _, entry_price = inputs[side].split("@")
    closed, exit_price = inputs["sell" if side == "long" else "buy"].split("@")
    return realized_pnl(side=side, quantity=closed, entry_price=entry_price, exit_price=exit_price)


def answer_fee(inputs):
    if "standard" in inputs:
        return commission_in_discount_asset(
            standard_commission=inputs["standard"],
            tax_commission=inputs["tax"],
            special_commission=inputs["special"],
            discount_factor=inputs["discount"],
            discount_asset_price=inputs["bnb"],
        )
    return trading_fee(
        quantity=inputs["qty"], price=inputs["price"], fee_rate=inputs["rate"], unit="0.00000001"
    )


def answer_partial_liquidation(inputs):
    return partial_liquidation_quantity(
        margin_shortage=inputs["margin_shortage"],
        oracle_price=inputs["oracle"],
        margin_ratio=inputs["margin_ratio"],
        liquidator_fee_rate=inputs.get("liq_fee", 0),
        insurance_fee_rate=inputs.get("if_fee", 0),
        quote_price=inputs.get("quote_price", 1),
    )


def answer_liquidation_fee(inputs):
    return liquidation_fee_rate(
        margin_shortage=inputs["margin_shortage"],
        oracle_price=inputs["oracle"],
        quantity=inputs["base"],
        margin_ratio=inputs["margin_ratio"],
        liquidator_fee_rate=inputs["liquidator_fee"],
        maximum_fee_rate=inputs["max_if_fee"],
        quote_price=inputs.get("quote_price", 1),
    )


def answer_loss_socialization(inputs):
    return socialised_loss_per_unit(
        loss=inputs["loss"], long_quantity=inputs["long_base"], short_quantity=inputs["short_base"]
    )


def answer_insurance_pool_adl(inputs):
    state = insurance_pool_adl(
        balance=inputs["balance"],
        maximum_balance=inputs.get("max_balance"),
        symbol_pnl_change=inputs.get("symbol_pnl_change"),
        threshold=inputs.get("threshold"),
        stop=inputs.get("stop"),
    )
    return {"pnlRatio": state.pnl_ratio, "adl": state.triggered, "adl_amount": state.amount}


def _entries(inputs):
    side = next(name for name in ("longs", "shorts") if name in inputs)
    return [
        AdlEntry(account=str(row["account"]), quantity=row["qty"], score=row["score"])
        for row in inputs[side]
    ]


def answer_adl_ranking(inputs):
    return {account: f"{part}%" for account, part in adl_percentiles(_entries(inputs)).items()}


def answer_adl_allocation(inputs):
    quantity = Fraction(inputs["liquidated"].split()[1])  # "short 20 @ bankruptcy 650"
    return adl_allocation(adl_queue(_entries(inputs)), quantity=quantity).closed
