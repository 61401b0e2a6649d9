"""Lists: every item once, in order, whatever the pages look like."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectronctl import errors
from spectronctl.api import contexts, keys
from tests.support.fakes import Clock, Connect, Face, FakeSpectron

KEYS = "/api/v1/contexts/acme/keys"
LIST = keys.list_keys("acme")


def key(number: int) -> dict[str, Any]:
    return {"id": f"cak_{number:04}", "name": f"key {number}"}


class Pages:
    """A server that cuts `total` keys into pages of given sizes, in one dialect."""

    def __init__(self, sizes: list[int], dialect: str) -> None:
        self.total = sum(sizes)
        self.asked: list[int | None] = []
        self._sizes = sizes
        self._dialect = dialect

    def answer(self, request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("cursor", "c0")[1:])
        limit = request.url.params.get("limit")
        self.asked.append(limit and int(limit))
        start = sum(self._sizes[:page])
        items = [key(start + n) for n in range(self._sizes[page])]
        cursor = f"c{page + 1}" if page + 1 < len(self._sizes) else None
        return httpx.Response(200, json=self._write(items, cursor))

    def _write(self, items: list[Any], cursor: str | None) -> Any:
        match self._dialect:
            case "snake":
                return {"keys": items, "next_cursor": cursor, "has_more": cursor is not None}
            case "camel":
                return {"keys": items, "nextCursor": cursor, "hasMore": cursor is not None}
            case "no has_more":
                return {"keys": items, "next_cursor": cursor, "total": 3}
            case "other name":
                return {"items": items, "next_cursor": cursor, "has_more": cursor is not None}
        return items


@given(
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=12),
    dialect=st.sampled_from(["snake", "camel", "no has_more", "other name"]),
    limit=st.one_of(st.none(), st.integers(0, 40)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_item_comes_once_and_in_order(
    face: type[Face], sizes: list[int], dialect: str, limit: int | None
) -> None:
    server = Pages(sizes, dialect)
    with closing(face(transport=httpx.MockTransport(server.answer))) as client:
        found = [item.id for item in client.items(LIST, limit=limit)]
    wanted = server.total if limit is None else min(limit, server.total)
    assert found == [key(n)["id"] for n in range(wanted)]


def test_a_bare_array_is_one_complete_page(connect: Connect) -> None:
    server = Pages([3], "bare")
    client = connect(transport=httpx.MockTransport(server.answer))
    assert [item.name for item in client.items(LIST)] == ["key 0", "key 1", "key 2"]


@pytest.mark.parametrize(
    ("limit", "asked"),
    [
        (None, [500, 500, 500]),
        (1200, [500, 500, 200]),
        (500, [500]),
        (501, [500, 1]),
        (3, [3]),
        (0, []),
    ],
)
def test_the_server_is_asked_for_no_more_than_is_wanted(
    connect: Connect, limit: int | None, asked: list[int]
) -> None:
    server = Pages([500, 500, 500], "snake")
    client = connect(transport=httpx.MockTransport(server.answer))
    client.items(LIST, limit=limit)
    assert server.asked == asked


def test_a_request_s_own_page_size_is_kept(connect: Connect) -> None:
    server = Pages([2, 2, 2], "snake")
    client = connect(transport=httpx.MockTransport(server.answer))
    client.items(keys.list_keys("acme", limit=2), limit=5)
    assert server.asked == [2, 2, 1]


def test_a_server_that_ignores_the_limit_is_cut_short(connect: Connect) -> None:
    server = Pages([10, 10], "snake")
    client = connect(transport=httpx.MockTransport(server.answer))
    (page,) = client.pages(LIST, limit=4)
    assert len(page.items) == 4
    assert page.has_more


@pytest.mark.parametrize(("sizes", "more"), [([2, 2], True), ([2], False), ([2, 0], True)])
def test_the_last_page_says_whether_the_limit_left_any(
    connect: Connect, sizes: list[int], more: bool
) -> None:
    client = connect(transport=httpx.MockTransport(Pages(sizes, "snake").answer))
    assert client.pages(LIST, limit=2)[-1].has_more is more


def test_a_negative_limit_is_refused(connect: Connect, spectron: FakeSpectron) -> None:
    client = connect(transport=httpx.MockTransport(spectron.answer))
    with pytest.raises(errors.UsageError, match="limit: -1 is negative"):
        client.items(LIST, limit=-1)


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
def test_a_cursor_that_repeats_is_an_error(
    client: Face, spectron: FakeSpectron, cursors: list[str]
) -> None:
    for cursor in cursors:
        spectron.on("GET", KEYS, json={"keys": [], "next_cursor": cursor, "has_more": True})
    with pytest.raises(errors.UpstreamError, match=f"GET {KEYS}: .* same cursor again"):
        client.items(LIST)


def test_the_cursor_that_a_walk_starts_with_counts(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", KEYS, json={"keys": [key(1)], "next_cursor": "a", "has_more": True})
    with pytest.raises(errors.UpstreamError, match="same cursor again"):
        client.items(LIST.with_params(cursor="a"))


def test_an_empty_page_with_a_new_cursor_goes_on(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", KEYS, json={"keys": [], "next_cursor": "a", "has_more": True})
    spectron.on("GET", KEYS, json={"keys": [key(1)], "next_cursor": None, "has_more": False})
    assert [item.name for item in client.items(LIST)] == ["key 1"]


def test_more_without_a_cursor_is_no_complete_list(client: Face, spectron: FakeSpectron) -> None:
    spectron.on("GET", KEYS, json={"keys": [key(1)], "next_cursor": None, "has_more": True})
    with pytest.raises(errors.UpstreamError, match="no cursor"):
        client.items(LIST)


def test_a_page_in_the_middle_is_retried(
    client: Face, spectron: FakeSpectron, clock: Clock
) -> None:
    spectron.on("GET", KEYS, json={"keys": [key(1)], "next_cursor": "a", "has_more": True})
    spectron.on("GET", KEYS, 503)
    spectron.on("GET", KEYS, json={"keys": [key(2)]})
    assert [item.name for item in client.items(LIST)] == ["key 1", "key 2"]
    assert len(clock.pauses) == 1


@pytest.mark.parametrize("body", [{}, {"a": [], "b": []}, {"contexts": {}}, 3, "x", None])
def test_a_list_of_no_known_shape_is_an_error(
    client: Face, spectron: FakeSpectron, body: Any
) -> None:
    spectron.on("GET", "/api/v1/contexts", json=body)
    with pytest.raises(errors.UpstreamError):
        client.items(contexts.list_contexts())
