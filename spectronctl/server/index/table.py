"""
What recall looks through: the text and the vector of every memory.

Two tables take turns. One serves; a reindex fills the other, and then they change places, so that an index half-way
made is never looked through. A memory that is written meanwhile goes to the one that serves.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spectronctl.server.access.regions import (
    WITHIN,
    name_region,
    query_one_region,
    tag_row,
)
from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database, QueryError
from spectronctl.server.database.transaction import transaction
from spectronctl.server.index.rows import Build, SearchIndex, StoredChunk
from spectronctl.server.jobs.rows import ClaimedJob, LostJobError
from spectronctl.server.registry.context_database import GUARD, query_context, query_one
from spectronctl.server.registry.rows import ContextRow

_LOST = "taken over"

_OTHER = {"a": "b", "b": "a"}

_COLUMNS = "chunk_id AS id, text, scopes"

_EMPTY = "REMOVE TABLE IF EXISTS search_<slot>; DEFINE TABLE search_<slot> SCHEMAFULL;"

# As the migration defines the first one, but for the dimension.
_DEFINE = """
DEFINE FIELD chunk_id ON search_<slot> TYPE string;
DEFINE FIELD scopes ON search_<slot> TYPE array<array<string>>;
DEFINE FIELD nodes ON search_<slot> TYPE array<string>;
DEFINE FIELD text ON search_<slot> TYPE string;
DEFINE FIELD vector ON search_<slot> TYPE any;
DEFINE INDEX search_<slot>_text ON search_<slot> FIELDS text FULLTEXT ANALYZER memory_text BM25;
DEFINE INDEX search_<slot>_vector ON search_<slot>
    FIELDS vector HNSW DIMENSION <dimension> DIST COSINE TYPE F32 EFC 64 M 12;
"""

_READ_INDEX = "SELECT slot, embedder, dimension FROM ONLY search_index:current;"

# The worker that opened the build before can change nothing from here on: the claim is another.
_OPEN = transaction(f"""
{GUARD}
UPSERT search_build:current SET
    claim = $claim, job_id = job_id ?? '', slot = slot ?? 'a', dimension = dimension ?? 0,
    cursor = cursor ?? '', done = done ?? 0
