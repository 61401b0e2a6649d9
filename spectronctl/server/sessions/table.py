"""Sessions: made, found, listed and deleted in the database of their context."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json

from spectronctl.ground.times import parse_time
from spectronctl.server.access.regions import WITHIN, query_one_region, tag_row
from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database, QueryError, Row
from spectronctl.server.database.transaction import transaction
from spectronctl.server.database.values import to_stored
from spectronctl.server.idempotency.rows import Receipt
from spectronctl.server.idempotency.table import FINISH, describe_receipt, explain_taken_over
from spectronctl.server.registry.context_database import GUARD, query_one
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.scopes.registering import REGISTERED, write_tagged
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.traces.table import TraceTable

_COLUMNS = "session_id, state, scopes, metadata, turn_count, longest_turn, last_turn_at"

CREATE = "CREATE session:[$row.session_id] CONTENT $row RETURN NONE;"

# As JSON: a program reads one long text several times faster than many small values.
SESSION = f"encoding::json::encode((SELECT {_COLUMNS} FROM session:[$session_id] WHERE {WITHIN}))"
"""The session, as `parse_session` takes it; none outside of the region."""

READ = f"RETURN {SESSION};"

_LIST = f"""
RETURN encoding::json::encode((
    SELECT {_COLUMNS} FROM session
    WHERE state = 'active' AND session_id > $after AND session_id < $before AND {WITHIN}
    ORDER BY session_id LIMIT $limit
));
"""

# In one transaction: a memory that is being written changes the session's row too, so that it is either seen here or
# finds the session gone.
_MARK = transaction("""
LET $spared = !$with_memories AND array::len(
    SELECT VALUE id FROM memory_chunk WHERE session_id = $session_id LIMIT 1
) != 0;
IF !$spared { UPDATE session:[$session_id] SET state = 'deleting' RETURN NONE };
RETURN $spared;
""")

# What a crash left in this state is invisible to everyone and still takes room: each deletion finishes those before
# it, so that no task of its own has to look for them.
_LIST_UNFINISHED = "SELECT VALUE session_id FROM session WHERE state = 'deleting';"

# Counted in the database: the rows cost more to read than to delete.
_DELETE_SOME = """
RETURN count(
    DELETE (SELECT VALUE id FROM {table} WHERE session_id = $session_id LIMIT 2000) RETURN BEFORE
);
"""

_LAST = "session;"  # after every id, which all begin with `session:`

_DELETE_ROW = "DELETE session:[$session_id] RETURN NONE;"


class SessionTable:
    """Sessions of a context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_session(
        self, context: ContextRow, row: SessionRow, *, receipt: Receipt | None
    ) -> None:
        variables = {"row": make_session(row), "receipt": describe_receipt(receipt, row.scopes)}
        text = transaction(GUARD, REGISTERED, CREATE, FINISH if receipt else "")
        try:
            await write_tagged(self._database, context, row.scopes, text, variables)
        except QueryError as error:
            if error.category != "Thrown":
                raise
            # The guard throws before anything is written and is told apart by `query_context`; what is left is the
            # receipt.
            raise explain_taken_over() from error

    async def get_session(
        self, context: ContextRow, region: Region, session_id: str
    ) -> SessionRow | None:
        found = await query_one_region(self._database, context, region, READ, session_id=session_id)
        return parse_session(found)

    async def list_sessions(
        self, context: ContextRow, region: Region, *, after: str, before: str | None, limit: int
    ) -> list[SessionRow]:
        page = {"after": after, "before": before or _LAST, "limit": limit}
        found = await query_one_region(self._database, context, region, _LIST, **page)
        return [_parse_row(row) for row in json.loads(found)]

    async def delete_session(
        self, context: ContextRow, session_id: str, *, with_memories: bool
    ) -> bool:
        variables = {"session_id": session_id, "with_memories": with_memories}
        async with self._database.locks.get_lock(context.id, session_id):
            is_spared = await query_one(self._database, context, _MARK, **variables)
        if is_spared:
            return False
        await self._finish_deletions(context)
        return True

    async def _finish_deletions(self, context: ContextRow) -> None:
        for each in await query_one(self._database, context, _LIST_UNFINISHED):
            await self._remove_session(context, each)

    async def _remove_session(self, context: ContextRow, session_id: str) -> None:
        """Every step may be done again, also by two at once."""
        for table in ("turn", "memory_chunk"):
            text = _DELETE_SOME.format(table=table)
            # Batch by batch: one DELETE of a million rows would hold them all in memory, and every other request up.
            while await query_one(self._database, context, text, session_id=session_id):
                pass
        await TraceTable(self._database).blank_session(context, session_id)
        await query_one(self._database, context, _DELETE_ROW, session_id=session_id)


def make_session(row: SessionRow) -> Row:
    """`$row` of `CREATE`; UnstorableError for metadata that cannot be kept unchanged."""
    return {
        "session_id": row.id,
        **tag_row(row.scopes),
        "metadata": to_stored(row.metadata, "metadata"),
        "turn_count": row.turn_count,
        "longest_turn": row.longest_turn,
        "last_turn_at": row.last_turn_at,
    }


def parse_session(found: str) -> SessionRow | None:
    """The response of `READ`."""
    rows = json.loads(found)
    return _parse_row(rows[0]) if rows else None


def _parse_row(row: Row) -> SessionRow:
    return SessionRow(
        id=row["session_id"],
        scopes=row["scopes"],
        metadata=row["metadata"],
        turn_count=row["turn_count"],
        longest_turn=row["longest_turn"],
        last_turn_at=parse_time(row.get("last_turn_at")),
        deleting=row["state"] == "deleting",
    )
