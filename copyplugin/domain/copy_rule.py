"""How a follow sizes its orders: the mode with its numbers, its caps, and small orders (C7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.money import Money, Ratio, is_storable
from copyplugin.errors import Refused

FACTOR_MIN = Ratio(Decimal("0.001"))
FACTOR_MAX = Ratio(Decimal(1000))
PRICE_PROTECTION_MIN = Ratio(Decimal("0.001"))
PRICE_PROTECTION_MAX = Ratio(Decimal("0.03"))
OPEN_HELD_MAX = Ratio(Decimal("0.2"))


class CopyMode(StrEnum):
    FIXED = "fixed"  # as many contracts as the leader opens (C4)
    PROPORTIONAL = "proportional"  # the same part of the balance as the leader uses (C5)
    MULTIPLE = "multiple"  # a factor times the leader's contracts
    FIXED_MARGIN = "fixed_margin"  # the same margin for every order of the leader
    EQUITY_RATIO = "equity_ratio"  # leader's contracts × own equity / his equity


class BelowMinimum(StrEnum):
    """What becomes of an open that is smaller than the venue accepts."""

    SKIP = "skip"
    RAISE = "raise"  # to the venue's minimum
    CARRY = "carry"  # it is added to the next open of the lane


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """What a follow never goes beyond by an open; None where there is no cap.

    Values are contracts × contract size × the leader's average price of the lane's latest open, so
    that whoever recomputes a refusal finds the same. Caps never touch a close.
    """

    order_margin_max: Money | None = None
    instrument_value_max: Money | None = None
    total_value_max: Money | None = None
    leverage_max: Ratio | None = None
    open_positions_max: int | None = None
    orders_per_day_max: int | None = None  # leader orders opened or added to

    @property
    def needs_holdings(self) -> bool:
        """Return whether a decision under these caps rests on what the follow holds already."""
        return any(
            cap is not None
            for cap in (
                self.instrument_value_max,
                self.total_value_max,
                self.open_positions_max,
                self.orders_per_day_max,
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyRule:
    """How one follow sizes what it opens, in one instrument or in all.

    `factor` belongs to the multiple mode, `order_margin` to fixed margin. `leverage` and
    `margin_mode` are None where they follow the leader's.
    """

    mode: CopyMode
    factor: Ratio | None = None
    order_margin: Money | None = None
    below_minimum: BelowMinimum = BelowMinimum.SKIP
    leverage: Ratio | None = None
    margin_mode: MarginMode | None = None
    caps: Caps = field(default_factory=Caps)

    def leverage_for(self, leaders: Ratio) -> Ratio:
        """Return the leverage of an open: the follower's own or the leader's, within the cap."""
        wanted = leaders if self.leverage is None else self.leverage
        return wanted if self.caps.leverage_max is None else min(wanted, self.caps.leverage_max)

    def margin_mode_for(self, leaders: MarginMode) -> MarginMode:
        return leaders if self.margin_mode is None else self.margin_mode


def check_rule(rule: CopyRule) -> None:
    """Raise `Refused` with a sentence that says which number of the rule to change."""
    fault = _fault_of_mode(rule) or _fault_of_leverage(rule) or _fault_of_caps(rule.caps)
    if fault is not None:
        raise Refused(fault)


def check_price_protection(bound: Ratio) -> None:
    """Raise `Refused` unless the bound of an open is one that may be chosen (C8)."""
    if not PRICE_PROTECTION_MIN <= bound <= PRICE_PROTECTION_MAX:
        raise Refused("The price protection must be between 0.1 % and 3 %.")


def check_open_held(distance: Ratio) -> None:
    """Raise `Refused` unless the distance from the leader's entry may be chosen (L2)."""
    if not PRICE_PROTECTION_MIN <= distance <= OPEN_HELD_MAX:
        raise Refused("The distance from the leader's entry must be between 0.1 % and 20 %.")


def _fault_of_mode(rule: CopyRule) -> str | None:
    if rule.mode is CopyMode.MULTIPLE:
        if rule.factor is None or not FACTOR_MIN <= rule.factor <= FACTOR_MAX:
            return f"The factor must be between {FACTOR_MIN} and {FACTOR_MAX}."
    elif rule.factor is not None:
        return "A factor belongs to the multiple mode: choose that mode or leave the factor out."
    if rule.mode is CopyMode.FIXED_MARGIN:
        if rule.order_margin is None or not _is_amount(rule.order_margin):
            return "The margin of an order must be more than 0 and have at most 8 decimals."
    elif rule.order_margin is not None:
        return "A margin of each order belongs to the fixed-margin mode: choose it or leave it out."
    return None


def _fault_of_leverage(rule: CopyRule) -> str | None:
    if rule.leverage is not None and not _is_leverage(rule.leverage):
        return "The leverage must be a whole number of at least 1."
    if rule.caps.leverage_max is not None and not _is_leverage(rule.caps.leverage_max):
        return "The greatest leverage must be a whole number of at least 1."
    return None


def _fault_of_caps(caps: Caps) -> str | None:
    amounts: Mapping[str, Money | None] = {
        "margin of an order": caps.order_margin_max,
        "value in one instrument": caps.instrument_value_max,
        "value of all positions": caps.total_value_max,
    }
    for name, cap in amounts.items():
        if cap is not None and not _is_amount(cap):
            return f"The greatest {name} must be more than 0 and have at most 8 decimals."
    if caps.open_positions_max is not None and caps.open_positions_max < 1:
        return "The most positions open at once must be at least 1."
    if caps.orders_per_day_max is not None and caps.orders_per_day_max < 1:
        return "The most orders of a day must be at least 1."
    return None


def _is_amount(money: Money) -> bool:
    return money > 0 and is_storable(money)


def _is_leverage(leverage: Ratio) -> bool:
    return leverage >= 1 and leverage == leverage.to_integral_value()
