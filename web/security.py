"""Headers that every answer carries, and the rule that a form comes from our own page."""

import secrets
from http import HTTPStatus

from flask import Flask, Response, request
from flask_wtf import CSRFProtect

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {source}" for name, source in _SOURCES.items())

_FOR_EVER = "public, max-age=31536000, immutable"

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def new_idempotency_key() -> str:
    """Return a key for one rendering of one form: sent twice, it is carried out once."""
    return secrets.token_urlsafe(24)


def init_security(app: Flask) -> None:
    """Protect every form and put the headers on every answer."""
    CSRFProtect(app)
    app.after_request(_with_headers)


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    elif "v" in request.args and response.status_code < HTTPStatus.BAD_REQUEST:
        response.headers["Cache-Control"] = _FOR_EVER  # the address changes with the content
    return response
