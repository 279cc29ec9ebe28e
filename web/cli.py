"""`copyplugin-web`: the pages alone, over the database of an engine in another process.

Accounts come later; until then nobody can sign in here, and the pages show leaders and health. The
server is the one of the demonstration, fit for one machine; behind a proxy, any WSGI server takes
`web.app:create_app`.
"""

import secrets
import sys

import click

from copyplugin.errors import ConfigurationError
from copyplugin.host.feed import open_host_feed
from copyplugin.operator_questions import OperatorQuestions
from copyplugin.plugin import Commands
from copyplugin.settings import load_settings
from copyplugin.store.database import open_database
from copyplugin.store.queries import Queries
from copyplugin.system_clock import SystemClock
from web.app import create_app
from web.listening import CANNOT_START, CannotStart, PageServer, listening_socket
from web.settings import WebSettings
from web.signals import stop_on_signal


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8751, show_default=True, type=click.IntRange(1, 65535))
def main(host: str, port: int) -> None:
    """Serve the pages over the database that COPYPLUGIN_DATABASE_URL names."""
    try:
        serve(host, port)
    except (CannotStart, ConfigurationError) as refusal:
        click.echo(f"copyplugin-web: {refusal}", err=True)
        sys.exit(CANNOT_START)


def serve(host: str, port: int) -> None:
    """Serve until a signal; raises `CannotStart` or `ConfigurationError` before anything starts."""
    plugin_settings, clock = load_settings(), SystemClock()
    with listening_socket(host, port) as listener:
        database = open_database(plugin_settings.database_url)
        try:
            app = create_app(
                Queries(
                    database,
                    clock,
                    plugin_settings.zone,
                    has_paper=plugin_settings.paper_folder is not None,
                ),
                Commands(database, clock, plugin_settings),
                WebSettings(secret_key=secrets.token_hex(32), host=host),
                host_feed=open_host_feed(database, clock, plugin_settings),
                operator=OperatorQuestions(database, clock, plugin_settings),
            )
            with stop_on_signal() as stop:
                server = PageServer(app, listener, host)
                click.echo(f"Open http://{host}:{port}/koltrade")
                stop.wait()
                server.stop()
        finally:
            database.close()
