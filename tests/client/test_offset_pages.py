"""Pages by offset, several at a time: every item once, in order, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectronctl import errors
from spectronctl.api import sessions
from spectronctl.api.pages import Page
from spectronctl.api.requests import Request
from spectronctl.client import AsyncClient, Client, _tasks, _threads
from spectronctl.client._window import PARALLEL, Window
from spectronctl.models.sessions import Turn
from tests.support.fakes import URL, Connect, Face
from tests.support.turns import SESSION, TURNS, Turns, turn

any_face = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def connect_to(connect: Connect, answer: Callable[[httpx.Request], httpx.Response]) -> Face:
    return connect(transport=httpx.MockTransport(answer), retries=100)


def read_seqs(client: Face, request: Request[Page[Turn]] = TURNS, **options: Any) -> list[int]:
    pages = client.offset_pages(request, **options)
    return [item["seq"] for page in pages for item in page.items]


@given(
    total=st.integers(0, 60),
    size=st.integers(1, 9),
    parallel=st.integers(1, 6),
    base=st.integers(0, 2),
    growth=st.lists(st.integers(0, 12), max_size=12),
    failing=st.sets(st.integers(1, 30)),
)
@any_face
def test_every_turn_comes_once_and_in_order(
    face: type[Face],
    total: int,
    size: int,
    parallel: int,
    base: int,
    growth: list[int],
    failing: set[int],
) -> None:
    server = Turns(total, base=base, growth=growth, failing=failing)
    with closing(face(transport=httpx.MockTransport(server.answer), retries=100)) as client:
        request = sessions.list_turns("acme", SESSION, limit=size)
        pages = client.offset_pages(request, parallel=parallel)
    found = [item for page in pages for item in page.items]
    assert total <= len(found) <= len(server.turns)
    assert [item["seq"] for item in found] == [base + n for n in range(len(found))]
    assert [item["content"] for item in found] == [t["content"] for t in server.turns[: len(found)]]


@given(total=st.integers(0, 320), cap=st.sampled_from([50, 100, 250]))
@any_face
def test_a_server_that_hands_out_less_at_once_loses_nothing(
    face: type[Face], total: int, cap: int
) -> None:
    server = Turns(total, cap=cap)
    with closing(face(transport=httpx.MockTransport(server.answer))) as client:
        assert read_seqs(client) == list(range(1, total + 1))


@given(total=st.integers(0, 40), start=st.integers(0, 45), limit=st.integers(0, 45))
@any_face
def test_a_part_is_asked_for_and_no_more(
    face: type[Face], total: int, start: int, limit: int
) -> None:
    server = Turns(total)
    request = sessions.list_turns("acme", SESSION, limit=7)
    with closing(face(transport=httpx.MockTransport(server.answer))) as client:
        seqs = read_seqs(client, request, start=start, limit=limit)
    assert seqs == list(range(1, total + 1))[start : start + limit]
    assert all(offset + size <= start + limit for offset, size in server.asked)


@pytest.mark.parametrize(("limit", "more"), [(4, True), (6, True), (20, False), (None, False)])
def test_the_last_page_says_whether_the_limit_ended_the_run(
    connect: Connect, limit: int | None, more: bool
) -> None:
    client = connect_to(connect, Turns(7).answer)
    request = sessions.list_turns("acme", SESSION, limit=2)
    assert client.offset_pages(request, limit=limit)[-1].has_more is more


def test_a_short_list_takes_one_request(connect: Connect) -> None:
    server = Turns(30)
    assert len(read_seqs(connect_to(connect, server.answer))) == 30
    assert server.asked == [(0, 500)]


def test_an_empty_list_has_no_page(connect: Connect) -> None:
    assert connect_to(connect, Turns(0).answer).offset_pages(TURNS) == []


def test_a_failing_page_is_asked_for_again_alone(connect: Connect) -> None:
    server = Turns(3000, failing={3})
    assert len(read_seqs(connect_to(connect, server.answer))) == 3000
    offsets = [offset for offset, _ in server.asked]
    assert len(offsets) == len(set(offsets))  # of the others, none twice


def test_a_page_that_stays_away_ends_the_run_after_those_before_it(connect: Connect) -> None:
    server = Turns(2000)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["offset"] == "1000":
            return httpx.Response(500, json={"detail": "broken index"})
        return server.answer(request)

    client = Client(URL, transport=httpx.MockTransport(answer))
    pages = client.offset_pages(TURNS)
    assert [len(next(pages).items) for _ in range(2)] == [500, 500]
    with pytest.raises(errors.UpstreamError, match="broken index"):
        next(pages)


def test_as_many_pages_as_wanted_are_on_their_way_at_once(connect: Connect) -> None:
    server = Turns(5 * 500 - 1)
    together = threading.Barrier(PARALLEL, timeout=10)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["offset"] != "0":
            together.wait()
        return server.answer(request)

    client = Client(URL, transport=httpx.MockTransport(answer))
    assert sum(len(page.items) for page in client.offset_pages(TURNS)) == 2499


def leave_out(turns: list[Any]) -> list[Any]:
    return [t for t in turns if t["seq"] != 703]


def repeat(turns: list[Any]) -> list[Any]:
    return [t for t in turns for _ in range(2 if t["seq"] == 703 else 1)][:500]


def swap(turns: list[Any]) -> list[Any]:
    return sorted(turns, key=lambda t: {703: 704, 704: 703}.get(t["seq"], t["seq"]))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (leave_out, "leaves out seq 703: seq 704 comes in its place"),
        (repeat, "repeats seq 703, where seq 704 was due"),
        (swap, "leaves out seq 703"),
    ],
)
def test_turns_out_of_order_are_an_error(
    connect: Connect, spoil: Callable[[list[Any]], list[Any]], problem: str
) -> None:
    server = Turns(1200)

    def answer(request: httpx.Request) -> httpx.Response:
        body = server.answer(request).json()
        return server.answer_turns(spoil(body["turns"]))

    with pytest.raises(errors.UpstreamError, match=f"GET .*/turns: the server {problem}"):
        read_seqs(connect_to(connect, answer))


def test_a_server_that_ignores_the_offset_is_found_out(connect: Connect) -> None:
    server = Turns(500)

    def answer(request: httpx.Request) -> httpx.Response:
        return server.answer_turns(server.turns)

    with pytest.raises(errors.UpstreamError, match="repeats seq 1, where seq 501 was due"):
        read_seqs(connect_to(connect, answer))


def test_a_page_larger_than_asked_for_is_an_error(connect: Connect) -> None:
    server = Turns(600)
    client = connect_to(connect, lambda request: server.answer_turns(server.turns))
    with pytest.raises(errors.UpstreamError, match="600 items where 500 were requested"):
        client.offset_pages(TURNS)


def test_a_gap_before_the_first_turn_is_an_error(connect: Connect) -> None:
    client = connect_to(connect, Turns(9, base=5).answer)
    assert read_seqs(client, start=2, first_seq=7) == [7, 8, 9, 10, 11, 12, 13]
    with pytest.raises(errors.UpstreamError, match="leaves out seq 6: seq 7"):
        read_seqs(client, start=2, first_seq=6)


def test_numbered_pages_are_asked_for_by_their_number(connect: Connect) -> None:
    asked: list[tuple[int, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        page, size = (int(request.url.params[name]) for name in ("page", "pageSize"))
        asked.append((page, size))
        names = [f"document {n}" for n in range(25)][page * size : (page + 1) * size]
        return httpx.Response(200, json={"documents": names, "total": 25, "page": page})

    request: Request[Page[str]] = Request(
        "GET", "/api/v1/acme/documents", Page[str], params={"pageSize": 10}
    )
    pages = connect_to(connect, answer).offset_pages(request)
    assert [name for page in pages for name in page.items] == [f"document {n}" for n in range(25)]
    assert sorted(asked)[:3] == [(0, 10), (1, 10), (2, 10)]
    pages = connect_to(connect, answer).offset_pages(request, limit=13)
    assert [name for page in pages for name in page.items] == [f"document {n}" for n in range(13)]


@pytest.mark.parametrize("option", ["start", "limit", "parallel"])
def test_a_negative_option_is_refused_before_anything_is_sent(
    connect: Connect, option: str
) -> None:
    server = Turns(3)
    with pytest.raises(errors.UsageError, match=f"{option}: -1"):
        connect_to(connect, server.answer).offset_pages(TURNS, **{option: -1})
    assert server.asked == []


def test_the_end_does_not_wait_for_pages_beyond_it() -> None:
    server, free = Turns(700), threading.Event()
    waited_for: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        offset = request.url.params["offset"]
        if int(offset) > 500 and not free.wait(5):
            waited_for.append(offset)
        return server.answer(request)

    client = Client(URL, transport=httpx.MockTransport(answer))
    try:
        assert sum(len(page.items) for page in client.offset_pages(TURNS)) == 700
        assert waited_for == []
    finally:
        free.set()


class Slow(httpx.AsyncBaseTransport):
    """Answers what `is_fast` lets through; of the rest it counts how many it was asked for, and how many it lost."""

    def __init__(self, server: Turns, is_fast: Callable[[int], bool]) -> None:
        self.asked = self.cancelled = 0
        self._server = server
        self._is_fast = is_fast

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._is_fast(int(request.url.params["offset"])):
            self.asked += 1
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return self._server.answer(request)


def test_the_end_cancels_the_pages_beyond_it() -> None:
    slow = Slow(Turns(700), lambda offset: offset <= 500)

    async def read() -> int:
        async with AsyncClient(URL, transport=slow) as client:
            return sum([len(page.items) async for page in client.offset_pages(TURNS)])

    assert asyncio.run(read()) == 700
    assert slow.asked == slow.cancelled == PARALLEL - 1


def test_a_reader_that_leaves_cancels_what_is_under_way() -> None:
    slow = Slow(Turns(5000), lambda offset: offset == 0)

    async def read() -> None:
        async with (
            AsyncClient(URL, transport=slow) as client,
            aclosing(client.offset_pages(TURNS)) as pages,  # type: ignore[type-var]
        ):
            await anext(pages)
            await asyncio.sleep(0.01)

    asyncio.run(read())
    assert slow.asked == slow.cancelled == PARALLEL


class Alive:
    """Makes pages, and counts how many of them are referenced."""

    def __init__(self, total: int) -> None:
        self.most = 0
        self._left = total
        self._alive: set[int] = set()
        self._lock = threading.Lock()

    def make(self, request: Request[Page[Turn]]) -> Page[Turn]:
        offset, limit = request.params["offset"], request.params["limit"]
        count = max(0, min(limit, self._left - offset))
        items: list[Any] = [turn(offset + n) for n in range(count)]
        page = sessions.TurnPage.model_construct(items=items, has_more=False)
        with self._lock:
            self._alive.add(offset)
            self.most = max(self.most, len(self._alive))
        weakref.finalize(page, self._alive.discard, offset)
        return page

    async def make_later(self, request: Request[Page[Turn]]) -> Page[Turn]:
        await asyncio.sleep(0)
        return self.make(request)

    def read(self, kind: str, window: Window[Turn]) -> int:
        if kind == "tasks":
            return asyncio.run(count_slowly(_tasks.fetch_ahead(self.make_later, window)))
        return sum(len(page.items) for page in _threads.fetch_ahead(self.make, window))


async def count_slowly(pages: AsyncIterator[Page[Turn]]) -> int:
    count = 0
    async for page in pages:
        count += len(page.items)
        for _ in range(5):  # all that may be fetched ahead is
            await asyncio.sleep(0)
    return count


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_no_more_pages_are_held_than_are_fetched_ahead(kind: str, parallel: int) -> None:
    pages = Alive(100_000)
    window = Window(TURNS, parallel=parallel)
    assert pages.read(kind, window) == 100_000
    # Besides those fetched ahead: the reader's last and next one, and what a thread has not let go of yet.
    assert parallel <= pages.most <= 2 * parallel + 2


def test_turns_are_plain_and_keep_fields_no_one_knows() -> None:
    body = {"turns": [turn(1) | {"mood": "calm"}]}
    client = Client(URL, transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body)))
    (page,) = client.offset_pages(TURNS)
    (found,) = page.items
    assert type(found) is dict
    assert found["created_at"] == "2026-05-01T12:30:00Z"
    assert found["mood"] == "calm"  # type: ignore[typeddict-item]


@pytest.mark.parametrize("name", ["id", "seq", "role", "content"])
def test_a_turn_without_a_field_is_no_turn(connect: Connect, name: str) -> None:
    body = {"turns": [{key: value for key, value in turn(1).items() if key != name}]}
    client = connect_to(connect, lambda _: httpx.Response(200, json=body))
    with pytest.raises(errors.UpstreamError, match=rf"items\.0\.{name}: Field required"):
        client.offset_pages(TURNS)


def iterate(pages: Iterator[Page[Turn]]) -> list[int]:
    return [item["seq"] for page in pages for item in page.items]


def test_a_run_that_is_left_early_leaves_no_thread_asking_for_more() -> None:
    server = Turns(50_000)
    client = Client(URL, transport=httpx.MockTransport(server.answer))
    pages = client.offset_pages(TURNS)
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert len(server.asked) <= 1 + PARALLEL
    assert iterate(client.offset_pages(TURNS, start=49_990)) == list(range(49_991, 50_001))
