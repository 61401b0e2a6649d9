"""Jobs in the store, on both embedded engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spectronctl.server.problems import ProblemError
from spectronctl.server.store import ContextRow, JobRow
from spectronctl.server.store import _jobs as jobs
from spectronctl.server.store.surreal import SurrealStore, open_store
from tests.server.remembering import claim_reindex

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]


@pytest.fixture
async def context(store: SurrealStore, make_context: MakeContext) -> ContextRow:
    return await store.create_context(make_context(), providers={})


async def queue(store: SurrealStore, context: ContextRow) -> JobRow:
    return await store.create_job(context, kind="reindex", embedder="local/hashing")


async def age(store: SurrealStore, job_id: str, **fields: str) -> None:
    """Set times of a job back: a SurrealQL duration for each."""
    for field, how_long in fields.items():
        await store._database.query(
            f"UPDATE job:['{job_id}'] SET {field} = time::now() - {how_long} RETURN NONE;"
        )


async def test_a_job_is_queued_claimed_and_finished(
    store: SurrealStore, context: ContextRow
) -> None:
    queued = await queue(store, context)
    assert queued == await store.get_job(context.id, queued.id)
    assert (queued.status, queued.done, queued.total) == ("queued", 0, None)
    assert abs(datetime.now(UTC) - queued.created_at) < timedelta(minutes=1)

    claimed = await store.claim_job()
    assert claimed is not None
    assert (claimed.job.id, claimed.job.status) == (queued.id, "running")
    assert claimed.job.started_at is not None
    assert await store.claim_job() is None

    assert await store.renew_job(claimed, done=3, total=7) is False
    seen = await store.get_job(context.id, queued.id)
    assert seen is not None
    assert (seen.done, seen.total) == (3, 7)

    await store.finish_job(claimed, "failed", error="it broke", done=4, total=7)
    ended = await store.get_job(context.id, queued.id)
    assert ended is not None
    assert (ended.status, ended.error, ended.done) == ("failed", "it broke", 4)
    assert ended.finished_at is not None
    assert await store.renew_job(claimed, done=5, total=7) is None


async def test_a_context_has_one_reindex_at_a_time(
    store: SurrealStore, context: ContextRow, make_context: MakeContext
) -> None:
    other = await store.create_context(make_context("other"), providers={})
    made = await asyncio.gather(*(queue(store, context) for _ in range(8)), return_exceptions=True)
    (first,) = [each for each in made if isinstance(each, JobRow)]
    refused = [each for each in made if isinstance(each, ProblemError)]
    assert len(refused) == 7
    assert all(each.status == 409 and first.id in each.detail for each in refused)
    assert (await queue(store, other)).id != first.id

    claimed = await store.claim_job()
    assert claimed is not None
    assert claimed.job.id == first.id, "the oldest comes first"
    with pytest.raises(ProblemError, match=first.id):
        await queue(store, context)
    await store.finish_job(claimed, "succeeded", done=0, total=0)
    await queue(store, context)


async def test_a_job_of_a_context_that_is_not_there_is_not_made(
    store: SurrealStore, make_context: MakeContext
) -> None:
    with pytest.raises(ProblemError) as raised:
        await queue(store, make_context("missing"))
    assert raised.value.status == 404


async def test_workers_at_once_claim_a_job_once(store: SurrealStore, context: ContextRow) -> None:
    await queue(store, context)
    claims = await asyncio.gather(*(store.claim_job() for _ in range(8)))
    assert len([each for each in claims if each]) == 1


async def test_a_job_whose_worker_gives_no_sign_is_claimed_by_another(
    store: SurrealStore, context: ContextRow
) -> None:
    first = await claim_reindex(store, context)
    await age(store, first.job.id, leased_until="1s")
    second = await store.claim_job()
    assert second is not None
    assert (second.job.id, second.job.started_at) == (first.job.id, first.job.started_at)
    assert await store.renew_job(first, done=1, total=1) is None
    await store.finish_job(first, "failed", done=1, total=1)
    await store.release_job(first)
    assert await store.renew_job(second, done=1, total=1) is False


async def test_a_lease_counts_for_a_while_and_a_released_one_no_longer(
    store: SurrealStore, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 2)
    claimed = await claim_reindex(store, context)
    assert await store.claim_job() is None
    await store.release_job(claimed)
    late = await store.renew_job(claimed, done=1, total=1)
    assert late is None, "a sign of life that comes after it delays no one"
    again = await store.claim_job()
    assert again is not None
    assert again.claim != claimed.claim


async def test_who_opens_an_embedded_store_goes_on_at_once(
    file_url: str, make_context: MakeContext
) -> None:
    # No other process has it open: the worker of the job is dead, however long its lease.
    before = await open_store(file_url)
    context = await before.create_context(make_context(), providers={})
    claimed = await claim_reindex(before, context)
    await before.close()
    after = await open_store(file_url)
    again = await after.claim_job()
    await after.close()
    assert again is not None
    assert again.job.id == claimed.job.id


async def test_cancelling_ends_a_queued_job_and_asks_the_worker_of_a_running_one(
    store: SurrealStore, context: ContextRow
) -> None:
    queued = await queue(store, context)
    for _ in range(2):
        cancelled = await store.cancel_job(context.id, queued.id)
        assert cancelled is not None
        assert (cancelled.status, cancelled.cancel_requested) == ("cancelled", True)
    assert await store.claim_job() is None

    claimed = await claim_reindex(store, context)
    running = await store.cancel_job(context.id, claimed.job.id)
    assert running is not None
    assert (running.status, running.cancel_requested) == ("running", True)
    assert await store.renew_job(claimed, done=0, total=0) is True
    await store.finish_job(claimed, "succeeded", done=1, total=1)
    ended = await store.cancel_job(context.id, claimed.job.id)
    assert ended is not None
    assert ended.status == "succeeded"


async def test_a_job_belongs_to_its_context(
    store: SurrealStore, context: ContextRow, make_context: MakeContext
) -> None:
    other = await store.create_context(make_context("other"), providers={})
    job = await queue(store, context)
    assert await store.get_job(other.id, job.id) is None
    assert await store.cancel_job(other.id, job.id) is None
    assert await store.list_jobs(other.id, after=None, limit=10) == []
    still = await store.get_job(context.id, job.id)
    assert still is not None
    assert (still.status, still.cancel_requested) == ("queued", False)


async def test_jobs_are_listed_in_pages_from_the_oldest_on(
    store: SurrealStore, context: ContextRow
) -> None:
    made = []
    for _ in range(5):
        made.append((await queue(store, context)).id)
        await store.cancel_job(context.id, made[-1])
    first = await store.list_jobs(context.id, after=None, limit=3)
    rest = await store.list_jobs(context.id, after=first[-1].id, limit=3)
    assert [job.id for job in (*first, *rest)] == made


async def test_finished_jobs_are_kept_for_thirty_days(
    store: SurrealStore, context: ContextRow
) -> None:
    ids = []
    for days in (29, 31):
        job = await queue(store, context)
        await store.cancel_job(context.id, job.id)
        await age(store, job.id, finished_at=f"{days}d")
        ids.append(job.id)
    waiting = await queue(store, context)
    await age(store, waiting.id, created_at="40d")
    await store.prune_jobs()
    kept = await store.list_jobs(context.id, after=None, limit=10)
    assert [job.id for job in kept] == [ids[0], waiting.id]


async def test_a_context_takes_its_jobs_along(store: SurrealStore, context: ContextRow) -> None:
    claimed = await claim_reindex(store, context)
    assert await store.delete_context(context.id)
    assert await store.renew_job(claimed, done=1, total=1) is None
    assert await store.claim_job() is None
    again = await store.create_context(replace(context), providers={})
    assert await store.list_jobs(again.id, after=None, limit=10) == []
    await queue(store, again)


async def test_a_queued_job_wakes_who_waits_for_one(
    store: SurrealStore, context: ContextRow
) -> None:
    waiting = asyncio.create_task(store.wait_for_job(60))
    await asyncio.sleep(0)
    await queue(store, context)
    await asyncio.wait_for(waiting, 5)
    await store.wait_for_job(0.01)  # nothing was queued since: time alone ends it
