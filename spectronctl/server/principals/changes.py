"""What granting and revoking make of a principal's grants. Pure: whether the caller may is asked before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from spectronctl.server.access.grants import Rights
from spectronctl.server.access.patterns import covers, simplify
from spectronctl.server.http.limits import MAX_SCOPES
from spectronctl.server.http.problems import conflict
from spectronctl.server.registry.rows import Grants


def simplify_grants(grants: Mapping[str, Collection[str]]) -> Grants:
    """The same rights, without a pattern that lies in another one, nor a verb without patterns."""
    return {verb: list(simplify(patterns)) for verb, patterns in grants.items() if patterns}


def add_grant(grants: Grants, pattern: str, verbs: Collection[str]) -> Grants:
    """The grants and the pattern for each of the verbs; 409 for more patterns than a verb may have."""
    added = simplify_grants(
        {**grants, **{verb: [*grants.get(verb, ()), pattern] for verb in verbs}}
    )
    for verb, patterns in added.items():
        if len(patterns) > MAX_SCOPES:
            raise conflict(f"path: {verb} would be held over more than {MAX_SCOPES} patterns")
    return added


def remove_grant(grants: Grants, pattern: str, verbs: Collection[str], visible: Rights) -> Grants:
    """
    The grants, with nothing left in the pattern for any of the verbs.

    409 where a verb is held through a wider one: what would be left is no pattern. It is named if `visible` covers it.
    """
    for verb in verbs:
        wider = [each for each in grants.get(verb, ()) if each != pattern and covers(each, pattern)]
        if wider:
            raise conflict(
                f"path: {verb} is held through a wider pattern{_name(wider[0], visible)}; revoke that one, and grant "
                "what is to stay"
            )
    left = {
        verb: [each for each in patterns if verb not in verbs or not covers(pattern, each)]
        for verb, patterns in grants.items()
    }
    return simplify_grants(left)


def _name(pattern: str, visible: Rights) -> str:
    return f", {pattern}" if visible.hold("grant:manage", pattern) else ""
