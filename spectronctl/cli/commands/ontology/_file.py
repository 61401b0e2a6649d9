"""Ontologies in files: JSON, TOML or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from spectronctl.cli.commands._documents import load_document, name_file
from spectronctl.errors import InvalidError

if TYPE_CHECKING:
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.ontology import Ontology

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|-", help="Read JSON, TOML or YAML, chosen by suffix; stdin is JSON or YAML."
    ),
]

_QUOTES = (
    "Write names in quotes: without them, YAML and TOML read yes, null or 2024 as something else."
)


def load_ontology(rt: Runtime, file: str) -> Ontology:
    """UsageError for what cannot be read; InvalidError names all that is wrong with what can."""
    return check_ontology(load_document(rt, file, "FILE"), name_file(file))


def check_ontology(document: Any, name: str) -> Ontology:
    """The ontology that a document holds; InvalidError names all that is wrong with it."""
    from spectronctl.models.ontology import FIELDS, Ontology, find_problems, join_problems

    if problems := find_problems(document):
        # YAML reads a bare yes as true and 2024 as a number, and people who write names do not expect that.
        is_unquoted = any("must be a string, not" in problem for problem in problems)
        told = join_problems(problems, "\n")
        raise InvalidError(
            f"{name} is not an ontology:\n{told}", hint=_QUOTES if is_unquoted else None
        )
    # Only the fields of an ontology: what `get` printed may hold more, which is the server's own.
    whole = Ontology().model_dump() | document
    return Ontology(**{field: whole[field] for field in FIELDS})
