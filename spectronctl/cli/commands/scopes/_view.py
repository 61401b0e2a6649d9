"""What scopes, and what is erased of them, look like in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronctl.output.views import Column, View

SCOPES = View(
    columns=(
        Column("path", kind="id"),
        Column("created_at", kind="age"),
        Column("tombstoned_at", kind="time"),
        Column("display_name"),
    ),
    wide=(Column("description"),),
    name="path",
    plural="scopes",
)


def _count_co_owned(item: Mapping[str, Any]) -> int | None:
    counts = item.get("co_owned")
    return sum(counts.values()) if isinstance(counts, Mapping) else None


FORGOTTEN = View(
    columns=(
        Column("forgotten", kind="id"),
        Column("co_owned", kind="id", compute=_count_co_owned),
        *(
            Column(kind, f"rows.{kind}", kind="id")
            for kind in ("sessions", "turns", "memories", "queries")
        ),
    ),
    name="forgotten",
)
