"""
Where things are tagged, and where a key may read and write.

A selector is an OR of clauses, each an AND of paths: `[["team/a"], ["team/b", "clearance/secret"]]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import SCOPE_SEGMENT
from spectronctl.server.http.limits import (
    MAX_SCOPE_SEGMENTS,
    MAX_SCOPES,
    MAX_SCOPES_BYTES,
    SCOPES_RULE,
)
from spectronctl.server.http.problems import invalid

Scopes = list[list[str]]

_RULE = (
    "must be a path such as org/acme, a list of paths (any of them), or a list of lists of paths (any of the lists, "
    f"all of its paths), of names without /, * or white space; {SCOPES_RULE}"
)

_LENS_RULE = f"{_RULE}; /* may follow a path, which means the same, and * alone is everything"
_EVERYTHING = frozenset(("*", "/*", "/"))


@dataclass(frozen=True)
class Region:
    """
    The subtrees under some paths; None is the whole context, and untagged rows are there alone.

    With a lens, only rows that involve every path of one of its clauses; and none that is tagged at or below a hidden
    path, which is being forgotten. These two narrow reads, not writes. `nodes` are paths that belong to the region
    without what is below them.
    """

    roots: tuple[str, ...] | None
    lens: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every row of the context can be read."""
        return self.roots is None and not self.lens and not self.hidden

    def narrow(self, lens: Scopes) -> Self:
        """The rows of this region that involve every path of a clause, at the path or below it; all without clauses."""
        return replace(self, lens=tuple(map(tuple, lens)))

    def hide(self, paths: Iterable[str]) -> Self:
        """The rows of this region that are tagged at none of the paths, nor below them."""
        return replace(self, hidden=tuple(paths))

    def covers(self, path: str) -> bool:
        if self.roots is None or path in self.nodes:
            return True
        return any(is_under(path, root) for root in self.roots)

    def can_read(self, scopes: Scopes) -> bool:
        """Whether all paths of one of the clauses lie inside, and the lens shows it."""
        inside = self.roots is None or any(all(map(self.covers, clause)) for clause in scopes)
        nodes = set(list_nodes(scopes)) if self.lens or self.hidden else set()
        shown = not self.lens or any(nodes.issuperset(clause) for clause in self.lens)
        return inside and shown and nodes.isdisjoint(self.hidden)

    def can_write(self, scopes: Scopes) -> bool:
        """Whether every path lies inside."""
        inside = all(self.covers(path) for clause in scopes for path in clause)
        # Not empty scopes: what has none belongs to the whole context, and all() would let it pass.
        return self.roots is None or (bool(scopes) and inside)

    def list_tops(self) -> list[str]:
        """The paths that the region begins at; none for the whole context."""
        return [*(self.roots or ()), *self.nodes]


WHOLE = Region(None)
"""Everything in a context."""


def is_under(path: str, root: str) -> bool:
    """Whether the path is the root, or below it."""
    # With the slash: org/acme2 is not below org/acme.
    return f"{path}/".startswith(f"{root}/")


def list_nodes(scopes: Scopes) -> list[str]:
    """Every path of a selector and every path above one: `org/acme` makes `org` and `org/acme`."""
    found: dict[str, None] = {}
    for path in (path for clause in scopes for path in clause):
        names = path.split("/")
        found |= dict.fromkeys("/".join(names[: at + 1]) for at in range(len(names)))
    return list(found)


def parse_scopes(value: Any) -> Scopes:
    """A selector in any of its spellings; ValueError for anything else."""
    clauses = [value] if isinstance(value, str) else value
    if not isinstance(clauses, list) or len(clauses) > MAX_SCOPES:
        raise ValueError(_RULE)
    found = [_parse_clause(clause) for clause in clauses]
    # Every path is written with each memory, with all paths above it, so that a long one costs many times its length.
    if sum(len(path.encode()) for clause in found for path in clause) > MAX_SCOPES_BYTES:
        raise ValueError(_RULE)
    # Clauses are lists, which no set takes; there are 64 of them at most.
    return [clause for at, clause in enumerate(found) if clause not in found[:at]]


def parse_lens(value: Any) -> Scopes:
    """A selector that narrows: a path covers what is below it, with `/*` or without; no clauses for everything."""
    clauses = [value] if isinstance(value, str) else value
    try:
        if not isinstance(clauses, list) or not all(clauses):
            return parse_scopes(clauses)
        narrowed = [_strip_patterns(clause) for clause in clauses]
        # Checked before a clause of everything makes the others meaningless: they may be invalid.
        found = parse_scopes([clause for clause in narrowed if clause])
    except ValueError:
        raise ValueError(_LENS_RULE) from None
    return found if all(narrowed) else []


def parse_scope_path(value: Any, field: str) -> str:
    """`org/acme` of that or of `/org/acme/`; 400 for what is no path."""
    try:
        return _parse_path(value)
    except ValueError as error:
        raise invalid(f"{field}: {error}") from None


def _strip_patterns(clause: Any) -> Any:
    """A clause of a lens as a selector has it; none of it for everything."""
    paths = clause if isinstance(clause, list) else [clause]
    return [
        path.removesuffix("/*") if isinstance(path, str) else path
        for path in paths
        if not (isinstance(path, str) and path in _EVERYTHING)
    ]


def _parse_clause(value: Any) -> list[str]:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not 1 <= len(paths) <= MAX_SCOPES:
        raise ValueError(_RULE)
    return list(dict.fromkeys(map(_parse_path, paths)))


def _parse_path(value: Any) -> str:
    if isinstance(value, str) and value.isprintable():
        path = value.strip("/")
        # One name more than is allowed is enough to refuse it: a megabyte of slashes is not split to its end.
        names = path.split("/", MAX_SCOPE_SEGMENTS)
        if len(names) <= MAX_SCOPE_SEGMENTS and all(map(SCOPE_SEGMENT.fullmatch, names)):
            return path
    raise ValueError(_RULE)


_PATH = {"type": "string", "examples": ["org/acme"]}
_PATHS = {"type": "array", "items": _PATH, "minItems": 1, "maxItems": MAX_SCOPES}
_SELECTOR = {
    "anyOf": [
        _PATH,
        {"type": "array", "items": {"anyOf": [_PATH, _PATHS]}, "maxItems": MAX_SCOPES},
    ]
}

AnyScopes = Annotated[Scopes, BeforeValidator(parse_scopes), WithJsonSchema(_SELECTOR)]
"""A selector as a body spells it: a path, a list of paths, or a list of lists of paths."""

AnyLens = Annotated[Scopes, BeforeValidator(parse_lens), WithJsonSchema(_SELECTOR)]
"""The same, as a lens spells it: with patterns."""


class TaggedBody(Body):
    """A body that says where something new is tagged, under `scopes` or its legacy name."""

    scopes: AnyScopes | None = Field(
        default=None,
        description="A path, a list of paths (any of them) or a list of lists of paths (any list, all of its paths); "
        f"{SCOPES_RULE}; without any, the key's own region",
    )
    scope: AnyScopes | None = Field(
        default=None, description="The old name of `scopes`", json_schema_extra={"deprecated": True}
    )

    @model_validator(mode="after")
    def _require_one_name(self) -> Self:
        if self.scopes is not None and self.scope is not None:
            raise ValueError("scopes, scope: give one of them, not both")
        return self

    @property
    def tags(self) -> Scopes:
        """The selector, under whichever name it came; no clauses for none."""
        return self.scopes or self.scope or []
