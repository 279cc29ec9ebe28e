"""The one door to translation: every sentence a person reads passes through here.

Flask-Babel is no longer developed, so nothing else in `web` imports it.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import cast

import flask_babel
from babel import Locale
from flask import Flask, current_app
from werkzeug.local import LocalProxy

LANGUAGES = ("en",)

gettext = cast("Callable[..., str]", flask_babel.gettext)
ngettext = cast("Callable[..., str]", flask_babel.ngettext)
_force_locale = cast("Callable[[str], AbstractContextManager[None]]", flask_babel.force_locale)
lazy_gettext = cast("Callable[..., str]", flask_babel.lazy_gettext)


def init_translation(app: Flask) -> None:
    """Install gettext in templates; English is the source language."""
    flask_babel.Babel(app, default_locale="en", locale_selector=lambda: "en")


@dataclass(frozen=True)
class Language:
    """The language of a request, to speak it after the request is over: a stream outlives it."""

    app: Flask
    locale: Locale

    @classmethod
    def of_this_request(cls) -> "Language":
        proxy = cast("LocalProxy[Flask]", current_app)
        # Flask's own way out of the proxy
        app = proxy._get_current_object()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return cls(app, current_locale())

    @contextmanager
    def spoken(self) -> Generator[None]:
        with self.app.app_context(), _force_locale(str(self.locale)):
            yield


def current_locale() -> Locale:
    """Return the locale of this request; outside one, English."""
    return flask_babel.get_locale() or Locale("en")
