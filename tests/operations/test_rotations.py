"""What a rotation does, step by step, when nothing goes wrong, and what it refuses to do."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from spectronctl.api import keys as api
from spectronctl.errors import (
    AuthError,
    ConfigError,
    ConflictError,
    SpectronctlError,
    UsageError,
)
from spectronctl.models.keys import Key, MintedKey
from spectronctl.operations.rotations import Method, Rotation, make_claim, select_newest
from tests.support.commandline import SENTINEL
from tests.support.rotations import DRAIN, FLOOR, OVERLAP, World
from tests.support.server import Server

SAID_NO = httpx.Response(401, json={"message": "no such key"})


def seconds_to_due(world: World) -> float:
    assert world.rotation.due_at
    due = datetime.fromisoformat(world.rotation.due_at)
    return (due - world.clock.now() - world.clock.skew).total_seconds()


def revive_successor(key: dict[str, Any]) -> None:
    """What the successor's expiry is when it was made much later than these tests can wait."""
    if key["name"] == "agent.g2":
        key["expires_at"] = "2999-01-01T00:00:00Z"


def test_a_new_secret_in_place_is_delivered_at_once_and_tried_then(shared: Server) -> None:
    world = World(shared, "in place")
    world.run()
    assert world.log == [
        "save rotating",
        "POST rotate",
        "save delivering",
        "save delivering",
        "deliver agent to place 0",
        "save verifying",
        "GET me",
        "save done",
    ]
    assert world.live() == ["agent"]
    assert not world.works(world.old.secret)
    assert world.rotation.delivered == ["delivered"]
    world.check_end()


def test_an_overlap_keeps_the_old_key_until_it_is_due(shared: Server) -> None:
    world = World(shared, lifetime=90 * 86_400)
    world.run()
    assert world.log == [
        "save minting",
        "POST keys",
        "save verifying",
        "GET me",
        "save delivering",
        "save delivering",
        "deliver agent.g2 to place 0",
        "save waiting",
    ]
    assert world.live() == ["agent", "agent.g2"]
    assert world.works(world.old.secret)
    assert seconds_to_due(world) == pytest.approx(OVERLAP, abs=5)

    world.log.clear()
    world.run()
    assert world.log == []  # not due: nothing is asked, nothing is written
    world.skip_to_due()
    world.run()
    assert world.log == [
        "save deleting",
        "GET keys",
        "DELETE agent",
        "save done",
    ]
    assert world.live() == ["agent.g2"]
    world.check_end()


def test_a_leaked_key_goes_before_anything_else_happens(shared: Server) -> None:
    world = World(shared, "leaked")
    world.run()
    assert world.log == [
        "save revoking",
        "DELETE agent",
        "save minting",
        "POST keys",
        "save delivering",
        "save delivering",
        "deliver agent.g2 to place 0",
        "save verifying",
        "GET me",
        "save done",
    ]
    assert not world.works(world.old.secret)
    world.check_end()


@pytest.mark.parametrize("method", ["overlap", "leaked"])
def test_a_successor_is_what_its_predecessor_was(shared: Server, method: Method) -> None:
    world = World(shared, method, lifetime=3 * 86_400)
    old = world.mint("boss", principal="supervisor")
    rotation = world.plan(old)
    rotation.grants = None
    world.make_rotator().run(rotation, world.shelf)
    new = world.find("boss.g2")
    assert (new.principal, new.scope_floor) == ("supervisor", FLOOR)
    assert new.created_at
    assert new.expires_at
    life = datetime.fromisoformat(new.expires_at) - datetime.fromisoformat(new.created_at)
    assert life == timedelta(days=3)


def test_generations_go_on_past_older_ones_that_were_left(shared: Server) -> None:
    world = World(shared, grants=False)
    world.finish()
    left = world.mint("agent")  # an operator brought the first generation back
    rotation = world.plan(select_newest(world.list_keys())[-1])
    assert (rotation.key["name"], rotation.successor_name) == ("agent.g2", "agent.g3")
    world.documents.append(json.dumps(rotation.to_dict()))
    world.finish()
    assert sorted(world.live()) == ["agent", "agent.g3"]
    assert world.works(left.secret)


