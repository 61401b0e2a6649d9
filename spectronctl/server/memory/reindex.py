"""Embed and index every memory of a context anew, beside the index that serves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from spectronctl.ground.ulids import make_ulid_bound
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Database
from spectronctl.server.jobs.rows import ClaimedJob, LostJobError
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.memory.embedding import Embedder, EmbeddingError, Vector
from spectronctl.server.memory.index import SearchTable
from spectronctl.server.memory.rows import Build, StoredChunk
from spectronctl.server.registry.rows import ContextRow

BATCH = 64
"""Memories in one transaction, at most: few enough for requests not to wait long behind one."""

_PAGE = 4  # batches that are read at once
_SETTLE_SECONDS = 0.5  # for writes that began before the index changed
_CLOCK_SKEW = timedelta(minutes=1)


class CancelledJobError(Exception):
    """Somebody asked for the job to be cancelled."""


@dataclass
class Run:
    """A job at work: how far it is, and what its heart has been told."""

    claimed: ClaimedJob
    done: int = 0
    total: int | None = None
    is_cancelled: bool = False
    is_lost: bool = False

    def check(self) -> None:
        """Between two batches: whether to go on."""
        if self.is_lost:
            raise LostJobError
        if self.is_cancelled:
            raise CancelledJobError

    def note(self, build: Build) -> None:
        """As far as the build is, of at least that many."""
        self.done = build.done
        self.total = max(self.total or 0, build.done)


async def reindex(database: Database, context: ContextRow, run: Run, embedder: Embedder) -> None:
    """
    Do the whole job, from where an earlier worker left it.

    EmbeddingError when the embedder fails: until everything is embedded, the index that serves stays as it is.
    CancelledJobError, LostJobError.
    """
    build = await take_over(database, context, run)
    run.total = await SearchTable(database).count_chunks(context, WHOLE)
    if build is None:
        (probe,) = await embedder.embed([context.id])  # how long are its vectors?
        build = await SearchTable(database).begin_build(context, run.claimed, dimension=len(probe))
    run.note(build)
    if (await SearchTable(database).read_index(context)).slot != build.slot:
        build = await _fill(database, context, run, embedder, build)
        await SearchTable(database).switch_to_build(
            context, run.claimed, build, embedder=embedder.name
        )
    await asyncio.sleep(_SETTLE_SECONDS)
    await _index_latecomers(database, context, run, embedder)
    await SearchTable(database).close_build(context, run.claimed)


async def take_over(database: Database, context: ContextRow, run: Run) -> Build | None:
    """
    What the job has built so far, now ours alone; LostJobError when the job is no longer ours.

    In this order: who opens the build after the job went to another worker has to notice it before changing anything.
    """
    build = await SearchTable(database).open_build(context, run.claimed)
    if await JobTable(database).renew_job(run.claimed, done=run.done, total=run.total) is None:
        raise LostJobError
    return build


async def _fill(
    database: Database, context: ContextRow, run: Run, embedder: Embedder, build: Build
) -> Build:
    size = min(BATCH, embedder.batch)
    while page := await SearchTable(database).list_chunks(
        context, WHOLE, after=build.cursor, limit=_PAGE * size
    ):
        for first in range(0, len(page), size):
            run.check()
            chunks = page[first : first + size]
            vectors = await _embed(embedder, chunks, build.dimension)
            build = await SearchTable(database).add_to_build(
                context, run.claimed, build, chunks, vectors
            )
            run.note(build)
    run.check()
    return build


async def _index_latecomers(
    database: Database, context: ContextRow, run: Run, embedder: Embedder
) -> None:
    """Memories that were written to the other table, or whose ids are older than their transactions."""
    begun = run.claimed.job.created_at - _CLOCK_SKEW
    after = f"memory_chunk:{make_ulid_bound(int(begun.timestamp() * 1000))}"
    index = await SearchTable(database).read_index(context)
    while chunks := await SearchTable(database).list_unindexed(
        context, WHOLE, after=after, limit=BATCH
    ):
        vectors = await _embed(embedder, chunks, index.dimension)
        await SearchTable(database).index_chunks(context, index, chunks, vectors)
        after = chunks[-1].id


async def _embed(embedder: Embedder, chunks: Sequence[StoredChunk], dimension: int) -> list[Vector]:
    vectors = await embedder.embed([chunk.text for chunk in chunks])
    if len(vectors[0]) != dimension:
        raise EmbeddingError(
            f"{embedder.name}: its vectors have {len(vectors[0])} numbers, and had {dimension} before"
        )
    return vectors
