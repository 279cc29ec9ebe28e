"""Reading how a follow is to size its orders: the whole rule, and those of single instruments."""

from typing import Any, cast

from copyplugin.domain.copy_rule import BelowMinimum, Caps, CopyMode, CopyRule
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.engine.arguments import Arguments
from copyplugin.errors import Refused

OF_THE_MODE = ("factor", "order_margin")
OF_THE_FOLLOW = ("total_value_max", "open_positions_max", "orders_per_day_max")
OF_AN_INSTRUMENT = (
    "mode",
    *OF_THE_MODE,
    "below_minimum",
    "leverage",
    "margin_mode",
    "order_margin_max",
    "instrument_value_max",
    "leverage_max",
)


def copy_rule(given: Arguments) -> CopyRule:
    """Return the rule of the whole follow; raises `Refused` where a number is none."""
    return _rule(given, CopyRule(mode=given.choice("mode", CopyMode)))


def instrument_rules(given: Arguments, whole: CopyRule) -> dict[Symbol, CopyRule]:
    """Return the rules of instruments that have their own; what they leave out is the follow's.

    Another mode brings its own number: a factor or a margin of the follow's mode is not taken over.
    """
    if "per_instrument" not in given:
        return {}
    rules: dict[Symbol, CopyRule] = {}
    for name, terms in given.mapping("per_instrument").items():
        if not isinstance(terms, dict):
            raise Refused(f"The settings of {name} must be given by name.")
        named = cast("dict[str, Any]", terms)
        unknown = sorted(set(named) - set(OF_AN_INSTRUMENT))
        if unknown:
            raise Refused(
                f"{unknown[0]} cannot be set for one instrument: there are "
                f"{', '.join(OF_AN_INSTRUMENT)}."
            )
        rules[Symbol(name)] = _instrument_rule(Arguments(named), whole)
    return rules


def _instrument_rule(given: Arguments, whole: CopyRule) -> CopyRule:
    mode = given.choice("mode", CopyMode) if "mode" in given else whole.mode
    keeps_number = mode is whole.mode
    before = CopyRule(
        mode=mode,
        factor=whole.factor if keeps_number else None,
        order_margin=whole.order_margin if keeps_number else None,
        below_minimum=whole.below_minimum,
        leverage=whole.leverage,
        margin_mode=whole.margin_mode,
        caps=whole.caps,
    )
    return _rule(given, before)


def _rule(given: Arguments, before: CopyRule) -> CopyRule:
    caps = before.caps
    return CopyRule(
        mode=before.mode,
        factor=_ratio(given, "factor", before.factor),
        order_margin=_money(given, "order_margin", before.order_margin),
        below_minimum=given.choice("below_minimum", BelowMinimum)
        if "below_minimum" in given
        else before.below_minimum,
        leverage=_ratio(given, "leverage", before.leverage),
        margin_mode=given.choice("margin_mode", MarginMode)
        if "margin_mode" in given
        else before.margin_mode,
        caps=Caps(
            order_margin_max=_money(given, "order_margin_max", caps.order_margin_max),
            instrument_value_max=_money(given, "instrument_value_max", caps.instrument_value_max),
            total_value_max=_money(given, "total_value_max", caps.total_value_max),
            leverage_max=_ratio(given, "leverage_max", caps.leverage_max),
            open_positions_max=_count(given, "open_positions_max", caps.open_positions_max),
            orders_per_day_max=_count(given, "orders_per_day_max", caps.orders_per_day_max),
        ),
    )


def _ratio(given: Arguments, name: str, before: Ratio | None) -> Ratio | None:
    return Ratio(given.decimal(name)) if name in given else before


def _money(given: Arguments, name: str, before: Money | None) -> Money | None:
    return Money(given.decimal(name)) if name in given else before


def _count(given: Arguments, name: str, before: int | None) -> int | None:
    return given.number(name) if name in given else before
