"""Compares facts with what is expected of them; shared by scenario files and tests."""

from collections.abc import Mapping
from fractions import Fraction

from simexchange.scenario.amounts import Number, fraction_text
from simexchange.scenario.expected import Expected, expected_number
from simexchange.scenario.model import Mismatch
from simexchange.scenario.problem import suggestion
from simexchange.scenario.world import Found, found_text

NONE = "none"

POSITION_NUMBERS = (
    "contracts",
    "base",
    "entry_price",
    "entry_cost",
    "margin",
    "unrealized_pnl",
    "maintenance_margin",
    "liquidation_price",
    "bankruptcy_price",
    "leverage",
    "adl_lights",
)
POSITION_WORDS = ("margin_mode",)
BALANCE_NUMBERS = ("spot", "contract", "available", "equity", "order_hold")
ORDER_NUMBERS = ("contracts", "filled", "remaining", "price", "average_price", "fee")
ORDER_WORDS = ("status",)
PLAN_NUMBERS = ("trigger", "price", "contracts")
PLAN_WORDS = ("status",)
PRICE_NUMBERS = ("mark", "index", "last", "best_bid", "best_ask")

Wanted = Expected | str
"""A number with its tolerance, or a word; the word ``none`` where nothing is expected."""


def wanted(word: str, written: Number, *, words: tuple[str, ...] = ()) -> Wanted:
    """Return what ``written`` asks of the fact ``word``; ``words`` are not numbers."""
    text = str(written).strip()
    if word in words or text == NONE:
        return text
    return expected_number(written, word)


def wanted_facts(
    given: Mapping[str, Number], numbers: tuple[str, ...], words: tuple[str, ...] = ()
) -> dict[str, Wanted]:
    """Return what a test asks for by keyword; a typo gets a suggestion."""
    known = (*numbers, *words)
    for word in given:
        if word not in known:
            raise ValueError(f"there is no {word} to expect; {suggestion(word, known)}")
    return {word: wanted(word, written, words=words) for word, written in given.items()}


def mismatches(
    subject: str, facts: Mapping[str, Found], wanted_of: Mapping[str, Wanted]
) -> list[Mismatch]:
    """Return one mismatch for each fact that is not as wanted."""
    wrong: list[Mismatch] = []
    for word, want in wanted_of.items():
        found = facts[word]
        if not is_as_wanted(found, want):
            expected = want if isinstance(want, str) else want.text
            wrong.append(Mismatch(f"{subject} {word}", expected, _explained(found, want)))
    return wrong


def is_as_wanted(found: Found, want: Wanted) -> bool:
    if isinstance(want, str):
        return want == found_text(found)
    return isinstance(found, Fraction) and want.admits(found)


def _explained(found: Found, want: Wanted) -> str:
    text = found_text(found)
    if isinstance(want, Expected) and text.endswith("…") and want.exact is not None:
        near = text.removesuffix("…")
        return f"{text} (decimals do not end: write `{near} within 0.00000001`)"
    if isinstance(found, Fraction) and isinstance(want, Expected) and want.exact is not None:
        difference = found - want.exact
        return f"{text} (off by {fraction_text(difference)})"
    return text
