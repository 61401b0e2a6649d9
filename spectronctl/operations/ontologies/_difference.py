"""An ontology as the names in it, and what one has that another has not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from spectronctl.models.ontology import Ontology

Kind = Literal["entity type", "attribute", "relation"]


@dataclass(frozen=True)
class Part:
    """One name of an ontology; an attribute's stands with its `entity_type`."""

    kind: Kind
    name: str
    entity_type: str | None = None

    def __str__(self) -> str:
        owner = "" if self.entity_type is None else f"{self.entity_type}."
        return f"{self.kind} {owner}{self.name}"


@dataclass(frozen=True)
class Difference:
    """
    What a new ontology lacks and what it brings; false when the two say the same.

    `reordered` holds the paths of lists, such as `attribute_keys.Person`, whose names stand in another order.
    """

    removed: tuple[Part, ...]
    added: tuple[Part, ...]
    reordered: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.reordered)

    def list_lines(self) -> list[str]:
        """For people: `- entity type Person`, `+ attribute Person.name`, `~ order of relation_labels`."""
        return [
            *(f"- {part}" for part in self.removed),
            *(f"+ {part}" for part in self.added),
            *(f"~ order of {path}" for path in self.reordered),
        ]

    def to_dict(self) -> dict[str, Any]:
        """For programs: what is added and removed, each in the shape of an ontology."""
        return {
            "different": bool(self),
            "removed": _join(self.removed),
            "added": _join(self.added),
            "reordered": list(self.reordered),
        }

    def list_rows(self) -> list[dict[str, Any]]:
        """For tables: a row per line."""
        parts = [("removed", part) for part in self.removed] + [
            ("added", part) for part in self.added
        ]
        rows = [
            {
                "change": change,
                "kind": part.kind,
                "entity_type": part.entity_type,
                "name": part.name,
            }
            for change, part in parts
        ]
        return rows + [{"change": "reordered", "name": path} for path in self.reordered]


def list_parts(ontology: Ontology) -> Iterator[Part]:
    """Every name of an ontology: each type with its attributes, then the relations."""
    declared = dict.fromkeys(ontology.entity_types)
    # Keys of a type that is not declared are invalid, but an older server may hold some: a difference must not hide
    # them.
    for name in declared | dict.fromkeys(ontology.attribute_keys):
        if name in declared:
            yield Part("entity type", name)
        for key in ontology.attribute_keys.get(name, ()):
            yield Part("attribute", key, name)
    for label in ontology.relation_labels:
        yield Part("relation", label)


def compare_ontologies(before: Ontology, after: Ontology) -> Difference:
    """What leads from one to the other; a type without keys and one with an empty list of them are the same."""
    old, new = dict.fromkeys(list_parts(before)), dict.fromkeys(list_parts(after))
    return Difference(
        removed=tuple(part for part in old if part not in new),
        added=tuple(part for part in new if part not in old),
        reordered=tuple(_find_reordered(before, after)),
    )


def _find_reordered(before: Ontology, after: Ontology) -> Iterator[str]:
    if _is_reordered(before.entity_types, after.entity_types):
        yield "entity_types"
    for name, keys in after.attribute_keys.items():
        if _is_reordered(before.attribute_keys.get(name, ()), keys):
            yield f"attribute_keys.{name}"
    if _is_reordered(before.relation_labels, after.relation_labels):
        yield "relation_labels"


def _is_reordered(before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether the names that both have stand in another order."""
    # Only the names that both have: what is added or removed in between moves the rest without reordering it.
    old, new = set(before), set(after)
    return [name for name in before if name in new] != [name for name in after if name in old]


def _join(parts: Iterable[Part]) -> dict[str, Any]:
    types: list[str] = []
    keys: dict[str, list[str]] = {}
    labels: list[str] = []
    for part in parts:
        if part.entity_type is not None:
            keys.setdefault(part.entity_type, []).append(part.name)
        else:
            (types if part.kind == "entity type" else labels).append(part.name)
    return {"entity_types": types, "attribute_keys": keys, "relation_labels": labels}
