"""Changing the settings of a follow that runs (C7, C8, P1, P5, C14): all of them, at once.

The rules count from the leader's next order, so that an order of his which still fills is sized to
its end as it was begun. The price bound and the protection count at once.
"""

from copyplugin.domain.copy_rule import CopyMode, CopyRule
from copyplugin.domain.follow import COPIES_OPENS
from copyplugin.domain.identifiers import FollowId, Symbol
from copyplugin.domain.money import Ratio
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.protection_commands import HOLDS_ON, protection_wish, replace_protection
from copyplugin.engine.rule_arguments import copy_rule, instrument_rules
from copyplugin.errors import Refused
from copyplugin.store import follow_changes, follows, marking, settings
from copyplugin.store.database import Session
from copyplugin.store.follow_rules import change_rules
from copyplugin.store.follow_settings import (
    CHANGED,
    FollowSettings,
    changes_of,
    differences,
    settings_of,
)
from copyplugin.store.places import refuse_rules
from copyplugin.store.rows import FollowRow

RULES_COUNT = (
    "The settings are changed. Sizes and limits of orders count from the leader's next order, the "
    "protection counts at once."
)
PROTECTION_COUNTS = "The protection of this follow is changed; it counts at once."
NOTHING_CHANGED = "Nothing was changed: the settings are as they were."


def change_follow(asked: Asked) -> Done:
    """Replace all settings of a follow; what is left out has no limit, or follows the leader."""
    follow = follow_changes.lock_follow(asked.session, FollowId(asked.given.number("follow_id")))
    _refuse_stale(asked, follow)
    before = settings_of(asked.session, follow)
    after = _wish(asked, follow, before)
    _refuse_state(follow, before, after)
    words = differences(before, after)
    if not words:
        return _done(follow, NOTHING_CHANGED)
    if (after.rules, after.price_protection) != (before.rules, before.price_protection):
        _change_rules(asked, follow, before, after)
    replace_protection(asked, follow, before.protection, after.protection)
    follows.write_history(
        asked.session,
        follow,
        before=follow.state,
        actor=asked.row.actor,
        reason=CHANGED + "; ".join(words),
        at=asked.around.clock.now(),
    )
    return _done(follow, RULES_COUNT if follow.state in COPIES_OPENS else PROTECTION_COUNTS)


def _done(follow: FollowRow, message: str) -> Done:
    return Done(message=message, result={"follow_id": follow.id}, follow_ids=(follow.id,))


def _refuse_stale(asked: Asked, follow: FollowRow) -> None:
    """Refuse a form that was opened before somebody else changed the settings."""
    if "changes_seen" not in asked.given:
        return
    if asked.given.number("changes_seen") != changes_of(asked.session, follow.id):
        raise Refused(
            "The settings of this follow were changed meanwhile: look at them again, then decide."
        )


def _wish(asked: Asked, follow: FollowRow, before: FollowSettings) -> FollowSettings:
    """Return what is asked for; a rule of one instrument that says nothing more is none."""
    rule = copy_rule(asked.given)
    chosen = follows.symbols_chosen(asked.session, follow.id)
    own = instrument_rules(asked.given, rule)
    strangers = sorted(set(own) - chosen)
    if strangers:
        raise Refused(f"You set terms for {', '.join(strangers)}, which this follow does not copy.")
    bound = None
    if "price_protection" in asked.given:
        bound = Ratio(asked.given.decimal("price_protection"))
    return FollowSettings(
        rule=rule,
        instrument_rules={symbol: each for symbol, each in own.items() if each != rule},
        price_protection=bound,
        protection=protection_wish(asked, before.protection),
    )


def _refuse_state(follow: FollowRow, before: FollowSettings, after: FollowSettings) -> None:
    if follow.state not in HOLDS_ON:
        raise Refused("This follow closes or has closed everything: there is nothing to change.")
    if follow.state in COPIES_OPENS:
        return
    if (after.rules, after.price_protection) != (before.rules, before.price_protection):
        raise Refused("This follow opens nothing new: only its protection can still be changed.")


def _change_rules(
    asked: Asked, follow: FollowRow, before: FollowSettings, after: FollowSettings
) -> None:
    session = asked.session
    chosen = follows.symbols_chosen(session, follow.id)
    allowed = settings.is_proportional_allowed(session) or _proportional(before) >= _proportional(
        after
    )
    refuse_rules(
        session,
        after.rules,
        chosen,
        copy_amount=follow.copy_amount,
        price_protection=after.price_protection,
        proportional_allowed=allowed,
    )
    _refuse_what_is_open(session, follow, before, after)
    follow.price_protection = after.price_protection
    if after.rules == before.rules:
        return
    change_rules(session, follow, after.rules, after=follow_changes.latest_signal(session))
    changed = {symbol for symbol in chosen if after.rule_for(symbol) != before.rule_for(symbol)}
    marking.forget_residue(session, follow_changes.lanes_in(session, follow.id, changed))


def _proportional(every: FollowSettings) -> frozenset[Symbol]:
    """Return for what the proportional mode counts: it may be kept when it is offered no more."""
    return frozenset(
        symbol for symbol, rule in every.rules.items() if rule.mode is CopyMode.PROPORTIONAL
    )


def _refuse_what_is_open(
    session: Session, follow: FollowRow, before: FollowSettings, after: FollowSettings
) -> None:
    """Refuse another leverage or margin mode of what is open.

    The next open would change what backs the whole position, and where it is liquidated.
    """
    for symbol in follow_changes.symbols_open(session, follow.id):
        if _backing(before.rule_for(symbol)) != _backing(after.rule_for(symbol)):
            raise Refused(
                f"{symbol} is open: its leverage and margin mode cannot be changed now, because "
                "that would move its liquidation price. Leave them as they are, or close the "
                "position first."
            )


def _backing(rule: CopyRule) -> tuple[object, ...]:
    return rule.leverage, rule.margin_mode, rule.caps.leverage_max