def test_of_many_keys_the_newest_generations_are_chosen() -> None:
    names = ["a.g2", "b", "a", "a.g10", "c.g1x", "a.g9"]
    keys = [Key(id=str(number), name=name) for number, name in enumerate(names)]
    assert [key.name for key in select_newest(keys)] == ["a.g10", "b", "c.g1x"]


def test_what_became_of_each_delivery_is_written_down(shared: Server) -> None:
    world = World(shared, places=2)
    world.shelf[1].refuses = ConfigError("full")
    with pytest.raises(ConfigError, match="full"):
        world.run()
    seen = [(doc["step"], doc["delivered"]) for doc in map(json.loads, world.documents)]
    assert seen[-4:] == [
        ("delivering", [None, None]),
        ("delivering", ["started", None]),
        ("delivering", ["delivered", "started"]),
        ("delivering", ["delivered", "failed"]),
    ]
    assert json.loads(world.documents[-1])["error"] == "full"
    world.shelf[1].refuses = None
    world.finish()
    assert world.rotation.delivered == ["delivered", "delivered"]
    assert world.rotation.error is None
    world.check_end()


def test_a_key_in_use_waits_for_its_last_use_and_the_drain(shared: Server) -> None:
    world = World(shared)
    world.run()
    world.skip_to_due()
    world.works(world.old.secret)
    world.clock.advance(minutes=3)
    world.run()
    assert world.rotation.step == "waiting"
    assert seconds_to_due(world) == pytest.approx(DRAIN + 60 - 180, abs=5)
    assert world.live() == ["agent", "agent.g2"]
    world.clock.advance(minutes=3, seconds=10)
    world.run()
    world.check_end()


@pytest.mark.parametrize("skew", [-10, 10])
def test_a_server_whose_clock_is_wrong_changes_nothing_about_that(
    shared: Server, skew: int
) -> None:
    world = World(shared)
    world.clock.skew = timedelta(minutes=skew)
    world.run()
    world.skip_to_due()
    world.works(world.old.secret)
    world.clock.advance(minutes=5)
    world.run()
    assert world.rotation.step == "waiting"
    assert seconds_to_due(world) == pytest.approx(60, abs=5)
    world.clock.advance(minutes=1, seconds=10)
    world.run()
    world.check_end()


def test_a_key_that_has_expired_on_our_clock_alone_is_still_in_use(shared: Server) -> None:
    world = World(shared, lifetime=2 * 3600)
    world.run()
    world.clock.advance(hours=2, minutes=-1)
    world.works(world.old.secret)
    world.clock.advance(minutes=4)  # past its expiry, but for the server, which is late
    world.clock.skew = timedelta(minutes=-10)
    world.edge.rewrite = revive_successor
    world.run()
    assert world.rotation.step == "waiting"
    assert world.works(world.old.secret)


def test_without_a_drain_a_key_in_use_is_deleted_when_due(shared: Server) -> None:
    world = World(shared)
    world.rotation.drain = 0
    world.run()
    world.skip_to_due()
    world.works(world.old.secret)
    world.used.clear()  # the guard is not to mind
    world.run()
    world.check_end()


def test_without_an_overlap_it_is_all_over_at_once(shared: Server) -> None:
    world = World(shared)
    rotation = world.plan(overlap=0, drain=0)
    world.edge.before = lambda _: None  # the guard is not to mind
    rotator = world.make_rotator()
    rotator.directory.list_keys(world.context)  # another rotation did, a moment before
    rotator.run(rotation, world.shelf)
    assert rotation.step == "done"
    assert rotation.retiring == []
    assert world.live() == ["agent.g2"]


def test_a_key_that_has_expired_is_deleted_without_a_drain(shared: Server) -> None:
    world = World(shared, lifetime=2 * 3600)
    world.run()
    world.clock.advance(hours=2, seconds=-2)
    world.works(world.old.secret)
    world.used.clear()  # the guard is not to mind
    world.edge.rewrite = revive_successor
    world.clock.advance(seconds=10)
    world.run()
    assert world.rotation.step == "done"
    assert "agent" not in world.live()


