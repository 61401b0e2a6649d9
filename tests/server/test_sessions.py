"""Sessions over HTTP: created, shown, listed, deleted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.ground.ulids import make_ulid_bound
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.table import SessionTable
from tests.support.conversations import (
    FACTS,
    PLANE,
    SESSIONS,
    Admit,
    Connect,
    open_session,
    read_turns,
    say,
)

pytestmark = pytest.mark.anyio


async def list_ids(client: httpx.AsyncClient, **params: Any) -> list[str]:
    """The ids of every page."""
    ids: list[str] = []
    while True:
        answer = await client.get(SESSIONS, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [session["id"] for session in page["sessions"]]
        assert page["hasMore"] == (page["nextCursor"] is not None)
        if page["nextCursor"] is None:
            return ids
        params = params | {"cursor": page["nextCursor"]}


async def test_a_session_is_shown_as_it_was_created(member: httpx.AsyncClient) -> None:
    metadata = {"title": "é😀", "nested": [1, None, {"a": None}], "when": "2026-01-01T00:00:00Z"}
    made = await open_session(member, metadata=metadata, scopes="org/acme/user/bo/")
    assert re.fullmatch("session:[0-9A-Z]{26}", made["id"])
    assert made.keys() == {"id", "scopes", "metadata", "turnCount", "createdAt", "lastTurnAt"}
    assert made["scopes"] == [["org/acme/user/bo"]]
    assert made["metadata"] == metadata
    assert made["turnCount"] == 0
    assert made["createdAt"].endswith("Z")
    age = datetime.now(UTC) - datetime.fromisoformat(made["createdAt"])
    assert timedelta(0) <= age < timedelta(minutes=1)
    shown = await member.get(f"{SESSIONS}/{made['id']}")
    assert (shown.status_code, shown.json()) == (200, made)


async def test_a_session_needs_no_body(member: httpx.AsyncClient) -> None:
    for sent in ({}, {"content": b"", "headers": {"Content-Type": "text/plain"}}):
        answer = await member.post(SESSIONS, **sent)  # type: ignore[arg-type]
        assert answer.status_code == 201
        assert answer.json()["scopes"] == [["org/acme"]]
        assert answer.json()["metadata"] is None


async def test_fields_that_are_not_documented_are_passed_over(member: httpx.AsyncClient) -> None:
    assert "title" not in await open_session(member, title="x")


async def test_the_number_of_turns_is_shown(member: httpx.AsyncClient) -> None:
    session = await open_session(member)
    await say(member, session["id"], "a", "b")
    shown = await member.get(f"{SESSIONS}/{session['id']}")
    last = (await read_turns(member, session["id"]))[-1]["createdAt"]
    assert shown.json() == session | {"turnCount": 2, "lastTurnAt": last}
    assert session["lastTurnAt"] is None


@pytest.mark.parametrize(
    "name", ["session:01ARZ3NDEKTSV4RRFFQ69G5FAV", "session:x", "x", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]
)
async def test_an_unknown_session_is_404_everywhere(member: httpx.AsyncClient, name: str) -> None:
    url = f"{SESSIONS}/{name}"
    answers = [
        await member.get(url),
        await member.delete(url),
        await member.get(f"{url}/turns"),
        await member.get(f"{url}/context", params={"query": "x"}),
        await member.post(f"{url}/context", json={"query": "x"}),
        await member.post(FACTS, json={"infer": "none", "text": "x", "session_id": name}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 6
    assert {answer.json()["detail"] for answer in answers} == {f"no session {name}"}


async def test_a_deleted_session_is_gone_with_its_turns_and_memories(
    member: httpx.AsyncClient, operator: httpx.AsyncClient, store: Any, context: ContextRow
) -> None:
    kept, deleted = await open_session(member), await open_session(member)
    for session in (kept, deleted):
        await say(member, session["id"], "a", "b")
        body = {"infer": "none", "text": "c", "session_id": session["id"]}
        assert (await member.post(FACTS, json=body)).status_code == 200
    gone = await operator.delete(f"{SESSIONS}/{deleted['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await member.get(f"{SESSIONS}/{deleted['id']}")).status_code == 404
    assert (await member.delete(f"{SESSIONS}/{deleted['id']}")).status_code == 404
    assert await list_ids(member) == [kept["id"]]
    assert len(await read_turns(member, kept["id"])) == 3
    at = Binding(context.namespace, context.database)
    for table, left in (("turn", 3), ("memory_chunk", 1), ("session", 1)):
        (rows,) = await store.query(f"SELECT session_id FROM {table};", at=at)
        assert [row["session_id"] for row in rows] == [kept["id"]] * left, table


async def test_only_a_key_that_may_forget_deletes_a_session_with_memories(
    member: httpx.AsyncClient, operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    session = await open_session(member)
    url = f"{SESSIONS}/{session['id']}"
    fact = {"infer": "none", "text": "Bo likes tea", "session_id": session["id"]}
    assert (await member.post(FACTS, json=fact)).status_code == 200
    refused = await member.delete(url)
    assert refused.status_code == 403
    assert "supervisor" in refused.json()["detail"]
    assert len(await read_turns(member, session["id"])) == 1
    listed = (await member.post(f"{PLANE}/query", json={"query": "tea"})).json()
    assert [hit["text"] for hit in listed["hits"]] == ["Bo likes tea"], "nothing is half deleted"
    body = {"name": "boss", "principal": "supervisor", "scope_floor": {"org": "acme"}}
    made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
    assert (await connect(made.json()["secret"]).delete(url)).status_code == 204
    assert (await member.get(url)).status_code == 404


async def test_a_session_without_memories_takes_the_right_to_write(
    member: httpx.AsyncClient,
) -> None:
    session = await open_session(member)
    await say(member, session["id"], "a turn is not a memory")
    assert (await member.delete(f"{SESSIONS}/{session['id']}")).status_code == 204


async def test_pages_follow_one_another_in_the_order_of_creation(
    member: httpx.AsyncClient,
) -> None:
    made = [(await open_session(member))["id"] for _ in range(7)]
    assert made == sorted(made)
    for limit in (1, 3, 7, 8):
        assert await list_ids(member, limit=limit) == made


async def test_sessions_that_come_and_go_neither_repeat_nor_hide_others(
    member: httpx.AsyncClient,
) -> None:
    made = [(await open_session(member))["id"] for _ in range(4)]
    first = (await member.get(SESSIONS, params={"limit": 2})).json()
    await member.delete(f"{SESSIONS}/{made[1]}")
    later = (await open_session(member))["id"]
    assert await list_ids(member, limit=2, cursor=first["nextCursor"]) == [*made[2:], later]


@pytest.mark.parametrize("limit", ["0", "501", "x", "-1"])
async def test_a_bad_limit_is_400(member: httpx.AsyncClient, limit: str) -> None:
    answer = await member.get(SESSIONS, params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("limit: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cursor", "nonsense"),
        ("cursor", ""),
        ("since", "yesterday"),
        ("since", "2026-01-01"),
        ("until", "2026-01-01T00:00:00"),
        ("scope", "org/*"),
        ("scope", ""),
    ],
)
async def test_a_bad_filter_is_named(member: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await member.get(SESSIONS, params={name: value})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}: ")


async def make_at(store: Database, context: ContextRow, *moments: datetime) -> list[str]:
    """Sessions made at those moments."""
    ids = []
    for moment in moments:
        bound = make_ulid_bound(round(moment.timestamp() * 1000))
        row = SessionRow(id=f"session:{bound}{'0' * 15}7", scopes=[["org/acme"]])
        await SessionTable(store).create_session(context, row, receipt=None)
        ids.append(row.id)
    return ids


async def test_since_and_until_are_inclusive_to_the_millisecond(
    member: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    tick = timedelta(milliseconds=1)
    early, exact, late = await make_at(store, context, noon - tick, noon, noon + tick)
    shown = (await member.get(f"{SESSIONS}/{exact}")).json()
    assert shown["createdAt"] == "2026-01-15T12:00:00Z"
    at = "2026-01-15T12:00:00Z"
    assert await list_ids(member, since=at) == [exact, late]
    assert await list_ids(member, until=at) == [early, exact]
    assert await list_ids(member, since=at, until=at, limit=1) == [exact]
    assert await list_ids(member, since="2026-01-15T12:00:00.0001Z") == [late]
    assert await list_ids(member, until="2026-01-15T13:00:00.0009+01:00") == [early, exact]
    assert await list_ids(member, since=at, limit=1) == [exact, late]
    assert await list_ids(member, since="1969-01-01T00:00:00Z", until="9999-12-31T23:59:59Z") == [
        early,
        exact,
        late,
    ]


async def test_a_scope_filter_takes_the_path_and_what_is_below_it(
    operator: httpx.AsyncClient, acme: str
) -> None:
    at_acme = (await open_session(operator, scopes="org/acme"))["id"]
    below = (await open_session(operator, scopes=[["clear/a", "org/acme/user/bo"]]))["id"]
    await open_session(operator, scopes="org/acme-two")
    nowhere = (await open_session(operator))["id"]
    assert await list_ids(operator, scope="/org/acme/") == [at_acme, below]
    assert await list_ids(operator, scope="org/acme/user") == [below]
    assert nowhere in await list_ids(operator)


async def test_a_page_is_filled_past_the_sessions_of_others(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, admit: Admit
) -> None:
    beta = await admit("beta", "org/beta")
    base = datetime(2026, 1, 1, tzinfo=UTC)
    await make_at(store, context, *(base + timedelta(seconds=n) for n in range(520)))
    mine = [(await open_session(beta))["id"] for _ in range(3)]
    assert await list_ids(beta, limit=2) == mine
    assert len(await list_ids(operator, limit=500)) == 523


async def test_a_session_from_elsewhere_keeps_its_time(member: httpx.AsyncClient) -> None:
    new = await open_session(member)
    old = await open_session(member, createdAt="2026-01-02T03:04:05.678901Z")
    same = await open_session(member, created_at="2026-01-02T03:04:05.678Z")
    assert {old["createdAt"], same["createdAt"]} == {"2026-01-02T03:04:05.678000Z"}
    assert old["id"] != same["id"]
    assert await list_ids(member) == sorted([old["id"], same["id"], new["id"]])
    assert await list_ids(member, until="2026-02-01T00:00:00Z") == sorted([old["id"], same["id"]])


@pytest.mark.parametrize("moment", ["1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "yesterday", 1])
async def test_a_session_is_not_of_a_time_that_cannot_be(
    member: httpx.AsyncClient, moment: Any
) -> None:
    refused = await member.post(SESSIONS, json={"createdAt": moment})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("created_at")
