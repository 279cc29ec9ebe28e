"""Three ways to end (L3, L4, L5), each with a page that says first what will happen."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.command import CommandKind, CommandState, EndHow
from copyplugin.domain.identifiers import CopiedPositionId
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import money_total
from copyplugin.store.queries.copied_positions import CopiedPosition
from copyplugin.store.queries.copies import FollowLine
from web.following.by_hand import what_is_left
from web.following.money import PLAY, is_play, my_id
from web.formatting import number, quantity, short_name, signed
from web.i18n import gettext, ngettext
from web.identity import Answer, actor_name, needs_follower, signed_in
from web.security import new_idempotency_key
from web.services import services
from web.words import side_name

blueprint = Blueprint("actions", __name__, url_prefix="/my")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A confirmation: what will happen, in the order it happens."""

    title: str
    consequences: list[str]
    button: str
    back: str
    choices: Mapping[EndHow, tuple[str, str]] | None = None
    is_of_real_money: bool = False  # though it is asked where play money is shown


@blueprint.get("/positions/<int:position_id>/close")
@needs_follower
def ask_close(position_id: int) -> Answer:
    position, line = _open_position(position_id)
    return ask(
        Question(
            title=gettext("Close this position only?"),
            consequences=[
                _closes(position),
                _share_of(position),
                gettext(
                    "You go on following %(leader)s: his next opens are copied.",
                    leader=short_name(line.leader_nickname),
                ),
            ],
            button=gettext("Close the position"),
            back=url_for("copies.positions"),
        )
    )


@blueprint.post("/positions/<int:position_id>/close")
@needs_follower
def close(position_id: int) -> Answer:
    _open_position(position_id)
    return submit(CommandKind.CLOSE_POSITION, {"copied_position_id": position_id})


@blueprint.get("/positions/<int:position_id>/end")
@needs_follower
def ask_end_from_position(position_id: int) -> Answer:
    position, line = _open_position(position_id)
    others = line.positions_open - 1
    return ask(
        Question(
            title=gettext("Stop following from here?"),
            consequences=[
                _closes(position),
                _share_of(position),
                gettext(
                    "You stop following %(leader)s: nothing new is opened.",
                    leader=short_name(line.leader_nickname),
                ),
                ngettext(
                    "%(num)s other position stays open and closes when the leader closes his.",
                    "%(num)s other positions stay open and close when the leader closes his.",
                    others,
                )
                if others
                else gettext("No other position of this follow is open."),
                *what_is_left(line.sub_account),
            ],
            button=gettext("Close it and stop following"),
            back=url_for("copies.positions"),
        )
    )


@blueprint.post("/positions/<int:position_id>/end")
@needs_follower
def end_from_position(position_id: int) -> Answer:
    _open_position(position_id)
    return submit(CommandKind.END_FROM_POSITION, {"copied_position_id": position_id})


@blueprint.get("/follows/<int:follow_id>/end")
@needs_follower
def ask_end_follow(follow_id: int) -> Answer:
    line, positions = _live_follow(follow_id)
    profit = money_total(*(position.profit for position in positions))
    share = money_total(*(position.share for position in positions))
    now = (
        gettext(
            "Closes everything at market: about %(profit)s USDT as prices are, of which about "
            "%(share)s is the leader share.",
            profit=signed(profit),
            share=number(share),
        )
        if positions
        else gettext("Nothing is open, so nothing is traded.")
    )
    return ask(
        Question(
            title=gettext("Stop following %(leader)s?", leader=short_name(line.leader_nickname)),
            consequences=[
                gettext("Nothing new is opened from now on."),
                ngettext(
                    "%(num)s position is open.", "%(num)s positions are open.", len(positions)
                ),
                *what_is_left(line.sub_account),
            ],
            button=gettext("Stop following"),
            back=url_for("copies.follows"),
            choices={
                EndHow.CLOSE_NOW: (gettext("Close now"), now),
                EndHow.FOLLOW_CLOSES: (
                    gettext("Follow the leader's closes"),
                    gettext("Each open position closes when the leader closes his."),
                ),
                EndHow.HAND_OVER: (
                    gettext("Take the positions over"),
                    gettext(
                        "They stay open with their stops, and you close them yourself. The "
                        "leader share is settled now, at the value of now: about %(share)s USDT.",
                        share=number(share),
                    ),
                ),
            },
        )
    )


@blueprint.post("/follows/<int:follow_id>/end")
@needs_follower
def end_follow(follow_id: int) -> Answer:
    _live_follow(follow_id)
    how = request.form.get("how", "")
    if how not in set(EndHow):
        flash(gettext("Choose how the follow ends."), "bad")
        return redirect(url_for("actions.ask_end_follow", follow_id=follow_id))
    return submit(CommandKind.END_FOLLOW, {"follow_id": follow_id, "how": how})


def ask(question: Question) -> str:
    """Return the page that says first what will happen."""
    return render_template(
        "following/question.html", section="copies", question=question, key=new_idempotency_key()
    )


def submit(
    kind: CommandKind, arguments: Mapping[str, object], *, leads_to_real: bool = False
) -> Response:
    """Give the order of the form that was sent, and lead to what became of it.

    `leads_to_real`: from a page about play money to one about real money.
    """
    me = signed_in()
    money = PLAY if is_play() and not leads_to_real else None
    outcome = services().commands.submit(
        kind,
        arguments,
        actor=actor_name(me),
        idempotency_key=f"{actor_name(me)}:{request.form.get('idempotency_key', '')}",
    )
    if outcome.state is CommandState.REFUSED:
        flash(outcome.message or gettext("The engine refused without a reason."), "bad")
        return redirect(url_for("copies.positions"))
    return redirect(url_for("commands.show", command_id=outcome.command_id, money=money))


def _open_position(position_id: int) -> tuple[CopiedPosition, FollowLine]:
    queries = services().queries
    me = my_id()
    position = queries.copied_position(me, CopiedPositionId(position_id))
    if position is None:
        abort(404, gettext("You have no such position."))
    if position.state is not TradeState.OPEN:
        abort(409, gettext("This position is closed already."))
    lines = {line.follow_id: line for line in queries.copies(me).follows}
    return position, lines[position.follow_id]


def _live_follow(follow_id: int) -> tuple[FollowLine, list[CopiedPosition]]:
    copies = services().queries.copies(my_id())
    line = next((line for line in copies.follows if line.follow_id == follow_id), None)
    if line is None:
        abort(404, gettext("You have no such follow."))
    if not line.can_end:
        abort(409, gettext("This follow is ending or has ended already."))
    return line, [held for held in copies.open_positions if held.follow_id == follow_id]


def _closes(position: CopiedPosition) -> str:
    return gettext(
        "Closes %(quantity)s %(base)s %(side)s at market: about %(profit)s USDT as prices are.",
        quantity=quantity(position.base_quantity),
        base=position.base,
        side=side_name(position.position_side).lower(),
        profit=signed(position.profit),
    )


def _share_of(position: CopiedPosition) -> str:
    return gettext(
        "Of that, about %(share)s USDT is the leader share.", share=number(position.share)
    )
