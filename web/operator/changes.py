"""Settings that may be changed while copying goes on: what holds, what waits, who decided."""

from flask import Blueprint, flash, redirect, request, url_for

from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import whole_number
from copyplugin.domain.setting_change import CHANGEABLE, Safer, SettingName, is_same_person
from copyplugin.operator_questions import ChangeLine
from web.i18n import gettext
from web.identity import Answer
from web.operator.desk import field, give, page, questions
from web.operator.words import setting_words
from web.roles import needs_operator, signed_in_staff

blueprint = Blueprint("operator_settings", __name__, url_prefix="/operator/settings")


@blueprint.get("")
@needs_operator
def index() -> Answer:
    actor = signed_in_staff().actor

    def is_mine(change: ChangeLine) -> bool:
        return is_same_person(actor, change.proposed_by)

    return page(
        "settings.html",
        tab="settings",
        found=questions().settings_now(),
        words=setting_words(),
        rules={name: _rule(name) for name in CHANGEABLE},
        is_mine=is_mine,
        chosen=request.args.get("name", ""),
        value=request.args.get("value", ""),
    )


@blueprint.post("/propose")
@needs_operator
def propose() -> Answer:
    name, value, reason = field("name"), field("value"), field("reason")
    as_configured = request.form.get("as_configured") == "1"
    back = url_for("operator_settings.index", name=name, value=value)
    if not reason:
        flash(gettext("Say why: whoever approves it has to know it."), "bad")
        return redirect(back)
    if not value and not as_configured:
        flash(gettext("Write the new value, or choose to go back to the configured one."), "bad")
        return redirect(back)
    arguments: dict[str, object] = {"name": name, "reason": reason}
    if not as_configured:
        arguments["value"] = value
    return give(CommandKind.PROPOSE_SETTING, arguments, back=url_for("operator_settings.index"))


@blueprint.post("/decide")
@needs_operator
def decide() -> Answer:
    approves = field("decision") == "approve"
    reason = field("reason")
    back = url_for("operator_settings.index")
    if not reason and not approves:
        flash(gettext("Say why it is rejected."), "bad")
        return redirect(back)
    arguments: dict[str, object] = {
        "proposal": request.form.get("proposal", default=0, type=whole_number),
        "reason": reason or gettext("approved"),
    }
    kind = CommandKind.APPROVE_SETTING if approves else CommandKind.REJECT_SETTING
    return give(kind, arguments, back=back)


def _rule(name: SettingName) -> str:
    if not CHANGEABLE[name].is_about_money:
        return gettext("One person may change it.")
    return {
        Safer.LOWER: gettext("Lower holds at once, higher needs two."),
        Safer.HIGHER: gettext("True holds at once, false needs two."),
        Safer.NEITHER: gettext("Every change needs two."),
    }[CHANGEABLE[name].safer]
