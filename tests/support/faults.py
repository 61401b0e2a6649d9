"""Faults at the network's edge, for requests that write (`Server.faults`)."""

from __future__ import annotations

from collections.abc import Callable

import httpx

Fault = Callable[[httpx.Request, httpx.BaseTransport], httpx.Response]


def lose_answer(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """The server does it, and the answer never comes."""
    inner.handle_request(request).read()
    raise httpx.ReadError("connection reset", request=request)


def lose_request(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """The connection breaks before the server has read anything."""
    raise httpx.WriteError("connection reset", request=request)


def truncate_answer(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """The server does it, and half of the answer comes."""
    answer = inner.handle_request(request)
    body = answer.read()
    return httpx.Response(answer.status_code, content=body[: len(body) // 2], request=request)
