"""What is left of grants: the intersection of rights is exact, and a caller is held to it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.access.caller import CANNOT_FORGET, Caller, resolve_caller
from spectronctl.server.access.grants import EVERYTHING, Rights, make_rights
from spectronctl.server.access.patterns import covers, meet, simplify
from spectronctl.server.http.problems import ProblemError
from spectronctl.server.principals.changes import add_grant, remove_grant
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


KEY = KeyRow(
    id="cak_1", context_id="acme", name="app", principal="agent", digest=b"", created_at=NOW
)


def make_owner(rights: Rights, number: str = "0") -> PrincipalRow:
    return PrincipalRow(
        id=f"principal:{number * 26}",
        context_id="acme",
        kind="agent",
        display_name="app",
        grants=rights.to_grants(),
        created_at=NOW,
    )


def make_caller(principal: str | None, floor: str | None = None) -> Caller:
    if principal is None:
        return resolve_caller(CONTEXT, None, make_owner(EVERYTHING))
    key = replace(KEY, principal=principal, scope_floor=floor)
    return resolve_caller(CONTEXT, key, make_owner(make_rights(grant_kind(principal))))


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


# A small tree, with a name that no pattern has: below any node there is a path that only a subtree holds.
TREE = ["", *("/".join(p) for n in (1, 2, 3, 4) for p in product(["a", "ab", "b", "z"], repeat=n))]


@cache
def list_paths_of(pattern: str) -> frozenset[str]:
    """All paths of the tree that the pattern holds, found without the code under test."""
    if pattern == "/*":
        return frozenset(TREE)
    node, star, _ = pattern.partition("/*")
    wanted = node.split("/")
    if not star:
        return frozenset({node})
    return frozenset(path for path in TREE if path.split("/")[: len(wanted)] == wanted)


def list_paths(held: Iterable[str]) -> set[str]:
    return set().union(*map(list_paths_of, held))


some = st.lists(patterns, max_size=4)


@given(some, some, some)
def test_meeting_is_the_intersection_of_what_both_hold(
    one: list[str], other: list[str], third: list[str]
) -> None:
    assert list_paths(meet(one, other)) == list_paths(one) & list_paths(other)
    assert meet(one, other) == meet(other, one)
    assert meet(meet(one, other), third) == meet(one, meet(other, third))
    assert meet(one, one) == simplify(one)
    assert list_paths(simplify(one)) == list_paths(one)


@given(some, patterns)
def test_a_pattern_is_held_when_all_its_paths_are(held: list[str], pattern: str) -> None:
    rights_ = Rights({"memory:read": tuple(held)})
    assert rights_.hold("memory:read", pattern) == (list_paths([pattern]) <= list_paths(held))


@given(some, patterns)
def test_a_region_is_what_the_patterns_hold(held: list[str], pattern: str) -> None:
    region = Rights({"memory:read": tuple(held)}).get_region("memory:read")
    covered = {path for path in TREE if path and region.covers(path)}
    assert covered == list_paths(held) - {""}


@given(rights, rights, st.none() | rights, st.none() | paths)
def test_no_caller_exceeds_its_key_its_principal_or_whom_it_acts_for(
    own: Rights, theirs: Rights, limit: Rights | None, floor: str | None
) -> None:
    """Neither limits of a key nor acting for another ever widens, whoever acts for whom."""
    owner = make_owner(own, "1")
    key = replace(KEY, scope_floor=floor, grants=limit.to_grants() if limit else None)
    alone = resolve_caller(CONTEXT, key, owner).rights
    acting = alone
    with suppress(ProblemError):
        acting = resolve_caller(CONTEXT, key, owner, make_owner(theirs, "2")).rights
        for verb in VERBS:
            held = list_paths(theirs.get(verb))
            assert list_paths(acting.get(verb)) == list_paths(alone.get(verb)) & held
            assert held <= list_paths(alone.get("grant:manage"))
    for verb in VERBS:
        most = list_paths(own.get(verb))
        if floor is not None:
            most &= list_paths([f"{floor}/*"])
        if limit is not None:
            most &= list_paths(limit.get(verb))
        assert list_paths(alone.get(verb)) == most
        assert list_paths(acting.get(verb)) <= most


@given(rights, patterns, st.lists(verbs, min_size=1, max_size=3))
def test_granting_and_revoking_change_the_pattern_and_nothing_else(
    held: Rights, pattern: str, named: list[str]
) -> None:
    before = held.to_grants()
    added = add_grant(before, pattern, named)
    for verb in VERBS:
        more = list_paths([pattern]) if verb in named else set()
        assert list_paths(added.get(verb, ())) == list_paths(before.get(verb, ())) | more
    held_wider = [
        each
        for verb in named
        for each in before.get(verb, ())
        if list_paths([pattern]) < list_paths([each])
    ]
    if held_wider:
        with pytest.raises(ProblemError, match="wider pattern"):
            remove_grant(before, pattern, named, EVERYTHING)
        return
    left = remove_grant(before, pattern, named, EVERYTHING)
    for verb in VERBS:
        less = list_paths([pattern]) if verb in named else set()
        assert list_paths(left.get(verb, ())) == list_paths(before.get(verb, ())) - less


def test_what_reaches_below_a_path_is_required_of_the_whole_subtree() -> None:
    boss = make_caller("supervisor", "org/acme")
    for path in ("org/acme", "org/acme/bo"):
        boss.require_below("memory:forget", path)
    for path in ("org", "org/acmetwo"):
        with pytest.raises(ProblemError, match=r"where this key holds memory:forget, org/acme/\*"):
            boss.require_below("memory:forget", path)
    node = Caller(**{**vars(boss), "rights": Rights({"memory:forget": ("org/acme",)})})
    node.require("memory:forget", [["org/acme"]])
    with pytest.raises(ProblemError):
        node.require_below("memory:forget", "org/acme")
