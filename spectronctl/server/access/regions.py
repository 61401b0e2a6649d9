"""
What a caller may read, as a condition on rows: the only way to read memories, turns and sessions.

A row carries its `scopes`, and in `nodes` every path in them with all paths above it, so that the engine can filter by
comparing whole strings. A condition that the engine filters by is part of the query, never of what becomes of its
results: a limit, a count, a neighbour or a score that a row outside of the region took part in tells of that row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spectronctl.server.access.scopes import Region, Scopes, list_nodes
from spectronctl.server.database.database import Database, Row
from spectronctl.server.database.transaction import get_result
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.rows import ContextRow

WITHIN = "<within>"
"""Stands for the exact condition that a row lies in the region, in the WHERE of a query."""

MAYBE_WITHIN = "<maybe_within>"
"""
Stands for a condition that every row in the region meets, and few others.

The engine checks a single comparison with a constant before it unpacks a row, and anything more only afterwards: a
scan past the vectors of other regions takes 2 to 7 us a row with this, and 30 to 140 us with the exact condition.
"""

# With clauses of one path each, which nearly all are, one node is enough. A closure takes ten times longer.
_COVERED = """(nodes CONTAINSANY $region_roots AND (
    array::len(array::flatten(scopes)) = array::len(scopes)
    OR scopes.any(|$clause: array| $clause.all(|$path: string| $region_roots.any(
        |$root: string| string::starts_with($path + '/', $root + '/')
    )))
))"""

# With nodes that belong to the region alone, what is below them has to be told from them.
_COVERED_WITH_NODES = """(nodes CONTAINSANY $region_tops AND (
    (array::len(array::flatten(scopes)) = array::len(scopes) AND (
        nodes CONTAINSANY $region_roots OR array::flatten(scopes) CONTAINSANY $region_nodes
    )) OR scopes.any(|$clause: array| $clause.all(|$path: string| $path IN $region_nodes OR $region_roots.any(
        |$root: string| string::starts_with($path + '/', $root + '/')
    )))
))"""

_HIDDEN = "nodes CONTAINSNONE $region_hidden"


def tag_row(scopes: Scopes) -> Row:
    """The fields of a row that say where it belongs."""
    return {"scopes": scopes, "nodes": list_nodes(scopes)}


def name_region(region: Region) -> str:
    """The same word for callers who may read the same; "" for the whole context."""
    if region.roots is None:
        return ""
    # Sorted, so that two callers with the same floor share what is cached for them. No root begins with a slash.
    return json.dumps(sorted(region.roots) + sorted(f"/{node}" for node in region.nodes))


async def query_region(
    database: Database, context: ContextRow, region: Region, text: str, variables: Mapping[str, Any]
) -> list[Any]:
    """As `query_context`, for a text that names with `WITHIN` where the region counts."""
    # Raised in the first test that runs the query, whatever its caller may read: a forgotten condition cannot reach a
    # release.
    if WITHIN not in text:
        raise ValueError("a query of memories, turns or sessions must say where its region counts")
    # Replaced and not passed as a variable, since a condition cannot be one; nothing of a caller's is in the text,
    # only how many clauses there are.
    whole = text.replace(WITHIN, _format_exact(region)).replace(MAYBE_WITHIN, _format_rough(region))
    return await query_context(database, context, whole, {**variables, **_name(region)})


async def query_one_region(
    database: Database, context: ContextRow, region: Region, text: str, **variables: Any
) -> Any:
    """What the last statement of `query_region` returns."""
    return get_result(text, await query_region(database, context, region, text, variables))


def _format_exact(region: Region) -> str:
    covered = _COVERED_WITH_NODES if region.nodes else _COVERED
    covered = "true" if region.roots is None else covered
    # Of the lens only the number of its clauses stands in the text: the paths travel as variables.
    shown = " OR ".join(f"nodes CONTAINSALL $region_lens[{at}]" for at in range(len(region.lens)))
    parts = [covered, f"({shown})" if shown else "", _HIDDEN if region.hidden else ""]
    return f"({' AND '.join(part for part in parts if part)})"


def _format_rough(region: Region) -> str:
    is_anywhere = region.roots is None and not region.lens
    return "true" if is_anywhere else "nodes CONTAINSANY $region_some"


def _name(region: Region) -> Row:
    lens = [list(clause) for clause in region.lens]
    tops = region.list_tops()
    return {
        "region_roots": list(region.roots or ()),
        "region_nodes": list(region.nodes),
        "region_tops": tops,
        "region_lens": lens,
        "region_hidden": list(region.hidden),
        "region_some": [clause[0] for clause in lens] if region.roots is None else tops,
    }
