"""Streams of events on real sockets: each as it comes, how they end, and how they fail."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from spectronctl import errors
from spectronctl.api.requests import Reply, Request
from spectronctl.client import AsgiTransport, Client, Exchange, _event_parser, _policy
from spectronctl.models.events import Event
from spectronctl.server.http.middleware import CatchAll, Correlation
from tests.support.fakes import KEY, Connect
from tests.support.sockets import Behaviour, reset, serve, write, write_and_reset
from tests.support.streaming import STREAM, Streaming

CHAT: Request[Any] = Request("POST", "/api/v1/acme/chat", Reply)
WATCH: Request[Any] = Request("GET", "/api/v1/acme/watch", Reply)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
TO_THE_END = HEAD + b"Connection: close\r\n\r\n"
A = Event('{"delta": "a"}')
DONE = Event('{"done": true}', "done")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def frame(event: Event) -> bytes:
    name = "" if event.name == "message" else f"event: {event.name}\n"
    return f"{name}data: {event.data}\n\n".encode()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_policy, "FIRST_BACKOFF", 0.01)


def fail(
    connect: Connect, url: str, request: Any = CHAT, **options: Any
) -> tuple[errors.RequestError, list[Event]]:
    """The error, and the events before it."""
    events: list[Event] = []
    with pytest.raises(errors.RequestError) as caught:
        connect(url, **{"timeout": 5, "api_key": KEY, **options}).stream(request, into=events)
    return caught.value, events


def count(events: list[Event]) -> str:
    return f"{len(events)} event{'' if len(events) == 1 else 's'}"


def test_an_event_arrives_before_the_next_is_made(connect: Connect) -> None:
    events: list[Event] = []

    def tell(connection: socket.socket) -> None:
        connection.sendall(CHUNKED + chunk(frame(A)))
        end = time.monotonic() + 5
        while not events and time.monotonic() < end:
            time.sleep(0.01)
        connection.sendall(chunk(frame(Event(str(len(events))))) + chunk(frame(DONE)))
        connection.sendall(b"0\r\n\r\n")

    with serve(tell) as server:
        connect(f"http://{server.address}").stream(CHAT, into=events)
    assert events == [A, Event("1"), DONE]
    head = server.requests[0].lower()
    assert b"accept: text/event-stream\r\n" in head


@pytest.mark.parametrize(
    "ending",
    [
        CHUNKED + chunk(frame(A)) + b"0\r\n\r\n",
        CHUNKED + chunk(frame(A)[:5]) + chunk(frame(A)[5:-1]) + b"0\r\n\r\n",
        TO_THE_END + frame(A),
        TO_THE_END + frame(A)[:-2],
    ],
    ids=["chunks", "no blank line", "end of the connection", "no end of line"],
)
def test_a_stream_may_end_without_a_word(connect: Connect, ending: bytes) -> None:
    with serve(write(ending)) as server:
        assert connect(f"http://{server.address}").stream(CHAT) == [A]


def test_nothing_is_read_after_the_last_word(connect: Connect) -> None:
    released = threading.Event()

    def go_on(connection: socket.socket) -> None:
        connection.sendall(CHUNKED + chunk(frame(DONE) + frame(Event("[DONE]"))))
        released.wait(5)

    with serve(go_on) as server:
        started = time.monotonic()
        assert connect(f"http://{server.address}").stream(CHAT) == [DONE]
        assert time.monotonic() - started < 4
        released.set()


def test_a_stream_may_be_packed(connect: Connect) -> None:
    packed = gzip.compress(frame(A) + frame(DONE))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with serve(write(head + packed)) as server:
        assert connect(f"http://{server.address}").stream(CHAT) == [A, DONE]


def test_closing_early_hangs_up(connect: Connect) -> None:
    hung_up = threading.Event()

    def go_on(connection: socket.socket) -> None:
        connection.sendall(CHUNKED + chunk(frame(A)))
        try:
            if not connection.recv(1):
                hung_up.set()
        except ConnectionError:
            hung_up.set()

    with serve(go_on) as server:
        assert connect(f"http://{server.address}").stream(CHAT, count=1) == [A]
        assert hung_up.wait(5)


BREAKS: dict[str, Behaviour] = {
    "reset": write_and_reset(CHUNKED + chunk(frame(A)) + b"40\r\ndata: hal"),
    "closed": write(CHUNKED + chunk(frame(A)) + b"40\r\ndata: hal"),
    "closed between chunks": write(CHUNKED + chunk(frame(A))),
    "no chunk": write(CHUNKED + chunk(frame(A)) + b"nonsense\r\n"),
    "shorter than announced": write(HEAD + b"Content-Length: 99\r\n\r\n" + frame(A)),
}


@pytest.mark.parametrize("behave", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("request_", [CHAT, WATCH], ids=["a write", "a read"])
def test_a_stream_that_breaks_off_says_how_far_it_came(
    connect: Connect, behave: Behaviour, request_: Any
) -> None:
    with serve(behave) as server:
        url = f"http://{server.address}"
        error, events = fail(connect, url, request_)
        assert len(server.requests) == 1, "a stream that has begun is not asked for again"
    assert type(error) is errors.NetworkError
    assert events == [A] or (not events and "reset" in error.message)
    assert error.message.startswith(f"the connection to {url}")
    assert error.text.endswith(f" ({request_.method} {request_.path})")
    assert error.message.endswith(f"the stream broke off after {count(events)}")
    assert error.outcome_unknown is (request_ is CHAT)


def test_silence_is_bounded_and_the_whole_is_not(connect: Connect) -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(CHUNKED)
        for _ in range(6):
            time.sleep(0.2)
            connection.sendall(chunk(b": keep-alive\n\n"))
        connection.sendall(chunk(frame(A)))
        done.wait(5)

    with serve(drip) as server:
        url = f"http://{server.address}"
        started = time.monotonic()
        error, events = fail(connect, url, timeout=0.6)
        took = time.monotonic() - started
        done.set()
    assert events == [A]
    assert 1.6 < took < 4
    assert type(error) is errors.NetworkError
    assert error.message == (
        f"nothing came from {url} for 0.6 s; the stream broke off after 1 event"
    )
    assert "--timeout" in (error.hint or "")


def test_what_comes_before_the_stream_has_one_limit(connect: Connect) -> None:
    def drip(connection: socket.socket) -> None:
        for byte in CHUNKED:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with serve(drip) as server:
        started = time.monotonic()
        error, _ = fail(connect, f"http://{server.address}", timeout=0.5)
        assert time.monotonic() - started < 3
    assert "no complete response" in error.message


@pytest.mark.parametrize(
    ("head", "piece", "limit", "says"),
    [
        (b"", b"data: " + b"x" * 65_536, "MAX_LINE", "a line of the stream is longer than"),
        (b"", b"data: " + b"x" * 500 + b"\n", "MAX_EVENT", "an event of the stream is longer"),
        (frame(A), b"x" * 1000, "MAX_LINE", "a line of the stream is longer than"),
    ],
)
def test_a_line_or_an_event_without_end_is_given_up(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    head: bytes,
    piece: bytes,
    limit: str,
    says: str,
) -> None:
    monkeypatch.setattr(_event_parser, limit, 1 << 18)

    def flood(connection: socket.socket) -> None:
        connection.sendall(TO_THE_END + head)
        for _ in range(100_000):
            connection.sendall(piece)

    with serve(flood) as server:
        error, events = fail(connect, f"http://{server.address}")
    assert type(error) is errors.UpstreamError
    assert says in error.message
    assert f"broke off after {count(events)}" in error.message
    assert len(events) == bool(head)


def respond(status: bytes, body: Any) -> Behaviour:
    text = json.dumps(body).encode()
    head = b"HTTP/1.1 %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n"
    return write(head % (status, len(text)) + text)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"401 Unauthorized", errors.AuthError),
        (b"404 Not Found", errors.NotFoundError),
        (b"422 Unprocessable", errors.InvalidError),
        (b"501 Not Implemented", errors.NotAvailableError),
    ],
)
def test_a_failure_before_the_stream_is_an_ordinary_one(
    connect: Connect, status: bytes, kind: type[errors.RequestError]
) -> None:
    with serve(respond(status, {"detail": "no such luck"})) as server:
        error, events = fail(connect, f"http://{server.address}")
    assert (type(error), events, error.status) == (kind, [], int(status[:3]))
    assert error.message.endswith("no such luck")


def test_until_it_begins_a_read_is_sent_again_and_a_write_is_not(connect: Connect) -> None:
    busy = respond(b"503 Service Unavailable", {"detail": "busy"})
    behaviours: list[Behaviour] = [busy, reset, write(TO_THE_END + frame(A)), busy]
    seen: list[Exchange] = []
    with serve(lambda connection: behaviours.pop(0)(connection)) as server:
        url = f"http://{server.address}"
        assert connect(url, observe=seen.append).stream(WATCH) == [A]
        assert [exchange.status for exchange in seen] == [503, None, 200]
        assert fail(connect, url)[0].status == 503
    assert behaviours == []


def test_an_answer_of_another_kind_is_no_stream(connect: Connect) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    with serve(write(ok)) as server:
        error, _ = fail(connect, f"http://{server.address}")
    assert type(error) is errors.UpstreamError
    assert error.message.endswith("the response is not a stream of events")


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        ({"status": 429, "detail": "spent", "done": True}, errors.RateLimitedError, "spent"),
        ({"status": 503, "message": f"no {KEY}"}, errors.UpstreamError, "no [secret]"),
        ("the model hung up", errors.UpstreamError, "the model hung up"),
        ({"status": 200, "detail": "odd"}, errors.UpstreamError, "odd"),
    ],
)
def test_a_failure_that_the_stream_tells_of_is_that_failure(
    connect: Connect, data: Any, kind: type[errors.RequestError], says: str
) -> None:
    last = frame(Event(data if isinstance(data, str) else json.dumps(data), "error"))
    with serve(write(TO_THE_END + frame(A) + last + frame(A))) as server:
        error, events = fail(connect, f"http://{server.address}")
    assert (type(error), events) == (kind, [A])
    assert f"{says}; the stream broke off after 1 event" in error.message
    assert error.outcome_unknown


# In this process


def run_in_process(streaming: Streaming, **options: Any) -> Client:
    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        app = FastAPI(telemetry={"auto_configure": False})
        app.add_api_route(STREAM, streaming.stream, methods=["POST"], response_model=None)
        yield Correlation(CatchAll(app))

    return Client("http://local", transport=AsgiTransport(open_app), **options)


LOCAL: Request[Any] = Request("POST", STREAM, Reply)


def release(client: Client, event: asyncio.Event) -> None:
    """Set an event of the application's loop."""
    transport = client._http._transport
    assert isinstance(transport, AsgiTransport)
    assert transport._home is not None
    transport._home._loop.call_soon_threadsafe(event.set)


