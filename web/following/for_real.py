"""From play money to real money in one step: the same settings again, confirmed first (B6)."""

from flask import Blueprint, abort, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.command import CommandKind
from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import FollowId
from copyplugin.store.queries.settings_of_follow import SettingsOfFollow
from web.following.actions import Question, ask, submit
from web.following.by_hand import how_it_is_paid, is_paid_by_hand, what_starts
from web.following.money import my_id
from web.formatting import short_name
from web.i18n import gettext
from web.identity import Answer, needs_follower, signed_in
from web.services import services
from web.words import mode_name

blueprint = Blueprint("for_real", __name__, url_prefix="/my")


@blueprint.get("/follows/<int:follow_id>/for-real")
@needs_follower
def ask_for_real(follow_id: int) -> Answer:
    found = _on_paper(follow_id)
    return ask(
        Question(
            title=gettext(
                "Follow %(leader)s with real money?", leader=short_name(found.leader_nickname)
            ),
            consequences=[
                what_starts(found.copy_amount),
                gettext(
                    "Mode %(mode)s in %(symbols)s, and every limit and stop as it is set now for "
                    "your play money.",
                    mode=mode_name(CopyMode(found.arguments["mode"])),
                    symbols=", ".join(found.instruments),
                ),
                gettext("What the leader holds now is not copied; what he does from now on is.")
                if found.open_held is None
                else gettext("What the leader holds now is opened where his entry is near enough."),
                gettext("Real orders meet the venue's book: their prices may be other ones."),
                *([how_it_is_paid()] if is_paid_by_hand() else []),
                gettext("The follow with play money goes on until you stop it."),
            ],
            button=gettext("Follow with real money"),
            back=url_for("copies.follows"),
            is_of_real_money=True,
        )
    )


@blueprint.post("/follows/<int:follow_id>/for-real")
@needs_follower
def follow_for_real(follow_id: int) -> Response:
    found = _on_paper(follow_id)
    given = found.start_arguments | {"follower_id": signed_in().follower_id}
    return submit(CommandKind.START_FOLLOW, given, leads_to_real=True)


def _on_paper(follow_id: int) -> SettingsOfFollow:
    found = services().queries.settings_of_follow(my_id(), FollowId(follow_id))
    if found is None or not found.is_paper:
        abort(404, gettext("You have no such follow with play money."))
    return found
