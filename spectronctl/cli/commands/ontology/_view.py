"""What an ontology, and what is done with it, look like in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spectronctl.output.views import Column, View


def _list_rows(ontology: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each entity type, then one for each relation; only the first have an `entity_type`."""
    keys = ontology.get("attribute_keys", {})
    for name in dict.fromkeys([*ontology.get("entity_types", ()), *keys]):
        shown = {"entity_type": name, "attribute_keys": keys.get(name, [])}
        yield {"kind": "entity type", "name": name, **shown}
    for label in ontology.get("relation_labels", ()):
        yield {"kind": "relation", "name": label}


ONTOLOGY = View(
    columns=(
        Column("kind", kind="id"),
        Column("name", kind="id"),
        Column("attribute_keys", kind="words"),
    ),
    name="entity_type",
    plural="names in the ontology",
    parts=_list_rows,
)

DIFFERENCE = View(
    columns=(
        Column("change", kind="id"),
        Column("kind", kind="id"),
        Column("entity_type", kind="id"),
        Column("name", kind="id"),
    ),
    name="name",
    plural="differences",
)

DELETED = View(columns=(Column("context"), Column("deleted")), name="context")

VALIDATED = View(
    columns=(
        Column("file", kind="id"),
        Column("valid"),
        Column("entity_types"),
        Column("attribute_keys"),
        Column("relation_labels"),
    ),
    name="file",
)
