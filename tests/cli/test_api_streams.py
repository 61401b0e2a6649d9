"""`spectronctl api` with what does not come, or go, at once: streams of events, and multipart bodies."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.cli import main
from spectronctl.cli.runtime import Runtime
from spectronctl.output.streams import Streams
from spectronctl.server import app as server_app
from spectronctl.server.http.problems import unavailable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.serving.listening import bind_address, run_server
from tests.client.test_multipart import read
from tests.support.commandline import CommandLine, Stream
from tests.support.streaming import STREAM, UPLOAD, Streaming

from .test_api import Echo

LINE = f"api POST {STREAM.removeprefix('/api/v1')} --yes"


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch) -> Streaming:
    """Every application that is made gets routes that stream."""
    streaming = Streaming()
    create = server_app.create_app

    def create_app(*args: Any, **options: Any) -> FastAPI:
        app = create(*args, **options)
        streaming.install(app)
        return app

    monkeypatch.setattr(server_app, "create_app", create_app)
    monkeypatch.setattr("spectronctl.server.serving.listening.create_app", create_app)
    return streaming


@pytest.fixture
def served(streaming: Streaming) -> Iterator[str]:
    """A server on a socket, in a thread of this process: its URL."""
    ready, stop = threading.Event(), []

    def announce(end: Callable[[], None]) -> None:
        stop.append(end)
        ready.set()

    with bind_address("127.0.0.1", 0, open_to_network=False) as listener:
        running = run_server(
            lambda: open_store("mem://"), listener, announce=announce, grace=1, worker=False
        )
        thread = threading.Thread(target=asyncio.run, args=(running,))
        thread.start()
        assert ready.wait(20)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop[0]()
        thread.join(20)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def call(tmp_path: Path, echo: Echo) -> CommandLine:
    env = {"SPECTRON_URL": "http://spectron.test", "SPECTRON_API_KEY": "sk-acme-prod-1"}
    return CommandLine(tmp_path, echo, env)


class Slow:
    """A command line in a thread, whose output shows as it is written."""

    def __init__(self, home: Path, line: str, env: dict[str, str]) -> None:
        env = {"HOME": str(home), **env}
        self.out, self.err = Stream(), Stream()
        self._runtime = Runtime(env=env, streams=Streams(Stream(), self.out, self.err, env))
        self._thread = threading.Thread(target=self._run, args=(line.split(),))
        self.code: int | None = None
        self._thread.start()

    def _run(self, words: list[str]) -> None:
        self.code = main(words, self._runtime)

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + 20
        while text not in self.out.written():
            assert time.monotonic() < end, self.err.written()
            assert self.code is None, self.err.written()
            time.sleep(0.01)

    def finish(self) -> int | None:
        self._thread.join(20)
        return self.code


@pytest.fixture
def gate() -> tuple[asyncio.Event, Callable[[], None]]:
    """An event of the application's loop, and what sets it from here."""
    loops: list[asyncio.AbstractEventLoop] = []

    class Gate(asyncio.Event):
        async def wait(self) -> Any:
            loops.append(asyncio.get_running_loop())
            return await super().wait()

    event = Gate()

    def open_gate() -> None:
        loops[0].call_soon_threadsafe(event.set)

    return event, open_gate


