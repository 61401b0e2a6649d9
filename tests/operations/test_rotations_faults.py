"""Every request of a rotation fails in every way that a network can fail, and the rotation is finished all the same."""

from __future__ import annotations

import httpx
import pytest

from spectronctl.client import _policy
from spectronctl.errors import RequestError, SpectronctlError
from spectronctl.operations.rotations import Method
from tests.support.faults import Fault, lose_answer, lose_request, truncate_answer
from tests.support.rotations import World
from tests.support.server import Server
from tests.support.soak import SOAK

METHODS: list[Method] = ["in place", "overlap", "leaked"]


def refuse_connection(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


def answer_late(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    inner.handle_request(request)
    raise httpx.ReadTimeout("timed out", request=request)


def fail_afterwards(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    inner.handle_request(request)
    return httpx.Response(500, json={"message": "out of memory"})


def say(status: int) -> Fault:
    return lambda request, inner: httpx.Response(status, json={"message": "no"})


FAULTS: dict[str, Fault] = {
    "refused": refuse_connection,
    "reset before": lose_request,
    "reset after": lose_answer,
    "429": say(429),
    "500": say(500),
    "500 after": fail_afterwards,
    "503": say(503),
    "timeout": answer_late,
    "truncated": truncate_answer,
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_policy, "random", lambda: 0.0)


def count_requests(server: Server, method: Method) -> int:
    world = World(server, method)
    world.finish()
    return len(world.edge.asked)


@pytest.mark.sampled
@pytest.mark.parametrize("retries", [0, *[3] * SOAK])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
def test_any_request_may_fail_in_any_way(
    shared: Server, method: Method, fault: str, retries: int
) -> None:
    for number in range(count_requests(shared, method)):
        world = World(shared, method, retries=retries)
        world.edge.faults[number] = FAULTS[fault]
        world.finish()
        world.check_end()


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["reset after", "timeout", "truncated", "500 after"])
@pytest.mark.parametrize("method", METHODS)
def test_answers_may_be_lost_for_a_while(shared: Server, method: Method, fault: str) -> None:
    for length in (2, 3, 5, 9):
        world = World(shared, method, places=2)
        world.edge.faults = dict.fromkeys(range(length), FAULTS[fault])
        world.finish()
        world.check_end()


@pytest.mark.sampled
@pytest.mark.parametrize("status", [403, 409, 422])
@pytest.mark.parametrize("method", METHODS)
def test_a_rotation_that_the_server_rejects_is_over(
    shared: Server, method: Method, status: int
) -> None:
    world = World(shared, method)
    world.edge.faults[0] = say(status)
    with pytest.raises(RequestError):
        world.run()
    assert world.rotation.step == "aborted"
    assert_untouched(world)


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["refused", "429"])
@pytest.mark.parametrize("method", METHODS)
def test_a_rotation_that_could_not_begin_is_planned_still(
    shared: Server, method: Method, fault: str
) -> None:
    world = World(shared, method)
    world.edge.faults[0] = FAULTS[fault]
    with pytest.raises(SpectronctlError) as caught:
        world.run()
    assert world.rotation.step == "planned"
    assert world.rotation.error == caught.value.message
    assert_untouched(world)
    world.finish()
    world.check_end()


@pytest.mark.parametrize("method", METHODS)
def test_a_rejection_after_a_lost_answer_is_not_the_end(shared: Server, method: Method) -> None:
    world = World(shared, method)
    world.edge.faults = {0: lose_answer, 1: say(403), 2: say(403)}
    with pytest.raises(RequestError):
        world.run()
    assert world.rotation.is_open
    assert world.rotation.step != "planned"
    world.finish()
    world.check_end()


def test_in_place_a_lost_answer_can_be_left_to_the_caller(shared: Server) -> None:
    world = World(shared, "in place")
    world.edge.faults[0] = lose_answer
    with pytest.raises(RequestError) as caught:
        world.make_rotator(recover=False).run(world.rotation, world.shelf)
    assert caught.value.outcome_unknown
    assert world.edge.asked == ["POST rotate"]
    assert world.rotation.step == "rotating"
    world.finish()
    world.check_end()


def assert_untouched(world: World) -> None:
    assert world.live() == ["agent"]
    assert world.works(world.old.secret)
    assert world.shelf[0].deliveries == 0
