"""A worker that loses its job, its database or its context, and memories that are written as an index changes."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.index import reindex
from spectronctl.server.index.reindex import take_over
from spectronctl.server.index.rows import Build
from spectronctl.server.index.table import REMEMBER, SearchTable
from spectronctl.server.jobs import table as _jobs
from spectronctl.server.jobs.handlers import FailedJobError, Handlers, Run
from spectronctl.server.jobs.rows import ClaimedJob, JobRow, LostJobError
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.jobs.worker import run_worker
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions import turns as _turns
from spectronctl.server.sessions.turns import TurnTable
from tests.support.conversations import FACTS
from tests.support.embeddings_endpoint import Endpoint
from tests.support.memories import claim_reindex, remember, wait_until_finished
from tests.support.reindexing import LIFECYCLE, choose, count_unindexed, run, start

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
    store: Database, context: ContextRow
) -> None:
    await remember(store, context, "one")
    sleeper = await claim_reindex(store, context)
    await SearchTable(store).open_build(context, sleeper)
    await JobTable(store).release_job(sleeper)  # as the end of its lease does
    heir = await JobTable(store).claim_job()
    assert heir is not None
    await SearchTable(store).open_build(context, heir)
    build = await SearchTable(store).begin_build(context, heir, dimension=4)
    with pytest.raises(LostJobError):
        await SearchTable(store).begin_build(context, sleeper, dimension=4)
    with pytest.raises(LostJobError):
        await take_over(store, Run(sleeper, context))
    assert await take_over(store, Run(heir, context)) == build


async def test_a_job_whose_build_another_opened_goes_on_at_once(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    add = SearchTable(store).add_to_build
    opened: list[Build | None] = []

    async def add_after_another(context: ContextRow, claimed: ClaimedJob, *args: Any) -> Build:
        if not opened and len(endpoint.asked) > 8:
            opened.append(
                await SearchTable(store).open_build(context, replace(claimed, claim="of a sleeper"))
            )
        return await add(context, claimed, *args)

    monkeypatch.setattr(SearchTable, "add_to_build", staticmethod(add_after_another))
    job = await run(operator, store)
    assert (job.status, job.done) == ("succeeded", len(TEXTS))
    assert opened
    assert count_repeated(endpoint) == reindex.BATCH


async def test_a_worker_that_dies_just_before_the_end_leaves_nothing_to_do(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    finish = JobTable(store).finish_job
    failures: list[Exception] = []

    async def fail_once(*args: Any, **kwargs: Any) -> None:
        if not failures:
            failures.append(UnavailableError("the database does not respond"))
            raise failures[0]
        await finish(*args, **kwargs)

    monkeypatch.setattr(JobTable, "finish_job", staticmethod(fail_once))
    job = await run(operator, store)
    assert (job.status, job.done, job.total) == ("succeeded", len(TEXTS), len(TEXTS))
    assert failures
    assert count_repeated(endpoint) == 0


async def test_a_worker_that_ends_gives_no_sign_of_life_after_it_let_go(
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.05)
    calls: list[str] = []
    for name in ("renew_job", "release_job"):
        written = note(calls, name, getattr(JobTable(store), name))
        monkeypatch.setattr(JobTable, name, staticmethod(written))
    async with work_on_jobs(store):
        job_id = await start(operator)
        while not endpoint.asked:
            await asyncio.sleep(0.01)
    assert calls[-1] == "release_job"
    released = await JobTable(store).claim_job()
    assert released is not None
    assert released.job.id == job_id


def note(calls: list[str], name: str, call: Any) -> Any:
    async def noted(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return await call(*args, **kwargs)

    return noted


async def test_a_context_that_is_deleted_takes_its_running_job_along_in_silence(
    operator: httpx.AsyncClient,
    store: Database,
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
    assert await JobTable(store).get_job("acme-prod", job_id) is None


async def test_a_provider_without_its_key_fails_the_job_that_is_taken_over_and_the_old_index_serves(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, endpoint: Endpoint
) -> None:
    vectors = await HashingEmbedder().embed(TEXTS)
    await remember(store, context, *TEXTS, vectors=vectors)
    await choose(operator, endpoint)
    endpoint.behave(delay=0.05)
    before = await SearchTable(store).load_index(context)
    async with work_on_jobs(store):
        job_id = await start(operator)
        while len(endpoint.asked) < 8:
            await asyncio.sleep(0.01)
        gone = {"config": {"providers": {"standin": None}}}
        changed = await operator.patch("/api/v1/contexts/acme-prod", json=gone)
        assert changed.status_code == 200, changed.text
    async with work_on_jobs(store):
        job = await asyncio.wait_for(wait_until_finished(store, "acme-prod", job_id), 30)
    assert job.status == "failed"
    assert "--provider standin=env:VAR" in (job.error or "")
    assert await SearchTable(store).load_index(context) == before
    assert await count_unindexed(operator) == 0
    claimed = await claim_reindex(store, context)
    assert await SearchTable(store).open_build(context, claimed) is None, (
        "nothing is left of the failed one"
    )


async def test_a_memory_that_is_written_while_the_index_changes_is_found_by_its_vector(
    app: FastAPI,
    operator: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The whole reindex, to another embedder, between the embedding of a memory and the write.
    append = TurnTable(store).append_turns

    async def append_late(*args: Any, **kwargs: Any) -> None:
        assert (await run(operator, store)).status == "succeeded"
        await append(*args, **kwargs)

    await choose(operator, endpoint)
    monkeypatch.setattr(TurnTable, "append_turns", staticmethod(append_late))
    async with app.state.embedders:
        kept = await operator.post(FACTS, json={"text": "Bo likes tea", "infer": "none"})
    assert kept.status_code == 200, kept.text
    assert (await SearchTable(store).load_index(context)).embedder == "standin/small"
    assert await count_unindexed(operator) == 0


async def test_a_write_that_began_before_the_index_changed_and_ends_after_it_is_found(
    operator: httpx.AsyncClient,
    store: Database,
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
    store: Database,
    context: ContextRow,
    endpoint: Endpoint,
    at_work: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await remember(store, context, *TEXTS)
    await choose(operator, endpoint)
    send = store._send
    is_away = False

    async def send_if_there(*args: Any) -> Any:
        if is_away:
            raise UnavailableError("the database does not respond")
        return await send(*args)

    monkeypatch.setattr(store, "_send", send_if_there)
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


class Counting:
    """A handler of a kind that no room knows: counts to what its payload says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.undone: list[str] = []

    async def run(self, run: Run) -> None:
        for done in range(run.payload["to"]):
            run.advance(done + 1, run.payload["to"])
        if self.error:
            raise self.error

    async def undo(self, run: Run) -> None:
        self.undone.append(run.context.id)


