"""An ASGI application in this process, behind the synchronous client's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from threading import Lock
from typing import Any, TypeAlias

from spectronctl.client._httpx import httpx

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class AsgiTransport(httpx.BaseTransport):
    """
    Opens the application at the first request, on an event loop of its own, and closes both in `close()`.

    `open_app` returns an async context manager that yields the application; what it raises reaches the caller of the
    first request. Threads without an event loop of their own may share it: their requests run one after the other.
    """

    def __init__(self, open_app: Callable[[], AbstractAsyncContextManager[App]]) -> None:
        self._open_app = open_app
        self._runner: asyncio.Runner | None = None
        self._opened: AbstractAsyncContextManager[App] | None = None
        self._app: App | None = None
        self._turn = Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._turn:
            if self._runner is None:
                self._runner = asyncio.Runner()
            return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._app is None:
            opened = self._open_app()
            self._app = await opened.__aenter__()
            self._opened = opened
        exchange = _Exchange(request)
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                await exchange.run(self._app)
        except TimeoutError:
            raise httpx.ReadTimeout("the application did not answer in time") from None
        return exchange.build_response()

    def close(self) -> None:
        runner, self._runner = self._runner, None
        opened, self._opened = self._opened, None
        self._app = None
        if runner is None:
            return
        with runner:
            if opened is not None:
                runner.run(_leave(opened))


async def _leave(opened: AbstractAsyncContextManager[App]) -> None:
    await opened.__aexit__(None, None, None)


class _Exchange:
    """One request as the application sees it, and what it answers."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._unread = True
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._done = asyncio.Event()

    async def run(self, app: App) -> None:
        try:
            await app(self._build_scope(), self._receive, self._send)
        except Exception:
            # A framework raises again what it has already answered with a 500, for its server's log.
            if not self._done.is_set():
                raise

    def build_response(self) -> httpx.Response:
        if self._status is None or not self._done.is_set():
            raise httpx.RemoteProtocolError("the application did not finish its answer")
        return httpx.Response(self._status, headers=self._headers, content=bytes(self._body))

    def _build_scope(self) -> Message:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 0),
        }

    async def _receive(self) -> Message:
        if self._unread:
            self._unread = False
            return {"type": "http.request", "body": self._request.content, "more_body": False}
        await self._done.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._done.set()
