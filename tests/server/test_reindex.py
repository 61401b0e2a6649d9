"""Reindexing with a worker in this process: what serves meanwhile, and what is left when it does not end well."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.index import reindex
from spectronctl.server.index.rows import Build
from spectronctl.server.index.table import SearchTable
from spectronctl.server.jobs import worker
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow
from tests.support.conversations import FACTS, PLANE
from tests.support.embeddings_endpoint import KEY, Endpoint
from tests.support.memories import remember, wait_until_finished
from tests.support.reindexing import LIFECYCLE, choose, count_unindexed, run, start

pytestmark = pytest.mark.anyio

QUERY = f"{PLANE}/query"
WORDS = [
    "tea",
    "coffee",
    "plant",
    "invoice",
    "office",
    "garden",
    "train",
    "friday",
    "morning",
    "month",
    "paper",
    "winter",
]


@pytest.fixture(autouse=True)
def quickly(no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, and no long waits between signs of life."""
    monkeypatch.setattr(reindex, "BATCH", 8)


def make_texts(count: int) -> list[str]:
    chance = random.Random(7)
    return [f"note {number}: {' '.join(chance.choices(WORDS, k=8))}" for number in range(count)]


async def fill(store: Database, context: ContextRow, count: int) -> list[str]:
    texts = make_texts(count)
    await remember(store, context, *texts, vectors=await HashingEmbedder().embed(texts))
    return texts


async def find_all(operator: httpx.AsyncClient, queries: Sequence[str]) -> list[list[Any]]:
    found = []
    for mode in ("hybrid", "vector", "bm25"):
        for query in queries:
            answer = await operator.post(QUERY, json={"query": query, "mode": mode, "k": 5})
            found.append([(hit["id"], round(hit["score"], 4)) for hit in answer.json()["hits"]])
    return found


