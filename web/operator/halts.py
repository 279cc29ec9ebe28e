"""The kill switch on a page (P5): what is halted, by whom and why; halt and resume."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.command import CommandKind
from copyplugin.domain.halt import MAY_RESUME, HaltScope
from copyplugin.domain.identifiers import whole_number
from web.i18n import gettext
from web.identity import Answer
from web.operator.desk import field, give, page, questions
from web.roles import needs_operator, signed_in_staff

blueprint = Blueprint("operator_halts", __name__, url_prefix="/operator")


@blueprint.get("")
@needs_operator
def home() -> Answer:
    return redirect(url_for("operator_halts.index"))


@blueprint.get("/halts")
@needs_operator
def index() -> Answer:
    in_force, lifted = questions().halts()
    role = signed_in_staff().role
    return page(
        "halts.html",
        tab="halts",
        halts=in_force,
        lifted=lifted,
        leaders=questions().leaders(),
        may_lift={scope for scope, roles in MAY_RESUME.items() if role in roles},
    )


@blueprint.post("/halts")
@needs_operator
def halt() -> Answer:
    back = url_for("operator_halts.index")
    whose, reason = field("whose"), field("reason")
    if not reason:
        flash(gettext("Say why: whoever resumes has to know it."), "bad")
        return redirect(back)
    arguments: dict[str, object] = {"scope": HaltScope.GLOBAL.value}
    if whose != HaltScope.GLOBAL:
        if not whose.isdecimal():
            flash(gettext("Choose whose copying is to be halted."), "bad")
            return redirect(back)
        arguments = {"scope": HaltScope.LEADER.value, "leader_id": int(whose)}
    closes = request.form.get("close") == "1"
    return give(
        CommandKind.HALT_COPYING, {**arguments, "reason": reason, "close": closes}, back=back
    )


@blueprint.post("/halts/resume")
@needs_operator
def resume() -> Response:
    scope, number = field("scope"), request.form.get("scope_id", default=0, type=whole_number)
    arguments: dict[str, object] = {"scope": scope}
    if field("reason"):
        arguments["reason"] = field("reason")
    if scope == HaltScope.LEADER:
        arguments["leader_id"] = number
    elif scope == HaltScope.FOLLOW:
        arguments["follow_id"] = number
    return give(CommandKind.RESUME_COPYING, arguments, back=url_for("operator_halts.index"))
