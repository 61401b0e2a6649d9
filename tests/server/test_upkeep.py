"""Upkeep on the data plane: what a key may take out, and what fsck finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Database
from spectronctl.server.index.table import SearchTable
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.rows import ContextRow
from tests.support.conversations import PLANE, SESSIONS, Connect, open_session, say
from tests.support.memories import remember

pytestmark = pytest.mark.anyio

DECAY, EXPIRE, FSCK = f"{PLANE}/lifecycle/decay", f"{PLANE}/lifecycle/expire", f"{PLANE}/fsck"
OLD = datetime.now(UTC) - timedelta(days=30)


@pytest.fixture
async def supervisor(operator: httpx.AsyncClient, connect: Connect, acme: str) -> httpx.AsyncClient:
    """A client whose key is a supervisor's, confined to `org/acme`."""
    body = {"name": "boss", "principal": "supervisor", "scope_floor": {"org": "acme"}}
    made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
    return connect(made.json()["secret"])


@pytest.mark.parametrize("path", [DECAY, EXPIRE])
async def test_a_supervisor_takes_out_what_is_old_where_it_may_write(
    path: str,
    supervisor: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
) -> None:
    await remember(store, context, "ours", category="context", at=OLD)
    await remember(store, context, "theirs", category="context", at=OLD, scopes=[["org/other"]])
    answer = await supervisor.post(path)
    assert (answer.status_code, answer.json()) == (200, {"affected": 1})
    left = await SearchTable(store).list_chunks(context, WHOLE, after="", limit=5)
    assert [each.text for each in left] == ["theirs"]
    assert (await operator.post(path)).json() == {"affected": 1}


async def test_a_preview_counts_and_takes_out_nothing(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    await remember(store, context, "old", "older", category="context", at=OLD)
    for _ in range(2):
        answer = await operator.get(EXPIRE)
        assert (answer.status_code, answer.json()) == (200, {"affected": 2})
    assert await SearchTable(store).count_chunks(context, WHOLE) == 2
    assert (await operator.post(EXPIRE)).json() == {"affected": 2}


@pytest.mark.parametrize(("method", "path"), [("POST", DECAY), ("POST", EXPIRE), ("GET", EXPIRE)])
async def test_an_agent_may_not_forget(
    method: str, path: str, agent: dict[str, Any], connect: Connect, stranger: httpx.AsyncClient
) -> None:
    refused = await connect(agent["secret"]).request(method, path)
    assert refused.status_code == 403
    assert "supervisor" in refused.json()["detail"]
    assert (await stranger.request(method, path)).status_code == 401


async def test_a_context_without_fault_has_no_findings(
    operator: httpx.AsyncClient, acme: str
) -> None:
    answer = await operator.post(FSCK)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "duplicates": [],
            "contradictions": [],
            "injection": [],
            "unscopedContent": [],
            "brokenReferences": [],
            "total": 0,
        },
    )