RETURN job_id, slot, dimension, cursor, done;
""")

_CHECK = f"""
IF (SELECT VALUE claim FROM ONLY search_build:current) != $claim {{ THROW '{_LOST}' }};
"""

# Two transactions: an index that is defined where a table was just removed still reads that one's rows. Until the
# second is done, the build has no owner.
_CLEAR = transaction(f"""
{_CHECK}
UPSERT search_build:current CONTENT {{
    job_id: '', claim: $claim, slot: $slot, dimension: $dimension, cursor: '', done: 0
}} RETURN NONE;
{_EMPTY}
""")

_BEGIN = transaction(f"""
{_CHECK}
UPDATE search_build:current SET job_id = $job_id RETURN NONE;
{_DEFINE}
""")

# Linear in the number of rows: one INSERT of them all looks back at each row before it. What was deleted while it was
# being embedded must not come back: where the job fails, nothing looks through the table any more.
_ADD = transaction(f"""
{_CHECK}
UPDATE search_build:current SET cursor = $cursor, done = $done RETURN NONE;
FOR $row IN $rows {{
    IF record::exists(memory_chunk:[$row.chunk_id]) {{ <verb> search_<slot>:[$row.chunk_id] CONTENT $row RETURN NONE }}
}};
""")

# What was deleted while it was being embedded leaves again before it is looked through. What was written after its
# turn had passed is found by its words at once, and gets its vector later.
_SWITCH = transaction(f"""
{_CHECK}
DELETE search_<slot> WHERE !record::exists(memory_chunk:[chunk_id]) RETURN NONE;
INSERT INTO search_<slot> (
    SELECT [chunk_id] AS id, chunk_id, scopes, nodes, text FROM memory_chunk
    WHERE !record::exists(search_<slot>:[chunk_id])
) RETURN NONE;
UPSERT search_index:current CONTENT {{ slot: '<slot>', embedder: $embedder, dimension: $dimension }} RETURN NONE;
""")

# A build that serves is remembered: a worker that takes the job over before it has ended finds nothing left to do.
_CLOSE = transaction(f"""
{_CHECK}
{_EMPTY}
DELETE search_build:current WHERE slot = '<slot>' RETURN NONE;
""")

# As JSON: a program reads one long text several times faster than many small values.
_LIST = f"""
RETURN encoding::json::encode((
    SELECT {_COLUMNS}, chunk_id FROM memory_chunk WHERE chunk_id > $after AND {WITHIN}
    ORDER BY chunk_id LIMIT $limit
));
"""

_COUNT = f"RETURN count(SELECT VALUE id FROM memory_chunk WHERE {WITHIN});"

_LIST_UNINDEXED = f"""
LET $slot = SELECT VALUE slot FROM ONLY search_index:current;
RETURN encoding::json::encode((
    SELECT {_COLUMNS}, chunk_id FROM memory_chunk
    WHERE chunk_id > $after AND type::record('search_' + $slot, [chunk_id]).vector IS NONE AND {WITHIN}
    ORDER BY chunk_id LIMIT $limit
));
"""

_INDEX = transaction("""
IF (SELECT VALUE slot FROM ONLY search_index:current) = $slot {
    FOR $row IN $rows {
        LET $is_better = $row.vector IS NOT NONE OR !record::exists(search_<slot>:[$row.chunk_id]);
        IF $is_better AND record::exists(memory_chunk:[$row.chunk_id]) {
            UPSERT search_<slot>:[$row.chunk_id] CONTENT $row RETURN NONE
        }
    }
};
""")

REMEMBER = """
CREATE memory_chunk:[$chunk.chunk_id] CONTENT $chunk RETURN NONE;
LET $index = SELECT slot, embedder, dimension FROM ONLY search_index:current;
LET $entry = {
    chunk_id: $chunk.chunk_id, scopes: $chunk.scopes, nodes: $chunk.nodes, text: $chunk.text,
    vector: IF $index.embedder = $embedder AND $index.dimension = array::len($vector ?? []) { $vector } ELSE { NONE }
};
IF $index.slot = 'a' { CREATE search_a:[$chunk.chunk_id] CONTENT $entry RETURN NONE };
IF $index.slot = 'b' { CREATE search_b:[$chunk.chunk_id] CONTENT $entry RETURN NONE };
"""
"""The part of a write's transaction that keeps `$chunk` and makes it findable, by `$vector` of `$embedder` too."""

# Whose query it was belongs to its name: what another region asked is never found, not even by how fast it comes.
_READ_CACHED = """
SELECT VALUE vector FROM query_cache:[$region, $embedder, $digest] WHERE expires_at > time::now();
"""

_CACHE = transaction(f"""
{GUARD}
UPSERT query_cache:[$region, $embedder, $digest] CONTENT {{
    region: $region, scopes: $scopes, nodes: $nodes, vector: $vector, expires_at: time::now() + 1d
}} RETURN NONE;
""")


