"""Transcripts over HTTP: every turn once, in order, whatever the page and the other writers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Binding, Database
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.turns import PAGE
from tests.support.conversations import BATCH, FACTS, SESSIONS, open_session, read_turns, say

pytestmark = pytest.mark.anyio


async def test_turns_come_as_documented(member: httpx.AsyncClient) -> None:
    session = await open_session(member)
    messages = [
        {"role": "system", "content": 'Be kind.\0\u2028 é😀 "quoted" </script>'},
        {"role": "user", "content": "", "ts": "2026-01-15T12:00:00.25+01:00"},
    ]
    body = {"infer": "none", "session_id": session["id"], "messages": messages}
    kept = (await member.post(BATCH, json=body)).json()
    first, second = await read_turns(member, session["id"])
    assert first.keys() == {"id", "session", "role", "content", "seq", "createdAt"}
    assert [first["id"], second["id"]] == kept["turnIds"]
    assert (first["session"], first["role"], first["seq"]) == (session["id"], "system", 0)
    assert first["content"] == messages[0]["content"]
    assert datetime.fromisoformat(first["createdAt"]).tzinfo == UTC
    assert (second["content"], second["seq"]) == ("", 1)
    assert second["createdAt"] == "2026-01-15T11:00:00.250Z"


async def test_pages_are_cut_by_limit_and_offset(member: httpx.AsyncClient) -> None:
    kept = await say(member, None, *(str(n) for n in range(620)))
    session_id = kept["sessionId"]

    async def seqs(**page: int) -> list[int]:
        return [turn["seq"] for turn in await read_turns(member, session_id, **page)]

    assert await seqs() == list(range(100))
    assert await seqs(limit=0) == []
    assert await seqs(limit=2, offset=618) == [618, 619]
    assert await seqs(limit=500, offset=300) == list(range(300, 620))
    assert await seqs(limit=501) == list(range(500))
    assert await seqs(limit=2**31) == list(range(500))
    assert await seqs(offset=620) == await seqs(offset=2**63 - 1) == []


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "-1"), ("limit", "x"), ("offset", "-1"), ("offset", str(2**63))]
)
async def test_a_bad_page_is_400(member: httpx.AsyncClient, name: str, value: str) -> None:
    session = await open_session(member)
    answer = await member.get(f"{SESSIONS}/{session['id']}/turns", params={name: value})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}: ")


async def test_writers_at_once_leave_no_gap_and_share_no_number(member: httpx.AsyncClient) -> None:
    session = await open_session(member)
    other = await open_session(member)

    async def write(writer: int) -> Any:
        texts = [f"{writer}.{n}" for n in range(5)]
        return await say(member, session["id"], *texts)

    async def remember(writer: int) -> None:
        body = {"infer": "none", "text": f"fact {writer}", "session_id": session["id"]}
        assert (await member.post(FACTS, json=body)).status_code == 200

    await asyncio.gather(
        *(write(n) for n in range(10)),
        *(remember(n) for n in range(5)),
        say(member, other["id"], "elsewhere"),
    )
    turns = await read_turns(member, session["id"], limit=500)
    assert [turn["seq"] for turn in turns] == list(range(55))
    texts = [turn["content"] for turn in turns]
    for writer in range(10):
        start = texts.index(f"{writer}.0")
        assert texts[start : start + 5] == [f"{writer}.{n}" for n in range(5)]
    assert [turn["seq"] for turn in await read_turns(member, other["id"])] == [0]


async def test_an_append_that_meets_a_deletion_is_404_or_gone_with_it(
    member: httpx.AsyncClient, operator: httpx.AsyncClient, store: Any, context: ContextRow
) -> None:
    for _ in range(5):
        session_id = (await open_session(member))["id"]
        body = {"infer": "none", "text": "x", "session_id": session_id}
        answers = await asyncio.gather(
            *(member.post(FACTS, json=body) for _ in range(4)),
            operator.delete(f"{SESSIONS}/{session_id}"),
            *(member.post(FACTS, json=body) for _ in range(4)),
        )
        assert {answer.status_code for answer in answers} <= {200, 204, 404}
    at = Binding(context.namespace, context.database)
    for table in ("session", "turn", "memory_chunk"):
        assert await store.query(f"SELECT * FROM {table};", at=at) == [[]]


async def test_a_deletion_without_the_right_to_forget_takes_no_memory_that_is_being_written(
    member: httpx.AsyncClient, store: Any, context: ContextRow
) -> None:
    kept = 0
    for _ in range(10):
        session_id = (await open_session(member))["id"]
        body = {"infer": "none", "text": "x", "session_id": session_id}
        said, gone = await asyncio.gather(
            member.post(FACTS, json=body), member.delete(f"{SESSIONS}/{session_id}")
        )
        assert (said.status_code, gone.status_code) in {(200, 403), (404, 204)}
        kept += said.is_success
    at = Binding(context.namespace, context.database)
    for table in ("session", "turn", "memory_chunk"):
        (rows,) = await store.query(f"SELECT * FROM {table};", at=at)
        assert len(rows) == kept


async def examine(store: Any, context: ContextRow, session_id: str, offset: int) -> Any:
    """How the engine reads a page: the plan's lowest step."""
    page = {"session_id": session_id, "offset": offset, "limit": 100}
    at = Binding(context.namespace, context.database)
    (plan,) = await store.query(f"{PAGE} EXPLAIN FULL;", page, at=at)
    while plan.get("children"):
        (plan,) = plan["children"]
    return plan


async def test_a_deep_page_reads_no_more_of_the_index_than_the_first(
    member: httpx.AsyncClient, store: Any, context: ContextRow
) -> None:
    session_id = (await say(member, None, *(str(n) for n in range(300))))["sessionId"]
    at = Binding(context.namespace, context.database)
    # A session of 90,300 turns, of which the middle is not needed to see how its end is found.
    await store.query("UPDATE session SET turn_count = 90_000;", at=at)
    await say(member, session_id, *(str(n) for n in range(300)))
    first = await examine(store, context, session_id, 0)
    deep = await examine(store, context, session_id, 90_000)
    for plan in (first, deep):
        assert plan["operator"] == "IndexScan"
        assert plan["attributes"]["index"] == "turn_page"
        assert plan["metrics"]["output_rows"] == 100
    (turn,) = await read_turns(member, session_id, offset=90_000, limit=1)
    assert turn["seq"] == 90_000


async def test_a_batch_is_one_write_however_many_its_messages(
    member: httpx.AsyncClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await open_session(member)
    database = store
    asked: list[str] = []
    query = database.query

    async def note(text: str, *words: Any, **settings: Any) -> Any:
        asked.append(text)
        return await query(text, *words, **settings)

    monkeypatch.setattr(database, "query", note)
    await say(member, session["id"], *(str(n) for n in range(500)), **{"Idempotency-Key": "k"})
    assert sum("CREATE turn" in text for text in asked) == 1
    assert len(asked) <= 6, asked
