"""
An ontology: what extraction is to look for in a context.

The rules stand here once: the server refuses by them, and the command line before it asks the server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import Field

from spectronctl.ground.text import has_unprintable
from spectronctl.models._base import Model

FIELDS = ("entity_types", "attribute_keys", "relation_labels")

MAX_NAME = 128
MAX_TYPES = 10_000
MAX_RELATION_LABELS = 10_000
MAX_KEYS_OF_A_TYPE = 1_000
MAX_KEYS = 100_000

_MAX_PROBLEMS = 20
_SHOWN_NAME = 64


class Ontology(Model):
    """
    One context's ontology: names of entity types, the attribute keys of each type, and labels of relations.

    Lists keep their order. A type without attribute keys may have an empty list or no entry.
    """

    entity_types: list[str] = Field(default_factory=list)
    attribute_keys: dict[str, list[str]] = Field(default_factory=dict)
    relation_labels: list[str] = Field(default_factory=list)


def find_problems(body: Any) -> list[str]:
    """
    Everything that is wrong with decoded JSON as an ontology, each with its path: `attribute_keys.Person[2]: …`.

    An unknown field is wrong too: a replacement as a whole must not drop it in silence.
    """
    if not isinstance(body, Mapping):
        return [f"an object is needed, with the fields {', '.join(FIELDS)}"]
    types = body.get("entity_types", [])
    keys = body.get("attribute_keys", {})
    return [
        *_find_unknown(body),
        *_find_in_list(types, "entity_types", MAX_TYPES),
        *_find_in_keys(keys, types if isinstance(types, list) else None),
        *_find_in_list(body.get("relation_labels", []), "relation_labels", MAX_RELATION_LABELS),
    ]


def find_name_problem(name: Any) -> str | None:
    """Why this cannot be a name of a type, an attribute or a relation; None when it can."""
    if not isinstance(name, str):
        return f"must be a string, not {_describe_kind(name)}"
    if not name.strip():
        return "must not be empty or blank"
    if len(name) > MAX_NAME:
        return f"is longer than {MAX_NAME} characters"
    if has_unprintable(name):
        return "holds a character that cannot be printed"
    return None


def join_problems(problems: Collection[str], separator: str = "; ") -> str:
    """All of them as one text; after the first 20, how many more there are."""
    told = list(problems)[:_MAX_PROBLEMS]
    more = len(problems) - len(told)
    return separator.join([*told, f"and {more} more"] if more else told)


def show_name(name: str) -> str:
    """A name as a path shows it: on one line, and not too long."""
    shown = name if len(name) <= _SHOWN_NAME else f"{name[: _SHOWN_NAME - 3]}..."
    return shown if not has_unprintable(shown) else ascii(shown)[1:-1]


def _find_unknown(body: Mapping[Any, Any]) -> Iterator[str]:
    for name in body:
        if name not in FIELDS:
            yield f"{show_name(str(name))}: is not a field of an ontology, which has {', '.join(FIELDS)}"


def _find_in_list(names: Any, path: str, most: int) -> Iterator[str]:
    if not isinstance(names, list):
        yield f"{path}: must be a list of names, not {_describe_kind(names)}"
    elif len(names) > most:
        yield f"{path}: has {len(names)} names, and {most} are the most"
    else:
        yield from _find_in_names(names, path)


def _find_in_names(names: list[Any], path: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for at, name in enumerate(names):
        if problem := find_name_problem(name):
            yield f"{path}[{at}]: {problem}"
        elif name in first:
            yield f"{path}[{at}]: {show_name(name)} stands at {path}[{first[name]}] already"
        else:
            first[name] = at


def _find_in_keys(keys: Any, types: list[Any] | None) -> Iterator[str]:
    if not isinstance(keys, Mapping):
        yield f"attribute_keys: must be an object of lists by entity type, not {_describe_kind(keys)}"
        return
    # Counted before any name is looked at, so that an ontology of millions is refused at once.
    count = sum(len(names) for names in keys.values() if isinstance(names, list))
    if len(keys) > MAX_TYPES or count > MAX_KEYS:
        yield (
            f"attribute_keys: has {count} names for {len(keys)} types, and {MAX_KEYS} names for"
            f" {MAX_TYPES} types are the most"
        )
        return
    # Where the list of types is itself invalid, complaints that each type is missing from it would bury the cause.
    declared = None if types is None else {name for name in types if isinstance(name, str)}
    for name, names in keys.items():
        yield from _find_in_type(name, names, declared)


def _find_in_type(name: Any, names: Any, declared: set[str] | None) -> Iterator[str]:
    if problem := find_name_problem(name):
        yield f"attribute_keys.{show_name(str(name))}: {problem}"
    elif declared is not None and name not in declared:
        yield f"attribute_keys.{show_name(name)}: is not among the entity_types"
    path = f"attribute_keys.{show_name(str(name))}"
    yield from _find_in_list(names, path, MAX_KEYS_OF_A_TYPE)


def _describe_kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        # Before the numbers: in Python a bool is an int.
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return "a time"
