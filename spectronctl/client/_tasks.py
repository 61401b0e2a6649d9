"""How the asynchronous client does several things at once; `_threads` is the same for the synchronous one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from httpcore import AnyIOBackend

from spectronctl.api.pages import Page
from spectronctl.api.requests import Request
from spectronctl.client._multipart import Multipart
from spectronctl.client._window import Window

T = TypeVar("T")

Backend = AnyIOBackend
"""It tries the addresses of a name side by side."""


def feed_body(body: bytes | Multipart | None) -> bytes | AsyncIterator[bytes] | None:
    """A request's body in the form that httpx takes; threads read its files."""
    return _read_in_threads(iter(body)) if isinstance(body, Multipart) else body


async def _read_in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    # With a default: StopIteration cannot be set on a future, and the `await` would never return (Python 3.11 only
    # logs a TypeError).
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


async def fetch_ahead(
    send: Callable[[Request[Page[T]]], Awaitable[Page[T]]], window: Window[T]
) -> AsyncIterator[Page[T]]:
    """The pages of a window, in order, none of them empty; what is under way when it ends is cancelled."""
    under_way: deque[asyncio.Task[Page[T]]] = deque()

    def ask() -> None:
        while request := window.ask():
            under_way.append(asyncio.ensure_future(send(request)))

    try:
        while not window.is_over:
            ask()
            # It leaves the deque after the await: interrupted in it, `finally` still knows the task and cancels it.
            page = window.take(await under_way[0])
            under_way.popleft()
            # Once more before the page is handed out, so that the next ones come while the reader works on this one.
            ask()
            if page.items:
                yield page
            del page  # it is not held while the next one is waited for
    finally:
        for task in under_way:
            task.cancel()
        # Asyncio logs the exception of a task that no one collects, and warns of tasks that a closing loop finds.
        await asyncio.gather(*under_way, return_exceptions=True)
