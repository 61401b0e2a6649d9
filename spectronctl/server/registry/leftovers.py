"""
Empty databases that older servers left behind.

A request that was on its way while its context was deleted used to define the dropped database anew. What is bound to
no context and holds no definition at all can only be such a one, in a store that no other program has open.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from spectronctl.server.database.database import METADATA, Binding, Database

_log = logging.getLogger(__name__)

_BOUND = "SELECT VALUE [namespace, database] FROM context;"


async def sweep_empty_databases(database: Database) -> None:
    """Remove them."""
    (rows,) = await database.query(_BOUND)
    bound = {Binding(*each) for each in rows}
    async for binding in _list_databases(database):
        if binding not in bound and await _is_empty(database, binding):
            await database.query(
                "REMOVE DATABASE IF EXISTS $name;",
                {"name": binding.database},
                at=Binding(binding.namespace, None),
            )
            _log.info("removed the empty database %s/%s", binding.namespace, binding.database)


async def _list_databases(database: Database) -> AsyncIterator[Binding]:
    # STRUCTURE gives lists of objects; without it the engine describes them in SurrealQL.
    (root,) = await database.query("INFO FOR ROOT STRUCTURE;")
    for namespace in (each["name"] for each in root["namespaces"]):
        if namespace == METADATA.namespace:
            continue
        (info,) = await database.query("INFO FOR NS STRUCTURE;", at=Binding(namespace, None))
        for each in info["databases"]:
            yield Binding(namespace, each["name"])


async def _is_empty(database: Database, binding: Binding) -> bool:
    (info,) = await database.query("INFO FOR DB STRUCTURE;", at=binding)
    # Of a database without a definition each of these lists is empty. A table that holds nothing is a definition too:
    # it is left alone.
    return not any(info.values())
