"""What sessions, and what is done with them, look like in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.output.views import Column, View

NO_LIST = "this server does not list sessions: only one that is named can be read"


def _read_scopes(item: Mapping[str, Any]) -> Any:
    """Any of these between commas; paths that must be held together between plus signs."""
    scopes = item.get("scopes")
    if not isinstance(scopes, list) or not all(isinstance(clause, list) for clause in scopes):
        return scopes
    return ",".join("+".join(map(str, clause)) for clause in scopes)


SESSIONS = View(
    columns=(
        Column("id", kind="id"),
        Column("turns", "turn_count", kind="id"),
        Column("last_turn_at", kind="time"),
        Column("created_at", kind="age"),
        Column("scopes", compute=_read_scopes),
    ),
    wide=(Column("metadata"),),
    plural="sessions",
)

SUMMARY = View(
    columns=(
        *(column for column in SESSIONS.columns if column.name != "last_turn_at"),
        Column("first_at", "first_turn.created_at", kind="time"),
        Column("last_at", "last_turn.created_at", kind="time"),
    ),
    wide=SESSIONS.wide,
)

RECALLED = View(columns=(Column("context", kind="lines"),), name="context")

TRANSCRIPT = View(columns=(Column("turns"),), name="id")

IMPORTED = View(
    columns=(Column("session", kind="id"), Column("found"), Column("sent")),
    name="session",
)

EXPORTED = View(
    columns=(
        Column("file", kind="id"),
        Column("status", kind="status"),
        Column("turns", kind="id"),
        Column("session", kind="id"),
        Column("error", kind="words", optional=True),
    ),
    name="file",
    plural="sessions",
)
