"""Facts and conversations over HTTP: what is kept, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.support.conversations import BATCH, FACTS, SESSIONS, open_session, read_turns, say

pytestmark = pytest.mark.anyio

HELLO = {"role": "user", "content": "hello"}


async def post(client: httpx.AsyncClient, path: str, body: Any) -> httpx.Response:
    """Send JSON that may hold half of a surrogate pair, which httpx would not."""
    headers = {"Content-Type": "application/json"}
    return await client.post(path, content=json.dumps(body).encode(), headers=headers)


async def list_sessions(client: httpx.AsyncClient) -> Any:
    return (await client.get(SESSIONS)).json()["sessions"]


async def test_a_fact_is_a_memory_and_the_turn_of_a_new_session(member: httpx.AsyncClient) -> None:
    answer = await member.post(FACTS, json={"infer": "none", "text": "Bo likes tea"})
    assert answer.status_code == 200
    kept = answer.json()
    assert kept.keys() == {"mode", "sessionId", "turnId", "chunkId"}
    assert kept["mode"] == "none"
    assert kept["chunkId"].startswith("memory_chunk:")
    (turn,) = await read_turns(member, kept["sessionId"])
    assert (turn["id"], turn["role"], turn["content"]) == (kept["turnId"], "user", "Bo likes tea")


async def test_a_fact_joins_a_session_as_it_says(member: httpx.AsyncClient) -> None:
    session = await open_session(member)
    for spelled in ("session_id", "sessionId"):
        body = {
            "infer": "none",
            "text": "tea it is",
            spelled: session["id"],
            "role": "assistant",
            "observed_at": "2020-01-01T00:00:00Z",
            "memory_category": "knowledge",
            "labels": ["source=chat"],
            "something": "else",
        }
        kept = await member.post(FACTS, json=body)
        assert (kept.status_code, kept.json()["sessionId"]) == (200, session["id"])
    turns = await read_turns(member, session["id"])
    assert [(turn["seq"], turn["role"], turn["createdAt"]) for turn in turns] == [
        (0, "assistant", "2020-01-01T00:00:00Z"),
        (1, "assistant", "2020-01-01T00:00:00Z"),
    ]


async def test_a_conversation_is_kept_whole_and_continued(member: httpx.AsyncClient) -> None:
    messages = [{"role": role, "content": role} for role in ("user", "assistant", "system", "tool")]
    body = {"infer": "none", "messages": messages, "extract": "per_message", "labels": ["a=b"]}
    answer = await member.post(BATCH, json=body)
    assert answer.status_code == 200
    kept = answer.json()
    assert kept.keys() == {"sessionId", "turnIds", "extractions"}
    assert kept["extractions"] == []
    again = await say(member, kept["sessionId"], "more")
    turns = await read_turns(member, kept["sessionId"])
    assert [turn["id"] for turn in turns] == kept["turnIds"] + again["turnIds"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "system", "tool", "user"]


@pytest.mark.parametrize("infer", [None, "full", "triples", "preview"])
@pytest.mark.parametrize("path", [FACTS, BATCH])
async def test_what_needs_a_model_is_501_and_keeps_nothing(
    member: httpx.AsyncClient, path: str, infer: str | None
) -> None:
    body: dict[str, Any] = {"text": "x", "messages": [HELLO]}
    if infer:
        body["infer"] = infer
    for _ in range(2):  # and the key stays free
        answer = await member.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 501
        assert answer.headers["content-type"] == "application/problem+json"
        assert "infer: none" in answer.json()["detail"]
    assert await list_sessions(member) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": None}, "text"),
        ({"text": " "}, "text"),
        ({"text": 7}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"infer": "some"}, "infer"),
        ({"infer": ["none"]}, "infer"),
        ({"role": "robot"}, "role"),
        ({"session_id": 7}, "session_id"),
        ({"session_id": "a", "sessionId": "b"}, "session_id, sessionId"),
        ({"memory_category": "gossip"}, "memory_category"),
        ({"observed_at": "today"}, "observed_at"),
        ({"labels": "a=b"}, "labels"),
        ({"labels": ["a=b"] * 65}, "labels"),
        ({"labels": ["a=b", "c"]}, "labels[1]"),
        ({"labels": ["=b"]}, "labels[0]"),
        ({"labels": [7]}, "labels[0]"),
        ({"labels": ["_a=b"]}, "labels[0]"),
        ({"labels": ["a=\ud800"]}, "labels[0]"),
        ({"scopes": 7}, "scopes"),
        ({"scopes": "org//acme"}, "scopes"),
        ({"scopes": [[]]}, "scopes"),
        ({"scope": [["org", 7]]}, "scope"),
        ({"scopes": "org/acme", "scope": "org/acme"}, "scopes, scope"),
    ],
)
async def test_a_bad_field_of_a_fact_is_named(
    operator: httpx.AsyncClient, acme: str, body: dict[str, Any], field: str
) -> None:
    answer = await post(operator, FACTS, {"infer": "none", "text": "x", **body})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert await list_sessions(operator) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": [0] * 10_001}, "messages"),
        ({"messages": [HELLO, "hello"]}, "messages[1]"),
        ({"messages": [HELLO, {"role": "user"}]}, "messages[1].content"),
        ({"messages": [HELLO, {"role": "user", "content": 7}]}, "messages[1].content"),
        ({"messages": [{"role": "bot", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": ""}]}, "messages[0].role"),
        ({"messages": [HELLO | {"ts": 1}]}, "messages[0].ts"),
        ({"messages": [HELLO | {"content": "\udfff"}]}, "messages[0].content"),
        ({"extract": "none"}, "extract"),
    ],
)
async def test_a_bad_field_of_a_conversation_is_named_and_nothing_is_kept(
    operator: httpx.AsyncClient, acme: str, body: dict[str, Any], field: str
) -> None:
    answer = await post(operator, BATCH, {"infer": "none", "messages": [HELLO], **body})
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert await list_sessions(operator) == []