async def count(store: Database, context: ContextRow, handlers: Handlers) -> JobRow:
    job = await JobTable(store).create_job(context, kind="count", payload={"to": 3})
    async with run_worker(store, handlers):
        return await asyncio.wait_for(wait_until_finished(store, context.id, job.id), 10)


async def test_a_worker_does_any_kind_of_job_that_it_has_a_handler_for(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, no_waiting: None
) -> None:
    handler = Counting()
    job = await count(store, context, {"count": handler})
    assert (job.status, job.done, job.total, job.error) == ("succeeded", 3, 3, None)
    assert (job.payload, handler.undone) == ({"to": 3}, [])
    shown = (await operator.get(f"{LIFECYCLE}/jobs/{job.id}")).json()
    assert (shown["kind"], shown["embedder"]) == ("count", None)


async def test_a_handler_that_fails_explains_it_and_is_asked_to_undo(
    store: Database, context: ContextRow, no_waiting: None
) -> None:
    handler = Counting(FailedJobError("three is enough"))
    job = await count(store, context, {"count": handler})
    assert (job.status, job.error, job.done) == ("failed", "three is enough", 3)
    assert handler.undone == [context.id]


async def test_a_job_of_an_unknown_kind_fails_and_the_worker_goes_on(
    operator: httpx.AsyncClient, store: Database, context: ContextRow, at_work: None
) -> None:
    job = await JobTable(store).create_job(context, kind="count", payload={"to": 3})
    ended = await asyncio.wait_for(wait_until_finished(store, context.id, job.id), 10)
    assert (ended.status, ended.error) == (
        "failed",
        "this server does not know jobs of the kind count",
    )
    assert (await run(operator, store)).status == "succeeded"
