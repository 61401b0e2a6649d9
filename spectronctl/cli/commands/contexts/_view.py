"""What a context looks like in a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from spectronctl.output.views import Column, View


def read_labels(config: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a context, each value as the text that it would be typed as."""
    labels = config.get("labels")
    if not isinstance(labels, Mapping):
        return {}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in labels.items()
    }


def _show_labels(context: Mapping[str, Any]) -> str | None:
    labels = read_labels(context.get("config") or {})
    return ",".join(f"{name}={value}" for name, value in labels.items()) or None


CONTEXTS = View(
    columns=(
        Column("id", kind="id"),
        Column("namespace"),
        Column("database"),
        Column("token_limit", "config.token_limit", kind="id"),
        Column("created_at", kind="age"),
    ),
    wide=(
        Column("retention_days", "config.retention_days"),
        Column("models", "config.models"),
        Column("providers", "config.providers_configured", kind="list"),
        Column("labels", compute=_show_labels),
    ),
    plural="contexts",
)


def _list_parts(clone: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The context, which alone is named by `-o name`, then the ontology and the keys."""
    target = clone["id"]
    yield {"part": "context", "name": target, "context": target, "outcome": clone["outcome"]}
    if clone["ontology"] is not None:
        yield {"part": "ontology", "outcome": clone["ontology"]}
    yield from ({"part": "key", **key} for key in clone["keys"])


CLONE = View(
    columns=(
        Column("part", kind="id"),
        Column("name", kind="id"),
        Column("outcome", kind="id"),
        Column("id", kind="id"),
        Column("scope_floor"),
        Column("places", kind="list"),
    ),
    wide=(Column("principal"), Column("expires_at", kind="time")),
    name="context",
    plural="parts",
    parts=_list_parts,
)
