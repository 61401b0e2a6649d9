"""An ontology as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from spectronctl.server.http.etags import make_etag


@dataclass(frozen=True, kw_only=True)
class OntologyRow:
    """What extraction looks for in a context. `etag` is the strong tag of exactly this content, in its quotes."""

    entity_types: list[str] = field(default_factory=list)
    attribute_keys: dict[str, list[str]] = field(default_factory=dict)
    relation_labels: list[str] = field(default_factory=list)
    etag: str


def make_ontology(
    entity_types: list[str] | None = None,
    attribute_keys: dict[str, list[str]] | None = None,
    relation_labels: list[str] | None = None,
) -> OntologyRow:
    """An ontology that is in order, with its tag."""
    content = {
        "entity_types": entity_types or [],
        "attribute_keys": attribute_keys or {},
        "relation_labels": relation_labels or [],
    }
    return OntologyRow(**content, etag=make_etag(content))  # type: ignore[arg-type]
