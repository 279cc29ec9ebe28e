"""Settings that may be changed while copying goes on, and who has to agree to a change (N12).

A change that lets copying risk more needs two persons; one that lowers the risk waits for nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class SettingName(StrEnum):
    """As the settings call them; the last is the seed's own key (C5)."""

    PRICE_BOUND_MAJOR = "price_bound_major"
    PRICE_BOUND_OTHER = "price_bound_other"
    SIGNAL_LATE_SECONDS = "signal_late_seconds"
    OPEN_ATTEMPTS = "open_attempts"
    OPEN_EXPIRY_SECONDS = "open_expiry_seconds"
    USABLE_DEPTH_PERCENT = "usable_depth_percent"
    CAPACITY_LIMITS_FOLLOWS = "capacity_limits_follows"
    UNREACHABLE_ABORT_SECONDS = "unreachable_abort_seconds"
    REFUSALS_TO_ABORT = "refusals_to_abort"
    TOPUP_MILLISECONDS = "topup_milliseconds"
    SIGNAL_QUIET_MILLISECONDS = "signal_quiet_milliseconds"
    IS_OPEN_SCALE = "isOpenScale"


class Safer(StrEnum):
    """Which way a setting lowers the risk."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class SettingChangeState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeableSetting:
    """`is_about_money`: a change that does not lower the risk needs a second person."""

    safer: Safer
    is_about_money: bool
    why: str


CHANGEABLE: Mapping[SettingName, ChangeableSetting] = {
    SettingName.PRICE_BOUND_MAJOR: ChangeableSetting(
        safer=Safer.LOWER,
        is_about_money=True,
        why="what followers may pay beyond the leader's price",
    ),
    SettingName.PRICE_BOUND_OTHER: ChangeableSetting(
        safer=Safer.LOWER,
        is_about_money=True,
        why="what followers may pay beyond the leader's price",
    ),
    SettingName.SIGNAL_LATE_SECONDS: ChangeableSetting(
        safer=Safer.LOWER, is_about_money=True, why="how old a trade may be that is still opened"
    ),
    SettingName.OPEN_ATTEMPTS: ChangeableSetting(
        safer=Safer.LOWER, is_about_money=True, why="how often an open is tried"
    ),
    SettingName.OPEN_EXPIRY_SECONDS: ChangeableSetting(
        safer=Safer.LOWER, is_about_money=True, why="how long an open is tried"
    ),
    SettingName.USABLE_DEPTH_PERCENT: ChangeableSetting(
        safer=Safer.LOWER, is_about_money=True, why="how much copying a market is trusted with"
    ),
    SettingName.CAPACITY_LIMITS_FOLLOWS: ChangeableSetting(
        safer=Safer.HIGHER, is_about_money=True, why="whether a market's limit counts at all"
    ),
    SettingName.UNREACHABLE_ABORT_SECONDS: ChangeableSetting(
        safer=Safer.NEITHER,
        is_about_money=True,
        why="an abort closes at market; a late one leaves positions alone for longer",
    ),
    SettingName.REFUSALS_TO_ABORT: ChangeableSetting(
        safer=Safer.NEITHER,
        is_about_money=True,
        why="an abort closes at market; a late one leaves positions alone for longer",
    ),
    SettingName.TOPUP_MILLISECONDS: ChangeableSetting(
        safer=Safer.NEITHER, is_about_money=False, why="when is ordered, not how much"
    ),
    SettingName.SIGNAL_QUIET_MILLISECONDS: ChangeableSetting(
        safer=Safer.NEITHER, is_about_money=False, why="when is ordered, not how much"
    ),
    SettingName.IS_OPEN_SCALE: ChangeableSetting(
        safer=Safer.LOWER, is_about_money=True, why="whether shares of a balance may be staked"
    ),
}


def lowers_risk(name: SettingName, before: Decimal, after: Decimal) -> bool:
    """Return whether a change is to the safe side; true and false count as 1 and 0."""
    safer = CHANGEABLE[name].safer
    return (safer is Safer.LOWER and after < before) or (safer is Safer.HIGHER and after > before)


def needs_second_person(name: SettingName, before: Decimal, after: Decimal) -> bool:
    """Return whether two persons have to agree, where the installation has two."""
    return CHANGEABLE[name].is_about_money and not lowers_risk(name, before, after)


def is_same_person(one: str, other: str) -> bool:
    """Return whether two actors are one person as far as names tell, whatever their roles.

    `operator:Ann` and `administrator:ann` are one. One person under two names cannot be told apart.
    """
    return _name(one) == _name(other)


def _name(actor: str) -> str:
    return " ".join(actor.rpartition(":")[2].split()).casefold()
