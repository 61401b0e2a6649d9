"""The options that name parts of an ontology."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from spectronctl.operations.ontologies import Names


@dataclass(frozen=True, kw_only=True)
class NameOptions:
    """Names to add or to remove; each option may be repeated."""

    entity_type: Annotated[
        list[str] | None,
        typer.Option(
            "--entity-type", metavar="NAME", help="Use this entity type; may be repeated."
        ),
    ] = None
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="TYPE=KEY,KEY",
            help="Use these attribute keys of a type; may be repeated.",
        ),
    ] = None
    relation: Annotated[
        list[str] | None,
        typer.Option(
            "--relation", metavar="LABEL", help="Use this relation label; may be repeated."
        ),
    ] = None

    def read(self) -> Names:
        """UsageError when nothing was named, or something that cannot be a name."""
        from spectronctl.operations.ontologies import Names

        if not (self.entity_type or self.attribute or self.relation):
            raise UsageError(
                "nothing was named",
                hint="Try --entity-type NAME, --attribute TYPE=KEY,KEY or --relation LABEL.",
            )
        _check_names(self.entity_type or (), "--entity-type")
        _check_names(self.relation or (), "--relation")
        return Names(
            entity_types=self.entity_type or (),
            attribute_keys=_parse_attributes(self.attribute or ()),
            relation_labels=self.relation or (),
        )


def _parse_attributes(texts: Iterable[str]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for text in texts:
        owner, equals, names = text.partition("=")
        if not equals:
            raise UsageError(f"--attribute {text!r}: a value of the form TYPE=KEY,KEY is needed")
        found = [name.strip() for name in names.split(",")]
        _check_names([owner, *found], "--attribute")
        keys.setdefault(owner, []).extend(found)
    return keys


def _check_names(names: Iterable[str], option: str) -> None:
    from spectronctl.models.ontology import find_name_problem, show_name

    for name in names:
        if problem := find_name_problem(name):
            raise UsageError(f"{option}: a name {problem}: '{show_name(name)}'")
