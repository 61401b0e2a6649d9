"""Jobs in the store, on both embedded engines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import GoneError, TakenError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.jobs import table as jobs
from spectronctl.server.jobs.rows import JobRow
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from tests.support.memories import claim_reindex

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]


@pytest.fixture
async def context(store: Database, make_context: MakeContext) -> ContextRow:
    return await Provisioning(store).create_context(make_context(), providers={})


async def queue(store: Database, context: ContextRow) -> JobRow:
    return await JobTable(store).create_job(
        context, kind="reindex", payload={"embedder": "local/hashing"}
    )


async def age(store: Database, job_id: str, **fields: str) -> None:
    """Set times of a job back: a SurrealQL duration for each."""
    for field, how_long in fields.items():
        await store.query(
            f"UPDATE job:['{job_id}'] SET {field} = time::now() - {how_long} RETURN NONE;"
        )


async def test_a_job_is_queued_claimed_and_finished(store: Database, context: ContextRow) -> None:
    queued = await queue(store, context)
    assert queued == await JobTable(store).get_job(context.id, queued.id)
    assert (queued.status, queued.done, queued.total) == ("queued", 0, None)
    assert abs(datetime.now(UTC) - queued.created_at) < timedelta(minutes=1)

    claimed = await JobTable(store).claim_job()
    assert claimed is not None
    assert (claimed.job.id, claimed.job.status) == (queued.id, "running")
    assert claimed.job.started_at is not None
    assert await JobTable(store).claim_job() is None

    assert await JobTable(store).renew_job(claimed, done=3, total=7) is False
    seen = await JobTable(store).get_job(context.id, queued.id)
    assert seen is not None
    assert (seen.done, seen.total) == (3, 7)

    await JobTable(store).finish_job(claimed, "failed", error="it broke", done=4, total=7)
    ended = await JobTable(store).get_job(context.id, queued.id)
    assert ended is not None
    assert (ended.status, ended.error, ended.done) == ("failed", "it broke", 4)
    assert ended.finished_at is not None
    assert await JobTable(store).renew_job(claimed, done=5, total=7) is None


async def test_a_context_has_one_reindex_at_a_time(
    store: Database, context: ContextRow, make_context: MakeContext
) -> None:
    other = await Provisioning(store).create_context(make_context("other"), providers={})
    made = await asyncio.gather(*(queue(store, context) for _ in range(8)), return_exceptions=True)
    (first,) = [each for each in made if isinstance(each, JobRow)]
    refused = [each for each in made if isinstance(each, TakenError)]
    assert len(refused) == 7
    assert all(first.id in each.detail for each in refused)
    assert (await queue(store, other)).id != first.id

    claimed = await JobTable(store).claim_job()
    assert claimed is not None
    assert claimed.job.id == first.id, "the oldest comes first"
    with pytest.raises(TakenError, match=first.id):
        await queue(store, context)
    await JobTable(store).finish_job(claimed, "succeeded", done=0, total=0)
    await queue(store, context)


async def test_a_job_of_a_context_that_is_not_there_is_not_made(
    store: Database, make_context: MakeContext
) -> None:
    with pytest.raises(GoneError):
        await queue(store, make_context("missing"))


async def test_workers_at_once_claim_a_job_once(store: Database, context: ContextRow) -> None:
    await queue(store, context)
    claims = await asyncio.gather(*(JobTable(store).claim_job() for _ in range(8)))
    assert len([each for each in claims if each]) == 1


async def test_a_job_whose_worker_gives_no_sign_is_claimed_by_another(
    store: Database, context: ContextRow
) -> None:
    first = await claim_reindex(store, context)
    await age(store, first.job.id, leased_until="1s")
    second = await JobTable(store).claim_job()
    assert second is not None
    assert (second.job.id, second.job.started_at) == (first.job.id, first.job.started_at)
    assert await JobTable(store).renew_job(first, done=1, total=1) is None
    await JobTable(store).finish_job(first, "failed", done=1, total=1)
    await JobTable(store).release_job(first)
    assert await JobTable(store).renew_job(second, done=1, total=1) is False


async def test_a_lease_counts_for_a_while_and_a_released_one_no_longer(
    store: Database, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE_SECONDS", 2)
    claimed = await claim_reindex(store, context)
    assert await JobTable(store).claim_job() is None
    await JobTable(store).release_job(claimed)
    late = await JobTable(store).renew_job(claimed, done=1, total=1)
    assert late is None, "a sign of life that comes after it delays no one"
    again = await JobTable(store).claim_job()
    assert again is not None
    assert again.claim != claimed.claim


async def test_who_opens_an_embedded_store_goes_on_at_once(
    file_url: str, make_context: MakeContext
) -> None:
    # No other process has it open: the worker of the job is dead, however long its lease.
    before = await open_store(file_url)
    context = await Provisioning(before).create_context(make_context(), providers={})
    claimed = await claim_reindex(before, context)
    await before.close()
    after = await open_store(file_url)
    again = await JobTable(after).claim_job()
    await after.close()
    assert again is not None
    assert again.job.id == claimed.job.id


async def test_cancelling_ends_a_queued_job_and_asks_the_worker_of_a_running_one(
    store: Database, context: ContextRow
) -> None:
    queued = await queue(store, context)
    for _ in range(2):
        cancelled = await JobTable(store).cancel_job(context.id, queued.id)
        assert cancelled is not None
        assert (cancelled.status, cancelled.cancel_requested) == ("cancelled", True)
    assert await JobTable(store).claim_job() is None

    claimed = await claim_reindex(store, context)
    running = await JobTable(store).cancel_job(context.id, claimed.job.id)
    assert running is not None
    assert (running.status, running.cancel_requested) == ("running", True)
    assert await JobTable(store).renew_job(claimed, done=0, total=0) is True
    await JobTable(store).finish_job(claimed, "succeeded", done=1, total=1)
    ended = await JobTable(store).cancel_job(context.id, claimed.job.id)
    assert ended is not None
    assert ended.status == "succeeded"


async def test_a_job_belongs_to_its_context(
    store: Database, context: ContextRow, make_context: MakeContext
) -> None:
    other = await Provisioning(store).create_context(make_context("other"), providers={})
    job = await queue(store, context)
    assert await JobTable(store).get_job(other.id, job.id) is None
    assert await JobTable(store).cancel_job(other.id, job.id) is None
    assert await JobTable(store).list_jobs(other.id, after=None, limit=10) == []
    still = await JobTable(store).get_job(context.id, job.id)
    assert still is not None
    assert (still.status, still.cancel_requested) == ("queued", False)


async def test_jobs_are_listed_in_pages_from_the_oldest_on(
    store: Database, context: ContextRow
) -> None:
    made = []
    for _ in range(5):
        made.append((await queue(store, context)).id)
        await JobTable(store).cancel_job(context.id, made[-1])
    first = await JobTable(store).list_jobs(context.id, after=None, limit=3)
    rest = await JobTable(store).list_jobs(context.id, after=first[-1].id, limit=3)
    assert [job.id for job in (*first, *rest)] == made


async def test_finished_jobs_are_kept_for_thirty_days(store: Database, context: ContextRow) -> None:
    ids = []
    for days in (29, 31):
        job = await queue(store, context)
        await JobTable(store).cancel_job(context.id, job.id)
        await age(store, job.id, finished_at=f"{days}d")
        ids.append(job.id)
    waiting = await queue(store, context)
    await age(store, waiting.id, created_at="40d")
    await JobTable(store).prune_jobs()
    kept = await JobTable(store).list_jobs(context.id, after=None, limit=10)
    assert [job.id for job in kept] == [ids[0], waiting.id]


async def test_a_context_takes_its_jobs_along(store: Database, context: ContextRow) -> None:
    claimed = await claim_reindex(store, context)
    assert await Provisioning(store).delete_context(context.id)
    assert await JobTable(store).renew_job(claimed, done=1, total=1) is None
    assert await JobTable(store).claim_job() is None
    again = await Provisioning(store).create_context(replace(context), providers={})
    assert await JobTable(store).list_jobs(again.id, after=None, limit=10) == []
    await queue(store, again)


async def test_a_context_takes_its_jobs_of_every_kind_along_and_no_others(
    store: Database, context: ContextRow, make_context: MakeContext
) -> None:
    other = await Provisioning(store).create_context(make_context(f"{context.id}-2"), providers={})
    kinds = ["archive", "reindex", "zip"]
    for owner in (context, other):
        for kind in kinds:
            await JobTable(store).create_job(owner, kind=kind, payload={})
    assert await Provisioning(store).delete_context(context.id)
    again = await Provisioning(store).create_context(replace(context), providers={})
    for kind in kinds:
        await JobTable(store).create_job(again, kind=kind, payload={})
    kept = await JobTable(store).list_jobs(other.id, after=None, limit=10)
    assert [job.kind for job in kept] == kinds
    with pytest.raises(TakenError, match="is under way"):
        await JobTable(store).create_job(other, kind="zip", payload={})


async def test_a_payload_comes_back_as_it_was(store: Database, context: ContextRow) -> None:
    payload = {"after": None, "deep": {"list": [1, 2.5, "three", True]}}
    job = await JobTable(store).create_job(context, kind="any", payload=payload)
    assert job.payload == payload
    claimed = await JobTable(store).claim_job()
    assert claimed is not None
    assert claimed.job.payload == payload


async def test_jobs_of_an_older_version_keep_their_embedder(
    file_url: str, make_context: MakeContext
) -> None:
    shipped = load_migrations()
    names = [migration.name for migration in shipped.metadata]
    before = Migrations(shipped.metadata[: names.index("payloads")], shipped.context)
    older = await open_store(file_url, migrations=before)
    await older.query(
        "CREATE job:['job_1'] CONTENT { job_id: 'job_1', context_id: $id, kind: 'reindex', "
        "embedder: 'acme/small', status: 'queued' } RETURN NONE;",
        {"id": make_context().id},
    )
    await older.close()
    newer = await open_store(file_url)
    await Provisioning(newer).create_context(make_context(), providers={})
    claimed = await JobTable(newer).claim_job()
    await newer.close()
    assert claimed is not None
    assert (claimed.job.id, claimed.job.payload) == ("job_1", {"embedder": "acme/small"})


async def test_a_queued_job_wakes_the_worker_that_waits(
    store: Database, context: ContextRow
) -> None:
    waiting = asyncio.create_task(JobTable(store).wait_for_job(60))
    await asyncio.sleep(0)
    await queue(store, context)
    await asyncio.wait_for(waiting, 5)
    await JobTable(store).wait_for_job(0.01)  # nothing was queued since: time alone ends it
