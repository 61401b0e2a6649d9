"""Jobs started once whatever becomes of the answer, and watched through what may happen meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from spectronctl.client import Client
from spectronctl.client._polling import MAX_SILENCE_SECS
from spectronctl.errors import (
    ConflictError,
    InvalidError,
    NetworkError,
    NotFoundError,
    UpstreamError,
    WaitTimeoutError,
)
from spectronctl.models.lifecycle import Job
from spectronctl.operations.jobs import (
    ATTEMPTS,
    check_cancelled,
    check_succeeded,
    read_job,
    start_reindex,
    watch_job,
)
from tests.support.fake_jobs import JobServer, Look, make_job, reach
from tests.support.fakes import Clock

OLD = "2026-01-01T00:00:00Z"


def connect(server: JobServer | httpx.MockTransport) -> Client:
    transport = server.transport if isinstance(server, JobServer) else server
    return Client("http://spectron.test", transport=transport, retries=0)


def start(server: JobServer, **options: Any) -> Job:
    with connect(server) as client:
        return start_reindex(client, "acme", **options)


def watch(server: JobServer, clock: Clock | None = None, **options: Any) -> Iterator[Job]:
    clock = clock or Clock()
    with connect(server) as client:
        yield from watch_job(
            client, "acme", "job_1", sleep=clock.sleep, clock=clock.monotonic, **options
        )


def test_a_start_is_one_request() -> None:
    server = JobServer()
    assert start(server).to_dict() == {"id": "job_1", "kind": "reindex", "status": "queued"}
    assert server.asked == ["POST reindex"]


def test_one_under_way_is_named() -> None:
    server = JobServer(jobs={"acme": [make_job(1, "failed"), make_job(2, "running")]})
    with pytest.raises(ConflictError, match="already: job_2 is running") as caught:
        start(server)
    assert caught.value.candidates == ["job_2"]
    assert server.asked == ["POST reindex", "GET jobs"]


def test_one_under_way_is_joined_where_that_is_wanted() -> None:
    server = JobServer(jobs={"acme": [make_job(1, "queued")]})
    assert start(server, if_running="join").id == "job_1"
    assert server.asked.count("POST reindex") == 1


def refuse_always(request: httpx.Request) -> httpx.Response:
    if request.method == "POST":
        return httpx.Response(409, json={"detail": "one is under way"})
    return httpx.Response(200, json={"jobs": [make_job(1, "succeeded")]})


@pytest.mark.parametrize(("if_running", "posts"), [("fail", 1), ("join", ATTEMPTS)])
def test_one_that_is_over_when_one_looks_is_asked_for_again_or_told(
    if_running: Any, posts: int
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return refuse_always(request)

    with (
        connect(httpx.MockTransport(answer)) as client,
        pytest.raises(ConflictError, match="one is under way") as caught,
    ):
        start_reindex(client, "acme", if_running=if_running)
    assert asked.count("POST") == posts
    assert "run this again" in str(caught.value.hint)


def test_a_refusal_is_told_although_the_jobs_cannot_be_listed() -> None:
    server = JobServer(jobs={"acme": [make_job(1, "running")]}, lists=False)
    with pytest.raises(ConflictError, match="job_1 is under way"):
        start(server, if_running="join")


def test_other_kinds_of_jobs_are_not_joined() -> None:
    server = JobServer(
        jobs={"acme": [make_job(1, "running"), make_job(2, "running", kind="export")]}
    )
    assert start(server, if_running="join").id == "job_1"


@pytest.mark.parametrize("if_running", ["fail", "join"])
def test_a_lost_answer_is_found_among_the_jobs(if_running: Any) -> None:
    """The second start would be refused, and yet it is the job that was asked for."""
    server = JobServer(starts=["landed"], jobs={"acme": [make_job(1, "succeeded", created_at=OLD)]})
    assert start(server, if_running=if_running).id == "job_2"
    assert server.asked == ["POST reindex", "GET jobs"]


@pytest.mark.parametrize("fate", ["lost", "503"])
def test_a_start_that_came_to_nothing_is_not_sent_again(fate: Any) -> None:
    server = JobServer(starts=[fate], jobs={"acme": [make_job(1, "succeeded", created_at=OLD)]})
    with pytest.raises((NetworkError, UpstreamError)) as caught:
        start(server, if_running="join")
    assert "may still begin; it is safe to run this again" in str(caught.value.hint)
    assert server.asked == ["POST reindex", "GET jobs"]


def test_a_lost_answer_beside_an_earlier_job_was_a_refusal() -> None:
    jobs = {"acme": [make_job(1, "running", created_at=OLD)]}
    with pytest.raises(ConflictError, match="already: job_1"):
        start(JobServer(starts=["lost"], jobs=jobs))
    assert start(JobServer(starts=["lost"], jobs=jobs), if_running="join").id == "job_1"


def test_a_lost_answer_that_cannot_be_looked_after_says_where_to_look() -> None:
    with pytest.raises(NetworkError) as caught:
        start(JobServer(starts=["landed"], lists=False))
    assert "unknown" in str(caught.value.hint)
    assert caught.value.command == "spectronctl lifecycle jobs list -c acme"


def test_the_clock_of_the_server_counts() -> None:
    """A server an hour behind made the job an hour ago, by its own clock."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ReadError("connection reset")
        job = make_job(1, "succeeded", created_at="2026-05-01T10:00:00Z")
        headers = {"Date": "Fri, 01 May 2026 10:00:01 GMT"}
        return httpx.Response(200, json={"jobs": [job]}, headers=headers)

    with connect(httpx.MockTransport(answer)) as client:
        assert start_reindex(client, "acme").id == "job_1"


