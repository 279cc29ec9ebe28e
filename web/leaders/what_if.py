"""What if I had followed him? A form, and the answer with every part of it (B6)."""

from datetime import date
from decimal import Decimal

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, RadioField, StringField
from wtforms.validators import ValidationError

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import CommandId, LeaderId
from copyplugin.store.queries.leaders import LeaderCard
from web.following.more_settings import NUMBER_OF_MODE, number_of, number_or_nothing, typed
from web.i18n import gettext
from web.identity import Answer, actor_name, follower_id, needs_follower, signed_in
from web.leaders.what_if_outcome import outcome_from
from web.security import new_idempotency_key
from web.services import services
from web.words import mode_name, mode_sentence

blueprint = Blueprint("what_if", __name__, url_prefix="/koltrade")


class WhatIfForm(FlaskForm):
    """Dates may stay empty: then all of his stored past counts."""

    since = StringField()
    until = StringField()
    mode = RadioField(validate_choice=False)
    amount = StringField()
    factor = StringField()
    order_margin = StringField()
    leader_balance = StringField()
    idempotency_key = HiddenField()

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - Flask-WTF has no types
        self.refusal: str | None = None  # what the engine said, when it said no
        self.mode.choices = [(mode.value, mode_name(mode)) for mode in CopyMode]
        if not self.is_submitted():
            self.mode.data = CopyMode.FIXED.value

    def arguments(self, leader_id: int) -> dict[str, object]:
        """Return what is asked, by the names that the command has for it."""
        given: dict[str, object] = {
            "leader_id": leader_id,
            "mode": self.mode.data,
            "copy_amount": f"{number_of(self.amount.data):f}",
        }
        number = NUMBER_OF_MODE.get(CopyMode(self.mode.data))
        for name in (number, "leader_balance"):
            if name is not None and typed(self[name]):
                given[name] = f"{number_of(self[name].data):f}"
        given |= {name: typed(self[name]) for name in ("since", "until") if typed(self[name])}
        return given

    def validate_mode(self, field: RadioField) -> None:
        if field.data not in set(CopyMode):
            raise ValidationError(gettext("Choose one of the modes on offer."))

    def validate_amount(self, field: Field) -> None:
        if number_of(field.data) <= 0:
            raise ValidationError(gettext("Enter an amount above 0."))

    def validate_factor(self, field: Field) -> None:
        number_or_nothing(field)

    validate_order_margin = validate_leader_balance = validate_factor

    def validate_since(self, field: Field) -> None:
        try:
            if typed(field):
                date.fromisoformat(typed(field))
        except ValueError as error:
            raise ValidationError(gettext("Write the day like 2026-01-31.")) from error

    validate_until = validate_since


@blueprint.get("/<int:leader_id>/what-if")
@needs_follower
def form(leader_id: int) -> Answer:
    return _page(leader_id, WhatIfForm())


@blueprint.post("/<int:leader_id>/what-if")
@needs_follower
def ask(leader_id: int) -> Answer:
    _card(leader_id)
    sent = WhatIfForm()
    if not sent.validate():
        return _page(leader_id, sent), 422
    me = signed_in()
    outcome = services().commands.submit(
        CommandKind.WHAT_IF,
        sent.arguments(leader_id),
        actor=actor_name(me),
        idempotency_key=f"{actor_name(me)}:{sent.idempotency_key.data}",
    )
    if outcome.state is CommandState.REFUSED:
        sent.refusal = outcome.message or gettext("The engine refused without a reason.")
        return _page(leader_id, sent), 409
    return redirect(url_for("what_if.show", leader_id=leader_id, command_id=outcome.command_id))


@blueprint.get("/<int:leader_id>/what-if/<int:command_id>")
@needs_follower
def show(leader_id: int, command_id: int) -> Answer:
    card = _card(leader_id)
    command = services().queries.command(CommandId(command_id), actor_name(signed_in()))
    if command is None or (command.kind, command.arguments.get("leader_id")) != (
        CommandKind.WHAT_IF,
        leader_id,
    ):
        abort(404, gettext("You asked for no such what-if."))
    asked = command.arguments
    is_done = command.state is CommandState.DONE
    return render_template(
        "leaders/what_if_answer.html",
        section="leaders",
        card=card,
        command=command,
        is_pending=command.state is CommandState.PENDING,
        mode=CopyMode(str(asked["mode"])),
        outcome=outcome_from(command.result, Decimal(str(asked["copy_amount"])))
        if is_done
        else None,
    )


def _page(leader_id: int, sent: WhatIfForm) -> str:
    sent.idempotency_key.data = new_idempotency_key()
    return render_template(
        "leaders/what_if.html",
        section="leaders",
        card=_card(leader_id),
        form=sent,
        mode_sentences={mode.value: mode_sentence(mode) for mode in CopyMode},
    )


def _card(leader_id: int) -> LeaderCard:
    card = services().queries.leader_card(LeaderId(leader_id), follower_id())
    if card is None:
        abort(404, gettext("No leader on the list has this number; he may have left it."))
    return card
