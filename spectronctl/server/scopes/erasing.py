"""
A subtree forgotten: every row that is tagged at or below a path, in any of its clauses.

What is to go is hidden from all readers first, in one step, and then taken out in batches: no reader ever sees a part
of it, however large it is. A crash leaves it hidden, and the next call for any scope of the context finishes it.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from spectronctl.server.database.database import Database
from spectronctl.server.registry.context_database import query_one
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.scopes.rows import Erased

KINDS = {
    "session": "sessions",
    "turn": "turns",
    "memory_chunk": "memories",
    "query_cache": "queries",
}
"""What is counted; the other tables hold what was made of these."""

TAGGED = ("session", "memory_chunk", "search_a", "search_b", "query_cache", "reservation", "trace")
"""Every table whose rows have `nodes`, in the order in which they are emptied; turns go with their sessions."""

_FOUND = 10_000
_BATCH = 500

_IS_SHARED = "scopes.any(|$clause: array| $clause.any(|$one: string| !string::starts_with($one + '/', $path + '/')))"

_COUNT = f"""
RETURN (SELECT count() AS total, count({_IS_SHARED}) AS shared FROM <table> WHERE nodes CONTAINS $path GROUP ALL)[0];
"""

_COUNT_TURNS = f"""
RETURN (SELECT math::sum(turn_count) AS total, math::sum(IF {_IS_SHARED} {{ turn_count }} ELSE {{ 0 }}) AS shared
    FROM session WHERE nodes CONTAINS $path GROUP ALL)[0];
"""

# Many are found at once, since no index knows the nodes: each look reads the whole table.
_FIND = f"SELECT VALUE record::id(id) FROM <table> WHERE nodes CONTAINS $path LIMIT {_FOUND};"

# Counted in the database: the rows cost more to read than to delete.
_DELETE = f"""
LET $gone = DELETE $ids.map(|$id: array| type::record('<table>', $id)) RETURN BEFORE;
RETURN {{ total: count($gone), shared: count($gone[WHERE {_IS_SHARED}]) }};
"""

# Nothing is appended to it from here on: a turn that is being written changes the session's row too, so that it is
# either there by now or finds the session gone.
_MARK = f"""
RETURN (UPDATE session:[$session_id] SET state = 'deleting' RETURN VALUE {_IS_SHARED})[0] ?? false;
"""

_DELETE_TURNS = """
RETURN count(
    DELETE (SELECT VALUE id FROM turn WHERE session_id = $session_id LIMIT 2000) RETURN BEFORE
);
"""

Counts = dict[str, Erased]
"""Of each table."""


async def count_subtree(database: Database, context: ContextRow, path: str) -> Counts:
    """What `erase_subtree` would take out."""
    eraser = _Eraser(database, context, path)
    counts = {table: await eraser.count(_COUNT, table) for table in TAGGED if table in KINDS}
    return counts | {"turn": await eraser.count(_COUNT_TURNS, "session")}


async def erase_subtree(database: Database, context: ContextRow, path: str) -> Counts:
    """Take it all out, and then what was left of others by calls that were interrupted."""
    contexts = ContextTable(database)
    # One at a time: of two for the same path, each would count only a part.
    async with database.locks.get_lock(context.id, "forget"):
        hidden = await contexts.hide_scope(context.id, path)
        counts = await _Eraser(database, context, path).erase()
        await contexts.unhide_scope(context.id, path)
        for each in hidden:
            if each != path:
                await _Eraser(database, context, each).erase()
                await contexts.unhide_scope(context.id, each)
    return counts


@dataclass(frozen=True)
class _Eraser:
    database: Database
    context: ContextRow
    path: str

    async def count(self, text: str, table: str) -> Erased:
        found = await self._query(text, table)
        return Erased(**found) if found else Erased()

    async def erase(self) -> Counts:
        counts: Counts = {}
        # Once more after the last row: what was let in before the scope was hidden may be written a moment later.
        while gone := [each async for each in self._erase_once()]:
            for table, erased in gone:
                counts[table] = counts.get(table, Erased()) + erased
        return counts

    async def _erase_once(self) -> AsyncIterator[tuple[str, Erased]]:
        """What each step takes out, of which table; every one may be done again, also by two at once."""
        for table in TAGGED:
            while ids := await self._query(_FIND, table):
                for at in range(0, len(ids), _BATCH):
                    batch = ids[at : at + _BATCH]
                    if table == "session":
                        for (session_id,) in batch:
                            yield "turn", await self._erase_turns(session_id)
                    yield table, Erased(**await self._query(_DELETE, table, ids=batch))

    async def _erase_turns(self, session_id: str) -> Erased:
        async with self.database.locks.get_lock(self.context.id, session_id):
            is_shared = await self._query(_MARK, session_id=session_id)
        total = 0
        # Batch by batch: one DELETE of a million rows would hold them all in memory, and every other request up.
        while count := await self._query(_DELETE_TURNS, session_id=session_id):
            total += count
        return Erased(total=total, shared=total if is_shared else 0)

    async def _query(self, text: str, table: str = "", **variables: Any) -> Any:
        # Names of tables cannot be variables. Only our own are put in.
        placed = text.replace("<table>", table)
        return await query_one(self.database, self.context, placed, path=self.path, **variables)
