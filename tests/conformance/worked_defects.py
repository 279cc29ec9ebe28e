"""The examples whose sources are wrong, and why. `docs/RULES.md` tells the same story to readers.

The key is the example's id, because a reason belongs to one page; no number is kept here.
"""

from types import MappingProxyType

SEED_SHORT = (
    "the printed short multiplies the entry notional by (1 + R); a fee makes a short's liquidation "
    "price fall, so it must be (1 - R): the printed price is 2·R·Hp too high"
)

DEFECTS = MappingProxyType(
    {
        "kucoin-auto-margin-4938-to-4890": (
            "the page prints the same price before and after margin is added, and neither follows "
            "from its own formula Vol / (Vol/HP + IM - MM)"
        ),
        "binance-coinm-ui-vs-formula": (
            "the calculator's figure does not follow from the documented formula with the tier the "
            "user names; the formula gives the user's own number"
        ),
        "seed-short-10x": SEED_SHORT,
        "seed-short-20x": SEED_SHORT,
        "seed-short-100x": SEED_SHORT,
    }
)