class SearchTable:
    """Memories, and the tables that recall looks through."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_index(self, context: ContextRow) -> SearchIndex:
        row = await query_one(self._database, context, _READ_INDEX)
        return SearchIndex(slot=row["slot"], embedder=row["embedder"], dimension=row["dimension"])

    async def open_build(self, context: ContextRow, claimed: ClaimedJob) -> Build | None:
        (row,) = await query_one(self._database, context, _OPEN, **_name(claimed))
        return Build(**row) if row.pop("job_id") == claimed.job.id else None

    async def begin_build(
        self, context: ContextRow, claimed: ClaimedJob, *, dimension: int
    ) -> Build:
        build = Build(slot=await self._find_idle(context), dimension=dimension)
        variables = {**_name(claimed), "slot": build.slot, "dimension": dimension}
        for text in (_CLEAR, _BEGIN):
            await self._write(context, at_slot(text, build.slot, dimension=dimension), **variables)
        return build

    async def _find_idle(self, context: ContextRow) -> str:
        return _OTHER[(await self.load_index(context)).slot]

    async def list_chunks(
        self, context: ContextRow, region: Region, *, after: str, limit: int
    ) -> list[StoredChunk]:
        page = {"after": after, "limit": limit}
        return parse_chunks(await query_one_region(self._database, context, region, _LIST, **page))

    async def count_chunks(self, context: ContextRow, region: Region) -> int:
        return int(await query_one_region(self._database, context, region, _COUNT))

    async def add_to_build(
        self,
        context: ContextRow,
        claimed: ClaimedJob,
        build: Build,
        chunks: Sequence[StoredChunk],
        vectors: Sequence[list[float]],
    ) -> Build:
        later = replace(build, cursor=chunks[-1].id, done=build.done + len(chunks))
        variables = {
            **_name(claimed),
            "cursor": later.cursor,
            "done": later.done,
            "rows": _make_entries(chunks, vectors),
        }
        try:
            await self._write(context, at_slot(_ADD, build.slot, verb="CREATE"), **variables)
        except QueryError as error:
            if not error.is_taken:
                raise
            # The engine took the rows of this batch before, and lost how far they had come.
            await self._write(context, at_slot(_ADD, build.slot, verb="UPSERT"), **variables)
        return later

    async def switch_to_build(
        self, context: ContextRow, claimed: ClaimedJob, build: Build, *, embedder: str
    ) -> None:
        serving = {"embedder": embedder, "dimension": build.dimension}
        await self._write(context, at_slot(_SWITCH, build.slot), **_name(claimed), **serving)

    async def close_build(self, context: ContextRow, claimed: ClaimedJob) -> None:
        text = at_slot(_CLOSE, await self._find_idle(context))
        await self._write(context, text, **_name(claimed))

    async def list_unindexed(
        self, context: ContextRow, region: Region, *, after: str, limit: int
    ) -> list[StoredChunk]:
        page = {"after": after, "limit": limit}
        found = await query_one_region(self._database, context, region, _LIST_UNINDEXED, **page)
        return parse_chunks(found)

    async def index_chunks(
        self,
        context: ContextRow,
        index: SearchIndex,
        chunks: Sequence[StoredChunk],
        vectors: Sequence[list[float] | None],
    ) -> None:
        text = at_slot(_INDEX, index.slot)
        await self._write(context, text, slot=index.slot, rows=_make_entries(chunks, vectors))

    async def find_cached_vector(
        self, context: ContextRow, region: Region, embedder: str, query: str
    ) -> list[float] | None:
        name = _name_query(region, embedder, query)
        found = await query_one(self._database, context, _READ_CACHED, **name)
        return found[0] if found else None

    async def cache_vector(
        self, context: ContextRow, region: Region, embedder: str, query: str, vector: list[float]
    ) -> None:
        name = _name_query(region, embedder, query)
        # They go with the scopes that the region is made of.
        tags = tag_row([[path] for path in region.list_tops()])
        await self._write(context, _CACHE, **name, **tags, vector=vector)

    async def _write(self, context: ContextRow, text: str, **variables: Any) -> None:
        try:
            await query_context(self._database, context, text, variables)
        except QueryError as error:
            if error.category == "Thrown" and _LOST in str(error):
                raise LostJobError from error
            raise


def at_slot(text: str, slot: str, **parts: str | int) -> str:
    """A query on one of the two tables; its other parts, too, cannot be variables."""
    for name, value in {"slot": slot, **parts}.items():
        # Names of tables cannot be variables. Only our own slots and numbers are put in.
        text = text.replace(f"<{name}>", str(value))
    return text


def _name(claimed: ClaimedJob) -> dict[str, str]:
    return {"job_id": claimed.job.id, "claim": claimed.claim}


def _name_query(region: Region, embedder: str, query: str) -> dict[str, str]:
    # Queries may be long and private: the cache knows them by their digest.
    digest = hashlib.sha256(query.encode()).hexdigest()
    return {"region": name_region(region), "embedder": embedder, "digest": digest}


def _make_entries(
    chunks: Sequence[StoredChunk], vectors: Sequence[list[float] | None]
) -> list[dict[str, Any]]:
    return [
        {"chunk_id": chunk.id, **tag_row(chunk.scopes), "text": chunk.text}
        | ({"vector": vector} if vector else {})
        for chunk, vector in zip(chunks, vectors, strict=True)
    ]


def parse_chunks(found: str) -> list[StoredChunk]:
    """Memories from their JSON."""
    rows: list[Mapping[str, Any]] = json.loads(found)
    return [StoredChunk(id=row["id"], text=row["text"], scopes=row["scopes"]) for row in rows]
