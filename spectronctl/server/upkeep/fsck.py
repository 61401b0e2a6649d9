"""What may be wrong with memories: duplicates, what has no scopes, what names nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database
from spectronctl.server.index.rows import SearchIndex, StoredChunk
from spectronctl.server.index.table import SearchTable
from spectronctl.server.recall.finding import FindingTable
from spectronctl.server.recall.rows import Candidate
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.upkeep.schemas import (
    COMPARED,
    Duplicate,
    FsckResponse,
    Reference,
    UnscopedContent,
)
from spectronctl.server.upkeep.table import UpkeepTable

_SAMPLES = 10
_PAGE = 500
_NEIGHBOURS = 10


@dataclass(frozen=True)
class Wanted:
    """What to look for, and how many of each kind to name."""

    checks: tuple[str, ...]
    threshold: float
    most: int


async def check_memories(
    database: Database, context: ContextRow, region: Region, wanted: Wanted
) -> FsckResponse:
    """All that is found in what the region may read."""
    look = _Look(database, context, region, wanted)
    duplicates = await look.find_duplicates() if "duplicates" in wanted.checks else []
    unscoped = await look.find_unscoped() if "unscoped_content" in wanted.checks else []
    broken = await look.find_broken() if "broken_references" in wanted.checks else []
    return FsckResponse(
        duplicates=duplicates,
        unscoped_content=unscoped,
        broken_references=broken,
        total=len(duplicates) + sum(each.count for each in unscoped) + len(broken),
    )


@dataclass(frozen=True)
class _Look:
    database: Database
    context: ContextRow
    region: Region
    wanted: Wanted

    async def find_duplicates(self) -> list[Duplicate]:
        if self.wanted.threshold == 1:
            return await self._find_same_words()
        return await self._find_near()

    async def _find_same_words(self) -> list[Duplicate]:
        """Memories that say what an older one of the same scopes says, but for case and white space."""
        seen: dict[tuple[str, str], str] = {}
        found: list[Duplicate] = []
        async for chunk in self._walk_chunks():
            # The same words for two teams are two memories: neither can see the other's.
            says = (" ".join(chunk.text.casefold().split()), str(chunk.scopes))
            first = seen.setdefault(says, chunk.id)
            if first != chunk.id and len(found) < self.wanted.most:
                found.append(Duplicate(entity_a=first, entity_b=chunk.id, similarity=1.0))
        return found

    async def _find_near(self) -> list[Duplicate]:
        # Comparing all with all is quadratic; duplicates come in with what is new.
        # The walk begins with the oldest: what is left in here at its end are the newest.
        newest: deque[StoredChunk] = deque(maxlen=COMPARED)
        async for chunk in self._walk_chunks():
            newest.append(chunk)
        index = await SearchTable(self.database).load_index(self.context)
        pairs: dict[tuple[str, str], float] = {}
        # From the newest back: where findings are cut off, those of today are told.
        while newest and len(pairs) < self.wanted.most:
            chunk = newest.pop()
            vector = await UpkeepTable(self.database).find_vector(
                self.context, self.region, index, chunk.id
            )
            if vector is None:
                continue
            for near in await self._list_near(index, vector):
                if near.id != chunk.id and near.score >= self.wanted.threshold:
                    # In one order, so that a pair that is found from both ends is one finding.
                    pairs[min(near.id, chunk.id), max(near.id, chunk.id)] = near.score
        return [
            # In 32-bit numbers the cosine of two equal vectors may come out a little above 1.
            Duplicate(entity_a=one, entity_b=other, similarity=min(score, 1.0))
            for (one, other), score in list(pairs.items())[: self.wanted.most]
        ]

    async def _list_near(self, index: SearchIndex, vector: list[float]) -> list[Candidate]:
        found = await FindingTable(self.database).find_near(
            self.context,
            self.region,
            index,
            vector,
            most=_NEIGHBOURS,
            least=self.wanted.threshold,
        )
        return found or []

    async def _walk_chunks(self) -> AsyncIterator[StoredChunk]:
        after = ""
        while rows := await self._list_chunks(after):
            after = rows[-1].id
            for row in rows:
                yield row

    async def _list_chunks(self, after: str) -> list[StoredChunk]:
        return await SearchTable(self.database).list_chunks(
            self.context, self.region, after=after, limit=_PAGE
        )

    async def find_unscoped(self) -> list[UnscopedContent]:
        found = await UpkeepTable(self.database).list_unscoped(self.context, self.region)
        return [
            UnscopedContent(table=table, count=len(ids), sample_ids=ids[:_SAMPLES])
            for table, ids in found.items()
            if ids
        ]

    async def find_broken(self) -> list[Reference]:
        found = await UpkeepTable(self.database).list_broken(
            self.context, self.region, limit=self.wanted.most
        )
        return [Reference(row_id=each.row, field=each.field, target=each.target) for each in found]
