"""Who else may be looking: a leader or an operator, chosen by the demonstration's switch too."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, abort, flash, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.identifiers import LeaderId, whole_number
from copyplugin.store.queries.leader_names import LeaderName
from web.i18n import gettext
from web.identity import Answer, current_follower, switch_may_work
from web.services import services

blueprint = Blueprint("roles", __name__, url_prefix="/whoami")
P = ParamSpec("P")

_LEADER, _OPERATOR = "leader_id", "operator"


@dataclass(frozen=True)
class Staff:
    """Somebody of the demonstration's staff: his key on forms, his role and name."""

    key: str
    role: Role
    name: str

    @property
    def actor(self) -> str:
        return actor_of(self.role, self.name)


STAFF_OF_DEMO = (
    Staff("1", Role.OPERATOR, "demo"),
    Staff("2", Role.OPERATOR, "second"),
    Staff("3", Role.ADMINISTRATOR, "chief"),
)
"""Two operators, because what raises the risk needs two, and an administrator."""


def current_leader() -> LeaderName | None:
    """Return the leader who is signed in, as he is in the database now."""
    if "leader" not in g:
        chosen: object = session.get(_LEADER)
        g.leader = None
        if isinstance(chosen, int) and switch_may_work():
            g.leader = services().queries.leader_name(LeaderId(chosen))
    return g.leader


def current_staff() -> Staff | None:
    """Return who of the staff is signed in."""
    if not switch_may_work():
        return None
    return next((each for each in STAFF_OF_DEMO if each.key == session.get(_OPERATOR)), None)


def is_operator() -> bool:
    return current_staff() is not None


def needs_operator(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Send a visitor who is not signed in to the sign-in page; refuse whoever is no operator."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        if not is_operator():
            if name_of_visitor() is None and switch_may_work():
                return redirect(url_for("identity.choose"))
            abort(403, gettext("These pages are for operators only."))
        return view(*args, **kwargs)

    return guarded


def signed_in_staff() -> Staff:
    """Return who is signed in, inside a view that `needs_operator`."""
    staff = current_staff()
    assert staff is not None
    return staff


def staff_name(staff: Staff) -> str:
    """Return what a person of the staff is called on pages."""
    if staff.role is Role.ADMINISTRATOR:
        return gettext("Administrator")
    is_first = staff.key == STAFF_OF_DEMO[0].key
    return gettext("Operator") if is_first else gettext("Second operator")


def name_of_visitor() -> str | None:
    """Return what whoever is signed in is called; None where nobody is."""
    follower, leader = current_follower(), current_leader()
    if follower is not None:
        return follower.name
    if leader is not None:
        return leader.nickname
    staff = current_staff()
    return None if staff is None else staff_name(staff)


def needs_leader(view: Callable[P, Answer]) -> Callable[P, Answer]:
    """Send whoever is no leader to the sign-in page."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
        if current_leader() is None:
            return redirect(url_for("identity.choose"))
        return view(*args, **kwargs)

    return guarded


def signed_in_leader() -> LeaderName:
    """Return who is signed in, inside a view that `needs_leader`."""
    leader = current_leader()
    assert leader is not None
    return leader


@blueprint.post("/leader")
def lead() -> Response:
    _refuse_elsewhere()
    chosen = request.form.get(_LEADER, type=whole_number)
    leader = None if chosen is None else services().queries.leader_name(LeaderId(chosen))
    if leader is None:
        flash(gettext("No leader has this number. Choose one of those below."), "bad")
        return redirect(url_for("identity.choose"))
    session.clear()  # nothing of the one before stays
    session[_LEADER] = int(leader.leader_id)
    return redirect(url_for("leader_centre.overview"))


@blueprint.post("/operator")
def operate() -> Response:
    _refuse_elsewhere()
    chosen = request.form.get(_OPERATOR, STAFF_OF_DEMO[0].key)
    if all(chosen != staff.key for staff in STAFF_OF_DEMO):
        flash(gettext("Nobody of the staff has this number. Choose one of those below."), "bad")
        return redirect(url_for("identity.choose"))
    session.clear()
    session[_OPERATOR] = chosen
    return redirect(url_for("notices.index"))


def _refuse_elsewhere() -> None:
    if not switch_may_work():
        abort(403, gettext("Choosing who you are works in a demonstration on one machine only."))
