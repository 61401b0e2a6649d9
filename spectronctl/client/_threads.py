"""How the synchronous client does several things at once, or in turn; `_tasks` is the same for the asynchronous one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import httpcore
from httpcore._backends.sync import SyncStream

from spectronctl.api.pages import Page
from spectronctl.api.requests import Request
from spectronctl.client._eyeballs import connect_first
from spectronctl.client._multipart import Multipart
from spectronctl.client._window import Window

T = TypeVar("T")


class Backend(httpcore.SyncBackend):
    """It tries the addresses of a name side by side."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **settings: Any
    ) -> httpcore.NetworkStream:
        try:
            # A name of httpcore's inside, since its public backend connects to one address after the other, each with
            # the whole timeout. The other arguments (local address, socket options) are never set by this client.
            return SyncStream(connect_first(host, port, timeout))
        # As httpcore's own backend would raise them: httpx maps these to its errors, and `UNSENT` in `_policy` knows
        # those.
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(exc) from exc
        except OSError as exc:
            raise httpcore.ConnectError(exc) from exc


def feed_body(body: bytes | Multipart | None) -> bytes | Iterator[bytes] | None:
    """A request's body in the form that httpx takes."""
    return iter(body) if isinstance(body, Multipart) else body


def fetch_ahead(
    send: Callable[[Request[Page[T]]], Page[T]], window: Window[T]
) -> Iterator[Page[T]]:
    """The pages of a window, in order, none of them empty; what is under way when it ends is left behind."""
    from concurrent.futures import ThreadPoolExecutor  # most commands never read by offset

    under_way: deque[Callable[[], Page[T]]] = deque()
    threads = ThreadPoolExecutor(window.parallel, thread_name_prefix="pages")

    def ask() -> None:
        while request := window.ask():
            alone = window.width == 1  # then the caller's own thread will do
            later = partial(send, request) if alone else threads.submit(send, request).result
            under_way.append(later)

    try:
        while not window.is_over:
            ask()
            page = window.take(under_way.popleft()())
            ask()
            if page.items:
                yield page
            del page  # it is not held while the next one is waited for
    finally:
        # Nothing interrupts a thread that reads from a socket: it ends with its response, which is dropped.
        threads.shutdown(wait=False, cancel_futures=True)
