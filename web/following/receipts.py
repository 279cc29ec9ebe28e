"""Receipts (N1, C13): what became of each order of a leader in one follow, in plain words."""

from functools import partial

from flask import Blueprint, Response, abort, render_template, request, url_for

from copyplugin.domain.identifiers import FollowId, SignalId
from copyplugin.store.queries.receipts_csv import receipts_csv
from copyplugin.store.receipts import Receipt
from web.following.money import my_id
from web.following.receipt_story import story_of
from web.i18n import gettext
from web.identity import Answer, needs_follower
from web.services import services

blueprint = Blueprint("receipts", __name__, url_prefix="/my/follows")


@blueprint.get("/<int:follow_id>/receipts")
@needs_follower
def index(follow_id: int) -> Answer:
    found = services().queries.follow_receipts(
        my_id(),
        FollowId(follow_id),
        page=request.args.get("page", default=1, type=int),
        page_size=services().settings.page_size,
    )
    if found is None:
        abort(404, gettext("You have no such follow."))
    return render_template(
        "following/receipts.html",
        section="copies",
        found=found,
        page=found.page,
        page_url=partial(_page_url, follow_id),
    )


@blueprint.get("/<int:follow_id>/receipts.csv")
@needs_follower
def as_csv(follow_id: int) -> Answer:
    found = services().queries.all_receipts(my_id(), FollowId(follow_id))
    if found is None:
        abort(404, gettext("You have no such follow."))
    return Response(
        receipts_csv(found),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=follow-{follow_id}-receipts.csv"},
    )


@blueprint.get("/<int:follow_id>/receipts/<int:signal_id>")
@needs_follower
def show(follow_id: int, signal_id: int) -> Answer:
    receipt = _receipt(follow_id, signal_id)
    return render_template(
        "following/receipt.html",
        section="copies",
        receipt=receipt,
        steps=story_of(receipt),
    )


def _page_url(follow_id: int, number: int) -> str:
    return url_for("receipts.index", follow_id=follow_id, page=number)


def _receipt(follow_id: int, signal_id: int) -> Receipt:
    found = services().queries.follow_receipt(my_id(), FollowId(follow_id), SignalId(signal_id))
    if found is None:
        abort(404, gettext("This follow has no receipt of this number."))
    return found
