"""
An asynchronous network where a call has one deadline, however often it waits.

httpx bounds single reads and writes: a head of an answer that drips, or hints without end, would go on for ever.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpcore

from spectronctl.client._deadline import bound_wait
from spectronctl.client._httpx import httpx


def open_transport(**settings: Any) -> httpx.AsyncHTTPTransport:
    """httpx's own transport, on this network: httpx hands no setting for it on to its pool of connections."""
    transport = httpx.AsyncHTTPTransport(**settings)
    transport._pool._network_backend = _Network(transport._pool._network_backend)
    return transport


class _Network(httpcore.AsyncNetworkBackend):
    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(self, *args: Any, **settings: Any) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._inner.connect_tcp(*args, **settings))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, bound_wait(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, bound_wait(timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        secured = await self._inner.start_tls(ssl_context, server_hostname, bound_wait(timeout))
        return _Stream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
