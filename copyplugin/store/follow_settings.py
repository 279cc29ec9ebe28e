"""All that a follower has set for one follow, by the names under which a command takes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.identifiers import FollowId, Symbol
from copyplugin.domain.money import Ratio
from copyplugin.store.follow_rules import rules_of
from copyplugin.store.follows import symbols_chosen
from copyplugin.store.protection import Protection, limits_of
from copyplugin.store.rows import FollowHistoryRow, FollowProtectionRow, FollowRow
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT

CHANGED = "settings changed: "
"""How the reason of a row begins that a change has left in a follow's history."""

OF_A_RULE = ("mode", "factor", "order_margin", "below_minimum", "leverage", "margin_mode")
CAPS = (
    "order_margin_max",
    "instrument_value_max",
    "total_value_max",
    "leverage_max",
    "open_positions_max",
    "orders_per_day_max",
)
OF_THE_MODE = ("factor", "order_margin")
LIMITS = ("max_loss", "max_day_loss", "trailing_stop", "losing_positions")

Given = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowSettings:
    """`rule` counts for the leader's next order; `protection` None: nothing was ever set."""

    rule: CopyRule
    instrument_rules: Mapping[Symbol, CopyRule] = field(default_factory=dict[Symbol, CopyRule])
    price_protection: Ratio | None = None
    protection: Protection | None = None

    @property
    def rules(self) -> dict[Symbol, CopyRule]:
        """Return every rule by symbol, the follow's own first."""
        return {EVERY_INSTRUMENT: self.rule, **self.instrument_rules}

    def rule_for(self, symbol: Symbol) -> CopyRule:
        return self.instrument_rules.get(symbol, self.rule)

    def arguments(self) -> Given:
        """Return them as a command takes them; what is not set is left out."""
        given = _of_rule(self.rule)
        own = {
            str(symbol): _of_instrument(rule, self.rule)
            for symbol, rule in sorted(self.instrument_rules.items())
        }
        if any(own.values()):
            given["per_instrument"] = {symbol: terms for symbol, terms in own.items() if terms}
        if self.price_protection is not None:
            given["price_protection"] = _plain(self.price_protection)
        return given | _of_protection(self.protection)


def settings_of(session: Session, follow: FollowRow) -> FollowSettings:
    """Return what counts for the leader's next order, and what protects the follow now."""
    book = rules_of(session, {follow.id})
    whole = book.rule_of(follow, EVERY_INSTRUMENT)
    chosen = sorted(symbols_chosen(session, follow.id))
    own = {symbol: book.rule_of(follow, symbol) for symbol in chosen}
    row = session.get(FollowProtectionRow, follow.id)
    return FollowSettings(
        rule=whole,
        instrument_rules={symbol: rule for symbol, rule in own.items() if rule != whole},
        price_protection=follow.price_protection,
        protection=None if row is None else protection_from(row),
    )


def protection_from(row: FollowProtectionRow) -> Protection:
    return Protection(
        trigger_by=row.trigger_by,
        take_profit=row.take_profit,
        stop_loss=row.stop_loss,
        limits=limits_of(row),
        mirrors_margin=row.mirrors_margin,
    )


def differences(before: FollowSettings, after: FollowSettings) -> tuple[str, ...]:
    """Return what was changed, each from what to what, in words for the follow's history."""
    old, new = dict(_flat(before.arguments())), dict(_flat(after.arguments()))
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
        for name in names
        if old.get(name) != new.get(name)
    )


def changes_of(session: Session, follow_id: FollowId) -> int:
    """Return how many times the settings of a follow were changed."""
    return sum(row.reason.startswith(CHANGED) for row in history_of(session, follow_id))


def history_of(session: Session, follow_id: FollowId) -> list[FollowHistoryRow]:
    """Return what has happened to a follow, the latest first."""
    query = select(FollowHistoryRow).where(FollowHistoryRow.follow_id == follow_id)
    return list(session.scalars(query.order_by(FollowHistoryRow.id.desc())))


def _of_rule(rule: CopyRule) -> Given:
    values = {name: getattr(rule, name) for name in OF_A_RULE}
    values |= {name: getattr(rule.caps, name) for name in CAPS}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _of_instrument(rule: CopyRule, whole: CopyRule) -> Given:
    """Return what the instrument has of its own; another mode brings its own number."""
    theirs, ours = _of_rule(whole), _of_rule(rule)
    if rule.mode is not whole.mode:
        theirs = {name: value for name, value in theirs.items() if name not in OF_THE_MODE}
    return {name: value for name, value in ours.items() if theirs.get(name) != value}


def _of_protection(protection: Protection | None) -> Given:
    if protection is None:
        return {}
    values = {
        "take_profit": protection.take_profit,
        "stop_loss": protection.stop_loss,
        **{name: getattr(protection.limits, name) for name in LIMITS},
        "trigger_by": protection.trigger_by,
        "mirrors_margin": protection.mirrors_margin or None,
    }
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Decimal | StrEnum | int) -> str | int | bool:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.value if isinstance(value, StrEnum) else value


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if name == "per_instrument":
            for symbol, terms in value.items():
                for inner, word in terms.items():
                    yield f"{symbol} {inner.replace('_', ' ')}", str(word)
        else:
            yield name.replace("_", " "), str(value)
