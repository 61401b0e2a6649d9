"""Connections that outlast their clients' manners: what keeps the server waiting for too long is given up."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from ssl import SSLContext
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from spectronctl.server.serving.accepting import FULL

# Not where it is used: when all files are open, the module cannot be opened either.
try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PATIENCE_SECONDS = 20.0
"""How long a connection may stand still while it is the client's turn."""

_LOOKS = 4
_PIECE_BYTES = 64 * 1024


class WatchedProtocol(H11Protocol):
    """
    HTTP/1.1 on a connection that ends when its client neither sends a request nor takes a response.

    With `tls` the connection is secured here, so that it counts from its first byte on. What belongs to a request that
    is being handled is the application's to mind.
    """

    def __init__(self, *args: Any, tls: SSLContext | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._tls = tls
        self._early = b""
        self._drained = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One connection too many for this process is told so where that can be read, and closed."""
        self._lowest = transport
        # Here and not once it is secured: connections in the middle of a handshake hold a descriptor like any other.
        self.connections.add(self)
        is_full = len(self.connections) > _count_allowed()
        if self._tls is None:
            self._begin(transport)
            if is_full:
                transport.write(FULL)
                transport.close()
        # No words: before the handshake a client of TLS cannot read any.
        elif is_full:
            transport.abort()
        else:
            self._securing = self.loop.create_task(self._secure(self._tls))

    async def _secure(self, tls: SSLContext) -> None:
        try:
            secured = await self.loop.start_tls(
                self._lowest, self, tls, server_side=True, ssl_handshake_timeout=PATIENCE_SECONDS
            )
        except OSError:  # it hung up, or was too slow: the transport is closed already
            return
        assert secured is not None
        if secured.is_closing():  # it hung up meanwhile, and we were told, or will be
            return
        secured.set_write_buffer_limits(_PIECE_BYTES)
        self._begin(secured)
        if self._early:
            self.data_received(self._early)

    def _begin(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._seen: tuple[object, ...] = ()
        self._since = 0.0
        self._look()

    def data_received(self, data: bytes) -> None:
        """What comes right behind a handshake waits until that is known to be over."""
        if self.transport is None:
            self._early += data
        else:
            super().data_received(data)

    def resume_writing(self) -> None:
        """The client has taken most of what waited for it."""
        self._drained += 1
        super().resume_writing()

    def shutdown(self) -> None:
        """End it, at once or after the response that is on its way."""
        if self.transport is None:
            self._lowest.abort()
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self.transport is None:
            self.connections.discard(self)
        else:
            self._watch.cancel()
            super().connection_lost(exc)

    def _look(self) -> None:
        """Give the connection up if nothing has moved on it since that long; else look again later."""
        now, unsent = self.loop.time(), self._lowest.get_write_buffer_size()
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        is_responding = cycle is not None and not cycle.response_complete
        seen = (unsent, self._drained, cycle, is_responding)
        if seen != self._seen or (is_responding and not unsent):
            self._seen, self._since = seen, now
        elif now - self._since >= PATIENCE_SECONDS:
            self.transport.abort()
        # Looking now and then costs less than a timer for each read and write, and is late by a quarter at most.
        self._watch = self.loop.call_later(PATIENCE_SECONDS / _LOOKS, self._look)


def send_in_pieces(app: ASGIApp) -> ASGIApp:
    """An application whose long bodies wait, piece by piece, for a client that reads slowly."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_each(message: MutableMapping[str, Any]) -> None:
            body, start = message.get("body", b""), 0
            while len(body) - start > _PIECE_BYTES:
                piece = body[start : start + _PIECE_BYTES]
                await send({**message, "body": piece, "more_body": True})
                start += _PIECE_BYTES
            await send({**message, "body": body[start:]} if start else message)

        await app(scope, receive, send_each)

    return run


def _count_allowed() -> float:
    """A third of the files that may be open: the engine holds up to half, and its store can write nothing without."""
    if resource is None:
        return float("inf")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit // 3
