"""An ASGI application in this process, behind the synchronous client's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Lock, Thread
from typing import Any, TypeAlias

from spectronctl.client._httpx import httpx

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class AsgiTransport(httpx.BaseTransport):
    """
    Opens the application at the first request, on an event loop in a thread of its own, and closes both in `close()`.

    `open_app` returns an async context manager that yields the application; what it raises reaches the caller of the
    request that wanted it open, and the next one tries again. The loop runs between requests too, so that what the
    application has begun goes on. Several threads may ask, and are answered at once.
    """

    def __init__(self, open_app: Callable[[], AbstractAsyncContextManager[App]]) -> None:
        self._open_app = open_app
        self._home: _Home | None = None
        self._turn = Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._turn:
            if self._closed:
                raise RuntimeError("the transport is closed")
            if self._home is None:
                self._home = _Home(self._open_app)
            answer = self._home.ask(request)
        try:
            return answer.result()
        except KeyboardInterrupt:  # nobody waits for it any more
            answer.cancel()
            raise
        except CancelledError:
            raise RuntimeError("the transport was closed meanwhile") from None

    def close(self) -> None:
        with self._turn:
            self._closed = True
            home, self._home = self._home, None
        if home is not None:
            home.close()


class _Home:
    """A thread with an event loop, and the application that is open on it."""

    def __init__(self, open_app: Callable[[], AbstractAsyncContextManager[App]]) -> None:
        self._open_app = open_app
        self._opened: asyncio.Future[App] | None = None
        self._stay: asyncio.Task[None] | None = None
        self._requests: set[asyncio.Task[httpx.Response]] = set()
        self._ending, self._closing = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="application", daemon=True)
        self._thread.start()

    def ask(self, request: httpx.Request) -> Future[httpx.Response]:
        """The answer to come."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop)

    def close(self) -> None:
        """Drop the requests under way, close the application and end the thread; raises what closing raises."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except BaseException as exc:  # noqa: BLE001 - it belongs to the thread that closes
            self._failure = exc

    async def _live(self) -> None:
        await self._ending.wait()
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        if self._stay is not None and self._opened is not None:
            if not self._opened.done():  # it waits for something, and nobody for it
                self._stay.cancel()
            self._closing.set()
            await asyncio.gather(self._stay, return_exceptions=not self._opened.done())

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        with self._note_request():
            app = await asyncio.shield(self._open())
            exchange = _Exchange(request)
            try:
                async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                    await exchange.run(app)
            except TimeoutError:
                raise httpx.ReadTimeout("the application did not answer in time") from None
            return exchange.build_response()

    @contextmanager
    def _note_request(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._requests.add(task)
        try:
            yield
        finally:
            self._requests.discard(task)

    def _open(self) -> asyncio.Future[App]:
        """The application, once it is open; one that could not be opened is tried again."""
        if self._opened is None or (self._opened.done() and self._opened.exception()):
            self._opened = self._loop.create_future()
            self._stay = self._loop.create_task(self._hold_open(self._opened))
        return self._opened

    async def _hold_open(self, opened: asyncio.Future[App]) -> None:
        """Open and close the application in one task, as its own tasks may want it."""
        try:
            async with self._open_app() as app:
                opened.set_result(app)
                await self._closing.wait()
        except Exception as exc:
            if opened.done():
                raise
            opened.set_exception(exc)


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