def test_a_last_use_that_no_one_can_read_counts_as_one_just_now(shared: Server) -> None:
    world = World(shared)
    world.run()
    world.skip_to_due()
    world.edge.rewrite = lambda key: key.update(last_used_at="yesterday")
    world.run()
    assert world.rotation.step == "waiting"
    assert world.works(world.old.secret)


@pytest.mark.parametrize("fate", ["deleted", "expired"])
def test_without_its_successor_the_old_key_stays(shared: Server, fate: str) -> None:
    world = World(shared)
    world.run()
    world.skip_to_due()
    successor = world.find("agent.g2")
    if fate == "deleted":
        world.operator.send(api.delete_key(world.context, successor.id))
        world.edge.after = lambda _: None  # the places are cut off, and not by us
    else:
        world.edge.rewrite = lambda key: key.update(
            status="expired" if key["name"] == "agent.g2" else "active"
        )
    with pytest.raises(ConflictError, match=r"agent\.g2.*agent.*stays") as caught:
        world.run()
    assert caught.value.command == f"spectronctl keys rotations abort {world.rotation.id}"
    assert world.works(world.old.secret)
    assert world.rotation.step == "deleting"


CHANGES: dict[str, dict[str, Any]] = {
    "floor": {"scope_floor": {"org": "evil"}},
    "no floor": {"scope_floor": None},
    "principal": {"principal": "supervisor"},
    "grants": {"effectiveGrants": {"memory:read": ["/*"]}},
    "fewer grants": {"effectiveGrants": {}},
}


@pytest.mark.parametrize(
    ("method", "change"),
    [("overlap", change) for change in CHANGES]
    + [("leaked", change) for change in ("floor", "no floor", "principal")],
)
def test_a_successor_that_may_do_other_things_is_not_delivered(
    shared: Server, method: Method, change: str
) -> None:
    world = World(shared, method)
    world.edge.changes = CHANGES[change]
    with pytest.raises(ConflictError, match="may do other things than agent"):
        world.run()
    assert world.shelf[0].deliveries == 0
    assert world.works(world.old.secret) is (method == "overlap")


def test_grants_in_another_order_are_the_same(shared: Server) -> None:
    world = World(shared)
    world.rotation.grants = {"b": ["x/*", "y/*"], "a": []}
    world.edge.changes = {"effectiveGrants": {"a": [], "b": ["y/*", "x/*"]}}
    world.finish()
    world.check_end()


def test_in_place_the_new_secret_is_delivered_whatever_it_may_do(shared: Server) -> None:
    world = World(shared, "in place")
    world.rotation.grants = {"memory:read": ["/org/before"]}
    world.finish()
    world.check_end()


def test_a_secret_that_does_not_work_never_replaces_one_that_does(shared: Server) -> None:
    world = World(shared)
    world.edge.faults[1] = lambda *_: SAID_NO
    with pytest.raises(AuthError) as caught:
        world.run()
    assert "was not delivered" in (caught.value.hint or "")
    assert world.shelf[0].deliveries == 0
    assert world.works(world.old.secret)
    world.edge.faults.clear()
    world.finish()
    world.check_end()
    assert "agent.g3" not in world.live()  # the other one was never delivered


@pytest.mark.parametrize("method", ["in place", "leaked"])
def test_what_was_delivered_in_place_of_a_dead_secret_is_not_made_again(
    shared: Server, method: Method
) -> None:
    world = World(shared, method)
    world.edge.faults[{"in place": 1, "leaked": 2}[method]] = lambda *_: SAID_NO
    with pytest.raises(AuthError) as caught:
        world.run()
    assert "was delivered" in (caught.value.hint or "")
    assert (world.rotation.step, world.shelf[0].deliveries) == ("done", 1)
    world.edge.faults.clear()
    world.check_end()


@pytest.mark.parametrize("method", ["in place", "leaked"])
def test_a_crash_before_a_delivered_secret_was_tried_changes_nothing_more(
    shared: Server, method: Method
) -> None:
    world = World(shared, method)
    world.run_up_to("after save verifying")
    world.finish()
    assert world.shelf[0].deliveries == 1
    world.check_end()