def wait_for(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_in_process_an_event_arrives_before_the_next_is_made() -> None:
    go_on = asyncio.Event()
    streaming = Streaming([{"delta": "a"}, go_on, {"delta": "b"}])
    with run_in_process(streaming) as client:
        events = client.stream(LOCAL)
        assert next(events).value == {"delta": "a"}
        assert streaming.life == []
        release(client, go_on)
        assert [event.value for event in events] == [{"delta": "b"}, {"done": True}]
    assert streaming.life == ["ended"]


def test_in_process_closing_early_cancels_the_work() -> None:
    streaming = Streaming([{"delta": "a"}, asyncio.Event()])
    with run_in_process(streaming) as client:
        for event in client.stream(LOCAL):
            assert event.value == {"delta": "a"}
            break
        wait_for(lambda: streaming.life == ["cancelled"])


def test_in_process_silence_is_bounded() -> None:
    streaming = Streaming([{"delta": "a"}, asyncio.Event()], keep_alive=60)
    with run_in_process(streaming, timeout=0.2) as client:
        events = client.stream(LOCAL)
        next(events)
        with pytest.raises(errors.NetworkError, match=r"for 0\.2 s; .* after 1 event"):
            next(events)
        wait_for(lambda: streaming.life == ["cancelled"])


def test_in_process_comments_break_the_silence() -> None:
    go_on = asyncio.Event()
    streaming = Streaming([go_on, {"delta": "a"}], keep_alive=0.05)
    with run_in_process(streaming, timeout=0.3) as client:
        threading.Timer(1.0, lambda: release(client, go_on)).start()
        assert [event.is_last for event in client.stream(LOCAL)] == [False, True]


def test_a_stream_that_is_opened_and_never_read_is_closed() -> None:
    streaming = Streaming([{"delta": "a"}, asyncio.Event()])
    with run_in_process(streaming) as client:
        opened: Any = client.open(LOCAL)
        opened.close()
        wait_for(lambda: streaming.life == ["cancelled"])
        assert list(opened) == []
