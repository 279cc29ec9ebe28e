"""A venue that answers each path with a message written by hand, and keeps what it was asked."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from copyplugin.venues.ccxt.config import ApiKeys

KEYS = ApiKeys("the-key", "the-secret", "the-passphrase")
Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came. `target` is path and query, as they were signed."""

    what: str  # "GET /path"
    target: str
    query: dict[str, str]
    body: Any
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """An answer that says no."""

    status: int
    body: object


class Scripted:
    """Answers by method and path; of several answers each is given once, the last one for good."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers: dict[str, list[object]] = {}
        for what, answer in answers.items():
            self.say(what, answer)
        self.asked: list[Asked] = []
        self._runner: web.AppRunner | None = None

    def say(self, what: str, *answers: object) -> None:
        """Answer a path so from now on."""
        self.answers[what] = list(answers)

    async def start(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        target = request.path + (f"?{request.query_string}" if request.query_string else "")
        what = f"{request.method} {request.path}"
        query = dict(parse_qsl(request.query_string))
        body = json.loads(text) if text else None
        self.asked.append(Asked(what, target, query, body, text, request.headers))
        said = self.answers.get(what)
        assert said is not None, f"nobody wrote an answer to {what} {query or body}"
        answer = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(answer, Refused):
            return web.json_response(answer.body, status=answer.status)
        return web.json_response(answer)

    def of(self, what: str) -> list[Asked]:
        return [each for each in self.asked if each.what == what]

    def bodies(self, what: str) -> list[Any]:
        return [each.body for each in self.of(what)]

    def queries(self, what: str) -> list[dict[str, str]]:
        return [each.query for each in self.of(what)]


def signature(payload: str) -> str:
    digest = hmac.new(KEYS.secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def same(ours: Mapping[str, object], theirs: Mapping[str, object], *but: str) -> None:
    """Check that two requests say the same, but for what one of them leaves to a default."""
    left = {name: value for name, value in ours.items() if name not in but}
    right = {name: value for name, value in theirs.items() if name not in but}
    assert left == right


def ok(*rows: object) -> Row:
    """Return an answer of OKX."""
    return {"code": "0", "msg": "", "data": list(rows)}


def no(code: str, said: str = "no") -> Row:
    """Return OKX's answer about one thing that it refuses."""
    row = {"sCode": code, "sMsg": said, "ordId": "", "clOrdId": ""}
    return {"code": "1", "msg": "All operations failed", "data": [row]}


def fine(data: object) -> Row:
    """Return an answer of Bitget."""
    return {"code": "00000", "msg": "success", "requestTime": 1_700_000_000_123, "data": data}


def listed(name: str, rows: Sequence[object]) -> Row:
    """Return Bitget's answer of a list."""
    return fine({name: list(rows), "endId": None})
