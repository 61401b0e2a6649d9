"""A rotation whose process ends anywhere is finished by the next one, and cuts no user off."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectronctl.operations.rotations import Method, Rotation
from tests.support.rotations import CrashError, World
from tests.support.server import Server

METHODS: list[Method] = ["in place", "overlap", "leaked"]


def list_points(server: Server, method: Method, places: int) -> list[str]:
    """Everywhere that a whole rotation can be interrupted."""
    world = World(server, method, places)
    world.finish()
    world.check_end()
    return world.points


@pytest.mark.sampled
@pytest.mark.parametrize("places", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_a_process_may_end_anywhere(shared: Server, method: Method, places: int) -> None:
    points = list_points(shared, method, places)
    assert len(points) > 10
    for index, point in enumerate(points):
        world = World(shared, method, places, crashes=[index])
        world.finish()
        assert not world.crashes, point
        world.check_end()


@given(
    method=st.sampled_from(METHODS),
    places=st.integers(1, 2),
    crashes=st.lists(st.integers(0, 35), min_size=2, max_size=3),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
def test_so_may_the_ones_that_resume_it(
    shared: Server, method: Method, places: int, crashes: list[int]
) -> None:
    world = World(shared, method, places, crashes=crashes)
    world.finish()
    world.check_end()


def test_who_gives_up_after_a_crash_leaves_secrets_that_work(shared: Server) -> None:
    for index in range(len(list_points(shared, "overlap", 2))):
        world = World(shared, "overlap", 2, crashes=[index])
        with suppress(CrashError):
            world.run()
        if world.crashes or not world.documents:
            continue  # this one comes after the first run, or before it wrote anything
        rotation = Rotation.from_dict(json.loads(world.documents[-1]))
        told = world.make_rotator().abort(rotation)
        world.check()
        live = {key.id for key in world.list_keys() if key.name != "other"}
        assert live == set(told)
        assert world.old.id in live
