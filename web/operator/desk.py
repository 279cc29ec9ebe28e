"""What the operator's pages share: their questions, and giving a command."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.operator_questions import OperatorQuestions
from web.i18n import gettext
from web.roles import signed_in_staff, staff_name
from web.security import new_idempotency_key
from web.services import services


def questions() -> OperatorQuestions:
    """Return what answers these pages: they are there only where it is."""
    found = services().operator
    assert found is not None
    return found


def page(template: str, *, tab: str, **values: object) -> str:
    staff = signed_in_staff()
    return render_template(
        f"operator/{template}",
        section="operator",
        tab=tab,
        staff=staff,
        staff_name=staff_name(staff),
        now=services().queries.now(),
        key=new_idempotency_key(),
        **values,
    )


def give(kind: CommandKind, arguments: Mapping[str, object], *, back: str) -> Response:
    """Submit the command as whoever is signed in, and say what became of it."""
    actor = signed_in_staff().actor
    outcome = services().commands.submit(
        kind,
        arguments,
        actor=actor,
        idempotency_key=f"{actor}:{request.form.get('idempotency_key', '')}",
    )
    if outcome.state is CommandState.PENDING:
        flash(gettext("Written down: the engine does it as soon as it looks."), "good")
    elif outcome.state is CommandState.REFUSED:
        flash(outcome.message or gettext("The engine refused without a reason."), "bad")
    else:
        flash(outcome.message or gettext("Done."), "good")
    return redirect(back)


def field(name: str) -> str:
    """Return what was written into a field of the form, without space around it."""
    return request.form.get(name, "").strip()
