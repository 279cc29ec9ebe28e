"""What a visitor reads when something cannot be done: a title, and a sentence that helps."""

import logging

from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from copyplugin.errors import Refused
from web.i18n import gettext

log = logging.getLogger(__name__)


def init_errors(app: Flask) -> None:
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Refused, _not_granted)
    app.register_error_handler(Exception, _broken)


def _page(code: int, title: str, sentence: str) -> tuple[str, int]:
    return render_template("error.html", code=code, title=title, sentence=sentence), code


def _stale_form(_: CSRFError) -> tuple[str, int]:
    sentence = gettext("This form had been open too long, or was not ours. Nothing was changed.")
    return _page(400, gettext("Please send the form again"), sentence)


def _not_granted(refusal: Refused) -> tuple[str, int]:
    return _page(409, gettext("This cannot be done now"), refusal.sentence)


def _refused(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    titles = {
        401: gettext("Please sign in"),
        403: gettext("This is not possible here"),
        404: gettext("There is no such page"),
        405: gettext("This address expects a form"),
        409: gettext("This cannot be done now"),
        429: gettext("Too many at once"),
    }
    ours = error.description if error.description != type(error).description else None
    sentence = ours or gettext("The address may be mistyped, or what it led to is gone.")
    return _page(code, titles.get(code, gettext("This did not work")), sentence)


def _broken(error: Exception) -> tuple[str, int]:
    log.error("a page failed", exc_info=error)
    sentence = gettext("The fault is on our side and has been recorded. Please try again.")
    return _page(500, gettext("Something went wrong"), sentence)
