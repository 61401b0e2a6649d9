"""Recall over HTTP: what is found, in which order, and by whom."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.registry.rows import ContextRow
from tests.support.conversations import FACTS, PLANE, Admit
from tests.support.embeddings_endpoint import Endpoint
from tests.support.reindexing import choose, run

pytestmark = pytest.mark.anyio

QUERY = f"{PLANE}/query"
TEXTS = (
    "The plants are watered on Fridays",
    "Bo prefers green tea in the morning",
    "Invoices are due on the first of the month",
    "The office closes at noon on Christmas Eve",
)


async def keep(client: httpx.AsyncClient, *texts: str, **fields: Any) -> list[str]:
    ids = []
    for text in texts:
        answer = await client.post(FACTS, json={"infer": "none", "text": text, **fields})
        assert answer.status_code == 200, answer.text
        ids.append(answer.json()["chunkId"])
    return ids


async def ask(client: httpx.AsyncClient, query: str, **fields: Any) -> Any:
    answer = await client.post(QUERY, json={"query": query, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def find(client: httpx.AsyncClient, query: str, **fields: Any) -> list[str]:
    return [hit["text"] for hit in (await ask(client, query, **fields))["hits"]]


@pytest.mark.parametrize("mode", [None, "hybrid", "vector", "bm25"])
async def test_what_comes_nearest_comes_first(
    mode: str | None, operator: httpx.AsyncClient, acme: str
) -> None:
    await keep(operator, *TEXTS)
    assert (await find(operator, "green tea", mode=mode))[0] == TEXTS[1]


async def test_other_forms_of_a_word_are_found_by_vectors_only(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await keep(operator, *TEXTS)
    assert (await find(operator, "watering a plant", mode="vector"))[0] == TEXTS[0]
    assert TEXTS[0] not in await find(operator, "watering plant", mode="bm25")


async def test_the_answer_has_the_described_shape(operator: httpx.AsyncClient, acme: str) -> None:
    ids = await keep(operator, *TEXTS)
    answer = await ask(operator, "invoices", k=2)
    first, second = answer["hits"]
    assert first.keys() == {"id", "text", "source", "score"}
    assert (first["id"], first["source"]) == (ids[2], "memory_chunk")
    assert first["score"] > second["score"]
    assert (answer["tier"], answer["classificationKind"]) == ("hybrid", "hybrid")
    assert answer["seedEntities"] == []
    assert answer["queryMs"] >= 0
    trace = answer["trace"]
    assert trace.keys() == {
        "traceId",
        "resolutionTier",
        "tierReason",
        "latencyMs",
        "retrievedCount",
        "topScores",
    }
    assert trace["retrievedCount"] == 4
    assert trace["topScores"] == [first["score"], second["score"]]


async def test_no_memories_are_no_hits(operator: httpx.AsyncClient, acme: str) -> None:
    assert await find(operator, "tea") == []


async def test_hits_are_ten_unless_said_and_fifty_at_most(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await keep(operator, *(f"note number {number}" for number in range(55)))
    assert len(await find(operator, "note")) == 10
    assert len(await find(operator, "note", k=3)) == 3
    assert len(await find(operator, "note", k=1000)) == 50


async def test_a_key_finds_what_it_may_read(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    await keep(operator, "tea of acme", scopes="org/acme/team/a")
    await keep(operator, "tea of others", scopes="org/other")
    await keep(operator, "tea of others")
    for mode in ("hybrid", "vector", "bm25"):
        assert await find(member, "tea", mode=mode) == ["tea of acme"]
        assert len(await find(operator, "tea", mode=mode)) == 3


async def test_a_lens_narrows_and_never_widens(
    operator: httpx.AsyncClient, member: httpx.AsyncClient
) -> None:
    await keep(operator, "tea of a", scopes="org/acme/team/a")
    await keep(operator, "tea of b", scopes="org/acme/team/b")
    await keep(operator, "tea of others", scopes="org/other")
    assert await find(member, "tea", lens="org/acme/team/a") == ["tea of a"]
    assert await find(member, "tea", lens=[["org/acme/team/b"]]) == ["tea of b"]
    assert await find(member, "tea", lens="org/other") == []
    assert await find(operator, "tea", lens=["org/other", "org/acme/team/a"], mode="bm25") in (
        ["tea of a", "tea of others"],
        ["tea of others", "tea of a"],
    )
    assert await find(operator, "tea", lens=[["org/other", "org/acme"]]) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "query"),
        ({"query": "  "}, 400, "query"),
        ({"query": 7}, 400, "query"),
        ({"query": "x" * 10_001}, 400, "query"),
        ({"query": "\ud800"}, 400, "query"),
        ({"query": "tea", "k": 0}, 400, "k"),
        ({"query": "tea", "k": True}, 400, "k"),
        ({"query": "tea", "k": 2.5}, 400, "k"),
        ({"query": "tea", "mode": "magic"}, 400, "mode"),
        ({"query": "tea", "mode": ["vector"]}, 400, "mode"),
        ({"query": "tea", "mode": ""}, 400, "mode"),
        ({"query": "tea", "mode": "graph"}, 501, "mode"),
        ({"query": "tea", "lens": 7}, 400, "lens"),
    ],
)
async def test_a_query_that_cannot_be_asked_names_its_field(
    body: dict[str, Any], status: int, field: str, operator: httpx.AsyncClient, acme: str
) -> None:
    import json

    headers = {"Content-Type": "application/json"}
    refused = await operator.post(QUERY, content=json.dumps(body).encode(), headers=headers)
    assert refused.status_code == status
    assert refused.json()["detail"].startswith(f"{field}: ")


@pytest.fixture
async def remote(
    endpoint: Endpoint,
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    at_work: None,
) -> Endpoint:
    """The context's memories, indexed by an embedder that is reached over HTTP."""
    await keep(operator, *TEXTS)
    await choose(operator, endpoint)
    ended = await run(operator, store)
    assert ended.status == "succeeded", ended.error
    assert ended.payload == {"embedder": "standin/small"}
    return endpoint


