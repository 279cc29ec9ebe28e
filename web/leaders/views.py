"""The list of leaders (B1) and one leader's page (S1 to S10, B5, B7)."""

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for

from copyplugin.domain.identifiers import LeaderId
from copyplugin.store.queries.leader_page import LeaderPage
from copyplugin.store.queries.leaders import LeaderOrder
from web.drawing import draw
from web.i18n import gettext
from web.identity import follower_id
from web.leaders.explained import explained
from web.leaders.explained_risk import explained_quality, explained_risk
from web.leaders.trades_csv import trades_csv
from web.leaders.wanted import wanted_from
from web.live_figures import trade_rows
from web.services import services

blueprint = Blueprint("leaders", __name__, url_prefix="/koltrade")

LEADERS_A_PAGE = 24
TABLE_POINTS = 50


@blueprint.get("")
def index() -> str:
    wanted = wanted_from(request.args)
    queries = services().queries
    found = queries.leaders(
        wanted.filter, visitor=follower_id(), page=wanted.page, page_size=LEADERS_A_PAGE
    )
    return render_template(
        "leaders/index.html",
        section="leaders",
        cards=found.cards,
        page=found.page,
        wanted=wanted,
        orders=_order_names(),
        marks=queries.marks(),
        now=queries.now(),
        draw=draw,
        page_url=_page_url,
        live_url=url_for("live.stream"),
    )


@blueprint.get("/<int:leader_id>")
def show(leader_id: int) -> str:
    leader = _leader(leader_id)
    queries = services().queries
    page = request.args.get("page", default=1, type=int)
    closed = queries.closed_trades(
        LeaderId(leader_id), page=page, page_size=services().settings.page_size
    )
    every = max(1, len(leader.equity) // TABLE_POINTS)
    return render_template(
        "leaders/show.html",
        section="leaders",
        page_of_leader=leader,
        card=leader.card,
        figures=explained(leader.card.figures, leader.card.places),
        risks=explained_risk(leader.risk),
        qualities=explained_quality(leader.quality),
        closed=closed,
        drawing=draw([point.equity for point in leader.equity], width=1000, height=320, margin=8),
        table_points=leader.equity[::-1][::every],
        marks=queries.marks(),
        now=queries.now(),
        page_url=_closed_url,
        live_url=url_for("live.stream", leader=leader_id),
        live_rows=" ".join(trade_rows(leader.open_trades)),
    )


@blueprint.get("/<int:leader_id>/equity.json")
def equity(leader_id: int) -> Response:
    """Return columns: seconds since 1970, equity and realised profit as decimal text."""
    points = _leader(leader_id).equity
    by_second = {int(point.at.timestamp()): point for point in points}  # the last of a second
    return jsonify(
        at=list(by_second),
        equity=[f"{point.equity:f}" for point in by_second.values()],
        profit=[f"{point.profit:f}" for point in by_second.values()],
    )


@blueprint.get("/<int:leader_id>/trades.csv")
def trades(leader_id: int) -> Response:
    _leader(leader_id)
    lines: Iterator[str] = trades_csv(services().queries, LeaderId(leader_id))
    return Response(
        lines,
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="leader-{leader_id}-trades.csv"'},
    )


def _leader(leader_id: int) -> LeaderPage:
    found = services().queries.leader_page(LeaderId(leader_id), follower_id())
    if found is None:
        abort(404, gettext("No leader on the list has this number; he may have left it."))
    return found


def _page_url(number: int) -> str:
    """Return the address of another page of this list, with the same filters."""
    return f"{request.path}?{urlencode({**request.args, 'page': str(number)})}"


def _closed_url(number: int) -> str:
    return _page_url(number) + "#closed"


def _order_names() -> dict[LeaderOrder, str]:
    return {
        LeaderOrder.RECOMMENDED: gettext("Followed, pinned, income"),
        LeaderOrder.INCOME: gettext("Income"),
        LeaderOrder.YIELD: gettext("Yield"),
        LeaderOrder.WIN_RATE: gettext("Win rate"),
    }
