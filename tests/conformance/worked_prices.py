"""Answers the examples about liquidation and bankruptcy prices."""

from fractions import Fraction

from simexchange.rules import (
    BINANCE,
    BYBIT_INVERSE,
    GATE,
    HYPERLIQUID,
    KUCOIN_2024,
    PHEMEX,
    CrossAccount,
    CrossPosition,
    bankruptcy_price,
    buffered_liquidation_price,
    cross_bankruptcy_quote,
    cross_margin,
    insurance_fund_delta,
    liquidation_order_price,
    liquidation_price,
    quote_quantums,
    seed_liquidation_price,
)
from tests.conformance.worked_inputs import ratio_from, read, read_all

POSITION = ("quantity", "contract_size", "entry_price", "contract_type")


def rules_of_liquidation_price(inputs):
    """Return the rule set by what the example gives and by the notional its formula counts on."""
    if "coin" in inputs:
        return HYPERLIQUID
    if "closeFee" in inputs["formula"]:
        return PHEMEX
    if "balance_btc" in inputs and "taker" in inputs:
        return BYBIT_INVERSE
    # IM - MM, or 1/L - MMR times the entry price: maintenance margin on the entry notional.
    if "IM-MM" in inputs["formula"] or "EP*(1" in inputs["formula"]:
        return KUCOIN_2024
    return BINANCE if read(inputs, "fee_rate") is None else GATE


def answer_liquidation_price(inputs):
    if "buffer" in inputs:
        return buffered_liquidation_price(
            entry_price=inputs["entry"], liquidation_price=inputs["liq"], buffer=inputs["buffer"]
        )
    arguments = read_all(inputs, *POSITION, "extra_margin", "maintenance_amount", "fee_rate")
    if "btc" in inputs:  # the position's value in coin; an inverse quantity is in quote currency
        arguments["quantity"] = inputs["btc"] * inputs["entry"]
    arguments.setdefault("quantity", 1)
    return liquidation_price(
        side=read(inputs, "side", "long"),
        **arguments,
        **_margin_or_leverage(inputs),
        maintenance_margin_rate=_maintenance_margin_rate(inputs),
        rules=rules_of_liquidation_price(inputs),
    )


def _maintenance_margin_rate(inputs):
    rate = read(inputs, "maintenance_margin_rate")
    if rate is None:  # the formula says which one it assumes
        rate = inputs["formula"].split("MMR=")[1].split()[0]
    return ratio_from(rate)


def _margin_or_leverage(inputs):
    margin = read(inputs, "margin")
    if margin is None:
        return {"leverage": inputs["leverage"]}
    if inputs.get("order_margin"):
        margin = Fraction(margin) - Fraction(inputs["order_margin"])
    if inputs.get("margin_mode") == "cross":
        others = inputs.get("other_positions") or [inputs.get("other_position")]
        positions = [_cross_position(other, inputs["side"]) for other in others if other]
        margin = cross_margin(wallet_balance=margin, other_positions=positions)
    return {"margin": margin}


def _cross_position(other, side):
    names = (*POSITION, "mark_price", "maintenance_margin_rate", "maintenance_amount")
    return CrossPosition(side=read(other, "side", side), **read_all(other, *names))


def answer_seed_formula(inputs):
    side = "short" if "for a short" in inputs["formula"] else "long"
    notional = Fraction(inputs["Hp"]) * inputs["Vol"] * Fraction(inputs["S"])
    return seed_liquidation_price(
        side=side,
        entry_price=inputs["Hp"],
        contracts=inputs["Vol"],
        face_value=inputs["S"],
        initial_margin=notional / inputs["L"],
        maintenance_margin=notional * Fraction(inputs["mmr"]),
        taker_fee_rate=inputs["R"],
    )


def answer_bankruptcy_price(inputs):
    arguments = read_all(inputs, *POSITION, "extra_margin", "fee_rate")
    arguments.setdefault("quantity", 1)
    return bankruptcy_price(side=inputs["side"], **arguments, **_margin_or_leverage(inputs))


# --- dYdX: a cross account in integer quantums ---------------------------------------------------

# The source's own test fixture: what one base quantum is, and its margin tier.
ATOMIC_RESOLUTION = {"BTC": -8, "ETH": -9}
MAINTENANCE_MARGIN = "10%"


def _value(inputs, symbol, quantums):
    return quote_quantums(
        base_quantums=quantums,
        price=inputs["oracle"][symbol],
        atomic_resolution=ATOMIC_RESOLUTION[symbol],
    )


def _account(inputs):
    values = [
        _value(inputs, symbol, quantums)
        for symbol, quantums in inputs["positions_quantums"].items()
    ]
    rate = ratio_from(inputs.get("mm", MAINTENANCE_MARGIN))
    return CrossAccount(
        net_collateral=inputs["quote_balance"] + sum(values),
        maintenance_margin=rate * sum(abs(value) for value in values),
    )


def answer_cross_bankruptcy(inputs):
    rate = ratio_from(inputs.get("mm", MAINTENANCE_MARGIN))
    closed = _value(inputs, inputs["close"], inputs["delta_quantums"])
    return cross_bankruptcy_quote(
        account=_account(inputs),
        delta_net_notional=closed,
        delta_maintenance_margin=rate * closed,
    )


def answer_liquidation_order_price(inputs):
    symbol = inputs["symbol"]
    quantums = inputs["positions_quantums"][symbol]
    value = _value(inputs, symbol, quantums)
    return liquidation_order_price(
        position_quantity=quantums,
        position_net_notional=value,
        position_maintenance_margin=ratio_from(inputs.get("mm", MAINTENANCE_MARGIN)) * abs(value),
        account=_account(inputs),
        bankruptcy_adjustment=Fraction(inputs["bankruptcy_adjustment_ppm"], 1_000_000),
        spread_to_maintenance_margin=Fraction(inputs["spread_to_mm_ppm"], 1_000_000),
    )


def answer_insurance_fund(inputs):
    (symbol,) = inputs["positions_quantums"]
    sign = 1 if inputs["close_side"] == "buy" else -1
    filled = Fraction(inputs["fill_qty_btc"])
    quantums = sign * filled / Fraction(10) ** ATOMIC_RESOLUTION[symbol]
    fill = {**inputs, "oracle": {"BTC": 50000, "ETH": 3000}, "close": symbol}
    bankruptcy = answer_cross_bankruptcy({**fill, "delta_quantums": quantums})
    return insurance_fund_delta(
        proceeds=-sign * filled * inputs["fill_price"] * 1_000_000,
        bankruptcy_quote=bankruptcy,
        maximum_fee_rate=Fraction(inputs["max_liq_fee_ppm"], 1_000_000),
    )