@pytest.mark.parametrize("way", ["a socket", "--profile local"])
def test_the_first_event_is_printed_before_the_last_is_made(
    way: str, streaming: Streaming, gate: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    closed, open_gate = gate
    streaming.frames = [{"delta": "a"}, closed, {"delta": "b"}]
    if way == "a socket":
        url = request.getfixturevalue("served")
        env = {"SPECTRON_URL": url, "SPECTRON_API_KEY": "sk-any"}
    else:
        env = {"SPECTRONCTL_PROFILE": "local"}
    command = Slow(tmp_path, f"{LINE} -o jsonl", env)
    first = '{"event":"message","data":{"delta":"a"}}\n'
    command.wait_for(first)
    assert command.out.written() == first
    assert streaming.life == []
    open_gate()
    assert command.finish() == 0, command.err.written()
    lines = [json.loads(line) for line in command.out.written().splitlines()]
    assert lines == [
        {"event": "message", "data": {"delta": "a"}},
        {"event": "message", "data": {"delta": "b"}},
        {"event": "done", "data": {"done": True}},
    ]
    assert command.err.written() == ""
    assert streaming.life == ["ended"]


EVENTS = b"""\
event: memory\nid: 7\ndata: {"a":\ndata: 1}\n
: comment\n
data: plain \x1b[31m\n
event: done\n
"""

JSON_LINES = (
    '{"event":"memory","data":{"a":1},"id":"7"}\n',
    '{"event":"message","data":"plain \\u001b[31m","id":"7"}\n',
    '{"event":"done","data":"","id":"7"}\n',
)


@pytest.mark.parametrize(
    ("options", "out"),
    [
        ("", '{"a":\n1}\nplain \\x1b[31m\n'),
        ("-o csv", '{"a":\n1}\nplain \\x1b[31m\n'),
        ("--query data.a", "1\nnull\nnull\n"),
        ("-o jsonl --query event", '"memory"\n"message"\n"done"\n'),
        ("-o json", "".join(JSON_LINES)),
    ],
)
def test_each_format_shows_the_events(
    options: str, out: str, call: CommandLine, echo: Echo
) -> None:
    headers = {"Content-Type": "text/event-stream"}
    echo.answers = [httpx.Response(200, headers=headers, content=EVENTS)]
    result = call(f"{LINE} {options}")
    assert (result.code, result.out, result.err) == (0, out, "")


def test_include_shows_a_stream_once_it_has_ended(call: CommandLine, echo: Echo) -> None:
    headers = {"Content-Type": "text/event-stream"}
    echo.answers = [httpx.Response(200, headers=headers, content=b"data: a\n\n")]
    result = call(f"{LINE} --include -o json")
    assert (result.json["status"], result.json["body"]) == (200, "data: a\n\n")


def test_a_stream_that_fails_half_way_says_how_far_it_came(
    streaming: Streaming, run: CommandLine
) -> None:
    streaming.frames = [{"delta": "a"}, unavailable("the model hung up")]
    result = run(f"{LINE} -o jsonl")
    assert result.code == 9
    assert [json.loads(line)["data"] for line in result.out.splitlines()] == [{"delta": "a"}]
    assert "the model hung up; the stream broke off after 1 event" in result.error["message"]
    assert result.error["status"] == 503


def test_a_reader_who_goes_ends_the_work(streaming: Streaming, run: CommandLine) -> None:
    class Closed(io.BytesIO):
        writes = 0

        def write(self, data: Any, /) -> int:
            self.writes += 1
            if self.writes == 2:
                raise BrokenPipeError
            return super().write(data)

    streaming.frames = [*[{"delta": "x"}] * 3, asyncio.Event()]
    out = io.TextIOWrapper(Closed())
    env = {**run.env, "HOME": str(run.home)}
    runtime = Runtime(
        env=env, streams=Streams(Stream(), out, Stream(), env), transport=run.transport
    )
    with contextlib.suppress(BrokenPipeError):
        assert main(LINE.split(), runtime) == 0
    end = time.monotonic() + 5
    while streaming.life != ["cancelled"]:
        assert time.monotonic() < end
        time.sleep(0.01)


# Forms


def received(echo: Echo) -> list[tuple[Any, ...]]:
    return read(echo.last.headers["Content-Type"], echo.last.content)


def test_a_form_carries_fields_and_files(call: CommandLine, echo: Echo, tmp_path: Path) -> None:
    plain, odd = tmp_path / "a.md", tmp_path / "b;c=d.txt"
    plain.write_bytes(b"# a\n")
    odd.write_bytes(b"\xff")
    forms = [
        "title=x;type=text/plain",
        "empty=",
        f"file=@{plain}",
        f"file=@{odd};type=text/x-odd",
        f"file=@{plain};filename=other.md;type=text/markdown; charset=utf-8",
        "file=@-",
    ]
    line = " ".join(f"--form '{form}'" for form in forms)
    assert call(f"api POST /acme-prod/documents --yes {line}", stdin="in").code == 2  # charset
    forms[4] = f"file=@{plain};filename=other.md;type=text/markdown"
    line = " ".join(f"--form '{form}'" for form in forms)
    result = call(f"api POST /acme-prod/documents --yes {line}", stdin="in")
    assert result.code == 0, result.err
    assert received(echo) == [
        ("title", None, None, b"x;type=text/plain"),
        ("empty", None, None, b""),
        ("file", "a.md", "application/octet-stream", b"# a\n"),
        ("file", "b;c=d.txt", "text/x-odd", b"\xff"),
        ("file", "other.md", "text/markdown", b"# a\n"),
        ("file", "stdin", "application/octet-stream", b"in"),
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--form a", "--form 'a': a part of the form NAME=VALUE or NAME=@FILE"),
        ("--form =a", "a part of the form NAME=VALUE or NAME=@FILE"),
        ("--form file=@", "--form file: a path is needed after @"),
        ("--form file=@/nowhere/x", "--form file: /nowhere/x: No such file"),
        ("--form file=@/", "--form file: /: it is a directory"),
        ("--form 'file=@/dev/null;type=pdf'", "--form file: 'pdf' is not a media type"),
        ("--form a=1 --data 1", "--data and --form are two bodies"),
        ("--form a=1 --field b=2", "--field and --form are two bodies"),
        ("--form a=@- --form b=@-", "cannot both read stdin"),
        ("--form a=@- --field b=@-", "--field and --form are two bodies"),
        ("--form a=1 --header content-type:text/plain", "--header Content-Type is not yours"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_unsent(
    options: str, says: str, call: CommandLine, echo: Echo
) -> None:
    result = call(f"api POST /acme-prod/documents --yes {options} -o json")
    assert (result.code, result.out, echo.requests) == (2, "", [])
    assert says in result.error["message"]


def test_what_reads_carries_no_form(call: CommandLine, echo: Echo) -> None:
    result = call("api GET /acme-prod/documents --form a=1 -o json")
    assert (result.code, echo.requests) == (2, [])
    assert "--field" in result.error["hint"]


@pytest.mark.parametrize("way", ["a socket", "--profile local"])
def test_a_long_file_reaches_a_route_that_takes_it(
    way: str, streaming: Streaming, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(20 << 20)  # more than other routes take
    run = CommandLine(tmp_path, env={"SPECTRONCTL_PROFILE": "local"})
    if way == "a socket":
        run.env = {"SPECTRON_URL": request.getfixturevalue("served"), "SPECTRON_API_KEY": "sk-any"}
    line = f"api POST {UPLOAD} --yes --form file=@{path}"
    assert int(run(f"{line} --query size").out) > 20 << 20
    refused = run(f"api POST {UPLOAD}/short --yes --form file=@{path} -o json")
    assert (refused.code, refused.error["status"]) == (7, 413)
