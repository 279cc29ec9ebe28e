"""How pages look to one visitor, kept in a cookie; and what the pages are made with."""

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from web import assets
from web.identity import local_path

blueprint = Blueprint("appearance", __name__)

THEMES = ("auto", "light", "dark")
_COOKIE = "theme"
_YEAR_SECONDS = 365 * 86_400


def current_theme() -> str:
    theme = request.cookies.get(_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


@blueprint.post("/appearance")
def set_theme() -> Response:
    theme = request.form.get("theme", "")
    if theme not in THEMES:
        abort(400)
    response = redirect(local_path(request.form.get("back")))
    response.set_cookie(_COOKIE, theme, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax")
    return response


@blueprint.get("/licences")
def licences() -> str:
    return render_template("licences.html", packages=assets.packages())
