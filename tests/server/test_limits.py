"""What is too much is refused by name; what is much is handed out in pieces, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.app import create_app, lifespan
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.values import MAX_JSON_BYTES
from spectronctl.server.http import limits, middleware, pages
from spectronctl.server.http.middleware import Room
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions import turns as _turns
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable
from tests.support.conversations import BATCH, FACTS, PLANE, SESSIONS, open_session, read_turns, say

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(store: Database) -> AsyncIterator[FastAPI]:
    """Bodies are as large as in earnest."""
    app = create_app(store)
    async with lifespan(app):
        yield app


HELLO = {"role": "user", "content": "hello"}


def repeat(length: int, text: str = "a") -> str:
    return text * length


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (FACTS, {"text": repeat(limits.MAX_FACT_BYTES // 2 + 1, "é")}, "text: "),
        (FACTS, {"labels": [f"{n}={repeat(130)}" for n in range(64)]}, "labels: "),
        (BATCH, {"labels": [f"{n}={repeat(65, 'é')}" for n in range(64)]}, "labels: "),
        (BATCH, {"messages": [HELLO] * 10_001}, "messages: "),
        (FACTS, {"scopes": repeat(32, "a/") + "a"}, "scopes: "),
        (FACTS, {"scopes": [f"{n}/{repeat(127)}" for n in range(64)]}, "scopes: "),
        (SESSIONS, {"scope": [[f"{n}/{repeat(127)}" for n in range(64)]]}, "scope: "),
        (SESSIONS, {"metadata": repeat(MAX_JSON_BYTES - 1)}, "metadata: "),
        (SESSIONS, {"metadata": {f"{n}": n for n in range(2_500)}}, "metadata: "),
        (SESSIONS, {"metadata": [0] * 5_000}, "metadata: "),
        (
            f"{PLANE}/query",
            {"query": "x", "lens": [f"{n}/{repeat(127)}" for n in range(64)]},
            "lens: ",
        ),
    ],
)
async def test_what_is_too_much_is_400_and_names_the_bound(
    member: httpx.AsyncClient, path: str, body: Any, field: str
) -> None:
    defaults = {"infer": "none", "text": "x", "messages": [HELLO]}
    answer = await member.post(path, json=defaults | body)
    assert answer.status_code == 400
    detail = answer.json()["detail"]
    assert detail.startswith(field)
    assert "at most" in detail or "10000" in detail


async def test_what_is_just_not_too_much_is_taken(operator: httpx.AsyncClient, acme: str) -> None:
    paths = [f"{n:02}/{repeat(124)}" for n in range(64)]
    labels = [f"{n:02}={repeat(125)}" for n in range(64)]
    metadata = repeat(MAX_JSON_BYTES - 2)
    fact = {"text": repeat(limits.MAX_FACT_BYTES), "labels": labels, "scopes": paths}
    batch = {"messages": [HELLO] * 10_000, "labels": labels, "scopes": [paths]}
    for path, body in (
        (FACTS, fact),
        (BATCH, batch),
        (SESSIONS, {"metadata": metadata, "scopes": paths}),
        (SESSIONS, {"metadata": {f"{n}": n for n in range(2_499)}}),
    ):
        answer = await operator.post(path, json={"infer": "none"} | body)
        assert answer.is_success, answer.text


async def test_a_batch_keeps_its_labels_once(
    member: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    body = {"infer": "none", "messages": [HELLO] * 3, "labels": ["a=b", "c=d"]}
    first, *_ = (await member.post(BATCH, json=body)).json()["turnIds"]
    at = Binding(context.namespace, context.database)
    text = "SELECT labels, labelled_by, seq FROM turn ORDER BY seq;"
    rows = await store.select(text, at=at)
    assert [row.get("labels") for row in rows] == [["a=b", "c=d"], None, None]
    assert [row.get("labelled_by") for row in rows] == [None, first, first]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"config": {"note": repeat(MAX_JSON_BYTES)}}, "config: "),
        ({"config": {"providers": {f"p{n}": "x" for n in range(65)}}}, "config.providers: "),
        ({"config": {"providers": {"p": repeat(8_193)}}}, "config.providers.p: "),
    ],
)
async def test_a_configuration_is_bounded(
    operator: httpx.AsyncClient, acme: str, body: Any, field: str
) -> None:
    path = f"/api/v1/contexts/{acme}"
    answer = await operator.patch(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(field)


async def test_a_configuration_cannot_grow_by_many_small_changes(
    operator: httpx.AsyncClient, acme: str
) -> None:
    path = f"/api/v1/contexts/{acme}"
    statuses = [
        (await operator.patch(path, json={"config": {f"note{n}": repeat(20_000)}})).status_code
        for n in range(4)
    ]
    assert statuses == [200, 200, 200, 400]


@pytest.mark.parametrize(
    "floor",
    [
        [f"org/{n}" for n in range(65)],
        repeat(33, "a/"),
        [f"{n}/{repeat(128)}" for n in range(64)],
        {f"n{n}": "x" for n in range(17)},
    ],
)
async def test_a_scope_floor_is_bounded(operator: httpx.AsyncClient, acme: str, floor: Any) -> None:
    path = f"/api/v1/contexts/{acme}/keys"
    answer = await operator.post(path, json={"name": "x", "scope_floor": floor})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("scope_floor: must be at most ")


async def test_a_page_of_long_items_ends_early_and_says_where_the_next_begins(
    member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [(await open_session(member, metadata=repeat(1_000)))["id"] for _ in range(7)]
    monkeypatch.setattr(pages, "MAX_PAGE_BYTES", 2_000)
    monkeypatch.setattr(pages, "_ROWS", 2)
    found: list[str] = []
    cursor: str | None = None
    sizes = []
    while True:
        params = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await member.get(SESSIONS, params=params)).json()
        found += [each["id"] for each in page["sessions"]]
        sizes.append(len(page["sessions"]))
        assert page["hasMore"] is (page["nextCursor"] is not None)
        if (cursor := page["nextCursor"]) is None:
            break
    assert found == made
    assert sizes == [2, 2, 2, 1]


TEXTS = ["short", 'é😀"\\\n\0' * 9, "", repeat(40), repeat(50), "\u2028" * 41, "end"]


@pytest.mark.parametrize("room", [10, 40, 41, 50, 60, 120, 1_000])
async def test_turns_in_pieces_are_the_same_turns(
    member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    kept = await say(member, None, *TEXTS)
    monkeypatch.setattr(_turns, "MAX_PIECE", room)
    turns = await read_turns(member, kept["sessionId"])
    assert [turn["content"] for turn in turns] == TEXTS
    assert [turn["id"] for turn in turns] == kept["turnIds"]
    assert [turn["seq"] for turn in turns] == list(range(len(TEXTS)))
    assert turns[0].keys() == {"id", "session", "role", "content", "seq", "createdAt"}
    for offset in range(len(TEXTS) + 2):
        some = await read_turns(member, kept["sessionId"], offset=offset, limit=3)
        assert some == turns[offset : offset + 3]


@pytest.mark.parametrize("room", [10, 100])
async def test_a_page_that_loses_a_turn_meanwhile_is_not_taken_for_the_last(
    member: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    monkeypatch: pytest.MonkeyPatch,
    room: int,
) -> None:
    kept = await say(member, None, *TEXTS)
    monkeypatch.setattr(_turns, "MAX_PIECE", room)
    session_id = kept["sessionId"]
    _, pieces = await TurnTable(store).load_turns(context, WHOLE, session_id, offset=0, limit=100)
    assert not isinstance(pieces, str)
    assert await anext(pieces) == "["
    await SessionTable(store).delete_session(context, session_id, with_memories=True)
    with pytest.raises(Exception, match="deleted while it was read"):
        async for _ in pieces:
            pass


async def test_the_context_of_a_session_is_bounded(
    member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await open_session(member)
    await say(member, session["id"], *(f"tea {n} {repeat(20_000)}" for n in range(4)))
    await say(member, session["id"], f"{repeat(70_000)} tea", "tea at last")
    for n in range(3):
        fact = {"infer": "none", "text": f"tea {n} {repeat(20_000)}"}
        assert (await member.post(FACTS, json=fact)).is_success
    path = f"{SESSIONS}/{session['id']}/context"
    text = (await member.get(path, params={"query": "tea"})).json()["context"]
    assert limits.MAX_CONTEXT <= len(text) <= limits.MAX_CONTEXT + 1_000
    assert "tea at last" in text
    monkeypatch.setattr(_turns, "_CHUNKS", 1)
    monkeypatch.setattr(_turns, "_FEWEST_TURNS", 1)
    monkeypatch.setattr(_turns, "MAX_PIECE", 1)
    assert (await member.get(path, params={"query": "tea"})).json()["context"] == text


async def test_few_bytes_pass_while_many_wait() -> None:
    room = Room(10)
    await room.take(8)
    large = asyncio.create_task(room.take(5))
    await asyncio.sleep(0)
    await asyncio.wait_for(room.take(2), 1)
    assert not large.done()
    room.give(2)
    await asyncio.sleep(0)
    assert not large.done()
    room.give(8)
    await asyncio.wait_for(large, 1)


async def test_a_large_body_without_room_is_503_and_small_ones_pass(
    operator: httpx.AsyncClient,
    store: Database,
    acme: str,
    management_key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(middleware, "_ROOM_SECONDS", 0.05)
    monkeypatch.setattr(middleware, "MAX_FREE_BODY_BYTES", 1_000)
    monkeypatch.setattr(middleware, "MAX_BODIES_BYTES", 1)  # as much as the largest body
    app = create_app(store, max_body_bytes=100_000)
    append, go_on = TurnTable.append_turns, asyncio.Event()

    async def append_later(*args: Any, **settings: Any) -> None:
        await go_on.wait()
        await append(*args, **settings)

    monkeypatch.setattr(TurnTable, "append_turns", append_later)
    body = {"infer": "none", "messages": [{"role": "user", "content": repeat(90_000)}]}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", headers={"API-KEY": management_key}
    ) as client:
        first = asyncio.create_task(client.post(BATCH, json=body))
        await asyncio.sleep(0.2)
        second = await client.post(BATCH, json=body)
        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert (await client.post(SESSIONS, json={})).status_code == 201
        go_on.set()
        assert (await first).status_code == 200
        assert (await client.post(BATCH, json=body)).status_code == 200


async def test_a_body_of_very_many_values_is_refused(
    operator: httpx.AsyncClient, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await operator.post(SESSIONS, json={"junk": [0] * 30_000})
    assert answer.status_code == 201
    monkeypatch.setattr("spectronctl.server.http.bodies.MAX_BODY_VALUES", 30_000)
    answer = await operator.post(SESSIONS, json={"junk": [0] * 30_000})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "the body holds more than 30000 values"


async def test_the_description_says_the_bounds(stranger: httpx.AsyncClient) -> None:
    api = (await stranger.get("/openapi.json")).json()
    paths, shapes = api["paths"], api["components"]["schemas"]

    def read(operation: str, path: str) -> Any:
        body = paths[path][operation]["requestBody"]["content"]["application/json"]["schema"]
        return shapes[body["$ref"].rpartition("/")[2]]["properties"]

    fact = read("post", "/api/v1/{context_id}/facts")
    assert fact["text"]["maxLength"] == limits.MAX_FACT_BYTES
    batch = read("post", "/api/v1/{context_id}/facts/batch")
    assert batch["messages"]["maxItems"] == limits.MAX_MESSAGES
    session = read("post", "/api/v1/{context_id}/sessions")
    for fields in (fact, batch):
        assert str(limits.MAX_LABELS_BYTES) in fields["labels"]["description"]
    for fields in (fact, batch, session):
        assert str(limits.MAX_SCOPES_BYTES) in fields["scopes"]["description"]
    assert str(MAX_JSON_BYTES) in session["metadata"]["description"]
    key = read("post", "/api/v1/contexts/{context_id}/keys")
    assert "8 KiB" in key["scope_floor"]["description"]
    assert limits.MAX_SCOPES_BYTES == 8 * limits.KIB
    for operation, path in (("post", ""), ("patch", "")):
        config = read(operation, f"/api/v1/contexts/{{context_id}}{path}")["config"]
        assert "64 KiB of JSON, 5,000 names" in config["description"]
    assert MAX_JSON_BYTES == 64 * limits.KIB
