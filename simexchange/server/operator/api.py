"""The operator API over HTTP, under its own prefix, with its own key; and the watch page."""

import hmac
import logging
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from simexchange.server.operator.actions import ACTIONS, Action, Desk, OperatorError
from simexchange.server.operator.chronicle import Chronicle
from simexchange.server.venue import Venue

_log = logging.getLogger(__name__)
PREFIX = "/operator/v1/"
KEY_HEADER = "X-Operator-Key"
_FILES = Path(__file__).parent / "watch"
_PAGES = {
    "watch": ("watch.html", "text/html"),
    "watch.js": ("watch.js", "text/javascript"),
    "watch.css": ("watch.css", "text/css"),
}
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class OperatorApi:
    """Answers the operator's paths; everything but the empty watch page needs the key."""

    prefixes = (PREFIX,)

    def __init__(self, venue: Venue, key: str, journal: Path | None = None) -> None:
        assert key, "an operator API without a key is open to everyone"
        self._key = key.encode()
        self._journal = journal
        chronicle = Chronicle()
        venue.simulation.subscribe(chronicle.listen)
        self._desk = Desk(venue, chronicle)
        self._actions = {(action.method, action.path): action for action in ACTIONS}

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.removeprefix(PREFIX).partition("?")
        page = _PAGES.get(path)
        if page is not None and request.method == "GET":
            body = (_FILES / page[0]).read_bytes()
            return web.Response(body=body, content_type=page[1], charset="utf-8", headers=_SAFE)
        given = request.headers.get(KEY_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._key):
            return _answer({"message": f"the header {KEY_HEADER} does not hold the key"}, 401)
        if (request.method, path) == ("GET", "journal"):
            return self._download()
        action = self._actions.get((request.method, path))
        if action is None:
            return _answer({"message": f"there is no {request.method} {path} here"}, 404)
        return self._carry_out(action, query, await request.read())

    def _carry_out(self, action: Action, query: str, body: bytes) -> web.StreamResponse:
        """Do what is asked; what the operator got wrong is answered with a sentence."""
        asked: object = dict(parse_qsl(query))
        try:
            if action.body is not None:
                asked = msgspec.json.decode(body, type=action.body)
            return _answer(action.do(self._desk, asked), 200)
        except (msgspec.MsgspecError, OperatorError) as error:
            return _answer({"message": str(error)}, 400)
        except Exception:  # noqa: BLE001 - a fault of ours is logged, and said
            _log.exception("%s %s was not answered", action.method, action.path)
            return _answer({"message": "this is a fault of the server; its log says more"}, 500)

    def _download(self) -> web.StreamResponse:
        """Return the journal as it stands: whole records, because each is written at once."""
        if self._journal is None:
            return _answer({"message": "the exchange was started without a journal"}, 404)
        body = self._journal.read_bytes()
        return web.Response(body=body, content_type="application/octet-stream", headers=_SAFE)


def _answer(answer: object, status: int) -> web.Response:
    body = msgspec.json.encode(answer)
    return web.Response(body=body, status=status, content_type="application/json", headers=_SAFE)
