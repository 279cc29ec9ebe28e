"""Changing settings while copying goes on: at once where it lowers the risk, else by two (N12)."""

from datetime import timedelta
from decimal import Decimal

from copyplugin.changeable_settings import (
    configured_value,
    setting_named,
    setting_number,
    setting_text,
    setting_value,
)
from copyplugin.domain.setting_change import (
    CHANGEABLE,
    SettingChangeState,
    SettingName,
    is_same_person,
    lowers_risk,
    needs_second_person,
)
from copyplugin.engine.done import Asked, Done
from copyplugin.errors import Refused
from copyplugin.store import setting_changes
from copyplugin.store import settings as stored_settings
from copyplugin.store.rows import SettingChangeRow

AS_CONFIGURED = "as configured"


def propose_setting(asked: Asked) -> Done:
    """Change it where one person may, else keep the proposal for the second one."""
    given, now = asked.given, asked.around.clock.now()
    name = setting_named(given.text("name"))
    reason = given.text("reason")
    text = given.text("value") if "value" in given else None
    after = _configured(asked, name) if text is None else setting_value(name, text)
    before = value_now(asked, name)
    if after == before:
        raise Refused(f"{name} is {setting_text(before)} already.")
    text = None if text is None else setting_text(after)
    why_alone = _why_alone(asked, name, setting_number(before), setting_number(after))
    if why_alone is not None:
        row = setting_changes.change_at_once(
            asked.session,
            name,
            text,
            value_before=setting_text(before),
            reason=reason,
            actor=asked.row.actor,
            decision=why_alone,
            at=now,
        )
        return _in_force(asked, row, setting_text(after))
    row = setting_changes.propose(
        asked.session,
        name,
        text,
        value_before=setting_text(before),
        reason=reason,
        actor=asked.row.actor,
        at=now,
        expires_at=now + timedelta(hours=asked.around.settings.proposal_expiry_hours),
    )
    return Done(
        message=(
            f"Proposal {row.id}: {name} from {setting_text(before)} to {setting_text(after)}. "
            f"Somebody else has to approve it until {row.expires_at:%Y-%m-%d %H:%M} UTC."
        ),
        result={"proposal": row.id, "state": row.state.value},
    )


def approve_setting(asked: Asked) -> Done:
    """Put a proposal in force, once; never its proposer, never on another value than he saw."""
    now, actor = asked.around.clock.now(), asked.row.actor
    row = setting_changes.get_proposal(asked.session, asked.given.number("proposal"), now=now)
    if is_same_person(actor, row.proposed_by):
        raise Refused("You proposed this yourself: somebody else has to approve it.")
    current = setting_text(value_now(asked, row.name))
    if current != row.value_before:
        raise Refused(
            f"{row.name} was {row.value_before} when this was proposed and is {current} now: "
            "reject this proposal and make another."
        )
    after = _configured(asked, row.name)
    if row.value is not None:
        after = setting_value(row.name, row.value)
    decision = asked.given.text("reason") if "reason" in asked.given else "approved"
    setting_changes.decide(
        asked.session,
        row,
        SettingChangeState.APPROVED,
        actor=actor,
        decision=decision,
        at=now,
    )
    return _in_force(asked, row, setting_text(after))


def reject_setting(asked: Asked) -> Done:
    """Reject a proposal; whoever made it may take it back so, too."""
    now = asked.around.clock.now()
    row = setting_changes.get_proposal(asked.session, asked.given.number("proposal"), now=now)
    setting_changes.decide(
        asked.session,
        row,
        SettingChangeState.REJECTED,
        actor=asked.row.actor,
        decision=asked.given.text("reason"),
        at=now,
    )
    return Done(
        message=f"Proposal {row.id} is rejected: {row.name} stays {row.value_before}.",
        result={"proposal": row.id, "state": row.state.value},
    )


def value_now(asked: Asked, name: SettingName) -> object:
    """Return what is in force for the next decision."""
    if name is SettingName.IS_OPEN_SCALE:
        return int(stored_settings.is_proportional_allowed(asked.session))
    around = asked.around
    return configured_value(around.settings_at(asked.session, around.clock.now()), name)


def _configured(asked: Asked, name: SettingName) -> object:
    return configured_value(asked.around.settings, name)


def _why_alone(asked: Asked, name: SettingName, before: Decimal, after: Decimal) -> str | None:
    """Return why one person is enough; None where two are needed."""
    if lowers_risk(name, before, after):
        return "it lowers the risk"
    if not CHANGEABLE[name].is_about_money:
        return "it decides when is ordered, not how much"
    if not asked.around.settings.second_person:
        return "the second person is switched off"
    assert needs_second_person(name, before, after)
    return None


def _in_force(asked: Asked, row: SettingChangeRow, text: str) -> Done:
    if row.name is SettingName.IS_OPEN_SCALE:
        stored_settings.put_setting(
            asked.session,
            stored_settings.IS_OPEN_SCALE,
            text,
            changed_by=asked.row.actor,
            at=asked.around.clock.now(),
        )
    shown = text if row.value is not None else f"{text}, {AS_CONFIGURED}"
    return Done(
        message=f"{row.name} is {shown} from now on; it was {row.value_before}.",
        result={"proposal": row.id, "state": row.state.value},
    )
