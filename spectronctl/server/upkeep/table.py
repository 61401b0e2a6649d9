"""What becomes of memories with time, and what is wrong with them."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from spectronctl.server.access.regions import WITHIN, name_region, query_one_region
from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database
from spectronctl.server.index.rows import SearchIndex, StoredChunk
from spectronctl.server.index.table import parse_chunks
from spectronctl.server.registry.context_database import query_one
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.upkeep.rows import BrokenReference

_LIST_EXPIRED = f"""
RETURN encoding::json::encode((
    SELECT chunk_id AS id, text, scopes, chunk_id FROM memory_chunk
    WHERE memory_category = $category AND created_at < $before AND chunk_id > $after AND {WITHIN}
    ORDER BY chunk_id LIMIT $limit
));
"""

# Counted in the database: the rows cost more to read than to delete. The search tables follow by an event.
_DELETE = """
RETURN count(DELETE $ids.map(|$id| type::record('memory_chunk', [$id])) RETURN BEFORE);
"""

# A region takes out, and counts, what its own queries left; the whole context takes out all.
_PRUNE_CACHE = """
RETURN count(
    DELETE (
        SELECT VALUE id FROM query_cache
        WHERE expires_at < time::now() AND ($region = '' OR region = $region) LIMIT 1000
    ) RETURN BEFORE
);
"""

# What a memory needs: the session and the turn that it was said in, and its place where recall looks.
_LIST_BROKEN = f"""
LET $slot = SELECT VALUE slot FROM ONLY search_index:current;
RETURN encoding::json::encode(array::concat(
    (SELECT chunk_id AS row, 'sessionId' AS field, session_id AS target, scopes FROM memory_chunk
        WHERE !record::exists(session:[session_id]) AND {WITHIN} LIMIT $limit),
    (SELECT chunk_id AS row, 'turnId' AS field, turn_id AS target, scopes FROM memory_chunk
        WHERE !record::exists(type::record(turn_id)) AND {WITHIN} LIMIT $limit),
    (SELECT chunk_id AS row, 'vector' AS field, 'search_' + $slot AS target, scopes FROM memory_chunk
        WHERE type::record('search_' + $slot, [chunk_id]).vector IS NONE AND {WITHIN} LIMIT $limit)
));
"""

_LIST_UNSCOPED = f"""
RETURN encoding::json::encode([
    {{ table: 'session', ids: (SELECT VALUE session_id FROM session WHERE scopes = [] AND {WITHIN}) }},
    {{ table: 'memory_chunk', ids: (SELECT VALUE chunk_id FROM memory_chunk WHERE scopes = [] AND {WITHIN}) }}
]);
"""

_READ_VECTOR = f"SELECT VALUE vector FROM type::record($table, [$id]) WHERE {WITHIN};"


class UpkeepTable:
    """What keeps the memories of a context in order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_expired(
        self,
        context: ContextRow,
        region: Region,
        category: str,
        *,
        before: datetime,
        after: str,
        limit: int,
    ) -> list[StoredChunk]:
        page = {"category": category, "before": before, "after": after, "limit": limit}
        found = await query_one_region(self._database, context, region, _LIST_EXPIRED, **page)
        return parse_chunks(found)

    async def delete_chunks(self, context: ContextRow, ids: Sequence[str]) -> int:
        count = await query_one(self._database, context, _DELETE, ids=list(ids))
        return int(count)

    async def prune_cache(self, context: ContextRow, region: Region) -> int:
        pruned = 0
        while True:
            count = await query_one(
                self._database, context, _PRUNE_CACHE, region=name_region(region)
            )
            pruned += int(count)
            # In batches of a thousand, so that requests come between them.
            if not count:
                return pruned

    async def list_broken(
        self, context: ContextRow, region: Region, *, limit: int
    ) -> list[BrokenReference]:
        found = await query_one_region(self._database, context, region, _LIST_BROKEN, limit=limit)
        return [BrokenReference(**row) for row in json.loads(found)]

    async def list_unscoped(self, context: ContextRow, region: Region) -> dict[str, list[str]]:
        found = await query_one_region(self._database, context, region, _LIST_UNSCOPED)
        return {row["table"]: row["ids"] for row in json.loads(found)}

    async def find_vector(
        self, context: ContextRow, region: Region, index: SearchIndex, chunk_id: str
    ) -> list[float] | None:
        variables = {"table": f"search_{index.slot}", "id": chunk_id}
        found = await query_one_region(self._database, context, region, _READ_VECTOR, **variables)
        return list(found[0]) if found and found[0] else None
