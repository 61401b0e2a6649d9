"""What is left of grants: the intersection of rights is exact, and a caller is held to it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.caller import CANNOT_FORGET, Caller, resolve_caller
from spectronctl.server.access.grants import EVERYTHING, Rights
from spectronctl.server.access.patterns import covers
from spectronctl.server.http.problems import ProblemError
from spectronctl.server.registry.principals import grant_kind
from spectronctl.server.registry.rows import ContextRow, KeyRow, PrincipalRow

NOW = datetime(2026, 1, 15, tzinfo=UTC)
CONTEXT = ContextRow(id="acme", namespace="acme", database="acme", created_at=NOW)

# Few names, of which one begins with another: most patterns lie in one another, or nearly do.
paths = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=3).map("/".join)
patterns = st.one_of(paths, paths.map("{}/*".format), st.just("/*"))
rights = st.dictionaries(
    st.sampled_from(VERBS), st.lists(patterns, max_size=4).map(tuple), max_size=4
).map(Rights)
verbs = st.sampled_from(VERBS)


def holds(held: Rights, verb: str, path: str) -> bool:
    return any(covers(pattern, path) for pattern in held.get(verb))


@given(rights, rights, rights, verbs, paths)
def test_the_intersection_holds_what_all_three_hold_and_nothing_else(
    principal: Rights, key: Rights, delegate: Rights, verb: str, path: str
) -> None:
    by_all = all(holds(each, verb, path) for each in (principal, key, delegate))
    assert holds(principal & key & delegate, verb, path) == by_all


@given(rights, rights, rights, verbs, paths)
def test_a_region_never_exceeds_any_of_the_three(
    principal: Rights, key: Rights, delegate: Rights, verb: str, path: str
) -> None:
    region = (principal & key & delegate).get_region(verb)
    for each in (principal, key, delegate):
        assert holds(each, verb, path) or not region.covers(path)
        assert holds(each, verb, path) or not region.can_read([[path]])
        assert holds(each, verb, path) or not region.can_write([[path]])


@given(rights, verbs, paths)
def test_every_pattern_that_is_left_was_granted(held: Rights, verb: str, path: str) -> None:
    for name, left in (held & EVERYTHING).to_grants().items():
        assert set(left) <= set(held.get(name))
        assert all(any(covers(each, one) for each in left) for one in held.get(name))
    assert (held & held).get_region(verb).covers(path) == held.get_region(verb).covers(path)
    assert (held & Rights({})).to_grants() == {}


@pytest.mark.parametrize(
    ("pattern", "path", "is_covered"),
    [
        ("/*", "org", True),
        ("/*", "/*", True),
        ("org/*", "/*", False),
        ("org/*", "org", True),
        ("org/*", "org/acme/*", True),
        ("org/*", "organ", False),
        ("org", "org", True),
        ("org", "org/*", False),
        ("org", "org/acme", False),
    ],
)
def test_a_pattern_is_a_node_or_a_subtree(pattern: str, path: str, is_covered: bool) -> None:
    assert covers(pattern, path) == is_covered


def test_a_grant_over_a_node_does_not_open_what_is_below_it() -> None:
    region = Rights({"memory:read": ("org",)}).get_region("memory:read")
    assert region.can_read([["org"]])
    assert not region.can_read([["org/acme"]])
    assert not region.can_write([["org"], ["org/acme"]])
    assert not region.is_whole


def make_caller(principal: str | None, floor: str | None = None) -> Caller:
    key = principal and KeyRow(
        id="cak_1",
        context_id="acme",
        name="app",
        principal=principal,
        scope_floor=floor,
        digest=b"",
        created_at=NOW,
    )
    owner = PrincipalRow(
        id=f"principal:{'0' * 26}",
        context_id="acme",
        kind="agent",
        display_name="app",
        grants=grant_kind(principal) if principal else EVERYTHING.patterns,
        created_at=NOW,
    )
    return resolve_caller(CONTEXT, key or None, owner)


def refuse(caller: Caller, verb: str, scopes: list[list[str]] | None = None) -> str:
    with pytest.raises(ProblemError) as refusal:
        caller.require(verb, scopes)
    assert refusal.value.status == 403
    return str(refusal.value)


def test_a_verb_is_required_somewhere_or_over_every_scope() -> None:
    caller = make_caller("supervisor", "org/acme")
    inside, outside = [["org/acme/a"], ["org/acme"]], [["org/acme"], ["org/beta"]]
    caller.require("memory:write")
    caller.require("memory:write", inside)
    assert caller.may("memory:forget", inside)
    assert not caller.may("memory:forget", outside)
    told = "scopes: reach outside of where this key holds memory:write, org/acme/*"
    assert refuse(caller, "memory:write", outside) == told
    assert refuse(caller, "memory:write", []) == told


def test_a_verb_that_is_not_held_is_named() -> None:
    agent = make_caller("agent")
    assert refuse(agent, "memory:forget", [["org"]]) == CANNOT_FORGET
    assert "grant:manage" in refuse(agent, "grant:manage")
    assert not agent.may("memory:forget", [["org"]])
    for verb in VERBS:
        make_caller(None).require(verb, [["org"], ["team"]])


def test_each_verb_has_a_region_of_its_own() -> None:
    agent = make_caller("agent", "org/acme")
    assert agent.region("memory:read").roots == ("org/acme",)
    assert agent.region("memory:forget").roots == ()
    assert make_caller(None).region("memory:forget").is_whole
