"""A served exchange: one HTTP server in an event loop, which may run in a thread of its own."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Protocol, Self, TypeVar

from aiohttp import web

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Dialect(Protocol):
    """Answers all paths that begin with one of its prefixes."""

    @property
    def prefixes(self) -> tuple[str, ...]: ...

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse: ...


class Server:
    """Listens on one port and hands each request to the dialect of its path."""

    def __init__(self, dialects: tuple[Dialect, ...]) -> None:
        self._dialects = [(prefix, dialect) for dialect in dialects for prefix in dialect.prefixes]
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; OSError when the port is in use. Port 0: a free one, see ``port``."""
        server = web.Server(self._respond, access_log=None)
        self._runner = web.ServerRunner(server, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=4096)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        for prefix, dialect in self._dialects:
            if path.startswith(prefix):
                return await dialect.respond(request)
        return web.json_response({"message": "there is nothing at this path"}, status=404)


class ServerThread:
    """Runs a server in a thread with its own event loop, for synchronous callers.

    What touches the exchange from outside goes through ``call``.
    """

    def __init__(self, build: Callable[[], Server], host: str = "127.0.0.1", port: int = 0) -> None:
        self._build = build
        self._host = host
        self._wanted_port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simexchange server", daemon=True)
        self._server: Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None, "the server was not started"
        return self._server.port

    @property
    def is_running(self) -> bool:
        return self._server is not None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._submit(self._start()).result()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._submit(self._server.stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, do: Callable[[], T]) -> T:
        """Run ``do`` between two requests and return its result."""

        async def run() -> T:
            return do()

        return self._submit(run()).result()

    async def _start(self) -> None:
        self._server = self._build()
        await self._server.start(self._host, self._wanted_port)

    def _submit(self, work: Coroutine[None, None, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
