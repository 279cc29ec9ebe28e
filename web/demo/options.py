"""What the demonstration can be told, and refusals before anything starts."""

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from web.settings import is_loopback

DEFAULT_PORT = 8750
CANNOT_START = 2
"""The exit code of a refusal before anything has started."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`data` is None where a temporary folder will do; `report` where no file is wanted."""

    seed: int
    followers: int
    host: str
    port: int
    data: Path | None
    headless: bool
    seconds: int | None
    report: Path | None


class CannotStart(Exception):
    """The demonstration was asked for what it cannot do; the sentence says what to change."""


def check_report(path: Path) -> None:
    """Refuse a file that could not be written in the end; raises `CannotStart`."""
    if path.is_dir():
        raise CannotStart(f"--json {path} is a folder: name a file in it.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise CannotStart(f"--json {path}: there is no folder {folder}; make it first.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise CannotStart(f"--json {path} may not be written: choose another place.")


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens already; raises `CannotStart` where that cannot be."""
    if not is_loopback(host):
        raise CannotStart(
            f"--host {host} would open the demonstration, in which anyone can be anyone, to "
            "other machines: use 127.0.0.1."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise CannotStart(_why_not(error, port)) from error
    listener.listen(128)
    return listener


def _why_not(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what runs there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights this user has not: choose one above 1023 with --port."
    return f"Port {port} cannot be opened: {error.strerror}. Choose another with --port."
