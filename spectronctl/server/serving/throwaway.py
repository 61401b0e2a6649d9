"""A server that is there for a while and leaves nothing behind: in memory, in a thread of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Any

from spectronctl.server.registry.opening import open_store
from spectronctl.server.serving.listening import bind_address, describe_url, run_server

_HOST = "127.0.0.1"
_GRACE_SECONDS = 1


@dataclass(frozen=True)
class Running:
    """Where the server is, and the key that may do everything there."""

    url: str
    management_key: str = field(repr=False)


@contextmanager
def run_in_thread() -> Iterator[Running]:
    """
    An empty server on a free port of the loopback, from its first response until this is left.

    It works on its jobs. Being a thread, it never outlives this process, however that ends.
    """
    keys: list[str] = []
    ready: Future[Callable[[], None]] = Future()
    listener = bind_address(_HOST, 0, open_to_network=False)
    serving = run_server(
        partial(open_store, "mem://"),
        listener,
        announce=ready.set_result,
        grace=_GRACE_SECONDS,
        deliver_first_key=keys.append,
    )
    thread = Thread(target=_run, args=(serving, ready), name="spectron-server", daemon=True)
    with listener:
        url = describe_url(listener, _HOST, secure=False)
        thread.start()
        # Also raises what kept the server from starting. The first key was delivered before the server announced
        # itself.
        stop = ready.result()
        try:
            yield Running(url, keys[0])
        finally:
            stop()
            thread.join()


def _run(serving: Coroutine[Any, Any, None], ready: Future[Callable[[], None]]) -> None:
    try:
        asyncio.run(serving)
    # SystemExit too, with which uvicorn ends a start that fails: without a result the caller would wait for ever.
    except BaseException as exc:
        if ready.done():
            raise
        ready.set_exception(exc)
