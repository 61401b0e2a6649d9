"""Ontologies as requests bring them and as answers show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spectronctl.models.ontology import (
    MAX_KEYS,
    MAX_KEYS_OF_A_TYPE,
    MAX_LABELS,
    MAX_NAME,
    MAX_TYPES,
    find_problems,
    join_problems,
)
from spectronctl.server.etags import make_etag
from spectronctl.server.problems import invalid
from spectronctl.server.store import OntologyRow

_RULE = f"names of 1 to {MAX_NAME} printable characters, none of them twice"


class OntologyBody(BaseModel):
    """Body of `PUT /contexts/{id}/ontology`: all of it, since what is left out is gone."""

    model_config = ConfigDict(extra="forbid")

    entity_types: list[str] = Field(
        default_factory=list, description=f"At most {MAX_TYPES} {_RULE}"
    )
    attribute_keys: dict[str, list[str]] = Field(
        default_factory=dict,
        description=f"By one of the `entity_types`, at most {MAX_KEYS_OF_A_TYPE} {_RULE}; "
        f"at most {MAX_KEYS} together",
    )
    relation_labels: list[str] = Field(
        default_factory=list, description=f"At most {MAX_LABELS} {_RULE}"
    )


class OntologyAnswer(BaseModel):
    """What extraction looks for in a context; three empty fields where nothing was set."""

    entity_types: list[str]
    attribute_keys: dict[str, list[str]] = Field(description="By entity type")
    relation_labels: list[str]


def read_ontology(body: Mapping[str, Any]) -> OntologyRow:
    """The ontology that a PUT asks for; 400 with everything that is wrong with it."""
    if problems := find_problems(body):
        raise invalid(join_problems(problems))
    return make_ontology(**body)


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


def show_ontology(row: OntologyRow) -> OntologyAnswer:
    """An ontology as it is answered."""
    return OntologyAnswer(
        entity_types=row.entity_types,
        attribute_keys=row.attribute_keys,
        relation_labels=row.relation_labels,
    )