async def test_the_same_words_are_duplicates_within_the_same_scopes(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    texts = ("Bo likes tea", "something else", "bo  LIKES\ntea")
    first, _, again = await remember(store, context, *texts)
    await remember(store, context, "Bo likes tea", scopes=[["org/other"]])
    found = (await operator.post(FSCK, json={"check": "duplicates"})).json()
    assert found["duplicates"] == [{"entityA": first, "entityB": again, "similarity": 1.0}]
    assert found["total"] == 1


async def test_near_duplicates_are_found_by_their_vectors(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    texts = (
        "the quick brown fox jumps over the lazy dog",
        "the quick brown fox jumped over the lazy dogs",
        "invoices are due on the first of the month",
    )
    ids = await remember(store, context, *texts, vectors=await HashingEmbedder().embed(texts))
    body = {"check": "duplicates", "duplicateThreshold": 0.6}
    (pair,) = (await operator.post(FSCK, json=body)).json()["duplicates"]
    assert (pair["entityA"], pair["entityB"]) == (ids[0], ids[1])
    assert 0.6 <= pair["similarity"] < 1
    strict = body | {"duplicateThreshold": 0.999}
    assert (await operator.post(FSCK, json=strict)).json()["duplicates"] == []


async def test_what_has_no_scopes_is_counted_with_samples(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    ids = await remember(store, context, *(f"number {n}" for n in range(12)), scopes=[])
    found = (await operator.post(FSCK, json={"check": "unscoped_content"})).json()
    sessions, chunks = found["unscopedContent"]
    assert (sessions["table"], sessions["count"]) == ("session", 1)
    assert (chunks["table"], chunks["count"]) == ("memory_chunk", 12)
    assert chunks["sampleIds"] == ids[:10]
    assert found["total"] == 13


async def test_a_memory_whose_session_turn_or_vector_is_gone_is_named(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    texts = ("one", "two")
    one, two = await remember(store, context, *texts, vectors=await HashingEmbedder().embed(texts))
    whole = await operator.post(FSCK, json={"check": "broken_references"})
    assert whole.json()["brokenReferences"] == []
    session = (await operator.get(SESSIONS)).json()["sessions"][0]["id"]
    (turns,) = await query_context(
        store, context, "SELECT VALUE turn_id FROM turn ORDER BY turn_id", {}
    )
    for text in (
        f"DELETE session:['{session}'] RETURN NONE",
        f"DELETE type::record('{turns[0]}') RETURN NONE",
        f"UPDATE search_a:['{two}'] SET vector = NONE RETURN NONE",
    ):
        await query_context(store, context, text, {})
    found = (await operator.post(FSCK, json={"check": "broken_references"})).json()
    assert sorted(map(tuple, (each.values() for each in found["brokenReferences"]))) == sorted(
        [
            (one, "sessionId", session),
            (two, "sessionId", session),
            (one, "turnId", turns[0]),
            (two, "vector", "search_a"),
        ]
    )
    assert found["total"] == 4


async def test_a_key_sees_findings_of_its_own_region(
    supervisor: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    await remember(store, context, "same", "same")
    await remember(store, context, "same", "same", scopes=[["org/other"]])
    await remember(store, context, "untagged", scopes=[])
    found = (await supervisor.post(FSCK)).json()
    assert len(found["duplicates"]) == 1
    assert found["unscopedContent"] == []
    assert len(found["brokenReferences"]) == 2, "the two that have no vector"


async def test_findings_of_a_kind_are_as_many_as_asked_for(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    await remember(store, context, *("same" for _ in range(6)))
    found = (await operator.post(FSCK, json={"maxResults": 2})).json()
    assert (len(found["duplicates"]), len(found["brokenReferences"])) == (2, 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"check": "everything"}, "check"),
        ({"check": 7}, "check"),
        ({"duplicateThreshold": 0}, "duplicateThreshold"),
        ({"duplicateThreshold": 1.5}, "duplicateThreshold"),
        ({"duplicateThreshold": True}, "duplicateThreshold"),
        ({"duplicateThreshold": "0.9"}, "duplicateThreshold"),
        ({"maxResults": 0}, "maxResults"),
        ({"maxResults": 2.5}, "maxResults"),
        ({"maxResults": 10_001}, "maxResults"),
    ],
)
async def test_what_fsck_cannot_look_for_is_400(
    body: dict[str, Any], field: str, operator: httpx.AsyncClient, acme: str
) -> None:
    refused = await operator.post(FSCK, json=body)
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith(f"{field}: must be")


async def test_a_deleted_session_takes_its_memories_out_of_recall(
    operator: httpx.AsyncClient, store: Database, context: ContextRow
) -> None:
    session = await open_session(operator)
    await say(operator, session["id"], "hello")
    fact = {"infer": "none", "text": "Bo likes tea", "session_id": session["id"]}
    assert (await operator.post(f"{PLANE}/facts", json=fact)).status_code == 200
    assert (await operator.delete(f"{SESSIONS}/{session['id']}")).status_code == 204
    left = await query_context(store, context, "SELECT * FROM search_a", {})
    assert left == [[]]
