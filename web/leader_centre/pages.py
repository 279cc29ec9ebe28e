"""A leader's centre (T2 to T5): what he earns, his shares one by one, and who follows him."""

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, url_for

from web.identity import Answer
from web.leader_centre.figures import overview_figures
from web.leader_centre.shares_csv import shares_csv
from web.roles import needs_leader, signed_in_leader
from web.services import services

blueprint = Blueprint("leader_centre", __name__, url_prefix="/leader-centre")


@blueprint.get("")
@needs_leader
def overview() -> Answer:
    found = services().queries.leader_overview(signed_in_leader().leader_id)
    money, people = overview_figures(found)
    return _page(
        "leader_centre/overview.html", tab="overview", today=found.today, money=money, people=people
    )


@blueprint.get("/shares")
@needs_leader
def shares() -> Answer:
    found = services().queries.share_list(
        signed_in_leader().leader_id,
        page=request.args.get("page", default=1, type=int),
        page_size=services().settings.page_size,
    )
    return _page(
        "leader_centre/shares.html",
        tab="shares",
        shares=found,
        page=found.page,
        page_url=_shares_url,
    )


@blueprint.get("/shares.csv")
@needs_leader
def shares_file() -> Answer:
    lines: Iterator[str] = shares_csv(services().queries, signed_in_leader().leader_id)
    return Response(
        lines,
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=leader-shares.csv"},
    )


@blueprint.get("/followers")
@needs_leader
def followers() -> Answer:
    found = services().queries.follower_list(signed_in_leader().leader_id)
    return _page("leader_centre/followers.html", tab="followers", followers=found)


def _page(template: str, **more: object) -> str:
    queries, leader = services().queries, signed_in_leader()
    return render_template(
        template,
        section="centre",
        leader=leader,
        owed=queries.owed_to_leader(leader.leader_id),
        now=queries.now(),
        **more,
    )


def _shares_url(number: int) -> str:
    return url_for("leader_centre.shares", page=number)
