"""What becomes of memories with time, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from spectronctl.server.store import BrokenReference, ContextRow, SearchIndex, StoredChunk
from spectronctl.server.store._database import Database
from spectronctl.server.store._plane import query_context, query_one
from spectronctl.server.store._search import read_chunks

_LIST_EXPIRED = """
RETURN encoding::json::encode((
    SELECT chunk_id AS id, text, scopes, chunk_id FROM memory_chunk
    WHERE memory_category = $category AND created_at < $before AND chunk_id > $after
    ORDER BY chunk_id LIMIT $limit
));
"""

# Counted in the database: the rows cost more to read than to delete. The search tables follow by an event.
_DELETE = """
RETURN count(DELETE $ids.map(|$id| type::record('memory_chunk', [$id])) RETURN BEFORE);
"""

_PRUNE_CACHE = """
RETURN count(
    DELETE (SELECT VALUE id FROM query_cache WHERE expires_at < time::now() LIMIT 1000) RETURN BEFORE
);
"""

# What a memory needs: the session and the turn that it was said in, and its place where recall looks.
_LIST_BROKEN = """
LET $slot = SELECT VALUE slot FROM ONLY search_index:current;
RETURN encoding::json::encode(array::concat(
    (SELECT chunk_id AS row, 'sessionId' AS field, session_id AS target, scopes FROM memory_chunk
        WHERE !record::exists(session:[session_id]) LIMIT $limit),
    (SELECT chunk_id AS row, 'turnId' AS field, turn_id AS target, scopes FROM memory_chunk
        WHERE !record::exists(type::record(turn_id)) LIMIT $limit),
    (SELECT chunk_id AS row, 'vector' AS field, 'search_' + $slot AS target, scopes FROM memory_chunk
        WHERE type::record('search_' + $slot, [chunk_id]).vector IS NONE LIMIT $limit)
));
"""

_LIST_UNSCOPED = """
RETURN encoding::json::encode([
    { table: 'session', ids: (SELECT VALUE session_id FROM session WHERE scopes = []) },
    { table: 'memory_chunk', ids: (SELECT VALUE chunk_id FROM memory_chunk WHERE scopes = []) }
]);
"""

_READ_VECTOR = "RETURN type::record($table, [$id]).vector;"


class UpkeepTable:
    """The part of `Store` that keeps memories in order."""

    _database: Database

    async def list_expired(
        self, context: ContextRow, category: str, *, before: datetime, after: str, limit: int
    ) -> list[StoredChunk]:
        page = {"category": category, "before": before, "after": after, "limit": limit}
        found = await query_one(self._database, context, _LIST_EXPIRED, **page)
        return read_chunks(found)

    async def delete_chunks(self, context: ContextRow, ids: Sequence[str]) -> int:
        count = await query_one(self._database, context, _DELETE, ids=list(ids))
        return int(count)

    async def prune_cache(self, context: ContextRow) -> int:
        pruned = 0
        while True:
            count = await query_one(self._database, context, _PRUNE_CACHE)
            pruned += int(count)
            if not count:
                return pruned

    async def list_broken(self, context: ContextRow, *, limit: int) -> list[BrokenReference]:
        found = await query_context(self._database, context, _LIST_BROKEN, {"limit": limit})
        return [BrokenReference(**row) for row in json.loads(found[-1])]

    async def list_unscoped(self, context: ContextRow) -> dict[str, list[str]]:
        found = await query_one(self._database, context, _LIST_UNSCOPED)
        return {row["table"]: row["ids"] for row in json.loads(found)}

    async def read_vector(
        self, context: ContextRow, index: SearchIndex, chunk_id: str
    ) -> list[float] | None:
        variables = {"table": f"search_{index.slot}", "id": chunk_id}
        found = await query_one(self._database, context, _READ_VECTOR, **variables)
        return list(found) if found else None
