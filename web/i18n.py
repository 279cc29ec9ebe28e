"""The one door to translation: every sentence a person reads passes through here.

Flask-Babel is no longer developed, so nothing else in `web` imports it.
"""

from collections.abc import Callable
from typing import cast

import flask_babel
from babel import Locale
from flask import Flask

LANGUAGES = ("en",)

gettext = cast("Callable[..., str]", flask_babel.gettext)
ngettext = cast("Callable[..., str]", flask_babel.ngettext)
lazy_gettext = cast("Callable[..., str]", flask_babel.lazy_gettext)


def init_translation(app: Flask) -> None:
    """Install gettext in templates; English is the source language."""
    flask_babel.Babel(app, default_locale="en", locale_selector=lambda: "en")


def current_locale() -> Locale:
    """Return the locale of this request; outside one, English."""
    return flask_babel.get_locale() or Locale("en")
