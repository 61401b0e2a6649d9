"""Names added to an ontology, or taken out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from spectronctl.errors import InvalidError
from spectronctl.models.ontology import Ontology
from spectronctl.operations.ontologies._difference import Part


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names to add or to remove; attribute keys by their entity type."""

    entity_types: Sequence[str] = ()
    attribute_keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    relation_labels: Sequence[str] = ()

    def list_parts(self) -> Iterator[Part]:
        """Each of them once."""
        yield from (Part("entity type", name) for name in dict.fromkeys(self.entity_types))
        for owner, keys in self.attribute_keys.items():
            yield from (Part("attribute", key, owner) for key in dict.fromkeys(keys))
        yield from (Part("relation", label) for label in dict.fromkeys(self.relation_labels))


def add_names(ontology: Ontology, names: Names) -> Ontology:
    """The ontology with these names at the end of its lists; InvalidError for attributes of an undeclared type."""
    types = _append(ontology.entity_types, names.entity_types)
    keys = {name: list(values) for name, values in ontology.attribute_keys.items()}
    for owner, added in names.attribute_keys.items():
        if owner not in types:
            raise _build_undeclared_error(owner, types)
        keys[owner] = _append(keys.get(owner, ()), added)
    labels = _append(ontology.relation_labels, names.relation_labels)
    return Ontology(entity_types=types, attribute_keys=keys, relation_labels=labels)


def remove_names(ontology: Ontology, names: Names) -> Ontology:
    """The ontology without these names; a type's attribute keys go with it."""
    types = _drop(ontology.entity_types, names.entity_types)
    keys = {
        name: _drop(values, names.attribute_keys.get(name, ()))
        for name, values in ontology.attribute_keys.items()
        if name not in names.entity_types
    }
    return Ontology(
        entity_types=types,
        # A type without keys may have an empty list or no entry. The shorter form, so that adding and removing comes
        # back to the start.
        attribute_keys={name: values for name, values in keys.items() if values},
        relation_labels=_drop(ontology.relation_labels, names.relation_labels),
    )


def _append(before: Sequence[str], added: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*before, *added]))


def _drop(before: Sequence[str], dropped: Sequence[str]) -> list[str]:
    return [name for name in before if name not in dropped]


def _build_undeclared_error(owner: str, types: Sequence[str]) -> InvalidError:
    return InvalidError(
        f"attributes of {owner}: the ontology has no entity type of that name",
        hint=f"Add --entity-type {owner} to declare it along with them.",
        candidates=get_close_matches(owner, types),
    )
