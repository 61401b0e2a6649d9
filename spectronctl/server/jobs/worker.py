"""
Work on jobs, one at a time, for as long as the server runs.

A worker renews the lease of its job every second. When it dies, the lease ends, and another worker goes on from the
last batch that was written; what the dead one still has on its way to the database is refused there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import DatabaseError, DiskError
from spectronctl.server.jobs.handlers import CancelledJobError, FailedJobError, Handlers, Run
from spectronctl.server.jobs.rows import ClaimedJob, LostJobError
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.registry.contexts import ContextTable

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
BEAT_SECONDS = 1.0
_PRUNE_SECONDS = 3600.0

Chore = Callable[[], Awaitable[object]]
"""What keeps a table from growing for ever."""
_FULL_PAUSE_SECONDS = 10.0


@asynccontextmanager
async def run_worker(
    database: Database, handlers: Handlers, chores: Sequence[Chore] = ()
) -> AsyncIterator[None]:
    """
    Work on jobs in the background until this is left; a job under way then waits for the next worker.

    Once an hour old jobs are pruned, and the `chores` of other rooms are done.
    """
    # Cancelled and not awaited to their end: a reindex may take hours, and the next worker goes on from the last
    # batch.
    tasks = [
        asyncio.create_task(each)
        for each in (_work(database, handlers), _tidy((JobTable(database).prune_jobs, *chores)))
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _work(database: Database, handlers: Handlers) -> None:
    while True:
        try:
            if not await _work_once(database, handlers):
                await JobTable(database).wait_for_job(POLL_SECONDS)
        except DiskError:  # the log names the disk already
            # A job does not fail because a disk is full: it waits until there is room, and says so in its lack of
            # progress.
            await asyncio.sleep(_FULL_PAUSE_SECONDS)
        except Exception:  # noqa: BLE001 - whatever it is, the next job may go well
            _log.exception("the worker could not go on; it tries again")
            await asyncio.sleep(POLL_SECONDS)


async def _tidy(chores: Sequence[Chore]) -> None:
    while True:
        for chore in chores:
            try:
                await chore()
            except Exception:  # noqa: BLE001 - the next hour will do
                _log.exception("old rows were not pruned")
        await asyncio.sleep(_PRUNE_SECONDS)


async def _work_once(database: Database, handlers: Handlers) -> bool:
    """Take a job and do what can be done of it; False when there is none."""
    claimed = await _claim(database)
    if claimed is None:
        return False
    job = claimed.job
    _log.info("job %s: at work on the %s of %s", job.id, job.kind, job.context_id)
    try:
        run = await _begin(database, claimed)
        async with _beating(database, run), _losing(database, run):
            await _carry_out(database, handlers, run)
    except LostJobError:
        _log.warning("job %s: taken over, or gone with its context", job.id)
        # In case that the worker that took it over notices the loss, too.
        await JobTable(database).release_job(claimed)
    except BaseException:
        # Shielded, since this runs while the server stops: a lease that is given back lets the next server begin at
        # once, and not in a quarter of a minute.
        with suppress(Exception):
            await asyncio.shield(JobTable(database).release_job(claimed))
        raise
    return True


async def _begin(database: Database, claimed: ClaimedJob) -> Run:
    job = claimed.job
    context = await ContextTable(database).get_context(job.context_id)
    if context is None:
        raise LostJobError
    # From where the last worker was: the count goes on, and never back.
    return Run(claimed, context, job.done, job.total, is_cancelled=job.cancel_requested)


@asynccontextmanager
async def _beating(database: Database, run: Run) -> AsyncIterator[None]:
    beat = asyncio.create_task(_beat(database, run))
    try:
        yield
    finally:
        beat.cancel()
        await asyncio.wait([beat])


@asynccontextmanager
async def _losing(database: Database, run: Run) -> AsyncIterator[None]:
    """What fails because the context is being deleted is a lost job: that takes jobs away first."""
    try:
        yield
    except DatabaseError:
        if await JobTable(database).renew_job(run.claimed, done=run.done, total=run.total) is None:
            raise LostJobError from None
        raise


async def _claim(database: Database) -> ClaimedJob | None:
    """A job; when this is cancelled meanwhile, no other worker has to wait for the end of its lease."""
    # The claim may be written although we are cancelled while we wait for the response: so the response is waited
    # for, and what it brings is given back.
    claiming = asyncio.ensure_future(JobTable(database).claim_job())
    try:
        return await asyncio.shield(claiming)
    except asyncio.CancelledError:
        if claimed := await claiming:
            await JobTable(database).release_job(claimed)
        raise


async def _beat(database: Database, run: Run) -> None:
    """Renew the lease; hear that the job is cancelled, or no longer ours."""
    while True:
        try:
            is_cancelled = await JobTable(database).renew_job(
                run.claimed, done=run.done, total=run.total
            )
        except Exception as error:  # noqa: BLE001 - the lease outlives a few beats
            _log.warning("job %s: no sign of life: %s", run.claimed.job.id, type(error).__name__)
        else:
            run.is_lost = is_cancelled is None
            run.is_cancelled = bool(is_cancelled)
        await asyncio.sleep(BEAT_SECONDS)


async def _carry_out(database: Database, handlers: Handlers, run: Run) -> None:
    job = run.claimed.job
    handler, error = handlers.get(job.kind), None
    try:
        # A job that was cancelled while no worker was there begins with its end.
        run.check()
        if handler is None:
            raise FailedJobError(f"this server does not know jobs of the kind {job.kind}")
        await handler.run(run)
        status = "succeeded"
    except CancelledJobError:
        status = "cancelled"
    except FailedJobError as exc:
        status, error = "failed", str(exc)
    except (LostJobError, DatabaseError):
        raise  # a database that does not respond is no failure of the job
    except Exception as exc:  # noqa: BLE001 - the job ends, the worker goes on
        _log.exception("job %s failed", job.id)
        status, error = "failed", f"unexpected {type(exc).__name__}; the server's log says more"
    # Before the job is finished: a crash in between leaves it running, and the next worker undoes it again.
    if status != "succeeded" and handler is not None:
        await handler.undo(run)
    await JobTable(database).finish_job(
        run.claimed, status, error=error, done=run.done, total=run.total
    )
    _log.info("job %s: %s", job.id, status)
