"""What the demonstration can be told, and refusals before anything starts."""

import os
from dataclasses import dataclass
from pathlib import Path

from web.listening import CannotStart
from web.settings import is_loopback

DEFAULT_PORT = 8750


@dataclass(frozen=True, kw_only=True)
class Options:
    """`data` is None where a temporary folder will do; `report` where no file is wanted.

    `over_http` names the dialect in which exchange and plugin talk; None: they call each other.
    """

    seed: int
    followers: int
    host: str
    port: int
    data: Path | None
    headless: bool
    seconds: int | None
    report: Path | None
    over_http: str | None = None


def check_host(host: str) -> None:
    """Refuse a host that others can reach; raises `CannotStart`."""
    if not is_loopback(host):
        raise CannotStart(
            f"--host {host} would open the demonstration, in which anyone can be anyone, to "
            "other machines: use 127.0.0.1."
        )


def check_report(path: Path) -> None:
    """Refuse a file that could not be written in the end; raises `CannotStart`."""
    if path.is_dir():
        raise CannotStart(f"--json {path} is a folder: name a file in it.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise CannotStart(f"--json {path}: there is no folder {folder}; make it first.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise CannotStart(f"--json {path} may not be written: choose another place.")
