"""Changing the settings of a follow that runs, and what has happened to it so far."""

from flask import Blueprint, abort, redirect, render_template, url_for

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import FollowId
from copyplugin.store.queries.settings_of_follow import SettingsOfFollow
from web.following.money import my_id
from web.following.settings_form import SettingsForm
from web.following.settings_words import change_words
from web.i18n import gettext
from web.identity import Answer, actor_name, needs_follower, signed_in
from web.security import new_idempotency_key
from web.services import services
from web.words import mode_sentence

blueprint = Blueprint("settings", __name__, url_prefix="/my/follows")


@blueprint.get("/<int:follow_id>/settings")
@needs_follower
def form(follow_id: int) -> Answer:
    found = _found(follow_id)
    return _page(found, SettingsForm(found))


@blueprint.post("/<int:follow_id>/settings")
@needs_follower
def change(follow_id: int) -> Answer:
    found = _found(follow_id)
    if not found.can_change:
        abort(409, gettext("This follow closes or has closed everything."))
    sent = SettingsForm(found)
    if not sent.validate():
        return _page(found, sent), 422
    me = signed_in()
    outcome = services().commands.submit(
        CommandKind.CHANGE_FOLLOW,
        {"follow_id": follow_id, **sent.all_arguments()},
        actor=actor_name(me),
        idempotency_key=f"{actor_name(me)}:{sent.idempotency_key.data}",
    )
    if outcome.state is CommandState.REFUSED:
        sent.refusal = outcome.message or gettext("The engine refused without a reason.")
        return _page(found, sent), 409
    return redirect(url_for("commands.show", command_id=outcome.command_id))


def _found(follow_id: int) -> SettingsOfFollow:
    found = services().queries.settings_of_follow(my_id(), FollowId(follow_id))
    if found is None:
        abort(404, gettext("You have no such follow."))
    return found


def _page(found: SettingsOfFollow, sent: SettingsForm) -> str:
    sent.idempotency_key.data = new_idempotency_key()
    return render_template(
        "following/settings.html",
        section="copies",
        terms=found,
        form=sent,
        halt=services().queries.halted_follows(my_id()).get(found.follow_id),
        change_words=change_words,
        mode_sentences={mode.value: mode_sentence(mode) for mode in found.modes},
        protection_title=gettext("Protection"),
    )
