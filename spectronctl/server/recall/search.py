"""Recall: the memories that a query comes near, by their vectors, by their words, or by both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spectronctl.server.access.scopes import Region, Scopes
from spectronctl.server.database.database import Database
from spectronctl.server.http.problems import models_blocked, unavailable
from spectronctl.server.index.embedders import Embedders
from spectronctl.server.index.rows import SearchIndex
from spectronctl.server.index.table import SearchTable
from spectronctl.server.providers.embedder import Vector
from spectronctl.server.providers.errors import BlockedModelsError, ProviderError
from spectronctl.server.recall.finding import FindingTable
from spectronctl.server.recall.rows import Candidate
from spectronctl.server.registry.rows import ContextRow

# More candidates than hits, since a memory that is in the middle of both lists beats one that is at the top of a
# single one.
_POOL = 200
_RANK_OFFSET = 60  # reciprocal rank fusion: how little the first places differ


@dataclass(frozen=True)
class Query:
    """What is looked for, how, and where."""

    text: str
    most: int
    mode: str
    lens: Scopes


@dataclass(frozen=True)
class Recall:
    """The hits, the best first, and what kept the vectors out where they were wanted."""

    hits: list[Candidate]
    retrieved: int
    without_vectors: str | None
    milliseconds: int


async def recall(
    database: Database, embedders: Embedders, context: ContextRow, region: Region, query: Query
) -> Recall:
    """
    The memories of the region that come near; no other has any part in the hits, their scores or their number.

    In `hybrid` mode an embedder that cannot be had is passed over; in `vector` mode that is a 503, and a
    429 where the operator has blocked models.
    """
    started = time.perf_counter()
    search = _Search(database, embedders, context, region, query)
    # The two tables change places in one transaction; a search that names the old one gets nothing back, and not half
    # of it.
    lists = None
    while lists is None:  # as often as a reindex ends between two steps
        lists = await search.collect(await SearchTable(database).load_index(context))
    fused = _fuse(lists)
    return Recall(
        hits=fused[: query.most],
        retrieved=len(fused),
        without_vectors=search.problem,
        milliseconds=round((time.perf_counter() - started) * 1000),
    )


@dataclass
class _Search:
    database: Database
    embedders: Embedders
    context: ContextRow
    region: Region
    query: Query
    problem: str | None = None

    async def collect(self, index: SearchIndex) -> list[list[Candidate]] | None:
        """What each way of looking finds; None when the index changed meanwhile."""
        finding, lists = FindingTable(self.database), []
        where = (self.context, self.region.narrow(self.query.lens), index)
        if self.query.mode != "bm25" and (vector := await self._embed(index)):
            lists.append(await finding.find_near(*where, vector, most=_POOL))
        if self.query.mode != "vector":
            lists.append(await finding.find_words(*where, self.query.text, most=_POOL))
        found = [each for each in lists if each is not None]
        return found if len(found) == len(lists) else None

    async def _embed(self, index: SearchIndex) -> Vector | None:
        try:
            return await self.embedders.embed_query(
                self.context, self.region, index, self.query.text
            )
        except ProviderError as error:
            if self.query.mode == "vector" and isinstance(error, BlockedModelsError):
                raise models_blocked() from error
            if self.query.mode == "vector":
                raise unavailable(f"mode: the query cannot be embedded: {error}") from error
            # Shown in the trace: a recall by words alone is worth having, but not to be mistaken for the whole.
            self.problem = str(error)
            return None


def _fuse(lists: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """One list as it is; of two, by reciprocal ranks: what stands high in both comes first."""
    if len(lists) == 1:
        return list(lists[0])
    scores: dict[str, float] = {}
    found: dict[str, Candidate] = {}
    for each in lists:
        for rank, candidate in enumerate(each, 1):
            found[candidate.id] = candidate
            scores[candidate.id] = scores.get(candidate.id, 0) + 1 / (_RANK_OFFSET + rank)
    best = sorted(scores, key=lambda name: (-scores[name], name))
    return [replace(found[name], score=scores[name]) for name in best]
