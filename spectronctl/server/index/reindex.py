"""Embed and index every memory of a context anew, beside the index that serves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from spectronctl.ground.ulids import make_ulid_bound
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Database
from spectronctl.server.index.embedders import Embedders
from spectronctl.server.index.rows import Build, StoredChunk
from spectronctl.server.index.table import SearchTable
from spectronctl.server.jobs.handlers import FailedJobError, Run
from spectronctl.server.jobs.rows import LostJobError
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.providers.embedder import Embedder, Vector
from spectronctl.server.providers.errors import ProviderError

REINDEX = "reindex"
"""The kind of job; its payload is `{"embedder": "provider/model"}`."""

BATCH = 64
"""Memories in one transaction, at most: few enough for requests not to wait long behind one."""

_PAGE = 4  # batches that are read at once
_SETTLE_SECONDS = 0.5  # for writes that began before the index changed
_CLOCK_SKEW = timedelta(minutes=1)


class ReindexHandler:
    """Embeds every memory with the model that the payload names; see `jobs.handlers.Handler`."""

    def __init__(self, database: Database, embedders: Embedders) -> None:
        self._database = database
        self._embedders = embedders

    async def run(self, run: Run) -> None:
        """Until everything is embedded, the index that serves stays as it is."""
        try:
            embedder = await self._embedders.find(run.context, run.payload["embedder"])
            await reindex(self._database, run, embedder)
        except ProviderError as error:
            raise FailedJobError(str(error)) from error

    async def undo(self, run: Run) -> None:
        """Drop the index that was being filled."""
        if await take_over(self._database, run):
            await SearchTable(self._database).close_build(run.context, run.claimed)


async def reindex(database: Database, run: Run, embedder: Embedder) -> None:
    """
    Do the whole job, from where an earlier worker left it.

    ProviderError when the embedder fails, CancelledJobError, LostJobError.
    """
    build = await take_over(database, run)
    run.advance(run.done, await SearchTable(database).count_chunks(run.context, WHOLE))
    if build is None:
        # Providers do not say how long their vectors are, and the index must be defined with that number before the
        # first one is written.
        (probe,) = await embedder.embed([run.context.id])  # how long are its vectors?
        build = await SearchTable(database).begin_build(
            run.context, run.claimed, dimension=len(probe)
        )
    _report(run, build)
    if (await SearchTable(database).load_index(run.context)).slot != build.slot:
        build = await _fill(database, run, embedder, build)
        await SearchTable(database).switch_to_build(
            run.context, run.claimed, build, embedder=embedder.name
        )
    # A write that began before the switch commits after it, into the table that no longer serves; a moment later all
    # of those are there to be found.
    await asyncio.sleep(_SETTLE_SECONDS)
    await _index_latecomers(database, run, embedder)
    await SearchTable(database).close_build(run.context, run.claimed)


async def take_over(database: Database, run: Run) -> Build | None:
    """
    What the job has built so far, now ours alone; LostJobError when the job is no longer ours.

    In this order: a worker that opens the build after it lost the job has to notice that before it changes anything.
    """
    build = await SearchTable(database).open_build(run.context, run.claimed)
    if await JobTable(database).renew_job(run.claimed, done=run.done, total=run.total) is None:
        raise LostJobError
    return build


async def _fill(database: Database, run: Run, embedder: Embedder, build: Build) -> Build:
    size = min(BATCH, embedder.batch)
    while page := await SearchTable(database).list_chunks(
        run.context, WHOLE, after=build.cursor, limit=_PAGE * size
    ):
        for first in range(0, len(page), size):
            run.check()
            chunks = page[first : first + size]
            vectors = await _embed(embedder, chunks, build.dimension)
            build = await SearchTable(database).add_to_build(
                run.context, run.claimed, build, chunks, vectors
            )
            _report(run, build)
    run.check()
    return build


def _report(run: Run, build: Build) -> None:
    """Memories that were written since they were counted count as well."""
    run.advance(build.done, max(run.total or 0, build.done))


async def _index_latecomers(database: Database, run: Run, embedder: Embedder) -> None:
    """Memories that were written to the other table, or whose ids are older than their transactions."""
    begun = run.claimed.job.created_at - _CLOCK_SKEW
    after = f"memory_chunk:{make_ulid_bound(int(begun.timestamp() * 1000))}"
    index = await SearchTable(database).load_index(run.context)
    while chunks := await SearchTable(database).list_unindexed(
        run.context, WHOLE, after=after, limit=BATCH
    ):
        vectors = await _embed(embedder, chunks, index.dimension)
        await SearchTable(database).index_chunks(run.context, index, chunks, vectors)
        after = chunks[-1].id


async def _embed(embedder: Embedder, chunks: Sequence[StoredChunk], dimension: int) -> list[Vector]:
    vectors = await embedder.embed([chunk.text for chunk in chunks])
    # A model may be changed behind the same name; vectors of two lengths in one index are an error at every search.
    if len(vectors[0]) != dimension:
        raise ProviderError(
            f"{embedder.name}: its vectors have {len(vectors[0])} numbers, and had {dimension} before"
        )
    return vectors
