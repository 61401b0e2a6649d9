"""The tree of scopes: registered, listed and tombstoned in the database of its context."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from spectronctl.server.access.scopes import list_nodes
from spectronctl.server.database.database import Database, Row
from spectronctl.server.database.transaction import get_result, transaction
from spectronctl.server.registry.context_database import GUARD, query_one
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.scopes.registering import REGISTERED, register_in

_PAGE = 2000

_COLUMNS = "path, created_at AS createdAt, tombstoned_at AS tombstonedAt, display_name AS displayName, description"

# As JSON: a program reads one long text several times faster than many small values.
_LIST = f"""
RETURN encoding::json::encode((
    SELECT {_COLUMNS} FROM scope WHERE path > $after ORDER BY path LIMIT {_PAGE}
));
"""

# The node's own tombstone is taken away before it is looked at; one above it refuses the registration.
_REGISTER = transaction(
    GUARD,
    "UPDATE scope:[$path] SET tombstoned_at = NONE RETURN NONE;",
    REGISTERED,
    f"""
    UPDATE scope:[$path] SET display_name = $display_name ?? display_name, description = $description ?? description
        RETURN NONE;
    RETURN encoding::json::encode((SELECT {_COLUMNS} FROM ONLY scope:[$path]));
    """,
)

# `0` comes next to `/`: between the two lies all that begins with the path and a slash.
_TOMBSTONE = transaction(f"""
{GUARD}
LET $is_there = record::exists(scope:[$path]);
UPDATE scope:[$path] SET tombstoned_at = tombstoned_at ?? time::now() RETURN NONE;
UPDATE scope SET tombstoned_at = time::now()
    WHERE path > $path + '/' AND path < $path + '0' AND tombstoned_at = NONE RETURN NONE;
RETURN $is_there;
""")


class ScopeTable:
    """Nodes of the tree, each as `path`, `createdAt`, `tombstonedAt`, `displayName` and `description`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_scopes(self, context: ContextRow) -> AsyncIterator[list[Row]]:
        """All nodes in the order of their paths, in pieces; the last one is empty."""
        after = ""
        while True:
            page = json.loads(await query_one(self._database, context, _LIST, after=after))
            yield page
            if not page:
                return
            after = page[-1]["path"]

    async def register_scope(
        self, context: ContextRow, path: str, *, display_name: str | None, description: str | None
    ) -> Row:
        """The node, made with those above it, or there before; UnstorableError below a tombstone."""
        named = {"path": path, "display_name": display_name, "description": description}
        nodes = list_nodes([[path]])
        results = await register_in(self._database, context, nodes, _REGISTER, named)
        node: Row = json.loads(get_result(_REGISTER, results))
        return node

    async def tombstone_scope(self, context: ContextRow, path: str) -> bool:
        """Whether it was there; all below it is tombstoned, too."""
        async with self._database.locks.get_lock(context.id, "scopes"):
            found: Any = await query_one(self._database, context, _TOMBSTONE, path=path)
        return bool(found)
