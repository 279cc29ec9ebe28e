"""Who is looking. Before accounts exist, a switch of the demonstration: choose who you are.

The switch works on loopback only: the settings, the visitor's address and the name he asked for
must all be of this machine.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.identifiers import FollowerId, whole_number
from copyplugin.store.queries.followers import Follower
from web.i18n import gettext
from web.services import services
from web.settings import is_loopback

blueprint = Blueprint("identity", __name__)
P = ParamSpec("P")
Answer = Response | str | tuple[str, int]

_KEY = "follower_id"


def switch_is_on() -> bool:
    """Tell whether this application has the demonstration's identity switch at all."""
    return services().settings.demo_identity


def switch_may_work() -> bool:
    """Tell whether everything about this request stays on this machine."""
    host = urlsplit(f"//{request.host}").hostname or ""
    return (
        switch_is_on()
        and is_loopback(services().settings.host)
        and is_loopback(request.remote_addr or "")
        and is_loopback(host)
    )


def current_follower() -> Follower | None:
    """Return who is signed in, as he is in the database now."""
    if "follower" not in g:
        g.follower = _chosen_follower()
    return g.follower


def _chosen_follower() -> Follower | None:
    chosen: object = session.get(_KEY)
    if not isinstance(chosen, int) or not switch_may_work():
        return None
    return services().queries.follower(FollowerId(chosen))


def follower_id() -> FollowerId | None:
    who = current_follower()
    return who.follower_id if who else None


def actor_name(who: Follower) -> str:
    """Return how commands and the history name this person."""
    return f"follower:{who.follower_id}"


def needs_follower(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Send a visitor who is not signed in to the sign-in page, and back afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        if current_follower() is None:
            back = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("identity.choose", next=back))
        return view(*args, **kwargs)

    return guarded


def signed_in() -> Follower:
    """Return who is signed in, inside a view that `needs_follower`."""
    who = current_follower()
    assert who is not None
    return who


def local_path(path: str | None) -> str:
    """Return the path if it leads to a page of ours, else the list of leaders."""
    parts = urlsplit(path or "")
    is_ours = bool(path) and not parts.scheme and not parts.netloc and parts.path.startswith("/")
    if path is None or not is_ours or path.startswith("//") or "\\" in path:
        return url_for("leaders.index")
    return path


@blueprint.get("/whoami")
def choose() -> Response | str:
    if not switch_may_work():
        abort(403, _sentence())
    return render_template(
        "identity/choose.html",
        followers=services().queries.followers(),
        leaders=services().queries.leader_names(),
        back=local_path(request.args.get("next")),
    )


@blueprint.post("/whoami")
def sign_in() -> Response:
    if not switch_may_work():
        abort(403, _sentence())
    chosen = request.form.get(_KEY, type=whole_number)
    who = None if chosen is None else services().queries.follower(FollowerId(chosen))
    if who is None:
        flash(gettext("Nobody has this number. Choose one of those below."), "bad")
        return redirect(url_for("identity.choose", next=request.form.get("next")))
    session.clear()  # nothing of the one before stays
    session[_KEY] = int(who.follower_id)
    return redirect(local_path(request.form.get("next")))


@blueprint.post("/sign-out")
def sign_out() -> Response:
    session.clear()
    return redirect(url_for("leaders.index"))


def _sentence() -> str:
    if not switch_is_on():
        return gettext("Signing in is not set up here: this server shows the traders only.")
    return gettext(
        "Choosing who you are is for a demonstration on one machine. It refuses to work because "
        "this server, or the way you reach it, is not loopback: start the demonstration with "
        "--host 127.0.0.1 and open the address it prints on the same machine."
    )
