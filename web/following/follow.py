"""Start a follow: the form with its terms.

Limits are checked here for the sentence at the field, and by the engine for good.
"""

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import LeaderId
from copyplugin.ports import MovesMoney
from copyplugin.store.queries.follow_terms import FollowTerms
from web.following.by_hand import how_it_is_paid
from web.following.forms import REAL, FollowForm
from web.following.money import PLAY
from web.i18n import gettext
from web.identity import Answer, actor_name, needs_follower, signed_in
from web.security import new_idempotency_key
from web.services import services
from web.words import mode_sentence

blueprint = Blueprint("follow", __name__)


@blueprint.get("/koltrade/<int:leader_id>/copy")
@needs_follower
def form(leader_id: int) -> Answer:
    terms = _terms(leader_id)
    return _page(terms, FollowForm(terms, _moneys(terms)))


@blueprint.post("/koltrade/<int:leader_id>/copy")
@needs_follower
def start(leader_id: int) -> Answer:
    terms = _terms(leader_id)
    sent = FollowForm(terms, _moneys(terms))
    if not sent.validate():
        return _page(terms, sent), 422
    me = signed_in()
    outcome = services().commands.submit(
        CommandKind.START_PAPER_FOLLOW if sent.is_play else CommandKind.START_FOLLOW,
        {
            "leader_id": leader_id,
            "follower_id": me.follower_id,
            **sent.arguments(),
        },
        actor=actor_name(me),
        idempotency_key=f"{actor_name(me)}:{sent.idempotency_key.data}",
    )
    if outcome.state is CommandState.REFUSED:
        sent.refusal = outcome.message or gettext("The engine refused without a reason.")
        return _page(terms, sent), 409
    money = PLAY if sent.is_play else None
    return redirect(url_for("commands.show", command_id=outcome.command_id, money=money))


@blueprint.post("/koltrade/<int:leader_id>/account")
@needs_follower
def name_account(leader_id: int) -> Answer:
    """Ask which account stands ready for the next start, where no money moves for us."""
    _terms(leader_id)
    me = signed_in()
    outcome = services().commands.submit(
        CommandKind.NAME_ACCOUNT,
        {"follower_id": me.follower_id},
        actor=actor_name(me),
        idempotency_key=f"{actor_name(me)}:account:{request.form.get('idempotency_key', '')}",
    )
    if outcome.state is CommandState.PENDING:
        flash(gettext("The engine has not answered yet: ask again in a moment."), "bad")
    elif outcome.message is not None:
        flash(outcome.message, "bad" if outcome.state is CommandState.REFUSED else "good")
    return redirect(url_for("follow.form", leader_id=leader_id))


def _terms(leader_id: int) -> FollowTerms:
    terms = services().queries.follow_terms(LeaderId(leader_id), signed_in().follower_id)
    if terms is None:
        abort(404, gettext("No leader on the list has this number; he may have left it."))
    return terms


def _page(terms: FollowTerms, sent: FollowForm) -> str:
    sent.idempotency_key.data = new_idempotency_key()
    return render_template(
        "following/follow.html",
        section="leaders",
        terms=terms,
        card=terms.card,
        form=sent,
        obstacle=_obstacle(terms),
        play_obstacle=_play_obstacle(terms),
        stays=terms.venue is not None and terms.venue.moves_money is MovesMoney.NONE,
        hold=timedelta(seconds=terms.venue.escrow_seconds if terms.venue else 0),
        how_it_is_paid=how_it_is_paid,
        mode_sentences={mode.value: mode_sentence(mode) for mode in terms.modes},
    )


def _moneys(terms: FollowTerms) -> list[str]:
    """Return the kinds of money that he may follow with now; real money where neither is."""
    found = [REAL] if _obstacle(terms) is None else []
    if terms.paper is not None and _play_obstacle(terms) is None:
        found.append(PLAY)
    return found or [REAL]


def _play_obstacle(terms: FollowTerms) -> str | None:
    """Return why he cannot follow with play money; None where he can."""
    if terms.paper is None:
        return gettext("Nobody follows with play money here.")
    if terms.paper.follow_id is not None:
        return gettext("You follow this leader with play money already.")
    return _general_obstacle(terms)


def _obstacle(terms: FollowTerms) -> str | None:
    """Return why this follower cannot follow at all now; None where he can."""
    if terms.card.follow_id is not None:
        return gettext("You follow this leader already. End that follow before you start another.")
    if terms.card.places.is_full:
        return gettext("Every place with this leader is taken. One is free when a follow ends.")
    return _general_obstacle(terms)


def _general_obstacle(terms: FollowTerms) -> str | None:
    if terms.is_blocked:
        return gettext("This leader does not accept your account.")
    if not terms.instruments:
        return gettext("The leader has no instrument that the venue trades now.")
    return None
