"""An ASGI application in this process, behind the synchronous client's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Lock, Thread

from spectronctl.client._asgi_exchange import App, Exchange
from spectronctl.client._httpx import httpx


class AsgiTransport(httpx.BaseTransport):
    """
    Opens the application at the first request, on an event loop in a thread of its own, and closes both in `close()`.

    `open_app` returns an async context manager that yields the application; what it raises reaches the caller of the
    request that wanted it open, and the next one tries again. The loop runs between requests too, so that what the
    application has begun goes on. Several threads may ask, and are served at once.

    Bodies pass in pieces, both ways, each as it comes. Closing a response that is not read to its end tells the
    application `http.disconnect`; giving up a request that has no response yet cancels it.
    """

    def __init__(self, open_app: Callable[[], AbstractAsyncContextManager[App]]) -> None:
        self._open_app = open_app
        self._home: _Home | None = None
        self._turn = Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._turn:
            if self._closed:
                raise RuntimeError("the transport is closed")
            if self._home is None:
                self._home = _Home(self._open_app)
            # Still under the lock: `close()` takes it before it stops the loop, so no request is handed to a loop
            # that has ended.
            exchange = self._home.begin(request)
        try:
            return exchange.take_response()
        except BaseException:  # an interrupt, too: nothing waits for it any more
            exchange.cancel()
            raise

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
        self._requests: set[asyncio.Task[None]] = set()
        # Made in the caller's thread, although the loop runs in another: an Event looks for its loop only when it is
        # first waited for. They are set there too, by `call_soon_threadsafe` or by the loop's own tasks.
        self._ending, self._closing = asyncio.Event(), asyncio.Event()
        self._failure: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        # A daemon: an application that does not close must not keep the interpreter from ending.
        self._thread = Thread(target=self._run, name="application", daemon=True)
        self._thread.start()

    def begin(self, request: httpx.Request) -> Exchange:
        """Hand a request to the application, once that is open."""
        # Read from the caller's thread without a lock. At worst it is a moment out of date, and the request then
        # waits for a note that comes at once.
        is_open = self._opened is not None and self._opened.done() and not self._opened.exception()
        exchange = Exchange(request, self._loop, is_open=is_open)
        exchange.cancel = asyncio.run_coroutine_threadsafe(self._serve(exchange), self._loop).cancel
        return exchange

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
        # `cancel` only asks: no task runs, and so none leaves the set, before the next `await`. `gather` has its own
        # copy by then.
        for request in self._requests:
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        if self._stay is not None and self._opened is not None:
            if not self._opened.done():  # it waits for something, and no request for it
                self._stay.cancel()
            self._closing.set()
            # What closing the application raises ends the runner, and `close()` raises it again. Where it never
            # opened, the task was cancelled, and that is no failure.
            await asyncio.gather(self._stay, return_exceptions=not self._opened.done())

    async def _serve(self, exchange: Exchange) -> None:
        with self._note_request():
            try:
                # Several requests wait for one opening: the one that is given up must not take it away from the
                # others.
                app = await asyncio.shield(self._open())
                exchange.note_opening()
                await exchange.run(app)
            except asyncio.CancelledError:
                exchange.fail(RuntimeError("the transport was closed meanwhile"))
                raise
            except Exception as exc:  # noqa: BLE001 - it belongs to the thread that asked
                exchange.fail(exc)

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
            # A task group or a cancel scope of anyio must be left by the task that entered it, and the task of a
            # request is gone long before the application closes.
            async with self._open_app() as app:
                opened.set_result(app)
                await self._closing.wait()
        except Exception as exc:
            # It was open, so this is a failure of closing; nothing waits for `opened` any more.
            if opened.done():
                raise
            opened.set_exception(exc)
