"""What can be tried on recorded decisions, read from `NAME=VALUE` words (N12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from copyplugin.changeable_settings import setting_value
from copyplugin.domain.copy_rule import BelowMinimum, CopyMode, CopyRule, check_rule
from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.setting_change import SettingName
from copyplugin.errors import Refused
from copyplugin.settings import Settings

OF_SETTINGS = (
    SettingName.PRICE_BOUND_MAJOR,
    SettingName.PRICE_BOUND_OTHER,
    SettingName.SIGNAL_LATE_SECONDS,
)
OF_CAPS = (
    "order_margin_max",
    "instrument_value_max",
    "total_value_max",
    "leverage_max",
    "open_positions_max",
    "orders_per_day_max",
)
COUNTS = frozenset({"open_positions_max", "orders_per_day_max"})
BELOW_MINIMUM, SHARE_RATIO = "below_minimum", "share_ratio"
NONE = "none"

WHY_NOT = {
    SettingName.OPEN_ATTEMPTS: "how the venue would have answered once more is not recorded",
    SettingName.OPEN_EXPIRY_SECONDS: "how the venue would have answered later is not recorded",
    SettingName.TOPUP_MILLISECONDS: "it decides when is ordered, and the prices of other moments "
    "are not recorded",
    SettingName.SIGNAL_QUIET_MILLISECONDS: "it decides when is ordered, and the prices of other "
    "moments are not recorded",
    SettingName.UNREACHABLE_ABORT_SECONDS: "it decides when a follow is given up, not on an order",
    SettingName.REFUSALS_TO_ABORT: "it decides when a follow is given up, not on an order",
    SettingName.USABLE_DEPTH_PERCENT: "it decides on new follows, and depth is kept for an hour",
    SettingName.CAPACITY_LIMITS_FOLLOWS: "it decides on new follows, not on an order",
    SettingName.IS_OPEN_SCALE: "it decides on new follows, not on an order",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What is tried: values of settings, caps and the minimum rule of every follow, the share."""

    words: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    caps: Mapping[str, Any] = field(default_factory=dict[str, Any])
    below_minimum: BelowMinimum | None = None
    share_ratio: Ratio | None = None

    def settings_of(self, in_force: Settings) -> Settings:
        return in_force.model_copy(update=dict(self.settings)) if self.settings else in_force

    def rule_of(self, rule: CopyRule) -> CopyRule:
        if self.caps:
            rule = replace(rule, caps=replace(rule.caps, **self.caps))
        below = self.below_minimum
        return rule if below is None else replace(rule, below_minimum=below)


def tried_from(words: Mapping[str, str]) -> Tried:
    """Return what these words ask for; raises `Refused` with what to change."""
    settings: dict[str, Any] = {}
    caps: dict[str, Any] = {}
    below: BelowMinimum | None = None
    share: Ratio | None = None
    for name, text in words.items():
        if name in OF_SETTINGS:
            settings[name] = setting_value(SettingName(name), text)
        elif name in OF_CAPS:
            caps[name] = _cap(name, text)
        elif name == BELOW_MINIMUM:
            below = _below(text)
        elif name == SHARE_RATIO:
            share = _share(text)
        else:
            raise Refused(_not_triable(name))
    tried = Tried(
        words=dict(words), settings=settings, caps=caps, below_minimum=below, share_ratio=share
    )
    check_rule(tried.rule_of(CopyRule(mode=CopyMode.FIXED)))
    return tried


def _cap(name: str, text: str) -> Money | int | None:
    if text == NONE:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise Refused(f"{name} must be a number or {NONE}, not {text!r}.") from error
    is_count = name in COUNTS
    if not number.is_finite() or (is_count and number != number.to_integral_value()):
        raise Refused(f"{name} must be a {'whole ' if is_count else ''}number, not {text!r}.")
    return int(number) if is_count else Money(number)


def _below(text: str) -> BelowMinimum:
    if text not in set(BelowMinimum):
        raise Refused(f"{BELOW_MINIMUM} must be one of {', '.join(BelowMinimum)}, not {text!r}.")
    return BelowMinimum(text)


def _share(text: str) -> Ratio:
    try:
        ratio = Decimal(text)
    except InvalidOperation:
        ratio = Decimal(-1)
    if not (ratio.is_finite() and Decimal("0.01") <= ratio <= Decimal("0.99")):
        raise Refused(f"{SHARE_RATIO} must be between 0.01 and 0.99 (0.1 is 10 %), not {text!r}.")
    return Ratio(ratio)


def _not_triable(name: str) -> str:
    known = ", ".join([*OF_SETTINGS, *OF_CAPS, BELOW_MINIMUM, SHARE_RATIO])
    reason = next((why for each, why in WHY_NOT.items() if each == name), None)
    if reason is not None:
        return f"{name} cannot be tried: {reason}. These can: {known}."
    if name in Settings.model_fields:
        return f"{name} does not decide on orders and cannot be tried. These can: {known}."
    return f"There is no setting {name} that can be tried. These can: {known}."