def test_a_successor_whose_name_would_be_too_long_is_refused(shared: Server) -> None:
    world = World(shared)
    with pytest.raises(UsageError, match="longer than 128"):
        world.plan(world.mint("n" * 126))


@pytest.mark.parametrize(("field", "value"), [("step", "dancing"), ("method", "sideways")])
def test_a_journal_that_makes_no_sense_is_refused(shared: Server, field: str, value: str) -> None:
    document = World(shared).rotation.to_dict() | {field: value}
    with pytest.raises(ConfigError, match=value):
        Rotation.from_dict(document)


def test_a_place_that_quotes_the_secret_does_not_put_it_into_the_journal(shared: Server) -> None:
    world = World(shared)
    place = world.shelf[0]

    def refuse(minted: Any) -> None:
        raise ConfigError(f"cannot store {minted.secret}")

    with pytest.raises(ConfigError):
        world.make_rotator().run(world.rotation, [refuse])
    assert world.rotation.error == "cannot store [secret]"
    assert place.deliveries == 0


def test_a_place_that_keeps_failing_does_not_pile_up_keys(shared: Server) -> None:
    world = World(shared, places=2)
    world.shelf[1].refuses = ConfigError("the command failed")
    for _ in range(20):
        with pytest.raises(ConfigError):
            world.run()
        assert len(world.live()) <= 3
        world.check()
    world.shelf[1].refuses = None
    world.finish()
    world.check_end()


@pytest.mark.parametrize("method", ["in place", "leaked"])
def test_places_without_a_secret_that_works_are_served_past_one_that_fails(
    shared: Server, method: Method
) -> None:
    world = World(shared, method, places=3)
    world.shelf[0].refuses = ConfigError("the command failed")
    for _ in range(3):
        with pytest.raises(ConfigError):
            world.run()
        world.check_agents(world.shelf[1:])
        assert len(world.live()) <= 2
    world.shelf[0].refuses = None
    world.finish()
    world.check_end()


def test_while_the_old_key_works_one_place_that_fails_stops_the_others(shared: Server) -> None:
    world = World(shared, places=2)
    world.shelf[0].refuses = ConfigError("the command failed")
    for _ in range(3):
        with pytest.raises(ConfigError):
            world.run()
    assert world.shelf[1].deliveries == 0
    assert world.live() == ["agent", "agent.g2"]  # it was never delivered, so it is used again


def test_a_key_whose_minting_was_not_heard_of_is_looked_for_first(shared: Server) -> None:
    world = World(shared)
    world.run_up_to("after POST keys")
    world.edge.asked.clear()
    world.run()
    assert world.edge.asked == ["GET keys", "POST rotate", "GET me"]


def test_a_name_taken_by_another_is_left_alone(shared: Server) -> None:
    world = World(shared)
    theirs = world.mint("agent.g2")
    assert world.rotation.successor_name == theirs.name
    with pytest.raises(ConflictError, match=r"'agent\.g2' has just appeared"):
        world.run()
    assert world.rotation.step == "aborted"
    assert world.works(theirs.secret)
    assert world.works(world.old.secret)


def test_a_later_generation_taken_by_another_is_left_alone_too(shared: Server) -> None:
    world = World(shared, places=2)
    world.shelf[1].refuses = ConfigError("full")
    with pytest.raises(ConfigError):
        world.run()
    world.shelf[1].refuses = None
    theirs: list[MintedKey] = []

    def take(request: httpx.Request) -> None:
        if request.method == "POST" and not theirs:
            theirs.append(world.mint("agent.g3"))

    world.edge.before = take
    with pytest.raises(ConflictError):
        world.run()
    world.finish()
    assert world.works(theirs[0].secret)
    assert sorted(world.live()) == ["agent.g3", "agent.g4"]
    world.check_agents(world.shelf)


