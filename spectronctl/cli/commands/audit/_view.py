"""What the audits look like in a table, and as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.output.views import Column, View

NO_AUDIT = "this server keeps no audit that could be read"

ROWS = View(
    columns=(
        Column("trace_id", kind="id"),
        Column("kind", kind="id"),
        Column("principal"),
        Column("outcome", optional=True),
        Column("created_at", kind="age"),
    ),
    wide=(
        Column("key_id", kind="id"),
        Column("operation"),
        Column("rows", "rows_touched", kind="id"),
        Column("ms", "latency_ms", kind="id"),
        Column("cost", kind="id"),
        Column("model"),
    ),
    name="trace_id",
    plural="rows",
)

EVENTS = View(
    columns=(
        Column("created_at", kind="age"),
        Column("action", kind="id"),
        Column("outcome", kind="status"),
        Column("context", "context_id"),
        Column("name"),
    ),
    wide=(
        Column("id", kind="id"),
        Column("operation"),
        Column("key_id", kind="id"),
        Column("address", kind="id"),
        Column("status", kind="id"),
        Column("request_id", kind="id"),
    ),
    plural="events",
)


def format_line(item: Mapping[str, Any], view: View) -> str:
    """A row as one line, its time first."""
    names = [column for column in view.columns if column.name != "created_at"]
    values = [item.get("created_at"), *(column.read(item) for column in names)]
    return "  ".join(str(value) for value in values if value is not None)
