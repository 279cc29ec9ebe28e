"""My copies (F2 to F7): totals, what is open, every follow, what closed, what was not copied."""

from flask import Blueprint, Response, abort, render_template, request, url_for

from copyplugin.domain.identifiers import CopiedPositionId, FollowId
from copyplugin.store.queries.copies import totals_of
from copyplugin.store.queries.statement_csv import statement_csv
from web.following.by_hand import moves_money
from web.following.money import my_id
from web.i18n import gettext
from web.identity import Answer, needs_follower
from web.live_figures import copies_rows
from web.services import services

blueprint = Blueprint("copies", __name__, url_prefix="/my")


@blueprint.get("/copies")
@needs_follower
def positions() -> Answer:
    return _page("following/positions.html", tab="positions")


@blueprint.get("/copies/follows")
@needs_follower
def follows() -> Answer:
    return _page("following/follows.html", tab="follows")


@blueprint.get("/copies/closed")
@needs_follower
def closed() -> Answer:
    found = services().queries.closed_positions(
        my_id(), page=_number(), page_size=services().settings.page_size
    )
    return _page("following/closed.html", tab="closed", positions=found.positions, page=found.page)


@blueprint.get("/copies/not-copied")
@needs_follower
def skipped() -> Answer:
    found = services().queries.skipped_orders(
        my_id(), page=_number(), page_size=services().settings.page_size
    )
    return _page("following/skipped.html", tab="skipped", orders=found.orders, page=found.page)


@blueprint.get("/follows/<int:follow_id>/statement.csv")
@needs_follower
def statement(follow_id: int) -> Answer:
    found = services().queries.follow_statement(my_id(), FollowId(follow_id))
    if found is None:
        abort(404, gettext("You have no such follow."))
    return Response(
        statement_csv(found),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=follow-{follow_id}.csv"},
    )


@blueprint.get("/positions/<int:position_id>")
@needs_follower
def position(position_id: int) -> Answer:
    queries = services().queries
    found = queries.copied_position(my_id(), CopiedPositionId(position_id))
    if found is None:
        abort(404, gettext("You have no such position."))
    return render_template(
        "following/position.html",
        section="copies",
        position=found,
        orders=queries.orders_of(found.position_id),
        held=queries.escrow(my_id()).positions.get(found.position_id),
        protection=queries.position_protection(found.position_id),
        now=queries.now(),
        live_url=url_for("live.stream", copies=1),
        live_rows=" ".join(copies_rows(queries.copies(my_id()))),
    )


def _page(template: str, **more: object) -> str:
    queries = services().queries
    copies = queries.copies(my_id())
    return render_template(
        template,
        section="copies",
        copies=copies,
        totals=copies.totals,
        now=queries.now(),
        live_url=url_for("live.stream", copies=1),
        live_rows=" ".join(copies_rows(copies)),
        escrow=queries.escrow(my_id()),
        backings=queries.leader_backings(my_id()),
        orphans=queries.orphans(my_id()),
        owed=queries.owed_by(my_id()),
        moves_money=moves_money(),
        halted=queries.halted_follows(my_id()),
        page_url=_page_url,
        sums_of=totals_of,
        **more,
    )


def _page_url(number: int) -> str:
    return url_for(str(request.endpoint), page=number)


def _number() -> int:
    return request.args.get("page", default=1, type=int)
