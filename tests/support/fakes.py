"""A server made of stubs, a clock made of numbers, and both clients and both managements behind one face."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import httpx

from spectronctl.api.pages import Page
from spectronctl.api.requests import Request
from spectronctl.client import AsyncClient, Client, Polling
from spectronctl.models.events import Event

T = TypeVar("T")

URL = "http://spectron.test"
KEY = "mgmt-sentinel-4711"


@dataclass(frozen=True)
class Stub:
    method: str
    path: str
    answer: httpx.Response | Exception


@dataclass
class FakeSpectron:
    """Each stub answers once, in order; a request without one fails, and so does a stub that is left over."""

    requests: list[httpx.Request] = field(default_factory=list)
    stubs: list[Stub] = field(default_factory=list)

    def on(
        self,
        method: str,
        path: str,
        status: int = 200,
        *,
        error: Exception | None = None,
        **answer: Any,
    ) -> None:
        self.stubs.append(Stub(method, path, error or httpx.Response(status, **answer)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        asked = request.method, request.url.raw_path.partition(b"?")[0].decode()
        for stub in self.stubs:
            if (stub.method, stub.path) == asked:
                self.stubs.remove(stub)
                if isinstance(stub.answer, Exception):
                    raise stub.answer
                return stub.answer
        raise AssertionError(f"no stub for {asked}")

    def verify(self) -> None:
        assert not self.stubs, f"never asked for: {self.stubs}"


@dataclass
class Clock:
    """The monotonic clock and every sleep."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class SyncFace:
    """The synchronous client, with connections that it keeps as in a block."""

    def __init__(self, base_url: str = URL, **options: Any) -> None:
        self._client = Client(base_url, **options).__enter__()

    def send(self, request: Request[T]) -> T:
        return self._client.send(request)

    def pages(self, request: Request[Page[T]], *, limit: int | None = None) -> list[Page[T]]:
        return list(self._client.pages(request, limit=limit))

    def items(self, request: Request[Page[T]], *, limit: int | None = None) -> list[T]:
        return list(self._client.items(request, limit=limit))

    def offset_pages(self, request: Request[Page[T]], **options: Any) -> list[Page[T]]:
        return list(self._client.offset_pages(request, **options))

    def poll(self, request: Request[T], polling: Polling[T]) -> list[T]:
        return list(self._client.poll(request, polling))

    def stream(
        self, request: Request[Any], count: int | None = None, into: list[Event] | None = None
    ) -> list[Event]:
        """The events, or as many; the stream is closed then. Each goes `into` that list as it comes."""
        events = [] if into is None else into
        with closing(self._client.stream(request)) as stream:  # type: ignore[type-var]
            for event in islice(stream, count):
                events.append(event)
        return events

    def close(self) -> None:
        self._client.close()


class AsyncFace:
    """The asynchronous client, with connections that it keeps, on an event loop of its own."""

    def __init__(self, base_url: str = URL, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = self._runner.run(AsyncClient(base_url, **options).__aenter__())

    def send(self, request: Request[T]) -> T:
        return self._runner.run(self._client.send(request))

    def pages(self, request: Request[Page[T]], *, limit: int | None = None) -> list[Page[T]]:
        async def collect() -> list[Page[T]]:
            return [page async for page in self._client.pages(request, limit=limit)]

        return self._runner.run(collect())

    def items(self, request: Request[Page[T]], *, limit: int | None = None) -> list[T]:
        async def collect() -> list[T]:
            return [item async for item in self._client.items(request, limit=limit)]

        return self._runner.run(collect())

    def offset_pages(self, request: Request[Page[T]], **options: Any) -> list[Page[T]]:
        async def collect() -> list[Page[T]]:
            return [page async for page in self._client.offset_pages(request, **options)]

        return self._runner.run(collect())

    def poll(self, request: Request[T], polling: Polling[T]) -> list[T]:
        async def collect() -> list[T]:
            return [answer async for answer in self._client.poll(request, polling)]

        return self._runner.run(collect())

    def stream(
        self, request: Request[Any], count: int | None = None, into: list[Event] | None = None
    ) -> list[Event]:
        events = [] if into is None else into

        async def collect() -> None:
            async with aclosing(self._client.stream(request)) as stream:  # type: ignore[type-var]
                async for event in stream:
                    events.append(event)
                    if len(events) == count:
                        return

        self._runner.run(collect())
        return events

    def close(self) -> None:
        with self._runner as runner:
            runner.run(self._client.aclose())


class Admin:
    """Either class, called by dotted name."""

    def __init__(self, kind: type[Any], spectron: FakeSpectron) -> None:
        self.kind = kind
        self.transport = httpx.MockTransport(spectron.answer)

    def __call__(self, called: str, /, *args: Any, **options: Any) -> Any:
        return asyncio.run(self._call(called, args, options))

    async def _call(self, name: str, args: Any, options: Any) -> Any:
        admin = self.kind(base_url=URL, api_key=KEY, transport=self.transport)
        call = admin
        for part in name.split("."):
            call = getattr(call, part)
        result = call(*args, **options)
        if inspect.isasyncgen(result):
            return [item async for item in result]
        return await result if inspect.isawaitable(result) else result


Face = SyncFace | AsyncFace
Connect = Callable[..., Face]