def test_a_start_that_is_refused_for_good_looks_for_nothing() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(422, json={"detail": "provider openai has no key"})

    with (
        connect(httpx.MockTransport(answer)) as client,
        pytest.raises(InvalidError, match="openai has no key"),
    ):
        start_reindex(client, "acme")
    assert asked == ["POST"]


def test_a_job_is_read_as_it_is_or_as_it_was_known() -> None:
    known = Job(id="job_1", status="queued")
    with connect(JobServer([reach(3)], jobs={"acme": [make_job(1)]})) as client:
        assert read_job(client, "acme", known).progress.done == 3
    with connect(JobServer([503], jobs={"acme": [make_job(1)]})) as client:
        assert read_job(client, "acme", known) is known


def test_a_watch_sees_it_through_a_restart() -> None:
    clock = Clock()
    refused = [httpx.ConnectError("refused")] * 40
    looks: list[Look] = [
        reach(2),
        429,
        503,
        *refused,
        httpx.ReadError("reset"),
        reach(10, status="succeeded"),
    ]
    server = JobServer(looks, jobs={"acme": [make_job(1)]})
    failures: list[Any] = []
    seen = [
        (job.status, job.progress.done) for job in watch(server, clock, on_failure=failures.append)
    ]
    assert seen == [("running", 2), ("succeeded", 10)]
    assert clock.now - 1000 > 60
    assert len(failures) == 1


def test_a_job_that_is_over_is_answered_at_once() -> None:
    clock = Clock()
    server = JobServer(jobs={"acme": [make_job(1, "succeeded")]})
    assert [job.status for job in watch(server, clock)] == ["succeeded"]
    assert clock.pauses == []


def test_a_job_that_is_not_there_ends_it_at_once() -> None:
    with pytest.raises(NotFoundError):
        list(watch(JobServer()))


def test_a_wait_that_gives_up_says_how_far_it_had_come() -> None:
    clock = Clock()
    server = JobServer([reach(2), reach(3)], jobs={"acme": [make_job(1)]})
    with pytest.raises(WaitTimeoutError) as caught:
        list(watch(server, clock, timeout=60))
    assert caught.value.message == (
        "job job_1 of context acme is running, 3 of 10 done: it did not finish within 60 s"
    )
    assert clock.now == pytest.approx(1060)


def test_a_server_that_is_gone_for_good_ends_it_after_a_while() -> None:
    clock = Clock()
    looks: list[Look] = [reach(2, None), *[httpx.ConnectError("refused")] * 10_000]
    server = JobServer(looks, jobs={"acme": [make_job(1)]})
    with pytest.raises(WaitTimeoutError, match=r"is running, 2 done: no response for .*refused"):
        list(watch(server, clock))
    assert clock.now == pytest.approx(1000 + MAX_SILENCE_SECS, abs=5)


def test_a_job_that_is_known_is_waited_for_although_no_one_answers_yet() -> None:
    looks: list[Look] = [httpx.ConnectError("refused"), reach(10, status="succeeded")]
    jobs = {"acme": [make_job(1)]}
    assert len(list(watch(JobServer(looks, jobs=jobs), is_known=True))) == 1
    with pytest.raises(NetworkError):
        list(watch(JobServer(looks, jobs=jobs)))


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("failed", "quota", "job job_1 of context acme failed: quota"),
        ("failed", None, "failed: the server does not say why"),
        ("cancelled", None, "was cancelled"),
    ],
)
def test_only_success_is_success(status: str, error: str | None, told: str) -> None:
    with pytest.raises(ConflictError, match=told):
        check_succeeded(Job(id="job_1", status=status, error=error), "acme")
    check_succeeded(Job(id="job_1", status="succeeded"), "acme")


def test_a_job_that_came_to_its_end_was_not_cancelled() -> None:
    check_cancelled(Job(id="job_1", status="cancelled"), "acme")
    with pytest.raises(ConflictError, match="succeeded before that"):
        check_cancelled(Job(id="job_1", status="succeeded"), "acme")
