"""What a principal looks like in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spectronctl.output.views import Column, View


def format_grants(item: Mapping[str, Any], field: str = "grants") -> list[str]:
    """`memory:read=org/acme/*` and so on, as `principals grant` takes them."""
    grants = item.get(field) or {}
    return [f"{verb}={','.join(patterns)}" for verb, patterns in grants.items() if patterns]


PRINCIPALS = View(
    columns=(
        Column("display_name", kind="id"),
        Column("id", kind="id"),
        Column("kind", kind="id"),
        Column("grants", kind="words", compute=format_grants),
    ),
    wide=(Column("external_id", kind="id"), Column("created_at", kind="age")),
    name="id",
    plural="principals",
)

EFFECTIVE = View(
    columns=(
        Column("principal", kind="id"),
        Column("path", kind="id"),
        Column("verbs", kind="words"),
    ),
    wide=(Column("as_of", kind="time"),),
    name="verbs",
)


def _list_holders(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each key; one without a key for a principal that has none which may."""
    for principal in found["principals"]:
        for key in principal.get("keys") or [{}]:
            yield {
                "principal": principal.get("display_name"),
                "principal_id": principal["id"],
                "kind": principal.get("kind"),
                "key": key.get("name"),
                "key_id": key.get("id"),
                "status": key.get("status"),
            }


HOLDERS = View(
    columns=(
        Column("principal", kind="id"),
        Column("kind", kind="id"),
        Column("key", kind="id"),
        Column("status", kind="status"),
    ),
    wide=(Column("principal_id", kind="id"), Column("key_id", kind="id")),
    name="principal_id",
    plural="principals",
    parts=_list_holders,
)
