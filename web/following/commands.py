"""What became of something that was asked for: done, refused, or still working."""

from flask import Blueprint, abort, render_template

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.ports import MovesMoney
from web.following.by_hand import moves_money
from web.i18n import gettext
from web.identity import Answer, actor_name, needs_follower, signed_in
from web.services import services

blueprint = Blueprint("commands", __name__)


@blueprint.get("/my/commands/<int:command_id>")
@needs_follower
def show(command_id: int) -> Answer:
    command = services().queries.command(CommandId(command_id), actor_name(signed_in()))
    if command is None:
        abort(404, gettext("You gave no such order."))
    return render_template(
        "following/command.html",
        section="copies",
        command=command,
        steps=_steps(command.kind),
        is_pending=command.state is CommandState.PENDING,
        is_refused=command.state is CommandState.REFUSED,
        leader_id=command.arguments.get("leader_id"),
    )


def _steps(kind: CommandKind) -> tuple[str, str, str]:
    """Return what the order goes through: taken, being carried out, afterwards."""
    if kind is CommandKind.START_FOLLOW:
        return (
            gettext("Your order was taken"),
            gettext("The account that stands ready is looked at and the follow starts")
            if moves_money() is MovesMoney.NONE
            else gettext("The copy amount moves to its sub-account and the follow starts"),
            gettext("The leader's next open is copied"),
        )
    if kind is CommandKind.START_PAPER_FOLLOW:
        return (
            gettext("Your order was taken"),
            gettext("The play money moves to its account and the follow starts"),
            gettext("The leader's next open is copied with play money"),
        )
    return (
        gettext("Your order was taken"),
        gettext("The engine carries it out"),
        gettext("My copies show the result"),
    )
