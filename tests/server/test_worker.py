"""A worker that loses its job, its database or its context, and memories that are written as an index changes."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server import reindex
from spectronctl.server.embedding import HashingEmbedder
from spectronctl.server.problems import unavailable
from spectronctl.server.reindex import Run, take_over
from spectronctl.server.store import (
    Build,
    ClaimedJob,
    ContextRow,
    LostJobError,
    Store,
    _jobs,
    _turns,
)
from spectronctl.server.store._search import REMEMBER
from spectronctl.server.store.surreal import SurrealStore
from spectronctl.server.worker import run_worker
from tests.server.conversing import FACTS, context
from tests.server.embeddings_endpoint import Endpoint
from tests.server.reindexing import (
    at_work,
    choose,
    count_unindexed,
    endpoint,
    no_waiting,
    run,
    start,
)
from tests.server.remembering import claim_reindex, remember, wait_until_finished

__all__ = ["at_work", "context", "endpoint", "no_waiting"]

pytestmark = pytest.mark.anyio

TEXTS = [f"memory {number}" for number in range(24)]


@pytest.fixture(autouse=True)
def quickly(no_waiting: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches and short waits, but a lease that no test outlives."""
    monkeypatch.setattr(reindex, "BATCH", 4)
    monkeypatch.setattr(_jobs, "LEASE_SECONDS", 600)


def count_repeated(endpoint: Endpoint) -> int:
    asked = endpoint.count()["texts"]
    assert asked.keys() >= set(TEXTS)
    return sum(asked[text] - 1 for text in TEXTS)


async def test_a_worker_that_wakes_after_its_job_went_to_another_takes_nothing_away(
    store: Store, context: ContextRow
) -> None:
    await remember(store, context, "one")
    sleeper = await claim_reindex(store, context)
    await store.open_build(context, sleeper)
    await store.release_job(sleeper)  # as the end of its lease does
    heir = await store.claim_job()
    assert heir is not None
    await store.open_build(context, heir)
    build = await store.begin_build(context, heir, dimension=4)
    with pytest.raises(LostJobError):
        await store.begin_build(context, sleeper, dimension=4)
    with pytest.raises(LostJobError):
        await take_over(store, context, Run(sleeper))
    assert await take_over(store, context, Run(heir)) == build