async def test_memories_and_queries_are_embedded_by_what_made_the_index(
    remote: Endpoint, operator: httpx.AsyncClient
) -> None:
    await keep(operator, "a new memory")
    assert remote.asked["a new memory"] == 1
    # The stand-in's vectors know no likeness: only the very text is near.
    for text in (TEXTS[2], "a new memory"):
        assert (await find(operator, text, mode="vector"))[0] == text


async def test_a_query_is_asked_of_the_provider_once(
    remote: Endpoint, operator: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await find(operator, "when is tea?", mode="vector")
    assert remote.asked["when is tea?"] == 1


async def test_another_model_in_the_config_counts_after_a_reindex_only(
    remote: Endpoint, operator: httpx.AsyncClient
) -> None:
    change = {"config": {"models": {"embedding": "local/hashing"}}}
    await operator.patch("/api/v1/contexts/acme-prod", json=change)
    await keep(operator, "a new memory")
    assert remote.asked["a new memory"] == 1
    assert (await find(operator, TEXTS[0], mode="vector"))[0] == TEXTS[0]


async def test_without_its_provider_recall_goes_by_words_and_says_so(
    remote: Endpoint, operator: httpx.AsyncClient
) -> None:
    change = {"config": {"providers": {"standin": None}}}
    await operator.patch("/api/v1/contexts/acme-prod", json=change)
    answer = await ask(operator, "green tea")
    assert [hit["text"] for hit in answer["hits"]] == [TEXTS[1]]
    assert "config.providers.standin" in answer["trace"]["tierReason"]
    refused = await operator.post(QUERY, json={"query": "green tea", "mode": "vector"})
    assert refused.status_code == 503
    assert "config.providers.standin" in refused.json()["detail"]
    assert (await keep(operator, "kept all the same"))[0]
    assert (await find(operator, "kept all the same"))[0] == "kept all the same"


async def test_a_provider_that_fails_keeps_no_memory_out(
    remote: Endpoint, operator: httpx.AsyncClient
) -> None:
    remote.behave(fail_times=None, status=401)
    assert await keep(operator, "said while it failed")
    remote.behave(fail_times=0)
    assert (await find(operator, "said while it failed", mode="bm25"))[0] == "said while it failed"
    found = await operator.post(f"{PLANE}/fsck", json={"check": "broken_references"})
    assert [each["field"] for each in found.json()["brokenReferences"]] == ["vector"]


async def test_no_key_no_answer(stranger: httpx.AsyncClient, acme: str, admit: Admit) -> None:
    assert (await stranger.post(QUERY, json={"query": "tea"})).status_code == 401
    other = await admit("other", {"org": "other"})
    assert await find(other, "tea") == []


@pytest.mark.parametrize(
    ("lens", "found"),
    [
        ("org/acme/*", {"a", "b"}),
        ("org/acme", {"a", "b"}),
        (["org/acme/bo/*", "/*"], {"a", "b", "c", "d"}),
        ([["org/*", "*"]], {"a", "b", "c"}),
        ("*", {"a", "b", "c", "d"}),
    ],
)
async def test_a_lens_may_be_a_pattern(
    lens: Any, found: set[str], operator: httpx.AsyncClient, acme: str
) -> None:
    for text, scopes in (("a", "org/acme"), ("b", "org/acme/bo"), ("c", "org/x"), ("d", "user")):
        await keep(operator, f"{text} tea", scopes=[scopes])
    hits = await find(operator, "tea", lens=lens, mode="bm25")
    assert {text[0] for text in hits} == found


async def test_a_star_elsewhere_in_a_lens_is_400(operator: httpx.AsyncClient, acme: str) -> None:
    answer = await operator.post(QUERY, json={"query": "tea", "lens": "org/*/bo"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("lens: must be a path")


async def test_a_blocked_context_asks_no_model_and_the_rest_goes_on(
    remote: Endpoint, operator: httpx.AsyncClient, admit: Admit
) -> None:
    member = await admit("reader", None)
    assert (await find(member, TEXTS[2], mode="vector"))[0] == TEXTS[2]
    await operator.patch("/api/v1/contexts/acme-prod", json={"enforcement_blocked": True})
    asked = remote.count()["requests"]
    for client in (member, operator):
        refused = await client.post(QUERY, json={"query": "green tea", "mode": "vector"})
        assert refused.status_code == 429
        assert refused.json()["type"].endswith("/rate-limited")
        assert "enforcement_blocked" in refused.json()["detail"]
        assert "retry-after" not in refused.headers
        found = await ask(client, "green tea")
        assert found["hits"][0]["text"] == TEXTS[1]
        assert "enforcement_blocked" in found["trace"]["tierReason"]
    await keep(member, "kept without a vector")
    assert await find(member, "kept without", mode="bm25") == ["kept without a vector"]
    # What a model was asked before is cached.
    assert (await find(member, TEXTS[2], mode="vector"))[0] == TEXTS[2]
    assert remote.count()["requests"] == asked
    await operator.patch("/api/v1/contexts/acme-prod", json={"enforcement_blocked": False})
    assert (await member.post(QUERY, json={"query": "green tea", "mode": "vector"})).is_success


async def test_a_blocked_context_still_uses_a_model_of_this_process(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await operator.patch("/api/v1/contexts/acme-prod", json={"enforcement_blocked": True})
    await keep(operator, *TEXTS)
    assert (await find(operator, "green tea", mode="vector"))[0] == TEXTS[1]
