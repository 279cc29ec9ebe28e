"""Pausing a follow and resuming it (P5): nothing new is opened, closes are still copied."""

from flask import Blueprint, abort, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import COPIES_OPENS
from copyplugin.domain.halt import HaltScope
from copyplugin.store.queries.copies import FollowLine
from web.following.actions import Question, ask, submit
from web.following.money import my_id
from web.formatting import short_name
from web.i18n import gettext
from web.identity import Answer, needs_follower
from web.services import services

blueprint = Blueprint("pausing", __name__, url_prefix="/my")


@blueprint.get("/follows/<int:follow_id>/pause")
@needs_follower
def ask_pause(follow_id: int) -> Answer:
    line = _copying(follow_id)
    return ask(
        Question(
            title=gettext("Pause copying %(leader)s?", leader=short_name(line.leader_nickname)),
            consequences=[
                gettext("Nothing new is opened until you resume."),
                gettext("What is open stays open, with its take profit and stop loss."),
                gettext("When the leader closes, yours closes too."),
            ],
            button=gettext("Pause"),
            back=url_for("copies.follows"),
        )
    )


@blueprint.post("/follows/<int:follow_id>/pause")
@needs_follower
def pause(follow_id: int) -> Answer:
    _copying(follow_id)
    return _send(CommandKind.HALT_COPYING, follow_id)


@blueprint.get("/follows/<int:follow_id>/resume")
@needs_follower
def ask_resume(follow_id: int) -> Answer:
    line = _copying(follow_id)
    return ask(
        Question(
            title=gettext("Resume copying %(leader)s?", leader=short_name(line.leader_nickname)),
            consequences=[
                gettext("The leader's next open is copied; what he opened meanwhile is not."),
                gettext("The loss of the day and losing positions are counted anew from now on."),
            ],
            button=gettext("Resume"),
            back=url_for("copies.follows"),
        )
    )


@blueprint.post("/follows/<int:follow_id>/resume")
@needs_follower
def resume(follow_id: int) -> Answer:
    _copying(follow_id)
    return _send(CommandKind.RESUME_COPYING, follow_id)


def _send(kind: CommandKind, follow_id: int) -> Response:
    return submit(kind, {"scope": HaltScope.FOLLOW.value, "follow_id": follow_id})


def _copying(follow_id: int) -> FollowLine:
    copies = services().queries.copies(my_id())
    line = next((line for line in copies.follows if line.follow_id == follow_id), None)
    if line is None:
        abort(404, gettext("You have no such follow."))
    if line.state not in COPIES_OPENS:
        abort(409, gettext("This follow is ending or has ended already."))
    return line
