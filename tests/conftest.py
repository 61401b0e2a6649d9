"""What every test may use: the command line run in this process, and a real server in memory behind it."""

from __future__ import annotations

import gc
import io
import json
import shlex
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from spectronctl.cli import main
from spectronctl.cli.runtime import Runtime
from spectronctl.client._asgi import AsgiTransport
from spectronctl.output.streams import Streams

# A shell that starts the tests in the background may have made them ignore these, and so all their child processes.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

SENTINEL = "sentinel-8d1f-never-shown"
"""A marked secret: it may appear nowhere but where a secret is meant to go."""


class Stream(io.TextIOWrapper):
    """A text stream over bytes that can claim to be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8", newline="")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def written(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error object of `-o json`; there is exactly one line of it."""
        (line,) = self.err.splitlines()
        return json.loads(line)


class Server(httpx.BaseTransport):
    """
    A real server in memory, kept open between command lines; it remembers what was asked of it.

    No worker runs its jobs unless `works_on_jobs`.
    """

    def __init__(self, *, works_on_jobs: bool = False) -> None:
        self.key = ""
        self._works_on_jobs = works_on_jobs
        self.requests: list[httpx.Request] = []
        self.faults: list[Callable[[httpx.Request, httpx.BaseTransport], httpx.Response]] = []
        self._inner = AsgiTransport(self._open_app)

    @asynccontextmanager
    async def _open_app(self) -> AsyncIterator[Any]:
        from spectronctl.server.app import create_app
        from spectronctl.server.bootstrap import ensure_management_key
        from spectronctl.server.store.surreal import open_store
        from spectronctl.server.worker import run_worker

        store = await open_store("mem://")
        try:
            self.key = await ensure_management_key(store) or ""
            app = create_app(store)
            worker = run_worker(store) if self._works_on_jobs else nullcontext()
            async with worker, app.state.embedders:
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


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server; under the mark `worker`, one that works on jobs."""
    server = Server(works_on_jobs=request.node.get_closest_marker("worker") is not None)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Run(Protocol):
    def __call__(
        self,
        line: str,
        *,
        env: Mapping[str, str] = ...,
        stdin: str = "",
        terminal: bool = False,
    ) -> Result: ...


@dataclass
class CommandLine:
    """Runs command lines in this process, with values in and values out, in an emptied environment."""

    home: Path
    transport: httpx.BaseTransport | None = None
    env: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        line: str,
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        terminal: bool = False,
    ) -> Result:
        whole = {"HOME": str(self.home), **self.env, **(env or {})}
        streams = [Stream(stdin, terminal=terminal), *(Stream(terminal=terminal) for _ in "oe")]
        runtime = Runtime(
            env=whole,
            streams=Streams(streams[0], streams[1], streams[2], whole),
            transport=self.transport,
        )
        with redirect_stdout(streams[1]), redirect_stderr(streams[2]):
            code = main(shlex.split(line), runtime)
        return Result(code, streams[1].written(), streams[2].written())


@pytest.fixture
def run(tmp_path: Path, server: Server) -> CommandLine:
    """Run a command line against the server in memory, with its management key in the environment."""
    env = {"SPECTRON_URL": "http://spectron.test", "SPECTRON_MANAGEMENT_API_KEY": server.key}
    return CommandLine(tmp_path, server, env)


@pytest.fixture
def run_alone(tmp_path: Path) -> CommandLine:
    """Run a command line with nothing configured and no server."""
    return CommandLine(tmp_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests come first, so that no worker is busy with one when the others have nothing left to do."""
    long = [Path(__file__).parent, Path(__file__).parent / "e2e"]
    items.sort(key=lambda item: long.index(item.path.parent) if item.path.parent in long else 2)


def pytest_collection_finish() -> None:
    """Thousands of tests, and all that they import, are not searched for garbage again while they run."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that count something (`make soak`) say so in the end: `user_properties` named `figures`."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(str(text))
