"""Pages fetched ahead of their reader, in threads; `_tasks` is the same for the asynchronous client."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from spectronctl.api._pages import Page
from spectronctl.api._request import Request
from spectronctl.client._window import Window

T = TypeVar("T")


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
            del page  # nobody holds it while the next one is waited for
    finally:
        # Nothing interrupts a thread that reads from a socket: it ends with its answer, which nobody wants.
        threads.shutdown(wait=False, cancel_futures=True)
