"""The pages of the demonstration, served from a thread of their own."""

import logging
import secrets
import socket
from threading import Thread

from copyplugin.plugin import CopyPlugin
from werkzeug.serving import make_server

from web.app import create_app, live_hub
from web.settings import WebSettings


class Pages:
    """Serves from construction until `stop`."""

    def __init__(self, plugin: CopyPlugin, listener: socket.socket, host: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request
        settings = WebSettings(secret_key=secrets.token_hex(32), host=host, demo_identity=True)
        self._app = create_app(plugin.queries, plugin.commands, settings)
        self._server = make_server(host, 0, self._app, threaded=True, fd=listener.fileno())
        self._thread = Thread(target=self._server.serve_forever, name="pages", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the streams, then the server; pages that are being made are finished."""
        live_hub(self._app).stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
