"""Choosing what one is told and how: each kind by each way (U7)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.notice import (
    STAYS_ON_THE_PAGE,
    TOLD_TO,
    Audience,
    Choice,
    NoticeKind,
    may_be_silenced,
    ways_to,
)
from web.i18n import gettext
from web.identity import Answer
from web.notices.mine import reader
from web.security import new_idempotency_key
from web.services import services
from web.words import way_name, why_it_stays

blueprint = Blueprint("notice_choices", __name__, url_prefix="/notices")


@blueprint.get("/choices")
def show() -> Answer:
    who = reader()
    if who is None:
        return redirect(url_for("identity.choose", next=url_for("notice_choices.show")))
    off = services().queries.silenced_notices(who.audience, who.number)
    return render_template(
        "notices/choices.html",
        section="notices",
        kinds=kinds_told(who.audience),
        ways=[(way, way_name(way)) for way in ways_to(who.audience)],
        may=frozenset(_may_be_off(who.audience)),
        off=off & frozenset(_may_be_off(who.audience)),
        reasons={kind: why_it_stays(kind) for kind in STAYS_ON_THE_PAGE},
        audience=who.audience,
        key=new_idempotency_key(),
    )


@blueprint.post("/choices")
def choose() -> Answer:
    who = reader()
    if who is None:
        return redirect(url_for("identity.choose", next=url_for("notice_choices.show")))
    told = set(request.form.getlist("told"))
    off = [name for kind, way in _may_be_off(who.audience) if (name := f"{way}:{kind}") not in told]
    outcome = services().commands.submit(
        CommandKind.CHOOSE_NOTICES,
        {"audience": who.audience.value, "audience_id": who.number, "off": off},
        actor=who.actor,
        idempotency_key=f"{who.actor}:{request.form.get('idempotency_key', '')}",
    )
    if outcome.state is CommandState.PENDING:
        flash(gettext("The engine has not answered yet: look again in a moment."), "bad")
    else:
        is_bad = outcome.state is CommandState.REFUSED
        fallback = gettext("The engine answered without a word.")
        flash(outcome.message or fallback, "bad" if is_bad else "good")
    return redirect(url_for("notice_choices.show"))


def kinds_told(audience: Audience) -> list[NoticeKind]:
    """Return what this audience is told of, the most urgent first."""
    return [kind for kind in NoticeKind if kind in TOLD_TO[audience]]


def _may_be_off(audience: Audience) -> list[Choice]:
    return [
        Choice(kind, way)
        for kind in kinds_told(audience)
        for way in ways_to(audience)
        if may_be_silenced(audience, kind, way)
    ]
