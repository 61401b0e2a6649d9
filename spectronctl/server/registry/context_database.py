"""Queries in the database of one context."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.server.database.database import Binding, Database, QueryError
from spectronctl.server.database.errors import UnavailableError
from spectronctl.server.database.transaction import get_result
from spectronctl.server.registry.rows import ContextRow

_BEHIND = "no schema"


def make_guard(migration: int) -> str:
    """What a write to the tables of that migration begins with: the engine makes missing ones anew, without schema."""
    return f"IF array::len((SELECT VALUE id FROM migration:[{migration}])) = 0 {{ THROW '{_BEHIND}' }};"


GUARD = make_guard(8)
"""The guard of conversations, and of what is made to search them: their newest migration."""


async def query_one(database: Database, context: ContextRow, text: str, **variables: Any) -> Any:
    """What the last statement returns; fails as `query_context` does."""
    return get_result(text, await query_context(database, context, text, variables))


async def query_context(
    database: Database, context: ContextRow, text: str, variables: Mapping[str, Any]
) -> list[Any]:
    """As `Database.query`; UnavailableError when the context's database is not there, or lacks this server's schema."""
    try:
        return await database.query(
            text, variables, at=Binding(context.namespace, context.database)
        )
    except QueryError as error:
        if not error.is_missing and _BEHIND not in str(error):
            raise
        raise UnavailableError(
            f"context {context.id}: its database is being deleted, or its schema is behind (GET /api/v1/migrations)"
        ) from error
