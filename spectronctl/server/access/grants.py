"""What may be done, and where: grant verbs over scope patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spectronctl.ground.vocabulary import VERBS
from spectronctl.models.identity import Grants
from spectronctl.server.access.patterns import EVERYWHERE, covers, meet
from spectronctl.server.access.scopes import Region
from spectronctl.server.registry import principals, rows


@dataclass(frozen=True)
class Rights:
    """The patterns over which each verb is held; a verb that is missing, or has no pattern, is not held."""

    patterns: Mapping[str, tuple[str, ...]]

    def __and__(self, other: Rights) -> Rights:
        """What both allow: never more than either, and nothing less than both."""
        return Rights({verb: meet(self.get(verb), other.get(verb)) for verb in self.patterns})

    def get(self, verb: str) -> tuple[str, ...]:
        """The patterns of the verb; none if it is not held."""
        return self.patterns.get(verb, ())

    def hold(self, verb: str, pattern: str) -> bool:
        """Whether the verb is held over the whole pattern, `org/acme` or `org/acme/*`."""
        # One of the patterns must do it alone: no number of nodes makes up a subtree.
        return any(covers(each, pattern) for each in self.get(verb))

    def hold_all(self, other: Rights) -> bool:
        """Whether everything that the other one allows is allowed here, too."""
        return all(
            self.hold(verb, each) for verb, patterns in other.patterns.items() for each in patterns
        )

    def get_region(self, verb: str) -> Region:
        """Where the verb is held."""
        patterns = self.get(verb)
        if "/*" in patterns:
            return Region(None)
        return Region(
            roots=tuple(each[:-2] for each in patterns if each.endswith("/*")),
            nodes=tuple(each for each in patterns if not each.endswith("/*")),
        )

    def to_grants(self) -> Grants:
        """As they travel: without the verbs that are not held."""
        # In one order, whatever was granted when: it would tell of a verb that is held where the reader sees nothing.
        return {verb: list(self.get(verb)) for verb in VERBS if self.get(verb)}


def make_rights(grants: rows.Grants) -> Rights:
    """The rights that stored grants give."""
    return Rights({verb: tuple(patterns) for verb, patterns in grants.items()})


EVERYTHING = make_rights(principals.EVERYTHING)


def parse_floor(scope_floor: Any) -> tuple[str, ...]:
    """The subtrees a key is confined to: `{"org": "acme", "user": "bo"}` is the path `org/acme/user/bo`."""
    if scope_floor is None:
        return EVERYWHERE
    if isinstance(scope_floor, dict):
        # sorted, since neither JSON nor the database keeps the order of an object's fields
        scope_floor = "/".join(f"{name}/{value}" for name, value in sorted(scope_floor.items()))
    paths = [scope_floor] if isinstance(scope_floor, str) else scope_floor
    return tuple(f"{path.strip('/')}/*" for path in paths)
