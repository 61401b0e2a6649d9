"""Bodies and responses about scopes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from spectronctl.server.access.scopes import parse_scopes
from spectronctl.server.http.bodies import Body
from spectronctl.server.http.fields import NOT_BLANK, PRINTABLE
from spectronctl.server.http.limits import (
    MAX_SCOPE_DESCRIPTION,
    MAX_SCOPE_NAME,
    MAX_SCOPE_SEGMENTS,
    MAX_SCOPES_BYTES,
)
from spectronctl.server.http.problems import invalid
from spectronctl.server.http.responses import PlaneResponse
from spectronctl.server.scopes.erasing import KINDS, Counts
from spectronctl.server.scopes.rows import Erased

_RULE = (
    f"must be a path such as org/acme: at most {MAX_SCOPE_SEGMENTS} names of at most 128 characters each, "
    f"without /, * or white space, and {MAX_SCOPES_BYTES} bytes in all"
)
_ROOT = "is the whole context, which is always there: only the deletion of the context removes it"


def parse_node(value: Any) -> str:
    """The path of a node: `org/acme` of that or of `/org/acme/`; ValueError for the root, and for what is no path."""
    if value == "/":
        raise ValueError(_ROOT)
    try:
        ((path,),) = parse_scopes(value if isinstance(value, str) else None)
    except ValueError:
        raise ValueError(_RULE) from None
    return path


def parse_node_parameter(value: str) -> str:
    """The same, of the query parameter `path`; 400."""
    try:
        return parse_node(value)
    except ValueError as error:
        raise invalid(f"path: {error}") from None


_NodePath = Annotated[
    str,
    BeforeValidator(parse_node),
    WithJsonSchema({"type": "string", "examples": ["org/acme"]}),
]


class ScopeBody(Body):
    """Body of `POST /{context}/scopes`."""

    EXAMPLE: ClassVar = {"path": "org/acme/team", "displayName": "The team at Acme"}

    model_config = ConfigDict(alias_generator=to_camel)

    path: _NodePath
    display_name: Annotated[str, Field(max_length=MAX_SCOPE_NAME), PRINTABLE] | None = Field(
        default=None, description="What it is called; without it, what it was called before"
    )
    description: Annotated[str, Field(max_length=MAX_SCOPE_DESCRIPTION), NOT_BLANK] | None = Field(
        default=None, description="What it is for; without it, what was said before"
    )


class ForgetScopeBody(Body):
    """Body of `POST /{context}/scopes/forget`."""

    EXAMPLE: ClassVar = {"path": "org/acme/user/bo", "dryRun": True}

    model_config = ConfigDict(alias_generator=to_camel)

    path: _NodePath
    dry_run: bool | None = Field(default=None, description="Count, and change nothing")


class ScopeResponse(PlaneResponse):
    """A node of the tree; its path ends with a slash."""

    path: str
    created_at: AwareDatetime
    tombstoned_at: AwareDatetime | None = Field(
        default=None, description="Since when nothing is written there; absent from a live one"
    )
    display_name: str | None = None
    description: str | None = None


class Rows(PlaneResponse):
    """Rows of each kind; `queries` are the vectors that were kept of queries from there."""

    sessions: int
    turns: int
    memories: int
    queries: int


class ForgetScopeResponse(PlaneResponse):
    """What is gone, or with `dryRun` would be."""

    forgotten: int = Field(description="All rows of these kinds")
    dry_run: bool
    rows: Rows
    co_owned: Rows = Field(description="Those of them that are tagged outside of the scope, too")


def format_counts(counts: Counts, *, dry_run: bool) -> ForgetScopeResponse:
    """The rows of the kinds that are counted."""
    found = {kind: counts.get(table, Erased()) for table, kind in KINDS.items()}
    return ForgetScopeResponse(
        forgotten=sum(each.total for each in found.values()),
        dry_run=dry_run,
        rows=Rows(**{kind: each.total for kind, each in found.items()}),
        co_owned=Rows(**{kind: each.shared for kind, each in found.items()}),
    )
