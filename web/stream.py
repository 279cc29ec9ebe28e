"""The stream of live figures (server-sent events)."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

from flask import Blueprint, Response, abort, request

from copyplugin.domain.identifiers import LeaderId, whole_number
from web import formatting
from web.following.money import my_id
from web.i18n import Language, gettext
from web.identity import follower_id
from web.live import LiveHub, Moment, TooManyStreams, Topic
from web.live_figures import figures_for
from web.services import services

blueprint = Blueprint("live", __name__)

RETRY_MILLISECONDS = 2000


@blueprint.get("/live")
def stream() -> Response:
    """Send the marks, and what the page asks for: `copies=1` or `leader=<id>`."""
    me = follower_id()
    wants_copies = "copies" in request.args
    if wants_copies and me is None:
        abort(401, gettext("Sign in to see your copies."))
    leader = request.args.get("leader", type=whole_number)
    topic = Topic(
        follower_id=my_id() if wants_copies else None,
        leader_id=None if leader is None else LeaderId(leader),
    )
    hub = services().live
    visitor = f"follower {me}" if me is not None else f"address {request.remote_addr}"
    stack = ExitStack()
    try:
        latest = stack.enter_context(hub.listening(topic, visitor))
    except TooManyStreams:
        abort(429, gettext("Too many pages with live figures are open: close some of them."))
    keepalive_seconds = services().settings.live_keepalive_seconds
    language = Language.of_this_request()
    response = Response(
        _events(hub, topic, latest, keepalive_seconds, language),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    response.call_on_close(stack.close)
    return response


def _events(
    hub: LiveHub, topic: Topic, number: int, keepalive_seconds: float, language: Language
) -> Iterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    while not hub.is_stopping:
        moment = hub.wait_for(topic, number, keepalive_seconds)
        if moment is None:
            yield ": keepalive\n\n"
        else:
            number = moment.number
            with language.spoken():
                event = _event(topic, moment)
            yield event


def _event(topic: Topic, moment: Moment) -> str:
    figures, rows = figures_for(topic, moment.moving)
    data = {"at": formatting.clock_time(moment.at), "figures": figures, "rows": rows}
    return f"id: {moment.number}\nevent: figures\ndata: {json.dumps(data)}\n\n"
