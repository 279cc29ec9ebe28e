"""The pages: a Flask application over read models and commands."""

from flask import Flask, redirect, url_for
from flask_compress import Compress
from werkzeug.routing import IntegerConverter, Map
from werkzeug.wrappers import Response

from copyplugin.domain.identifiers import NUMBER_MAX
from copyplugin.host.feed import HostFeed
from copyplugin.operator_questions import OperatorQuestions
from copyplugin.store.queries import Queries
from web import appearance, host, identity, roles, stream
from web.errors import init_errors
from web.following import actions, commands, copies, follow, for_real, orphans, pausing, receipts
from web.following import settings as follow_settings
from web.following.money import init_money
from web.health import pages as health
from web.i18n import init_translation
from web.leader_centre import pages as leader_centre
from web.leaders import views as leaders
from web.leaders import what_if
from web.live import LiveHub
from web.notices import choices as notice_choices
from web.notices import pages as notices
from web.operator import changes, halts, payables, trial
from web.security import init_security
from web.services import EXTENSION, Commands, Services
from web.settings import WebSettings
from web.templating import init_templates

BLUEPRINTS = (
    leaders.blueprint,
    what_if.blueprint,
    follow.blueprint,
    copies.blueprint,
    actions.blueprint,
    for_real.blueprint,
    orphans.blueprint,
    pausing.blueprint,
    receipts.blueprint,
    follow_settings.blueprint,
    commands.blueprint,
    leader_centre.blueprint,
    health.blueprint,
    identity.blueprint,
    roles.blueprint,
    notices.blueprint,
    notice_choices.blueprint,
    appearance.blueprint,
    stream.blueprint,
)

OPERATOR_BLUEPRINTS = (halts.blueprint, payables.blueprint, changes.blueprint, trial.blueprint)


def create_app(
    queries: Queries,
    commands: Commands,
    settings: WebSettings,
    *,
    host_feed: HostFeed | None = None,
    operator: OperatorQuestions | None = None,
) -> Flask:
    """Return the application; `live_hub(app).stop()` ends its thread and its streams.

    With a host feed it takes the host's messages too, and with an operator's questions it has his
    pages.
    """
    app = Flask(__name__)
    app.url_map.converters["int"] = RowNumber
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="copytrading",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # a form is good as long as its session
        COMPRESS_STREAMS=False,  # a live figure must not wait in a buffer
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions[EXTENSION] = Services(
        queries=queries,
        commands=commands,
        settings=settings,
        operator=operator,
        live=LiveHub(
            read=queries.moving,
            now=queries.now,
            period_seconds=settings.live_period_seconds,
            streams_per_visitor=settings.streams_per_visitor,
        ),
    )
    Compress(app)
    init_security(app)
    init_translation(app)
    init_templates(app)
    init_errors(app)
    init_money(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if operator is not None:
        for blueprint in OPERATOR_BLUEPRINTS:
            app.register_blueprint(blueprint)
    if host_feed is not None:
        host.init_host_feed(app, host_feed)
    app.add_url_rule("/", "home", _home)
    return app


class RowNumber(IntegerConverter):
    """A number in an address; one that no row can have is an address of nothing."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=NUMBER_MAX)


def live_hub(app: Flask) -> LiveHub:
    """Return the hub of the application's live figures."""
    services: Services = app.extensions[EXTENSION]
    return services.live


def _home() -> Response:
    return redirect(url_for("leaders.index"))
