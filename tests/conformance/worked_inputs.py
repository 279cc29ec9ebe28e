"""Reads the inputs of a worked example: the same quantity goes by several short names in them."""

from fractions import Fraction

# What our functions call it → what examples call it. The first name present is taken.
NAMES = {
    "side": ("side",),
    "quantity": ("q", "qty", "quantity", "size", "Vol", "contracts", "qty_usd", "base"),
    "contract_size": ("S", "mult", "face_value", "contract_size"),
    "entry_price": ("ep", "entry", "HP", "Hp", "entry_price"),
    "price": ("price", "order_price", "mark", "entry"),
    "mark_price": ("mark", "mark_price"),
    "leverage": ("leverage", "L"),
    "margin": (
        "isolated_margin",
        "wallet_balance",
        "wallet_btc",
        "balance_btc",
        "margin",
        "balance",
    ),
    "extra_margin": ("extra_margin",),
    "maintenance_margin_rate": ("mmr", "maintenance_margin_rate", "margin_maint", "maint_rate"),
    "maintenance_amount": ("cum", "cum_btc", "deduction", "maintenance_amount"),
    "fee_rate": ("taker_fee", "taker", "R", "fee_rate", "liq_fee", "rate"),
    "contract_type": ("type", "contract_type"),
    "initial_margin_rate": ("margin_init", "initial_margin_rate"),
    "funding_rate": ("rate", "funding_rate"),
}


def read(inputs, name, default=None):
    """Return the input that our functions call `name`, or the default where there is none."""
    for alias in NAMES[name]:
        if inputs.get(alias) is not None:
            return inputs[alias]
    return default


def read_all(inputs, *names):
    """Return name → input for those of the names that the example gives."""
    found = {name: read(inputs, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def ratio_from(text):
    """Return a ratio written as a decimal, as "20%" or as "1/(2*50)"."""
    text = str(text).strip()
    if text.endswith("%"):
        return Fraction(text[:-1]) / 100
    if text.startswith("1/("):
        divisor = Fraction(1)
        for factor in text[3:].rstrip(")").split("*"):
            divisor *= Fraction(factor)
        return 1 / divisor
    return Fraction(text)
