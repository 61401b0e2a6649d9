"""One request to an ASGI application on another thread's event loop, and its response, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

import httpcore

from spectronctl.client._deadline import bound_wait, stop_clock
from spectronctl.client._httpx import httpx

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

_MAX_HELD = 1 << 18
"""Bytes of a response that wait for the caller; the application waits before it sends more."""

_WANTED = object()
"""In place of something for the caller: the application wants the next piece of the request's body."""


class Exchange:
    """
    One request as the application sees it, and its response as the caller takes it.

    The caller's thread waits at the inbox, for a response, its pieces and, at the end, None; it also fetches the pieces
    of the request's body there, since whatever makes them may belong to it.
    """

    cancel: Callable[[], object]

    def __init__(
        self, request: httpx.Request, loop: asyncio.AbstractEventLoop, *, is_open: bool
    ) -> None:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self._request = request
        self._loop = loop
        self._is_open = is_open
        self._timeout: float | None = request.extensions.get("timeout", {}).get("read")
        # Unbounded, so that `put` never blocks the event loop. `_MAX_HELD` bounds what is in it.
        self._inbox: SimpleQueue[Any] = SimpleQueue()
        self._body = iter(request.stream)
        self._is_sent = False
        self._asked: asyncio.Future[bytes | None] | None = None
        self._status: int | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._content: bytes | None = None
        self._is_streamed = False
        self._is_complete = False
        self._held = 0
        self._room = asyncio.Event()
        self._over = asyncio.Event()

    # In the caller's thread

    def take_response(self) -> httpx.Response:
        """The response, whole or with the rest of it to come; raises what the application raises instead."""
        if not self._is_open:
            with stop_clock():  # what opens it has a limit of its own
                self._take(None)
        response: httpx.Response = self._take_in_time()
        return response

    def take_pieces(self) -> Iterator[bytes]:
        """The body of a response that comes in pieces."""
        while (piece := self._take_in_time()) is not None:
            # Before the piece is handed out: the reader may take its time over it, or never come back.
            self._call(self._make_room, len(piece))
            yield piece

    def leave(self) -> None:
        """Tell the application that the caller is gone."""
        self._call(self._note_leaving)

    def _take_in_time(self) -> Any:
        try:
            return self._take(bound_wait(self._timeout))
        except (Empty, httpcore.ReadTimeout):
            # The error that a socket would give, so that retries and messages need not know that there is none.
            raise httpx.ReadTimeout("the application did not respond in time") from None

    def _take(self, timeout: float | None) -> Any:
        while (item := self._inbox.get(timeout=timeout)) is _WANTED:
            self._call(self._hand_over, next(self._body, None))
        if isinstance(item, Exception):
            raise item
        return item

    def _call(self, function: Callable[..., object], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed, and the application with it
            self._loop.call_soon_threadsafe(function, *args)

    # On the event loop

    def note_opening(self) -> None:
        if not self._is_open:
            self._inbox.put(True)

    def fail(self, failure: Exception) -> None:
        self._inbox.put(failure)

    async def run(self, app: App) -> None:
        try:
            await app(self._build_scope(), self._receive, self._send)
        except Exception:
            # A framework raises again what it has already turned into a 500, for its server's log.
            if not self._is_complete:
                raise
        if not self._is_complete:
            raise httpx.RemoteProtocolError("the application did not finish its response")
        self._inbox.put(None if self._is_streamed else self._build_response(content=self._content))

    def _build_response(self, **body: Any) -> httpx.Response:
        assert self._status is not None
        return httpx.Response(self._status, headers=self._headers, **body)

    def _build_scope(self) -> Message:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            # httpx counts the query to the raw path, ASGI does not.
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            # httpx keeps the case in which a header was written; ASGI wants lower case, and applications compare
            # bytes.
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 0),
        }

    async def _receive(self) -> Message:
        # ASGI: after the last piece of a body, receive() must wait, and then report the disconnect.
        if not self._is_sent and not self._over.is_set():
            piece = await self._fetch_piece()
            if not self._over.is_set():
                return {
                    "type": "http.request",
                    "body": piece or b"",
                    "more_body": not self._is_sent,
                }
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _fetch_piece(self) -> bytes | None:
        # The whole body is in memory: to fetch it from the caller's thread would cost two switches of threads for
        # nothing.
        if isinstance(self._request.stream, httpx.ByteStream):
            self._is_sent = True
            return self._request.content
        self._asked = self._loop.create_future()
        self._inbox.put(_WANTED)
        piece = await self._asked
        self._is_sent = piece is None
        return piece

    def _hand_over(self, piece: bytes | None) -> None:
        # It may be done: the request was cancelled, or the caller left, while the piece was made.
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(piece)

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            await self._send_piece(message.get("body", b""), message.get("more_body", False))

    async def _send_piece(self, piece: bytes, more: bool) -> None:
        # Only a body of several pieces is streamed. A whole one waits until the application has returned: it is then
        # in memory, and nothing has to be closed for it, or to make room.
        if more and not self._is_streamed:
            self._is_streamed = True
            self._inbox.put(self._build_response(stream=_Pieces(self)))
        if not self._is_streamed:
            self._content = piece
        elif piece:
            self._inbox.put(piece)
            self._held += len(piece)
        if not more:
            self._is_complete = True
            self._over.set()
        # Backpressure: without it an endless stream would fill the memory when the caller is slower.
        while self._held > _MAX_HELD and not self._over.is_set():
            self._room.clear()
            await self._room.wait()

    def _make_room(self, size: int) -> None:
        self._held -= size
        self._room.set()

    def _note_leaving(self) -> None:
        # Wake every place where the application can wait, or its task would never end.
        self._over.set()
        self._room.set()
        self._hand_over(None)


class _Pieces(httpx.SyncByteStream):
    """The body of a response that goes on."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.take_pieces()

    def close(self) -> None:
        self._exchange.leave()
