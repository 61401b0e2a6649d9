"""An ontology as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class OntologyRow:
    """What extraction looks for in a context. `etag` is the strong tag of exactly this content, in its quotes."""

    entity_types: list[str] = field(default_factory=list)
    attribute_keys: dict[str, list[str]] = field(default_factory=dict)
    relation_labels: list[str] = field(default_factory=list)
    etag: str
