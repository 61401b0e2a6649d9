"""
The tree of scopes, as writes meet it: what a row is tagged with is registered, with all paths above it.

That happens in the write's own transaction. Nearly always all of it is registered already, and is only looked at.
"""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spectronctl.server.access.scopes import Scopes, is_under, list_nodes
from spectronctl.server.database.database import Database, QueryError
from spectronctl.server.database.errors import UnavailableError, UnstorableError
from spectronctl.server.http.limits import MAX_SCOPE_NODES
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.rows import ContextRow

REGISTERED = "<registered>"
"""Stands in a write's transaction for the statements that see to its scopes."""

_TOMBSTONED = re.compile(r"scope tombstoned: (.*)")
_UNREGISTERED = "scope unregistered"
_TOO_MANY = "too many scopes"

# By their ids: the engine takes a thousand times longer to find 200 paths with IN in an index.
_LOOK = """
LET $registered = SELECT path, tombstoned_at FROM $nodes.map(|$path: string| type::record('scope', [$path]));
LET $buried = $registered[WHERE tombstoned_at != NONE].path;
IF array::len($buried) != 0 { THROW 'scope tombstoned: ' + $buried[0] };
LET $missing = array::complement($nodes, $registered.path);
"""

_ADMIT = f"""
{_LOOK}
IF array::len($missing) != 0 {{ THROW '{_UNREGISTERED}' }};
"""

_REGISTER = f"""
{_LOOK}
LET $count = UPDATE ONLY scope_count:only SET nodes += array::len($missing) RETURN AFTER;
IF $count.nodes > $most_nodes AND array::len($missing) != 0 {{ THROW '{_TOO_MANY}' }};
FOR $path IN $missing {{
    CREATE scope:[$path] CONTENT {{ path: $path, created_at: time::now() }} RETURN NONE
}};
"""


async def write_tagged(
    database: Database,
    context: ContextRow,
    scopes: Scopes,
    text: str,
    variables: Mapping[str, Any],
) -> list[Any]:
    """
    As `query_context`, for a transaction that writes rows with these scopes; `REGISTERED` stands behind its guard.

    UnstorableError for a tombstone, or for more scopes than a context may have.
    """
    nodes = list_nodes(scopes)
    _refuse_forgetting(context, nodes)
    given = {**variables, "nodes": nodes}
    try:
        return await query_context(database, context, _fill(text, _ADMIT, nodes), given)
    except QueryError as error:
        if _UNREGISTERED not in str(error):
            raise _explain(error) from error
    return await register_in(database, context, nodes, text, variables)


async def register_in(
    database: Database,
    context: ContextRow,
    nodes: list[str],
    text: str,
    variables: Mapping[str, Any],
) -> list[Any]:
    """The transaction, which registers what is missing of the nodes; fails as `write_tagged` does."""
    _refuse_forgetting(context, nodes)
    given = {**variables, "nodes": nodes, "most_nodes": MAX_SCOPE_NODES}
    # In their turn: all that register something change the same count.
    async with database.locks.get_lock(context.id, "scopes"):
        try:
            return await query_context(database, context, _fill(text, _REGISTER, nodes), given)
        except QueryError as error:
            raise _explain(error) from error


def _fill(text: str, statements: str, nodes: list[str]) -> str:
    # Raised in the first test that writes: a forgotten place cannot reach a release.
    if REGISTERED not in text:
        raise ValueError("a write of tagged rows must say where its scopes are registered")
    return text.replace(REGISTERED, statements if nodes else "")


def _refuse_forgetting(context: ContextRow, nodes: list[str]) -> None:
    """What would be hidden at once, and gone a moment later, is not written."""
    for each in context.forgetting:
        if any(is_under(node, each) for node in nodes):
            raise UnavailableError(
                f"scopes: {each} is being forgotten: write again when that is done "
                "(if it was interrupted, repeat POST /scopes/forget)"
            )


def _explain(error: QueryError) -> Exception:
    found = _TOMBSTONED.search(str(error))
    if found:
        return UnstorableError(
            f"scopes: {found[1]} is tombstoned: nothing is written at or below it "
            "until POST /scopes registers it again"
        )
    if _TOO_MANY in str(error):
        return UnstorableError(
            f"scopes: the context has {MAX_SCOPE_NODES} scopes, the most that it can have: use one of them"
        )
    return error
