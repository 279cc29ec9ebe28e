"""The notices of whoever is signed in: a follower's, a leader's or the operators'."""

from flask import Blueprint, flash, redirect, render_template, request, url_for

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import whole_number
from web.i18n import gettext
from web.identity import Answer
from web.notices.mine import reader
from web.security import new_idempotency_key
from web.services import services

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


@blueprint.get("")
def index() -> Answer:
    who = reader()
    if who is None:
        return redirect(url_for("identity.choose", next=url_for("notices.index")))
    found = services().queries.notices(
        who.audience,
        who.number,
        page=request.args.get("page", default=1, type=int),
        page_size=services().settings.page_size,
    )
    return render_template(
        "notices/index.html",
        section="notices",
        found=found,
        page=found.page,
        page_url=_page_url,
        audience=who.audience,
        key=new_idempotency_key(),
    )


@blueprint.post("/read")
def read() -> Answer:
    who = reader()
    if who is None:
        return redirect(url_for("identity.choose", next=url_for("notices.index")))
    outcome = services().commands.submit(
        CommandKind.READ_NOTICES,
        {
            "audience": who.audience.value,
            "audience_id": who.number,
            "up_to": request.form.get("up_to", default=0, type=whole_number),
        },
        actor=who.actor,
        idempotency_key=f"{who.actor}:{request.form.get('idempotency_key', '')}",
    )
    if outcome.state is CommandState.REFUSED:
        flash(outcome.message or gettext("The engine refused without a reason."), "bad")
    return redirect(url_for("notices.index"))


def _page_url(number: int) -> str:
    return url_for("notices.index", page=number)
