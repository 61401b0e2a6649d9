"""
A network for the asynchronous client, where a call has one deadline, however often it waits.

httpx bounds single reads and writes: a head of a response that drips, or hints without end, would go on for ever.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpcore

from spectronctl.client._deadline import bound_wait
from spectronctl.client._httpx import httpx
from spectronctl.client._tasks import Backend

_PIECE_BYTES = 1 << 14
"""What is written in one wait: a longer one would wait anew for each part that the system takes."""


def open_transport(**settings: Any) -> httpx.AsyncHTTPTransport:
    """httpx's own transport, on this network: httpx hands no setting for it on to its pool of connections."""
    transport = httpx.AsyncHTTPTransport(**settings)
    # Before the first request: each connection that the pool opens takes the backend from it then. For a SOCKS or
    # HTTP proxy the pool is another class, with the same attribute.
    transport._pool._network_backend = _Network()
    return transport


class _Network(Backend):
    async def connect_tcp(self, *args: Any, **settings: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await super().connect_tcp(*args, **settings))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        # Which error a deadline that has passed becomes. As ConnectTimeout the request may be sent again, so it is
        # that only until the first write on this stream. A connection that is used again never counts as new.
        self._late: type[httpcore.TimeoutException] = httpcore.ConnectTimeout  # nothing was sent

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, bound_wait(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE_BYTES):
            piece = buffer[start : start + _PIECE_BYTES]
            await self._inner.write(piece, bound_wait(timeout, self._late))
            self._late = httpcore.ReadTimeout

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        # A new stream over the same connection, so nothing of the request itself was written on it: only the CONNECT
        # to a proxy.
        left = bound_wait(timeout, httpcore.ConnectTimeout)
        return _Stream(await self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
