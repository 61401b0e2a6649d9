"""How long traces are kept, by their kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from spectronctl.server.database.database import Database
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.traces.rows import Kind
from spectronctl.server.traces.table import TraceTable

MAX_DAYS = 36_525
_DEFAULT_DAYS: Mapping[Kind, int] = {"decision": 90, "retrieval": 30, "response": 90}
_PAGE = 100


def list_retentions(config: Mapping[str, Any]) -> dict[Kind, timedelta]:
    """How long traces of each kind are kept in a context: `trace_retention.KIND_days`, or the default."""
    named = config.get("trace_retention") or {}
    days = {kind: named.get(f"{kind}_days") or _DEFAULT_DAYS[kind] for kind in get_args(Kind)}
    return {kind: timedelta(days=count) for kind, count in days.items()}


async def prune_all_traces(database: Database) -> None:
    """Delete the traces of every context that are older than it keeps them."""
    after: str | None = None
    while contexts := await ContextTable(database).list_contexts(after=after, limit=_PAGE):
        for context in contexts:
            await prune_traces(database, context)
        after = contexts[-1].id


async def prune_traces(database: Database, context: ContextRow) -> None:
    """Delete the traces of a context that are older than it keeps them."""
    now = datetime.now(UTC)
    for kind, kept in list_retentions(context.config).items():
        await TraceTable(database).prune_traces(context, kind, now - kept)
