"""An application in this process behind the synchronous client."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from spectronctl import errors
from spectronctl.api import contexts, health, keys
from spectronctl.client import AsgiTransport, Client
from tests.support.fakes import KEY

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Echo:
    """An application that answers with what it was asked, and remembers its life."""

    def __init__(self) -> None:
        self.life: list[str] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        self.life.append("open")
        self.loops.add(asyncio.get_running_loop())
        yield self
        self.loops.add(asyncio.get_running_loop())
        self.life.append("closed")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.loops.add(asyncio.get_running_loop())
        asked = await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        told = {key: scope[key] for key in ("type", "method", "path", "scheme")} | {
            "id": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "body": asked["body"].decode(),
            "key": headers.get("api-key"),
        }
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (json.dumps(told)[:20], json.dumps(told)[20:]):
            await send({"type": "http.response.body", "body": part.encode(), "more_body": True})
        await send({"type": "http.response.body"})


def connect(app: Any, **options: Any) -> Client:
    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        yield app

    return Client("http://local", transport=AsgiTransport(open_app), **options)


def test_a_request_reaches_the_application_whole() -> None:
    echo = Echo()
    with Client("http://local", api_key=KEY, transport=AsgiTransport(echo.open)) as client:
        update = contexts.update_context("a/ü", config={"x": "ü"}).with_params(a="1 2")
        told = client.send(update).to_dict()
    assert told == {
        "type": "http",
        "method": "PATCH",
        "path": "/api/v1/contexts/a/ü",
        "scheme": "http",
        "id": "/api/v1/contexts/a%2F%C3%BC",
        "query": told["query"],
        "body": '{"config":{"x":"ü"}}',
        "key": KEY,
    }
    assert httpx.QueryParams(told["query"])["a"] == "1 2"


def test_the_application_opens_once_and_closes_on_one_loop() -> None:
    echo = Echo()
    client = Client("http://local", transport=AsgiTransport(echo.open))
    assert echo.life == []
    for _ in range(3):
        client.send(contexts.get_context("acme"))
    assert echo.life == ["open"]
    client.close()
    assert echo.life == ["open", "closed"]
    assert len(echo.loops) == 1
    assert echo.loops.pop().is_closed()


def test_a_transport_that_was_never_used_opens_nothing() -> None:
    echo = Echo()
    Client("http://local", transport=AsgiTransport(echo.open)).close()
    assert echo.life == []


def test_what_keeps_the_application_from_opening_reaches_the_caller() -> None:
    tries = []

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        tries.append(1)
        if len(tries) == 1:
            raise errors.ConfigError("the store is locked")
        yield Echo()

    with Client("http://local", transport=AsgiTransport(open_app)) as client:
        with pytest.raises(errors.ConfigError, match="the store is locked"):
            client.send(contexts.get_context("acme"))
        assert client.send(contexts.get_context("acme")).to_dict()["method"] == "GET"


async def answer(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_a_failure_that_was_answered_is_that_answer() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await answer(send, 500, b'{"detail": "internal error"}')
        raise ZeroDivisionError

    with (
        connect(app) as client,
        pytest.raises(errors.UpstreamError, match=r"internal error \(500 "),
    ):
        client.send(health.get_health())


def test_a_failure_that_was_not_answered_is_not_hidden() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    with connect(app) as client, pytest.raises(ZeroDivisionError):
        client.send(health.get_health())


def test_an_answer_cut_short_is_a_network_error() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})

    with (
        connect(app) as client,
        pytest.raises(errors.NetworkError, match="did not finish") as caught,
    ):
        client.send(keys.rotate_key("acme", "cak_1"))
    assert caught.value.outcome_unknown


def test_an_application_that_hangs_runs_into_the_timeout() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    with connect(app, timeout=0.1) as client, pytest.raises(errors.NetworkError, match=r"0\.1 s"):
        client.send(health.get_health())


def test_the_client_stays_until_the_answer_is_complete() -> None:
    order: list[str] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()

        async def watch() -> None:
            order.append((await receive())["type"])

        watcher = asyncio.create_task(watch())
        await asyncio.sleep(0)
        order.append("answer")
        await answer(send, 200, b'{"status": "ok"}')
        await watcher

    with connect(app) as client:
        assert client.send(health.get_health()).status == "ok"
    assert order == ["answer", "http.disconnect"]


def test_several_threads_are_answered_at_once() -> None:
    all_here = asyncio.Event()
    inside = 0

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal inside
        inside += 1
        if inside == 4:
            all_here.set()
        await all_here.wait()
        await answer(send, 200, b'{"status": "ok"}')

    with connect(app) as client, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.send(health.get_health()).status, range(4)))
    assert answers == ["ok"] * 4


def test_threads_that_ask_first_open_one_application() -> None:
    echo = Echo()
    with (
        Client("http://local", transport=AsgiTransport(echo.open)) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        list(threads.map(lambda _: client.send(contexts.get_context("acme")), range(32)))
    assert echo.life == ["open", "closed"]


def test_what_the_application_has_begun_goes_on_between_requests() -> None:
    worked = threading.Event()

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        async def work() -> None:
            await asyncio.sleep(0.01)
            worked.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            yield Echo()

    with Client("http://local", transport=AsgiTransport(open_app)) as client:
        client.send(contexts.get_context("acme"))
        assert worked.wait(5)


def press_ctrl_c() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def test_an_interrupt_drops_the_request_and_closes_cleanly() -> None:
    """Ctrl-C reaches the thread that waits, and the application is told that no client waits."""
    life: list[str] = []
    dropped = threading.Event()

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        async def app(scope: Any, receive: Receive, send: Send) -> None:
            threading.Timer(0.01, press_ctrl_c).start()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                life.append("dropped")
                dropped.set()
                raise

        yield app
        life.append("closed")

    client = Client("http://local", transport=AsgiTransport(open_app))
    with pytest.raises(KeyboardInterrupt):
        client.send(health.get_health())
    assert dropped.wait(5), "the request goes on although no client waits for it"
    client.close()
    assert life == ["dropped", "closed"]


def test_closing_drops_what_other_threads_wait_for() -> None:
    asked = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.sleep(60)

    client = connect(app)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.send, health.get_health())
        assert asked.wait(5)
        client.close()
        with pytest.raises(RuntimeError, match="closed meanwhile"):
            waiting.result()


def test_closing_does_not_wait_for_an_application_that_waits_to_open() -> None:
    opening = threading.Event()

    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        opening.set()
        await asyncio.sleep(60)
        yield Echo()

    client = Client("http://local", transport=AsgiTransport(open_app))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.send, health.get_health())
        assert opening.wait(5)
        client.close()
        with pytest.raises(RuntimeError, match="closed meanwhile"):
            waiting.result()


def test_what_closing_raises_reaches_who_closes() -> None:
    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        yield Echo()
        raise ZeroDivisionError

    client = Client("http://local", transport=AsgiTransport(open_app))
    client.send(contexts.get_context("acme"))
    with pytest.raises(ZeroDivisionError):
        client.close()


def test_a_request_that_waited_while_the_transport_closed_opens_nothing() -> None:
    echo = Echo()
    transport = AsgiTransport(echo.open)
    request = httpx.Request("GET", "http://local/")
    transport.handle_request(request)
    transport.close()
    with pytest.raises(RuntimeError, match="closed"):
        transport.handle_request(request)
    assert echo.life == ["open", "closed"]


def open_stream(app: Any) -> httpx.Client:
    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        yield app

    return httpx.Client(base_url="http://local", transport=AsgiTransport(open_app))


async def send_piece(send: Send, piece: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


def test_a_piece_of_a_response_arrives_before_the_next_is_made() -> None:
    made = threading.Event()
    first_read = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send_piece(send, b"first")
        assert await asyncio.to_thread(first_read.wait, 5)
        made.set()
        await send_piece(send, b"second", more=False)

    with open_stream(app) as client, client.stream("GET", "/") as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"first"
        assert not made.is_set()
        first_read.set()
        assert list(pieces) == [b"second"]


def test_a_piece_of_a_request_arrives_before_the_next_is_made() -> None:
    received: list[tuple[bytes, bool]] = []
    first_received = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        while not received or received[-1][1]:
            message = await receive()
            received.append((message["body"], message["more_body"]))
            first_received.set()
        await answer(send, 200, b"ok")

    def make() -> Iterator[bytes]:
        yield b"first"
        assert first_received.wait(5)
        yield b"second"

    with open_stream(app) as client:
        assert client.post("/", content=make()).text == "ok"
    assert received == [(b"first", True), (b"second", True), (b"", False)]


@pytest.mark.parametrize("before", ["a response", "its end"])
def test_a_body_that_cannot_be_made_ends_the_request(before: str) -> None:
    told = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        try:
            if before == "its end":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send_piece(send, b"early")
            while (await receive())["type"] != "http.disconnect":
                pass
            told.set()
        except asyncio.CancelledError:
            told.set()
            raise

    def make() -> Iterator[bytes]:
        yield b"first"
        raise OSError("the disk is gone")

    with open_stream(app) as client:
        with pytest.raises(OSError, match="the disk is gone"):
            client.post("/", content=make())
        assert told.wait(5)


def test_closing_a_response_tells_the_application() -> None:
    told = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert (await receive())["more_body"] is False
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send_piece(send, b"first")
        assert (await receive())["type"] == "http.disconnect"
        await send_piece(send, b"unread")
        told.set()

    with open_stream(app) as client:
        with client.stream("GET", "/") as response:
            next(response.iter_raw())
            assert not told.is_set()
        assert told.wait(5)


def test_an_application_waits_for_a_slow_reader() -> None:
    sent = 0

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send_piece(send, b"x" * 100_000)
            sent += 1
        await send_piece(send, b"", more=False)

    with open_stream(app) as client, client.stream("GET", "/") as response:
        pieces = response.iter_raw()
        next(pieces)
        time.sleep(0.1)
        assert sent < 6
        assert sum(map(len, pieces)) == 99 * 100_000


def test_a_response_that_stops_half_way_runs_into_the_timeout() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send_piece(send, b"{")
        await asyncio.sleep(60)

    with connect(app, timeout=0.1) as client, pytest.raises(errors.NetworkError, match=r"0\.1 s"):
        client.send(health.get_health())


def test_the_time_that_opening_takes_is_not_the_calls() -> None:
    @asynccontextmanager
    async def open_app() -> AsyncIterator[Any]:
        await asyncio.sleep(0.4)
        yield lambda scope, receive, send: answer(send, 200, b'{"status": "ok"}')

    with Client("http://local", transport=AsgiTransport(open_app), timeout=0.2) as client:
        assert client.send(health.get_health()).status == "ok"
