"""Addresses of our static files and of the libraries that set-up fetched.

A library is never part of the repository; without it the pages still work, but show tables and
drawings from the server where charts would be.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from flask import url_for

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"
HOW_TO_INSTALL = "Charts are missing: run `./run demo` once with the package index reachable."


@dataclass(frozen=True)
class Library:
    """A file of a JavaScript library, as the page loads it."""

    name: str
    url: str
    integrity: str


@dataclass(frozen=True)
class Package:
    """A library we serve, for the page of licences."""

    name: str
    version: str
    licence: str
    text: str


_Manifest = dict[str, dict[str, dict[str, str]]]


@cache
def _manifest() -> _Manifest:
    try:
        return cast("_Manifest", json.loads((VENDOR / "manifest.json").read_bytes()))
    except FileNotFoundError:
        return {"files": {}, "packages": {}}


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset_url(name: str) -> str:
    """Return the address of one of our own files; it changes with the content."""
    return url_for("static", filename=name, v=_digest(name))


def library(name: str) -> Library | None:
    """Return a fetched file, or None when set-up has not fetched it."""
    entry = _manifest()["files"].get(name)
    if entry is None:
        return None
    return Library(name, asset_url(f"vendor/{name}"), entry["integrity"])


def packages() -> list[Package]:
    """Return the libraries that pages load, with their licence texts."""
    served = {entry["package"] for entry in _manifest()["files"].values()}
    return [
        Package(
            name,
            facts["version"],
            facts["licence"],
            (VENDOR / f"{name}.LICENSE.txt").read_text(encoding="utf-8"),
        )
        for name, facts in sorted(_manifest()["packages"].items())
        if name in served
    ]
