"""What a key looks like in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.models.keys import split_name
from spectronctl.output.views import Column, View


def _read_logical_name(item: Mapping[str, Any]) -> str | None:
    name = item.get("name")
    return split_name(name)[0] if isinstance(name, str) else None


KEYS = View(
    columns=(
        Column("name"),
        Column("logical", compute=_read_logical_name),
        Column("id"),
        Column("principal"),
        Column("status"),
        Column("created_at", kind="time"),
        Column("last_used_at", kind="time"),
        Column("expires_at", kind="time"),
        Column("scope_floor"),
    ),
    name="name",
    plural="keys",
)

ROTATED = View(
    columns=(
        *KEYS.columns,
        Column("rotation", "rotation.id"),
        Column("old_key_until", "rotation.due_at", kind="time"),
        Column("error", "rotation.error"),
    ),
    name="name",
    plural="keys",
)

ROTATIONS = View(
    columns=(
        Column("id"),
        Column("context"),
        Column("name"),
        Column("method"),
        Column("step"),
        Column("due_at", kind="time"),
        Column("error"),
    ),
    wide=(
        Column("url"),
        Column("key", "key.id"),
        Column("successor", "successor.id"),
        Column("places", kind="list"),
        Column("created_at", kind="time"),
        Column("updated_at", kind="time"),
    ),
    plural="rotations",
)

ORPHANS = View(
    columns=(
        Column("name"),
        Column("id"),
        Column("reason"),
        Column("created_at", kind="time"),
        Column("last_used_at", kind="time"),
        Column("expires_at", kind="time"),
    ),
    name="name",
    plural="orphans",
)