async def test_the_same_queries_find_the_same_memories_afterwards(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    texts = await fill(store, context, 60)
    queries = [*texts[:10], *WORDS]
    before = await find_all(operator, queries)
    for slot in ("b", "a", "b"):
        job = await run(operator, store)
        assert (job.status, job.done, job.total, job.error) == ("succeeded", 60, 60, None)
        assert (await SearchTable(store).load_index(context)).slot == slot
        assert await find_all(operator, queries) == before


async def test_memories_without_a_vector_have_one_afterwards(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    await remember(store, context, *make_texts(20))
    assert await count_unindexed(operator) == 20
    assert (await run(operator, store)).status == "succeeded"
    assert await count_unindexed(operator) == 0


async def test_a_context_without_memories_is_reindexed_too(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    job = await run(operator, store)
    assert (job.status, job.done, job.total) == ("succeeded", 0, 0)
    await operator.post(FACTS, json={"infer": "none", "text": "Bo likes tea"})
    assert await count_unindexed(operator) == 0


async def test_each_memory_is_asked_of_the_provider_once(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
) -> None:
    texts = await fill(store, context, 50)
    await choose(operator, endpoint)
    assert (await run(operator, store)).status == "succeeded"
    assert {text: endpoint.asked[text] for text in texts} == dict.fromkeys(texts, 1)
    index = await SearchTable(store).load_index(context)
    assert (index.embedder, index.dimension) == ("standin/small", 16)


async def test_an_embedder_that_fails_half_way_leaves_the_old_index_serving(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
) -> None:
    texts = await fill(store, context, 50)
    before = await find_all(operator, texts[:10])
    await choose(operator, endpoint)
    endpoint.behave(fail_from=20, status=400)
    job = await run(operator, store)
    assert job.status == "failed"
    assert 0 < job.done < 50
    assert job.error is not None
    assert job.error.startswith("standin/small at http://127.0.0.1:")
    assert KEY not in job.error
    assert (await SearchTable(store).load_index(context)).embedder == "local/hashing"
    assert await find_all(operator, texts[:10]) == before
    endpoint.behave(fail_from=None)
    assert (await run(operator, store)).status == "succeeded"


async def test_a_secret_that_is_gone_by_then_fails_the_job(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, endpoint: Endpoint
) -> None:
    await fill(store, context, 5)
    await choose(operator, endpoint)
    job = await start(operator)
    gone = {"config": {"providers": {"standin": None}}}
    await operator.patch("/api/v1/contexts/acme-prod", json=gone)
    async with work_on_jobs(store):
        ended = await wait_until_finished(store, "acme-prod", job)
    assert ended.status == "failed"
    assert "config.providers.standin" in str(ended.error)


async def test_facts_written_meanwhile_are_found_by_their_vectors(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    await fill(store, context, 80)
    job, written = await start(operator), 0
    while (await operator.get(f"{LIFECYCLE}/jobs/{job}")).json()["status"] in ("queued", "running"):
        fact = {"infer": "none", "text": f"meanwhile, number {written}"}
        assert (await operator.post(FACTS, json=fact)).status_code == 200
        written += 1
    assert written > 3
    assert await count_unindexed(operator) == 0
    for number in range(written):
        query = {"query": f"meanwhile, number {number}", "mode": "vector", "k": 1}
        (hit,) = (await operator.post(QUERY, json=query)).json()["hits"]
        assert hit["text"] == query["query"]


async def test_a_running_job_is_cancelled_between_two_batches(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
) -> None:
    texts = await fill(store, context, 200)
    before = await find_all(operator, texts[:5])
    await choose(operator, endpoint)
    endpoint.behave(delay=0.02)
    job = await start(operator)
    while not sum(endpoint.asked[text] for text in texts):
        await asyncio.sleep(0.01)
    answer = await operator.delete(f"{LIFECYCLE}/jobs/{job}")
    assert answer.json()["cancel_requested"] is True
    ended = await wait_until_finished(store, "acme-prod", job)
    assert (ended.status, ended.error) == ("cancelled", None)
    assert ended.done < 200
    assert ended.done % 8 == 0
    assert await find_all(operator, texts[:5]) == before
    assert await _read_build(store, context) is None


async def test_a_worker_that_stops_leaves_the_job_to_the_next_one(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, endpoint: Endpoint
) -> None:
    texts = await fill(store, context, 120)
    await choose(operator, endpoint)
    job = await start(operator)
    asked = 0
    while asked < len(texts):
        async with work_on_jobs(store):
            while sum(endpoint.asked[text] for text in texts) < min(asked + 30, len(texts)):
                await asyncio.sleep(0.005)
        asked = sum(endpoint.asked[text] for text in texts)
    async with work_on_jobs(store):
        ended = await wait_until_finished(store, "acme-prod", job)
    assert (ended.status, ended.done, ended.total) == ("succeeded", 120, 120)
    again = sum(count - 1 for text, count in endpoint.asked.items() if text in set(texts))
    assert again <= 8 * 4, "at most the batch under way, each time"
    assert await count_unindexed(operator) == 0


async def test_a_worker_that_lost_its_job_writes_nothing_more(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await fill(store, context, 60)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.1)
    job = await start(operator)
    build = None
    while build is None or not build.done:
        build = await _read_build(store, context)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 60)  # it hears nothing of what happens
    await asyncio.sleep(0.1)
    claimed = None
    with caplog.at_level(logging.WARNING):
        while claimed is None:
            await store.query("UPDATE job SET leased_until = time::now() - 1s RETURN NONE;")
            claimed = await JobTable(store).claim_job()
        taken = await SearchTable(store).open_build(context, claimed)
        while "taken over" not in caplog.text:
            await asyncio.sleep(0.01)
    assert taken == await SearchTable(store).open_build(context, claimed), (
        "nothing came after it was taken"
    )
    await JobTable(store).release_job(claimed)
    ended = await wait_until_finished(store, "acme-prod", job)
    assert (ended.status, ended.done) == ("succeeded", 60)
    assert await count_unindexed(operator) == 0


async def test_a_database_that_is_away_does_not_fail_the_job(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await fill(store, context, 40)
    original, away = SearchTable(store).add_to_build, 3

    async def add(*args: Any, **settings: Any) -> Any:
        nonlocal away
        if away and args[2].done >= 16:
            away -= 1
            raise UnavailableError("the database does not respond")
        return await original(*args, **settings)

    monkeypatch.setattr(SearchTable, "add_to_build", staticmethod(add))
    async with work_on_jobs(store):
        ended = await run(operator, store)
    assert (ended.status, ended.done, away) == ("succeeded", 40, 0)


async def test_a_defect_ends_the_job_and_not_the_worker(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await fill(store, context, 10)

    async def fail(*args: Any, **settings: Any) -> Any:
        raise RuntimeError("what it says stays in the log")

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(SearchTable, "list_chunks", staticmethod(fail))
        async with work_on_jobs(store):
            ended = await run(operator, store)
            assert ended.error == "unexpected RuntimeError; the server's log says more"
            broken.undo()
            assert (await run(operator, store)).status == "succeeded"


async def test_a_context_that_is_deleted_takes_its_running_job_along(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
) -> None:
    texts = await fill(store, context, 100)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.02)
    await start(operator)
    while not endpoint.asked[texts[0]]:
        await asyncio.sleep(0.01)
    assert (await operator.delete("/api/v1/contexts/acme-prod")).status_code == 204
    body = {"namespace": "acme", "database": "prod"}
    assert (await operator.post("/api/v1/contexts/acme-prod", json=body)).status_code == 201
    assert (await operator.get(f"{LIFECYCLE}/jobs")).json()["jobs"] == []
    assert (await run(operator, store)).status == "succeeded", "the worker goes on"


async def test_contexts_have_their_turn_one_after_the_other(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    ids = []
    for name in ("one", "two", "three"):
        body = {"namespace": "acme", "database": name}
        await operator.post(f"/api/v1/contexts/{name}", json=body)
        row = await ContextTable(store).get_context(name)
        assert row is not None
        await fill(store, row, 10)
        started = await operator.post(f"/api/v1/contexts/{name}/lifecycle/reindex")
        ids.append((name, started.json()["job_id"]))
    ended = [await wait_until_finished(store, name, job) for name, job in ids]
    assert [(job.status, job.done) for job in ended] == [("succeeded", 10)] * 3


async def _read_build(store: Database, context: ContextRow) -> Build | None:
    at = Binding(context.namespace, context.database)
    rows = await store.select("SELECT slot, dimension, cursor, done FROM search_build;", at=at)
    return Build(**rows[0]) if rows else None
