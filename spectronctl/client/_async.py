"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

from spectronctl.api.pages import Page
from spectronctl.api.requests import EVENT_STREAM, Request
from spectronctl.client._call import Call, Exchange, Outcome
from spectronctl.client._deadline import hold_deadline
from spectronctl.client._events_async import AsyncEvents
from spectronctl.client._httpx import httpx
from spectronctl.client._network_async import open_transport
from spectronctl.client._policy import next_pause
from spectronctl.client._polling import Polling
from spectronctl.client._responses import refuse_response, settle
from spectronctl.client._settings import (
    build_client_arguments,
    build_transport_arguments,
    parse_settings,
)
from spectronctl.client._tasks import feed_body, fetch_ahead
from spectronctl.client._walk import Walk
from spectronctl.client._window import PARALLEL, Window
from spectronctl.errors import RequestError
from spectronctl.ground.http_problems import parse_clock_offset
from spectronctl.ground.vocabulary import AuthHeader
from spectronctl.models.events import Event

T = TypeVar("T")


class AsyncClient:
    """
    Sends requests of `spectronctl.api`, and sends them again where that can do no harm.

    Inside `async with` connections stay open from call to call, until the block ends; elsewhere each call has its own.
    `timeout` bounds a whole call in seconds, `retries` counts attempts after the first, `ca_file` (PEM) adds to the
    system's certificates, `proxy` wins over the environment's ("" is none at all), `observe` sees every attempt.
    ConfigError names the argument that cannot be used. `clock_offset` is how far the server's clock was ahead of ours
    at its last response.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        auth_header: AuthHeader = "both",
        timeout: float = 30.0,
        retries: int = 3,
        ca_file: str | None = None,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._settings = parse_settings(
            base_url,
            api_key=api_key,
            auth_header=auth_header,
            timeout=timeout,
            retries=retries,
            proxy=proxy,
            transport=transport,
        )
        self._observe = observe
        self.clock_offset = timedelta()
        self._heard_at: float | None = None
        network = transport or open_transport(**build_transport_arguments(self._settings, ca_file))
        self._http = httpx.AsyncClient(transport=network, **build_client_arguments())
        # A client that is never closed must leave no connection behind: Python warns about it when the program ends,
        # and one that was made in an event loop cannot be used in the next.
        self._http.headers["Connection"] = "close"

    async def send(self, request: Request[T]) -> T:
        """The response, read as the request says; RequestError's subclasses say why there is none."""
        # The deadline begins here: it covers the pauses between attempts too, not each attempt anew.
        call = Call(request, self._settings, monotonic())
        outcome = await self._carry_out(call)
        assert not isinstance(outcome, AsyncEvents)
        return settle(call, outcome)

    async def open(self, request: Request[T]) -> T | AsyncEvents:
        """The response as `send` reads it, or where it is a stream of events, those; close them."""
        call = Call(request, self._settings, monotonic(), takes_events=True)
        outcome = await self._carry_out(call)
        return outcome if isinstance(outcome, AsyncEvents) else settle(call, outcome)

    async def stream(self, request: Request[Any]) -> AsyncIterator[Event]:
        """
        The events of a response, each as soon as it has come; `AsyncEvents` says how they end, and how they fail.

        `timeout` bounds what comes before the first of them, then each silence. Until the stream has begun it is sent
        again and fails as with `send`; UpstreamError for a response of another kind.
        """
        request = request.accepting(EVENT_STREAM)
        call = Call(request, self._settings, monotonic(), takes_events=True)
        outcome = await self._carry_out(call)
        if not isinstance(outcome, AsyncEvents):
            raise refuse_response(call, outcome)
        # A caller that leaves its loop early closes nothing: this block runs once the garbage collector finalises the
        # generator. `open` is for those who need the end at once.
        async with outcome:
            async for event in outcome:
                yield event

    async def _carry_out(self, call: Call[Any]) -> Outcome | AsyncEvents:
        """Make attempts, until one is the last."""
        while True:
            started = monotonic()
            with hold_deadline(call.deadline):
                outcome = await self._attempt(call, started)
            if self._observe:
                self._observe(call.describe_attempt(outcome, monotonic() - started))
            if isinstance(outcome, httpx.Response):
                return AsyncEvents(call, outcome)
            pause = next_pause(call, outcome, monotonic())
            if pause is None:
                return outcome
            await asyncio.sleep(pause)

    async def _attempt(self, call: Call[Any], now: float) -> Outcome | httpx.Response:
        """What came of it; a response that is left open is a stream of events."""
        # Built anew for each attempt: a multipart body is an iterator, which the attempt before has used up, and less
        # time is left.
        request = self._http.build_request(
            **call.build_arguments(now), content=feed_body(call.body)
        )
        try:
            # Streamed, so that the head can be checked and the size limited before a body is read into memory.
            response = await self._http.send(request, stream=True)
            is_stream = False
            try:
                call.check_head(response.headers)
                is_stream = call.is_stream(response)
                body = b"" if is_stream else await self._read_body(call, response)
            finally:
                # Also on Ctrl-C, and for a body that was read in part. httpcore then closes the connection instead of
                # using it for the next call, since the rest of this body is still to come on it.
                if not is_stream:
                    await response.aclose()
        # A value, not an exception: whether it is raised depends on the attempts to come.
        except httpx.RequestError as exc:
            return exc
        # From every response that was read, failures included: a 401 tells the time as well as a 200.
        self.clock_offset = parse_clock_offset(response.headers.get("Date"), datetime.now(UTC))
        self._heard_at = monotonic()
        return response if is_stream else call.build_response(response, body)

    async def _read_body(self, call: Call[Any], response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if call.is_enough(size, is_success=response.is_success):
                break
        return b"".join(chunks)

    async def pages(
        self, request: Request[Page[T]], *, limit: int | None = None
    ) -> AsyncIterator[Page[T]]:
        """
        Every page from this request on, of together at most `limit` items.

        The last page's `has_more` says whether the server has more than that. UpstreamError when a cursor repeats.
        """
        walk = Walk(request, limit)
        while walk.request:
            yield walk.take(await self.send(walk.request), walk.request)

    async def items(
        self, request: Request[Page[T]], *, limit: int | None = None
    ) -> AsyncIterator[T]:
        """Every item of every page, in the server's order, at most `limit` of them."""
        async for page in self.pages(request, limit=limit):
            for item in page.items:
                yield item

    def offset_pages(
        self,
        request: Request[Page[T]],
        *,
        start: int = 0,
        limit: int | None = None,
        parallel: int = PARALLEL,
        first_seq: int | None = None,
    ) -> AsyncIterator[Page[T]]:
        """
        Every page of a list that is asked for by offset, `parallel` of them on their way at once, in the list's order.

        A short page is the last, and no page is empty; a `limit` shows as the last page's `has_more`. `first_seq` is
        the `seq` that the first item must have. UpstreamError when a `seq` is missing or comes again.
        """
        # Made here and not in a generator, which would refuse a bad option only when its first page is asked for.
        window = Window(request, start=start, limit=limit, parallel=parallel, first_seq=first_seq)
        return fetch_ahead(self.send, window)

    async def poll(
        self,
        request: Request[T],
        polling: Polling[T],
        *,
        sleep: Callable[[float], Awaitable[object]] | None = None,
    ) -> AsyncIterator[T]:
        """
        Every response to a read that is sent again and again, until `polling` has seen enough.

        `sleep` lets the time pass between two calls, and may end it all by raising. WaitTimeoutError when the wait
        gives up, RequestError's subclasses for failures that will not pass.
        """
        # The connections are shared and the settings are not: other calls keep their timeout and retries meanwhile.
        # What the copy hears of the server's clock stays with the copy.
        client = copy(self)
        given = self._settings
        pause: float | None = 0.0
        while pause is not None:
            client._settings = replace(
                given,
                timeout=polling.bound_call(given.timeout),
                retries=polling.bound_retries(given.retries),
            )
            try:
                response = await client.send(request)
            except RequestError as exc:
                pause = polling.choose_pause_after(exc)
            else:
                yield response
                pause = polling.choose_pause(response)
            if pause is not None:
                await (sleep or asyncio.sleep)(pause)

    def has_heard_within(self, seconds: float) -> bool:
        """Whether the server has responded that recently, so that its clock is known."""
        return self._heard_at is not None and monotonic() - self._heard_at <= seconds

    def server_time(self) -> datetime:
        """The time by the server's clock, as its last response told it; by our own before there was one."""
        return datetime.now(UTC) + self.clock_offset

    def with_key(self, api_key: str, auth_header: AuthHeader | None = None) -> Self:
        """
        The same client signing with another key, over the same connections: close the first, not this one.

        `auth_header` sends it in other headers than the client's.
        """
        other = copy(self)
        other._settings = self._settings.with_key(api_key, auth_header)
        return other

    async def aclose(self) -> None:
        """Close the connections; the client cannot send afterwards."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        # Over `close`, which `__init__` set: only a block has an end at which the connections are closed.
        self._http.headers["Connection"] = "keep-alive"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
