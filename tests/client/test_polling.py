"""Looking again and again: how often, how long, and through which failures."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronctl.api import lifecycle
from spectronctl.client import Polling
from spectronctl.client._polling import FIRST_PAUSE, LAST_PAUSE, MAX_SILENCE_SECS
from spectronctl.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NetworkError,
    NotAvailableError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    UpstreamError,
    WaitTimeoutError,
)
from spectronctl.models.lifecycle import Job
from tests.support.fakes import Clock, Connect, Face, FakeSpectron

PATH = "/api/v1/contexts/acme/lifecycle/jobs/job_1"
REQUEST = lifecycle.get_job("acme", "job_1")


def make_polling(clock: Clock, **options: Any) -> Polling[bool]:
    return Polling[bool](lambda over: over, clock=clock.monotonic, jitter=lambda: 0.0, **options)


def watch(clock: Clock, **options: Any) -> Polling[Job]:
    return Polling[Job](
        lambda job: job.is_over, clock=clock.monotonic, jitter=lambda: 0.0, **options
    )


def test_pauses_grow_by_half_to_the_longest() -> None:
    polling = make_polling(Clock())
    pauses = [polling.choose_pause(False) for _ in range(8)]
    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 1.5, FIRST_PAUSE * 2.25]
    assert pauses[-1] == LAST_PAUSE


@given(jitter=st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_a_pause(jitter: float) -> None:
    polling = Polling[bool](bool, clock=lambda: 0.0, jitter=lambda: jitter)
    pause = polling.choose_pause(False)
    assert pause is not None
    assert FIRST_PAUSE * 0.75 <= pause <= FIRST_PAUSE


def test_the_last_answer_has_no_pause_after_it() -> None:
    assert make_polling(Clock()).choose_pause(True) is None


def test_a_pause_is_as_long_as_the_server_asks_and_no_longer_than_the_wait() -> None:
    clock = Clock()
    polling = make_polling(clock, is_known=True, timeout=30)
    busy = RateLimitedError("busy", retry_after_secs=20)
    assert polling.choose_pause_after(busy) == 20
    clock.sleep(20)
    assert polling.choose_pause_after(busy) == 10


def test_a_call_gets_what_is_left_of_the_wait_and_a_second_at_least() -> None:
    clock = Clock()
    polling = make_polling(clock, timeout=10)
    assert polling.bound_call(30) == 10
    assert polling.bound_call(2) == 2
    clock.sleep(10)
    assert polling.bound_call(30) == 1
    assert make_polling(clock).bound_call(30) == 30


@pytest.mark.parametrize(
    "kind",
    [AuthError, ForbiddenError, NotFoundError, ConflictError, InvalidError, NotAvailableError],
)
def test_what_will_not_pass_ends_it_at_once(kind: type[RequestError]) -> None:
    failure = kind("no")
    with pytest.raises(kind) as caught:
        make_polling(Clock(), is_known=True).choose_pause_after(failure)
    assert caught.value is failure


@pytest.mark.parametrize("kind", [NetworkError, RateLimitedError, UpstreamError])
def test_what_may_pass_ends_it_only_before_there_was_an_answer(kind: type[RequestError]) -> None:
    polling = make_polling(Clock())
    with pytest.raises(kind):
        polling.choose_pause_after(kind("no"))
    polling.choose_pause(False)
    assert polling.choose_pause_after(kind("no")) > 0


def test_the_first_failure_of_each_row_is_told() -> None:
    told: list[RequestError] = []
    polling = make_polling(Clock(), is_known=True, on_failure=told.append)
    first, second = NetworkError("first"), NetworkError("second")
    polling.choose_pause_after(first)
    polling.choose_pause_after(NetworkError("again"))
    polling.choose_pause(False)
    polling.choose_pause_after(second)
    assert told == [first, second]


def test_silence_ends_a_wait_without_a_limit_and_an_answer_breaks_it() -> None:
    clock = Clock()
    polling = make_polling(clock, is_known=True)
    clock.sleep(MAX_SILENCE_SECS - 1)
    polling.choose_pause_after(NetworkError("down"))
    polling.choose_pause(False)
    clock.sleep(MAX_SILENCE_SECS - 1)
    polling.choose_pause_after(NetworkError("down"))
    clock.sleep(1)
    with pytest.raises(WaitTimeoutError, match="no response for 600 s; the last failure: gone"):
        polling.choose_pause_after(NetworkError("gone"))


def test_a_wait_without_a_limit_goes_on_as_long_as_there_are_answers() -> None:
    clock = Clock()
    polling = make_polling(clock)
    for _ in range(100):
        clock.sleep(MAX_SILENCE_SECS)
        assert polling.choose_pause(False)


def test_answers_come_until_it_is_over(client: Face, spectron: FakeSpectron, clock: Clock) -> None:
    for status in ("queued", "running", "failed"):
        spectron.on("GET", PATH, json={"id": "job_1", "status": status})
    found = client.poll(REQUEST, watch(clock))
    assert [job.status for job in found] == ["queued", "running", "failed"]
    assert clock.pauses == [FIRST_PAUSE, FIRST_PAUSE * 1.5]


def test_a_busy_a_broken_and_an_absent_server_are_survived(
    connect: Connect, spectron: FakeSpectron, clock: Clock
) -> None:
    client = connect(transport=httpx.MockTransport(spectron.answer), retries=0)
    spectron.on("GET", PATH, json={"id": "job_1", "status": "running"})
    spectron.on("GET", PATH, 429, headers={"Retry-After": "7"})
    spectron.on("GET", PATH, 503)
    for _ in range(20):
        spectron.on("GET", PATH, error=httpx.ConnectError("refused"))
    spectron.on("GET", PATH, error=httpx.ReadError("reset"))
    spectron.on("GET", PATH, json={"id": "job_1", "status": "succeeded"})
    found = client.poll(REQUEST, watch(clock))
    assert [job.status for job in found] == ["running", "succeeded"]
    assert clock.pauses[1] == 7


def test_only_the_first_call_is_repeated_at_once(
    client: Face, spectron: FakeSpectron, clock: Clock
) -> None:
    spectron.on("GET", PATH, 503)
    spectron.on("GET", PATH, json={"id": "job_1", "status": "running"})
    first = len(clock.pauses) + 1
    spectron.on("GET", PATH, 503)
    spectron.on("GET", PATH, json={"id": "job_1", "status": "succeeded"})
    failures: list[RequestError] = []
    client.poll(REQUEST, watch(clock, on_failure=failures.append))
    assert clock.pauses[first:] == [FIRST_PAUSE, FIRST_PAUSE * 1.5]
    assert [failure.status for failure in failures] == [503]


def test_a_wait_ends_on_time_and_looks_once_more_at_its_end(
    client: Face, spectron: FakeSpectron, clock: Clock
) -> None:
    spectron.on("GET", PATH, json={"id": "job_1", "status": "running"})
    spectron.on("GET", PATH, json={"id": "job_1", "status": "running"})
    began = clock.now
    with pytest.raises(WaitTimeoutError, match=r"did not finish within 0\.3 s"):
        client.poll(REQUEST, watch(clock, timeout=0.3))
    assert clock.now - began == pytest.approx(0.3)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_ends_it_at_once(
    client: Face, spectron: FakeSpectron, clock: Clock, status: int
) -> None:
    spectron.on("GET", PATH, json={"id": "job_1", "status": "running"})
    spectron.on("GET", PATH, status, json={"detail": "no"})
    with pytest.raises(RequestError) as caught:
        client.poll(REQUEST, watch(clock))
    assert caught.value.status == status
