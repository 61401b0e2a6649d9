"""Server-sent events over a socket: each as soon as it is made, in the grammar that every client reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from spectronctl.server.database.errors import GoneError
from spectronctl.server.http import events
from spectronctl.server.http.events import ServerEvent
from spectronctl.server.http.problems import unavailable
from tests.support.streaming import STREAM, Streaming
from tests.support.wire import listen

pytestmark = pytest.mark.anyio

REQUEST = f"POST {STREAM} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
DONE = b'event: done\ndata: {"done":true}\n\n'


@pytest.fixture
def streaming(app: FastAPI) -> Streaming:
    streaming = Streaming()
    streaming.install(app)
    return streaming


class Reader:
    """One request for the stream, and its response chunk by chunk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def read_head(self) -> bytes:
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)

    async def read_chunk(self) -> bytes:
        """What was sent at once; nothing at the end."""
        async with asyncio.timeout(5):
            size = int(await self._reader.readline(), 16)
            return (await self._reader.readexactly(size + 2))[:-2]

    async def read_all(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.read_chunk():
            yield chunk


@asynccontextmanager
async def ask(app: FastAPI) -> AsyncIterator[Reader]:
    async with listen(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        try:
            yield Reader(reader, writer)
        finally:
            writer.close()


async def test_the_first_event_arrives_before_the_last_is_made(
    app: FastAPI, streaming: Streaming
) -> None:
    go_on = asyncio.Event()
    streaming.frames = [{"delta": "a"}, go_on, {"delta": "b"}]
    async with ask(app) as reader:
        head = await reader.read_head()
        assert b"200 OK" in head
        assert b"content-type: text/event-stream\r\n" in head.lower()
        assert b"transfer-encoding: chunked" in head.lower()
        assert await reader.read_chunk() == b'data: {"delta":"a"}\n\n'
        assert streaming.life == []
        go_on.set()
        assert await reader.read_all() == b'data: {"delta":"b"}\n\n' + DONE
    assert streaming.life == ["ended"]


async def test_a_stream_says_its_own_last_word(app: FastAPI, streaming: Streaming) -> None:
    last = ServerEvent({"reply": "ä\u2028\r\n", "n": 1}, "done")
    streaming.frames = [ServerEvent([1], "memory"), last, {"never": "sent"}]
    async with ask(app) as reader:
        await reader.read_head()
        sent = await reader.read_all()
    assert sent.decode() == (
        "event: memory\ndata: [1]\n\n"
        'event: done\ndata: {"reply":"ä\u2028\\r\\n","n":1,"done":true}\n\n'
    )


async def test_a_long_event_comes_in_short_lines_broken_between_tokens(
    app: FastAPI, streaming: Streaming, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_LINE_CHARACTERS", 40)
    data = {"citations": [{"id": n, "text": " blanks  at both ends "} for n in range(20)]}
    streaming.frames = [data]
    async with ask(app) as reader:
        await reader.read_head()
        frame, _, rest = (await reader.read_all()).partition(b"\n\n")
    lines = frame.decode().split("\n")
    assert rest == DONE
    assert max(map(len, lines)) <= 40 + len("data: ")
    # The strictest reader trims each line.
    assert json.loads("\n".join(line.removeprefix("data:").strip() for line in lines)) == data


async def test_silence_is_filled_with_comments(app: FastAPI, streaming: Streaming) -> None:
    go_on = asyncio.Event()
    streaming.frames, streaming.keep_alive = [go_on, {"delta": "a"}], 0.05
    async with ask(app) as reader:
        assert b"200 OK" in await reader.read_head()
        assert [await reader.read_chunk() for _ in range(3)] == [b": keep-alive\n\n"] * 3
        go_on.set()
        rest = await reader.read_all()
    assert rest.replace(b": keep-alive\n\n", b"") == b'data: {"delta":"a"}\n\n' + DONE


@pytest.mark.parametrize("when", ["it waits", "it writes"])
async def test_the_generator_is_told_when_the_reader_goes(
    app: FastAPI, streaming: Streaming, when: str
) -> None:
    never = asyncio.Event()
    long = {"delta": "x" * 1_000_000}
    streaming.frames = [{"delta": "a"}, *([never] if when == "it waits" else [long] * 100)]
    async with ask(app) as reader:
        await reader.read_head()
        await reader.read_chunk()
        assert not streaming.over.is_set()
        reader.writer.transport.abort()
        await asyncio.wait_for(streaming.over.wait(), 5)
    assert streaming.life == ["cancelled"]


async def test_a_failure_before_the_first_event_is_an_ordinary_problem(
    app: FastAPI, streaming: Streaming
) -> None:
    streaming.frames = [unavailable("no model answers")]
    async with ask(app) as reader:
        head = (await reader.read_head()).lower()
    assert head.startswith(b"http/1.1 503")
    assert b"content-type: application/problem+json" in head
    assert b"retry-after: 1" in head


@pytest.mark.parametrize(
    ("failure", "status", "says"),
    [
        (unavailable("the model hung up"), 503, "the model hung up"),
        (GoneError("it was deleted"), 404, "it was deleted"),
        (ZeroDivisionError("a secret"), 500, "the server failed"),
    ],
)
async def test_a_failure_after_it_is_an_event_of_its_own(
    app: FastAPI, streaming: Streaming, failure: Exception, status: int, says: str
) -> None:
    streaming.frames = [{"delta": "a"}, failure]
    async with ask(app) as reader:
        await reader.read_head()
        _, last, end = (await reader.read_all()).decode().split("\n\n")
    name, data = last.split("\n")
    told: Any = json.loads(data.removeprefix("data: "))
    assert (name, end) == ("event: error", "")
    assert (told["status"], told["done"]) == (status, True)
    assert says in told["detail"]
    assert "secret" not in data
