"""A server's socket, opened before anything else starts, and the server that uses it."""

import errno
import logging
import socket
from threading import Thread

from flask import Flask
from werkzeug.serving import make_server

from web.app import live_hub

CANNOT_START = 2
"""The exit code of a refusal before anything has started."""

_BACKLOG = 128


class CannotStart(Exception):
    """What was asked for cannot be done; the sentence says what to change."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens already; raises `CannotStart` where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotStart(_why_not(error, host, port)) from error
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what runs there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights this user has not: choose one above 1023 with --port."
    return f"{host}:{port} cannot be opened: {error.strerror}. Choose others with --host, --port."


class PageServer:
    """Serves an application from a thread of its own, from construction until `stop`."""

    def __init__(self, app: Flask, listener: socket.socket, host: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request
        self._app = app
        self._server = make_server(host, 0, app, threaded=True, fd=listener.fileno())
        self._thread = Thread(target=self._server.serve_forever, name="pages", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the streams, then the server; pages that are being made are finished."""
        live_hub(self._app).stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
