"""Traces in the database of their context."""

# ruff: noqa: S608 - queries are joined of constants; values travel as variables

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from spectronctl.ground.ulids import make_ulid_bound_at
from spectronctl.server.access.regions import WITHIN, query_one_region, tag_row
from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Database, Row
from spectronctl.server.database.transaction import transaction
from spectronctl.server.database.values import check_text
from spectronctl.server.registry.context_database import make_guard, query_context, query_one
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.traces.rows import Kind, TraceRow, parse_details

_GUARD = make_guard(9)

_COLUMNS = """
    trace_id, kind, event, principal, delegate, key_id, scopes, session_id, parent, query, mode, tier, reason, cached,
    model, cost, rows_touched, latency_ms, details
"""

_INSERT = transaction(_GUARD, "INSERT INTO trace $rows RETURN NONE;")

# As JSON: a program reads one long text several times faster than many small values.
_GET = f"""
RETURN encoding::json::encode((SELECT {_COLUMNS} FROM trace:[$trace_id] WHERE {WITHIN}));
"""

_LIST = f"""
RETURN encoding::json::encode((
    SELECT {_COLUMNS} FROM trace
    WHERE trace_id >= $after AND trace_id < $before AND <filters> AND {WITHIN}
    ORDER BY trace_id DESC LIMIT $limit
));
"""

_LIST_CHILDREN = f"""
RETURN encoding::json::encode((
    SELECT {_COLUMNS} FROM trace WHERE parent = $parent AND kind = 'retrieval' AND {WITHIN} ORDER BY trace_id LIMIT 100
));
"""

_SUM = f"""
RETURN encoding::json::encode((
    SELECT kind, tier, cached, count() AS traces, math::sum(latency_ms) AS milliseconds,
        math::sum(rows_touched) AS candidates, math::max(rows_touched) AS most
    FROM trace WHERE trace_id >= $after AND event IS NONE AND {WITHIN} GROUP BY kind, tier, cached
));
"""

# Counted in the database: the rows cost more to read than to delete. In batches, so that requests come between them.
_PRUNE = """
RETURN count(DELETE (
    SELECT VALUE id FROM trace WHERE kind = $kind AND trace_id < $before LIMIT 1000
) RETURN BEFORE);
"""

# What was asked of a session, and found in it, goes with it; that it was asked stays.
_BLANK = """
UPDATE trace SET query = '', details = '{}', session_id = NONE WHERE session_id = $session_id RETURN NONE;
"""

_FILTERS = {
    "kind": "kind = $kind",
    "principal": "(principal = $principal OR delegate = $principal OR key_id = $principal)",
    "key": "(principal = $key OR delegate = $key OR key_id = $key)",
}
_LAST = "trace;"  # after every id, which all begin with `trace:`


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """
    Which traces: made from `since` to `until`, both included, of a kind, asked by a principal or with a key.

    `principal` and `key` are each the id of either: clients know one or the other.
    """

    limit: int
    since: datetime | None = None
    until: datetime | None = None
    kind: Kind | None = None
    principal: str | None = None
    key: str | None = None
    is_query: bool = False


class TraceTable:
    """Traces of a context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_traces(self, context: ContextRow, rows: Sequence[TraceRow]) -> None:
        """All of them or none; UnavailableError for a database without this table."""
        variables = {"rows": [_make_row(row) for row in rows]}
        await query_context(self._database, context, _INSERT, variables)

    async def get_trace(
        self, context: ContextRow, region: Region, trace_id: str
    ) -> TraceRow | None:
        found = await query_one_region(self._database, context, region, _GET, trace_id=trace_id)
        rows = _parse_rows(found)
        return rows[0] if rows else None

    async def list_traces(
        self, context: ContextRow, region: Region, wanted: Wanted
    ) -> list[TraceRow]:
        """The newest first."""
        named = {name: getattr(wanted, name) for name in _FILTERS}
        given = {name: value for name, value in named.items() if value is not None}
        filters = [_FILTERS[name] for name in given]
        # A denial is no query: it stands in the audit alone.
        filters += ["kind != 'response' AND event IS NONE"] if wanted.is_query else []
        text = _LIST.replace("<filters>", " AND ".join(filters) or "true")
        bounds = {
            "after": bound_id(wanted.since) if wanted.since else "",
            "before": bound_id(wanted.until, later=1) if wanted.until else _LAST,
        }
        found = await query_one_region(
            self._database, context, region, text, **given, **bounds, limit=wanted.limit
        )
        return _parse_rows(found)

    async def list_children(
        self, context: ContextRow, region: Region, parent: str
    ) -> list[TraceRow]:
        """The retrievals that fed a response, in their order."""
        found = await query_one_region(
            self._database, context, region, _LIST_CHILDREN, parent=parent
        )
        return _parse_rows(found)

    async def sum_traces(
        self, context: ContextRow, region: Region, since: datetime
    ) -> list[dict[str, Any]]:
        """By kind, tier and whether it was cached: how many traces, their milliseconds, their candidates, the most."""
        after = bound_id(since)
        found = await query_one_region(self._database, context, region, _SUM, after=after)
        sums: list[dict[str, Any]] = json.loads(found)
        return sums

    async def prune_traces(self, context: ContextRow, kind: Kind, before: datetime) -> None:
        """Delete those of a kind that are older."""
        bound = {"kind": kind, "before": bound_id(before)}
        while await query_one(self._database, context, _PRUNE, **bound):
            pass

    async def blank_session(self, context: ContextRow, session_id: str) -> None:
        """Forget what was asked of a session and found there."""
        await query_one(self._database, context, _BLANK, session_id=session_id)


def bound_id(moment: datetime, *, later: int = 0) -> str:
    """Before every id of that millisecond, or of one so many later."""
    return f"trace:{make_ulid_bound_at(moment, later=later)}"


def _make_row(row: TraceRow) -> Row:
    content = asdict(row) | tag_row(row.scopes)
    trace_id = content.pop("id")
    # A query may hold half of a surrogate pair only where it was not read from a body: checked for all the same.
    query = check_text(row.query, "query")
    details = json.dumps(row.details, ensure_ascii=True, separators=(",", ":"))
    return {"id": [trace_id], "trace_id": trace_id, **content, "query": query, "details": details}


def _parse_rows(found: str) -> list[TraceRow]:
    return [_parse_row(row) for row in json.loads(found)]


def _parse_row(row: Row) -> TraceRow:
    details = parse_details(row.pop("details"))
    return TraceRow(id=row.pop("trace_id"), details=details, **row)
