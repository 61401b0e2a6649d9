"""Ontologies, as requests bring them and as responses show them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from spectronctl.models.ontology import (
    MAX_KEYS,
    MAX_KEYS_OF_A_TYPE,
    MAX_NAME,
    MAX_RELATION_LABELS,
    MAX_TYPES,
    find_problems,
    join_problems,
)
from spectronctl.server.http.bodies import Body
from spectronctl.server.ontology.rows import OntologyRow

_RULE = f"names of 1 to {MAX_NAME} printable characters, none of them twice"


_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class OntologyBody(Body):
    """Body of `PUT /contexts/{id}/ontology`: all of it, since what is left out is gone."""

    EXAMPLE: ClassVar = {
        "entity_types": ["Person", "Company"],
        "attribute_keys": {"Person": ["role"]},
        "relation_labels": ["works_at"],
    }

    model_config = ConfigDict(extra="forbid")

    entity_types: list[_Name] = Field(
        default_factory=list,
        max_length=MAX_TYPES,
        description=f"At most {MAX_TYPES} {_RULE}",
    )
    attribute_keys: dict[_Name, Annotated[list[_Name], Field(max_length=MAX_KEYS_OF_A_TYPE)]] = (
        Field(
            default_factory=dict,
            max_length=MAX_TYPES,
            description=f"By one of the `entity_types`, at most {MAX_KEYS_OF_A_TYPE} {_RULE}; "
            f"at most {MAX_KEYS} together",
        )
    )
    relation_labels: list[_Name] = Field(
        default_factory=list,
        max_length=MAX_RELATION_LABELS,
        description=f"At most {MAX_RELATION_LABELS} {_RULE}",
    )

    # Before the fields, which report a problem each in pydantic's words: here all are told at once, by the rules and in
    # the words that the command line checks with.
    @model_validator(mode="before")
    @classmethod
    def _name_every_problem(cls, body: dict[str, Any]) -> dict[str, Any]:
        if problems := find_problems(body):
            raise ValueError(join_problems(problems))
        return body


class OntologyResponse(BaseModel):
    """What extraction looks for in a context; three empty fields where nothing was set."""

    entity_types: list[str]
    attribute_keys: dict[str, list[str]] = Field(description="By entity type")
    relation_labels: list[str]


def format_ontology(row: OntologyRow) -> OntologyResponse:
    """An ontology as a response shows it."""
    return OntologyResponse(
        entity_types=row.entity_types,
        attribute_keys=row.attribute_keys,
        relation_labels=row.relation_labels,
    )
