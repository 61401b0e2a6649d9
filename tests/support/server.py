"""A real server in memory, reached without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

import httpx

from spectronctl.client._asgi import AsgiTransport
from tests.support.faults import Fault


class Server(httpx.BaseTransport):
    """
    A real server in memory, kept open between command lines; it remembers what was asked of it.

    No worker runs its jobs unless `works_on_jobs`.
    """

    def __init__(self, *, works_on_jobs: bool = False) -> None:
        self.key = ""
        self._works_on_jobs = works_on_jobs
        self.requests: list[httpx.Request] = []
        self.faults: list[Fault] = []
        self._inner = AsgiTransport(self._open_app)

    @asynccontextmanager
    async def _open_app(self) -> AsyncIterator[Any]:
        from spectronctl.server.app import create_app, lifespan
        from spectronctl.server.handlers import work_on_jobs
        from spectronctl.server.registry.bootstrap import ensure_management_key
        from spectronctl.server.registry.opening import open_store

        store = await open_store("mem://")
        try:
            self.key = await ensure_management_key(store) or ""
            app = create_app(store)
            worker = work_on_jobs(store) if self._works_on_jobs else nullcontext()
            async with worker, lifespan(app):
                yield app
        finally:
            await store.close()

    def start(self) -> None:
        self._inner.handle_request(httpx.Request("GET", "http://spectron.test/api/v1/health"))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.faults and request.method != "GET":
            return self.faults.pop(0)(request, self._inner)
        return self._inner.handle_request(request)

    def asked(self) -> list[str]:
        """What was asked since the last time, as `METHOD path`."""
        lines = [f"{request.method} {request.url.path}" for request in self.requests]
        self.requests.clear()
        return lines

    def stop(self) -> None:
        self._inner.close()


@contextmanager
def run_server(*, works_on_jobs: bool = False) -> Iterator[Server]:
    server = Server(works_on_jobs=works_on_jobs)
    try:
        server.start()
        yield server
    finally:
        server.stop()
