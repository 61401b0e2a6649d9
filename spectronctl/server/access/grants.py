"""
What may be done, and where: grant verbs over scope patterns.

A pattern is a node (`org/acme`) or the subtree under it (`org/acme/*`); `/*` is the whole context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spectronctl.ground.vocabulary import VERBS
from spectronctl.models.identity import Grants
from spectronctl.server.access.scopes import Region, is_under

EVERYWHERE = ("/*",)

_VERBS_OF = {
    "agent": ("memory:read", "memory:write", "scope:read"),
    "supervisor": ("memory:read", "memory:write", "memory:forget", "scope:read", "scope:create"),
}


@dataclass(frozen=True)
class Rights:
    """The patterns over which each verb is held; a verb that is missing, or has no pattern, is not held."""

    patterns: Mapping[str, tuple[str, ...]]

    def __and__(self, other: Rights) -> Rights:
        """What both allow: never more than either, and nothing less than both."""
        return Rights(
            {verb: tuple(_meet(self.get(verb), other.get(verb))) for verb in self.patterns}
        )

    def get(self, verb: str) -> tuple[str, ...]:
        """The patterns of the verb; none if it is not held."""
        return self.patterns.get(verb, ())

    def get_region(self, verb: str) -> Region:
        """Where the verb is held."""
        patterns = self.get(verb)
        if "/*" in patterns:
            return Region(None)
        # A region knows subtrees only: a grant over a node alone must not open what is below the node.
        return Region(tuple(each[:-2] for each in patterns if each.endswith("/*")))

    def to_grants(self) -> Grants:
        """As they travel: without the verbs that are not held."""
        return {verb: list(patterns) for verb, patterns in self.patterns.items() if patterns}


def grant(verbs: tuple[str, ...], patterns: tuple[str, ...] = EVERYWHERE) -> Rights:
    """Each verb over all of the patterns."""
    return Rights(dict.fromkeys(verbs, patterns))


EVERYTHING = grant(VERBS)


def list_verbs(principal: str | None) -> tuple[str, ...]:
    """The verbs of a key's kind of principal; every verb for the operator (None)."""
    return VERBS if principal is None else _VERBS_OF[principal]


def parse_floor(scope_floor: Any) -> tuple[str, ...]:
    """The subtrees a key is confined to: `{"org": "acme", "user": "bo"}` is the path `org/acme/user/bo`."""
    if scope_floor is None:
        return EVERYWHERE
    if isinstance(scope_floor, dict):
        # sorted, since neither JSON nor the database keeps the order of an object's fields
        scope_floor = "/".join(f"{name}/{value}" for name, value in sorted(scope_floor.items()))
    paths = [scope_floor] if isinstance(scope_floor, str) else scope_floor
    return tuple(f"{path.strip('/')}/*" for path in paths)


def covers(pattern: str, other: str) -> bool:
    """Whether the pattern holds every path that the other one holds."""
    if pattern == "/*":
        return True
    root = pattern.removesuffix("/*")
    return pattern == other if root == pattern else is_under(other.removesuffix("/*"), root)


def _meet(ours: tuple[str, ...], theirs: tuple[str, ...]) -> Iterator[str]:
    """The narrower one of every two patterns of which one lies in the other: any other two share no path."""
    pairs = [(mine, other) for mine in ours for other in theirs]
    inside = (
        mine if covers(other, mine) else other if covers(mine, other) else None
        for mine, other in pairs
    )
    return iter(dict.fromkeys(each for each in inside if each is not None))
