"""Positions in a follower's sub-accounts that no follow of his opened: closing one."""

from flask import Blueprint, abort, url_for

from copyplugin.domain.command import CommandKind
from copyplugin.store.queries.orphans import Orphan
from web.following.actions import Question, ask, submit
from web.following.money import my_id
from web.formatting import short_name, whole
from web.i18n import gettext
from web.identity import Answer, needs_follower
from web.services import services
from web.words import side_name

blueprint = Blueprint("orphans", __name__, url_prefix="/my")


@blueprint.get("/orphans/<int:orphan_id>/close")
@needs_follower
def ask_close(orphan_id: int) -> Answer:
    orphan = _orphan(orphan_id)
    return ask(
        Question(
            title=gettext("Close %(symbol)s?", symbol=orphan.symbol),
            consequences=[
                gettext(
                    "Closes %(contracts)s contracts %(side)s at market, which were not copied "
                    "from %(leader)s.",
                    contracts=whole(orphan.contracts),
                    side=side_name(orphan.position_side).lower(),
                    leader=short_name(orphan.leader_nickname),
                ),
                gettext("The leader has no share in what they earn. The follow goes on."),
            ],
            button=gettext("Close"),
            back=url_for("copies.follows"),
        )
    )


@blueprint.post("/orphans/<int:orphan_id>/close")
@needs_follower
def close(orphan_id: int) -> Answer:
    _orphan(orphan_id)
    return submit(CommandKind.CLOSE_ORPHAN, {"orphan_id": orphan_id})


def _orphan(orphan_id: int) -> Orphan:
    found = services().queries.orphans(my_id())
    orphan = next((each for each in found if each.orphan_id == orphan_id), None)
    if orphan is None:
        abort(404, gettext("You have no such position."))
    if not orphan.can_close:
        abort(409, gettext("The follow has ended: close the position at the venue."))
    return orphan