async def test_a_job_whose_build_another_opened_goes_on_at_once(
    operator: httpx.AsyncClient,
    store: Store,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    add = store.add_to_build
    opened: list[Build | None] = []

    async def add_after_another(context: ContextRow, claimed: ClaimedJob, *args: Any) -> Build:
        if not opened and len(endpoint.asked) > 8:
            opened.append(await store.open_build(context, replace(claimed, claim="of a sleeper")))
        return await add(context, claimed, *args)

    monkeypatch.setattr(store, "add_to_build", add_after_another)
    job = await run(operator, store)
    assert (job.status, job.done) == ("succeeded", len(TEXTS))
    assert opened
    assert count_repeated(endpoint) == reindex.BATCH


async def test_a_worker_that_dies_just_before_the_end_leaves_nothing_to_do(
    operator: httpx.AsyncClient,
    store: Store,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    finish = store.finish_job
    failures: list[Exception] = []

    async def fail_once(*args: Any, **kwargs: Any) -> None:
        if not failures:
            failures.append(unavailable("the database does not answer"))
            raise failures[0]
        await finish(*args, **kwargs)

    monkeypatch.setattr(store, "finish_job", fail_once)
    job = await run(operator, store)
    assert (job.status, job.done, job.total) == ("succeeded", len(TEXTS), len(TEXTS))
    assert failures
    assert count_repeated(endpoint) == 0


async def test_a_worker_that_ends_gives_no_sign_of_life_after_it_let_go(
    operator: httpx.AsyncClient,
    store: Store,
    context: ContextRow,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.05)
    calls: list[str] = []
    for name in ("renew_job", "release_job"):
        monkeypatch.setattr(store, name, note(calls, name, getattr(store, name)))
    async with run_worker(store):
        job_id = await start(operator)
        while not endpoint.asked:
            await asyncio.sleep(0.01)
    assert calls[-1] == "release_job"
    released = await store.claim_job()
    assert released is not None
    assert released.job.id == job_id


def note(calls: list[str], name: str, call: Any) -> Any:
    async def noted(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return await call(*args, **kwargs)

    return noted


async def test_a_context_that_is_deleted_takes_its_running_job_along_in_silence(
    operator: httpx.AsyncClient,
    store: Store,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.05)
    with caplog.at_level(logging.INFO, "spectronctl.server"):
        job_id = await start(operator)
        while len(endpoint.asked) < 8:
            await asyncio.sleep(0.01)
        assert (await operator.delete("/api/v1/contexts/acme-prod")).status_code == 204
        async with asyncio.timeout(10):
            while "gone with its context" not in caplog.text:
                await asyncio.sleep(0.02)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert await store.get_job("acme-prod", job_id) is None


async def test_a_provider_without_its_key_fails_the_job_that_is_taken_over_and_the_old_index_serves(
    operator: httpx.AsyncClient, store: Store, context: ContextRow, endpoint: Endpoint
) -> None:
    vectors = await HashingEmbedder().embed(TEXTS)
    await remember(store, context, *TEXTS, vectors=vectors)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.05)
    before = await store.read_index(context)
    async with run_worker(store):
        job_id = await start(operator)
        while len(endpoint.asked) < 8:
            await asyncio.sleep(0.01)
        gone = {"config": {"providers": {"standin": None}}}
        changed = await operator.patch("/api/v1/contexts/acme-prod", json=gone)
        assert changed.status_code == 200, changed.text
    async with run_worker(store):
        job = await asyncio.wait_for(wait_until_finished(store, "acme-prod", job_id), 30)
    assert job.status == "failed"
    assert "--provider standin=env:VAR" in (job.error or "")
    assert await store.read_index(context) == before
    assert await count_unindexed(operator) == 0
    claimed = await claim_reindex(store, context)
    assert await store.open_build(context, claimed) is None, "nothing is left of the failed one"


async def test_a_memory_that_is_written_while_the_index_changes_is_found_by_its_vector(
    app: FastAPI,
    operator: httpx.AsyncClient,
    store: SurrealStore,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The whole reindex, to another embedder, between the embedding of a memory and the write.
    append = store.append_turns

    async def append_late(*args: Any, **kwargs: Any) -> None:
        assert (await run(operator, store)).status == "succeeded"
        await append(*args, **kwargs)

    await choose(operator, endpoint)
    monkeypatch.setattr(store, "append_turns", append_late)
    async with app.state.embedders:
        kept = await operator.post(FACTS, json={"text": "Bo likes tea", "infer": "none"})
    assert kept.status_code == 200, kept.text
    assert (await store.read_index(context)).embedder == "standin/small"
    assert await count_unindexed(operator) == 0


async def test_a_write_that_began_before_the_index_changed_and_ends_after_it_is_found(
    operator: httpx.AsyncClient,
    store: SurrealStore,
    context: ContextRow,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The engine lets both through: the write has read which table serves, and the reindex has changed it.
    slow = REMEMBER.replace("LET $entry", "sleep(2s); LET $entry")
    assert slow != REMEMBER
    monkeypatch.setattr(_turns, "REMEMBER", slow)
    fact = {"text": "Bo likes tea", "infer": "none"}
    writing = asyncio.create_task(operator.post(FACTS, json=fact))
    await asyncio.sleep(0.3)
    assert (await run(operator, store)).status == "succeeded"
    assert not writing.done(), "the write was over before the reindex was"
    assert (await writing).status_code == 200
    assert await count_unindexed(operator) == 0


async def test_a_worker_whose_database_does_not_answer_goes_on_when_it_does(
    operator: httpx.AsyncClient,
    store: SurrealStore,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    send = store._database._send
    is_away = False

    async def send_if_there(*args: Any) -> Any:
        if is_away:
            raise unavailable("the database does not answer")
        return await send(*args)

    monkeypatch.setattr(store._database, "_send", send_if_there)
    monkeypatch.setattr(_jobs, "LEASE_SECONDS", 1)
    endpoint.behave(delay=0.05)
    job_id = await start(operator)
    while len(endpoint.asked) < 8:
        await asyncio.sleep(0.01)
    is_away = True
    await asyncio.sleep(0.5)
    is_away = False
    job = await asyncio.wait_for(wait_until_finished(store, "acme-prod", job_id), 30)
    assert (job.status, job.done) == ("succeeded", len(TEXTS))
    assert count_repeated(endpoint) <= reindex.BATCH