ABORTED = [
    ("in place", "planned", ["agent"], ["agent"]),
    ("in place", "rotating", ["agent"], ["agent"]),
    ("in place", "delivering", ["agent"], ["agent"]),
    ("overlap", "planned", ["agent"], ["agent"]),
    ("overlap", "minting", ["agent"], ["agent"]),
    ("overlap", "verifying", ["agent"], ["agent"]),
    ("overlap", "delivering", ["agent"], ["agent"]),
    ("overlap", "waiting", ["agent", "agent.g2"], ["agent", "agent.g2"]),
    ("leaked", "planned", ["agent"], ["agent"]),
    ("leaked", "revoking", ["agent"], ["agent"]),
    ("leaked", "minting", [], []),
    ("leaked", "delivering", [], []),
    ("leaked", "verifying", ["agent.g2"], ["agent.g2"]),
]


@pytest.mark.parametrize(("method", "step", "told", "live"), ABORTED)
def test_giving_up_deletes_what_no_one_holds_and_tells_what_lives(
    shared: Server, method: Method, step: str, told: list[str], live: list[str]
) -> None:
    world = World(shared, method)
    if step != "planned":
        world.run_up_to(f"after save {step}")
    ids = world.make_rotator().abort(world.rotation)
    names = {key.id: key.name for key in world.list_keys()}
    assert [names[key_id] for key_id in ids] == told
    assert sorted(world.live()) == live
    assert world.rotation.step == "aborted"
    assert json.loads(world.documents[-1])["step"] == "aborted"
    world.check()


@pytest.mark.parametrize("point", ["before place 1", "amid place 1"])
def test_giving_up_amid_the_deliveries_keeps_what_may_be_held(shared: Server, point: str) -> None:
    world = World(shared, places=2)
    world.run_up_to(point)
    ids = world.make_rotator().abort(world.rotation)
    assert sorted(world.live()) == ["agent", "agent.g2"]
    assert {key.id for key in world.list_keys() if key.name != "other"} == set(ids)
    world.check()


def test_a_key_of_another_survives_giving_up_before_anything_was_minted(
    shared: Server,
) -> None:
    world = World(shared, "leaked")
    world.run_up_to("after save revoking")
    theirs = world.mint("agent.g2")
    world.make_rotator().abort(world.rotation)
    assert world.works(theirs.secret)


def test_an_expired_key_is_not_rotated_in_place(shared: Server) -> None:
    world = World(shared, "in place")
    key = Key(id="cak_1", name="agent", status="expired")
    with pytest.raises(UsageError, match="has expired") as caught:
        world.plan(key)
    assert "--overlap 0s" in (caught.value.hint or "")
    world.method = "overlap"
    assert world.plan(key, overlap=0).step == "planned"


def test_an_overlap_must_end_before_the_old_key_does(shared: Server) -> None:
    world = World(shared)
    ends = (world.clock.now() + timedelta(minutes=59)).isoformat()
    key = Key(id="cak_1", name="agent", expires_at=ends)
    with pytest.raises(UsageError, match="--overlap is longer than what is left of key agent"):
        world.plan(key)
    assert world.plan(key, overlap=58 * 60.0).overlap == 58 * 60


def test_a_lifetime_that_no_one_knows_the_start_of_is_what_is_left_of_it(shared: Server) -> None:
    world = World(shared)
    ends = (world.clock.now() + timedelta(days=2)).isoformat()
    lifetime = world.plan(Key(id="cak_1", name="agent", expires_at=ends)).lifetime
    assert lifetime == pytest.approx(2 * 86_400, abs=10)


def test_a_journal_goes_through_json_and_back(shared: Server) -> None:
    world = World(shared, places=2)
    again = Rotation.from_dict(json.loads(json.dumps(world.rotation.to_dict())))
    assert again == world.rotation
    assert again.claim == make_claim(world.rotation.url, world.context, "agent")


def test_a_journal_that_lacks_something_is_refused() -> None:
    with pytest.raises(ConfigError, match="not whole"):
        Rotation.from_dict({"id": "rot_1"})


def test_no_secret_is_in_a_representation_or_an_error(shared: Server) -> None:
    world = World(shared)
    world.shelf[0].refuses = ConfigError(SENTINEL)
    with pytest.raises(SpectronctlError) as caught:
        world.run()
    told = repr((world.rotation, caught.value, caught.value.to_dict()))
    assert SENTINEL in told
    assert not [secret for secret in world.edge.secrets if secret in told]
