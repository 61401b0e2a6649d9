"""
Scope patterns: a node (`org/acme`), a node with all below it (`org/acme/*`), or the whole context (`/*`).

Functions over canonical patterns: those that `parse_pattern` returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.scopes import is_under
from spectronctl.server.http.fields import SCOPE_SEGMENT
from spectronctl.server.http.limits import MAX_SCOPE_SEGMENTS, MAX_SCOPES, MAX_SCOPES_BYTES

EVERYWHERE = ("/*",)

_RULE = (
    "must be a scope pattern: org/acme for that node alone, org/acme/* for it and all below it, or /* for the whole "
    f"context, of at most {MAX_SCOPE_SEGMENTS} names without /, * or white space"
)
_VERBS_RULE = f"must be verbs: {', '.join(VERBS)}"
_GRANTS_RULE = "must be an object of verbs and lists of scope patterns"


def parse_pattern(value: Any) -> str:
    """The pattern in its canonical form, without a slash before it; ValueError for what is none."""
    if value in ("*", "/*"):
        return "/*"
    if isinstance(value, str) and value.isprintable():
        node, below = (value[:-2], "/*") if value.endswith("/*") else (value.removesuffix("/"), "")
        # One name more than is allowed is enough to refuse it: a megabyte of slashes is not split to its end.
        names = node.removeprefix("/").split("/", MAX_SCOPE_SEGMENTS)
        if len(names) <= MAX_SCOPE_SEGMENTS and all(map(SCOPE_SEGMENT.fullmatch, names)):
            return "/".join(names) + below
    raise ValueError(_RULE)


def parse_grants(value: Any) -> dict[str, list[str]]:
    """Verbs and their patterns, as a body spells them; ValueError for what is none."""
    if not isinstance(value, dict):
        raise ValueError(_GRANTS_RULE)
    grants = {parse_verb(verb): _parse_patterns(patterns) for verb, patterns in value.items()}
    if sum(len(each.encode()) for patterns in grants.values() for each in patterns) > _MAX_BYTES:
        raise ValueError(f"must be at most {_MAX_BYTES} bytes of patterns in all")
    return {verb: patterns for verb, patterns in grants.items() if patterns}


def parse_verb(value: Any) -> str:
    """The verb; ValueError for any other word, `read` and `write` of older servers too."""
    if value not in VERBS:
        raise ValueError(_VERBS_RULE)
    return str(value)


def covers(pattern: str, other: str) -> bool:
    """Whether the pattern holds every path that the other one holds."""
    if pattern == "/*":
        return True
    root = pattern.removesuffix("/*")
    return pattern == other if root == pattern else is_under(other.removesuffix("/*"), root)


def meet(ours: Iterable[str], theirs: Iterable[str]) -> tuple[str, ...]:
    """What lies in both, as the fewest patterns, in their order."""
    theirs = tuple(theirs)
    # The narrower one of every two of which one lies in the other: any other two share no path.
    return simplify(
        mine if covers(other, mine) else other
        for mine in ours
        for other in theirs
        if covers(other, mine) or covers(mine, other)
    )


def simplify(patterns: Iterable[str]) -> tuple[str, ...]:
    """The same paths, without a pattern that lies in another one."""
    found = sorted(set(patterns))
    return tuple(
        each for each in found if not any(covers(other, each) for other in found if other != each)
    )


def _parse_patterns(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_SCOPES:
        raise ValueError(f"{_GRANTS_RULE}, at most {MAX_SCOPES} of a verb")
    return list(dict.fromkeys(map(parse_pattern, value)))


_MAX_BYTES = len(VERBS) * MAX_SCOPES_BYTES

_PATTERN = {
    "type": "string",
    "examples": ["org/acme/*"],
    "pattern": r"^/?([^\s/*]+/)*([^\s/*]+/?|\*)$",
}

AnyPattern = Annotated[str, BeforeValidator(parse_pattern), WithJsonSchema(_PATTERN)]
"""A pattern as a body spells it."""

AnyVerb = Annotated[
    str, BeforeValidator(parse_verb), WithJsonSchema({"type": "string", "enum": list(VERBS)})
]

AnyGrants = Annotated[
    dict[str, list[str]],
    BeforeValidator(parse_grants),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"enum": list(VERBS)},
            "additionalProperties": {"type": "array", "items": _PATTERN, "maxItems": MAX_SCOPES},
        }
    ),
]
"""Verbs and their patterns, as a body spells them."""
