"""
What a key may do: grant verbs over scope patterns (OpenAPI `Grants`, `ScopePattern`).

A pattern is a node (`org/acme`) or the subtree under it (`org/acme/*`); `/*` is the whole context.
"""

from __future__ import annotations

from typing import Any

from spectronctl.ground.vocabulary import VERBS
from spectronctl.models.identity import Grants

EVERYWHERE = ("/*",)

_VERBS_OF = {
    "agent": ("memory:read", "memory:write", "scope:read"),
    "supervisor": ("memory:read", "memory:write", "memory:forget", "scope:read", "scope:create"),
}


def grant(verbs: tuple[str, ...], patterns: tuple[str, ...] = EVERYWHERE) -> Grants:
    """Each verb over all of the patterns."""
    return {verb: list(patterns) for verb in verbs}


def list_verbs(principal: str | None) -> tuple[str, ...]:
    """The verbs of a key's kind of principal; every verb for the operator (None)."""
    return VERBS if principal is None else _VERBS_OF[principal]


def read_patterns(scope_floor: Any) -> tuple[str, ...]:
    """The subtrees a key is confined to: `{"org": "acme", "user": "bo"}` is the path `org/acme/user/bo`."""
    if scope_floor is None:
        return EVERYWHERE
    if isinstance(scope_floor, dict):
        # sorted, since neither JSON nor the database keeps the order of an object's fields
        scope_floor = "/".join(f"{name}/{value}" for name, value in sorted(scope_floor.items()))
    paths = [scope_floor] if isinstance(scope_floor, str) else scope_floor
    return tuple(f"{path.strip('/')}/*" for path in paths)
