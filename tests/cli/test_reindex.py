"""`spectronctl lifecycle reindex` and `jobs` against a server that goes by a script: faults, waits, interruptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from spectronctl.client import _polling
from tests.support.commandline import CommandLine
from tests.support.fake_jobs import JobServer, Look, Start, make_job, reach

DONE = reach(10, status="succeeded")

Connect = Callable[..., CommandLine]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """A command line in context acme on a server with this script, whose jobs are looked at without pause."""
    monkeypatch.setattr(_polling, "FIRST_PAUSE", 0.0)

    def connect(
        looks: list[Look] | None = None,
        *,
        jobs: list[dict[str, Any]] | None = None,
        starts: list[Start] | None = None,
    ) -> CommandLine:
        server = JobServer(looks or [], starts or [], {"acme": jobs or []})
        env = {
            "SPECTRON_URL": "http://spectron.test",
            "SPECTRON_MANAGEMENT_API_KEY": "mgmt-1",
            "SPECTRON_CONTEXT_ID": "acme",
            "SPECTRONCTL_RETRIES": "0",
        }
        return CommandLine(tmp_path, server.transport, env)

    return connect


def test_a_reindex_is_waited_for_and_shown(connect: Connect) -> None:
    times = {"started_at": "2026-05-01T10:00:00Z", "finished_at": "2026-05-01T10:00:02.34Z"}
    result = connect([reach(0), reach(4), reach(4), DONE | times])("lifecycle reindex")
    assert result.code == 0
    assert result.err.splitlines() == [
        "reindex acme: 0 of 10: running",
        "reindex acme: 4 of 10: running",
        "reindex acme: 10 of 10: succeeded",
        "Job job_1 has reindexed 10 chunks of context acme in 2s300ms.",
    ]
    assert "succeeded" in result.out


def test_programs_get_events_and_the_job(connect: Connect) -> None:
    result = connect([reach(4), DONE])("lifecycle reindex -o json")
    assert (result.code, result.json["status"], result.json["progress"]["done"]) == (
        0,
        "succeeded",
        10,
    )
    events = [json.loads(line) for line in result.err.splitlines()[:-1]]
    assert [(event["done"], event["total"], event["text"]) for event in events] == [
        (4, 10, "running"),
        (10, 10, "succeeded"),
    ]


def test_a_person_sees_a_bar(connect: Connect) -> None:
    result = connect([reach(4, None), reach(4), DONE])("lifecycle reindex", terminal=True)
    assert result.code == 0
    assert "10/10" in result.err


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ({"status": "failed", "error": "provider openai: quota"}, "failed: provider openai: quota"),
        ({"status": "cancelled"}, "was cancelled"),
    ],
)
@pytest.mark.parametrize("line", ["lifecycle reindex", "lifecycle jobs watch job_1"])
def test_a_job_that_did_not_succeed_is_a_failure(
    connect: Connect, line: str, end: dict[str, Any], told: str
) -> None:
    jobs = [make_job(1)] if "watch" in line else []
    result = connect([reach(4), end], jobs=jobs)(f"{line} -o json")
    assert (result.code, result.out) == (6, "")
    error = json.loads(result.err.splitlines()[-1])
    assert (error["kind"], error["exit_code"]) == ("conflict", 6)
    assert told in error["message"]


def test_a_wait_that_gives_up_names_the_command_that_goes_on(connect: Connect) -> None:
    result = connect([reach(4)])("lifecycle reindex --wait-timeout 0s -o json")
    error = json.loads(result.err.splitlines()[-1])
    assert (result.code, result.out, error["kind"]) == (10, "", "wait_timeout")
    assert error["command"] == "spectronctl lifecycle jobs watch job_1 -c acme"
    assert "4 of 10 done" in error["message"]


def test_the_command_that_goes_on_speaks_to_the_same_server(connect: Connect) -> None:
    line = "lifecycle reindex --wait-timeout 0s --url http://other.test -o json"
    error = json.loads(connect([reach(4)])(line).err.splitlines()[-1])
    assert error["command"].endswith("-c acme --url http://other.test")


def test_faults_are_told_once_and_survived(connect: Connect) -> None:
    looks: list[Look] = [reach(4), 503, 429, httpx.ConnectError("refused"), reach(5), DONE]
    result = connect(looks)("lifecycle reindex")
    assert result.code == 0
    assert result.err.count("no response, trying again") == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_ends_the_wait(connect: Connect, status: int) -> None:
    result = connect([reach(4), status])("lifecycle reindex")
    assert (result.code, result.out) == ({401: 3, 403: 4, 404: 5}[status], "")


def test_without_waiting_the_job_is_shown_as_it_is(connect: Connect) -> None:
    result = connect([reach(1)])("lifecycle reindex --no-wait -o json")
    assert (result.code, result.json["status"]) == (0, "running")
    assert "jobs watch job_1 -c acme" in result.err
    assert "jobs cancel job_1 -c acme" in result.err


def test_one_under_way_is_refused_with_the_command_that_waits_for_it(connect: Connect) -> None:
    result = connect(jobs=[make_job(1, "running")])("lifecycle reindex -o json")
    assert (result.code, result.error["kind"]) == (6, "conflict")
    assert "job_1 is running" in result.error["message"]
    assert result.error["command"] == "spectronctl lifecycle jobs watch job_1 -c acme"
    assert result.error["candidates"] == []


def test_one_under_way_is_joined(connect: Connect) -> None:
    run = connect([reach(4), DONE], jobs=[make_job(1, "running")])
    result = run("lifecycle reindex --if-running join -o json")
    assert (result.code, result.json["id"]) == (0, "job_1")


def test_a_lost_start_is_found_and_waited_for(connect: Connect) -> None:
    result = connect([DONE], starts=["landed"])("lifecycle reindex -o json")
    assert (result.code, result.json["id"]) == (0, "job_1")


@pytest.mark.parametrize("shape", ["table", "json"])
@pytest.mark.parametrize("line", ["lifecycle reindex", "lifecycle jobs watch job_1"])
def test_an_interrupt_leaves_the_job_running_and_says_so(
    connect: Connect, line: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    run = connect([reach(4)], jobs=[make_job(1)] if "watch" in line else [])
    monkeypatch.setattr("spectronctl.cli.waiting._report_progress", interrupt)
    result = run(f"{line} -o {shape}")
    assert (result.code, result.out) == (130, "")
    assert "Job job_1 goes on." in result.err
    assert "spectronctl lifecycle jobs watch job_1 -c acme" in result.err
    assert "spectronctl lifecycle jobs cancel job_1 -c acme" in result.err
    if shape == "json":
        assert json.loads(result.err.splitlines()[0])["event"] == "interrupted"


def test_an_interrupt_before_the_answer_says_where_to_look(tmp_path: Path) -> None:
    def interrupt(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-1"}
    result = CommandLine(tmp_path, httpx.MockTransport(interrupt), env)("lifecycle reindex acme")
    assert result.code == 130
    assert "spectronctl lifecycle jobs list -c acme" in result.err


def test_several_contexts_each_have_a_row_and_the_failed_ones_a_command(connect: Connect) -> None:
    run = connect([DONE], jobs=[make_job(1, "running")])
    result = run("lifecycle reindex acme beta -o json")
    assert result.code == 1
    assert [(row["context"], row.get("status")) for row in result.json] == [
        ("acme", None),
        ("beta", "succeeded"),
    ]
    assert "job_1 is running" in result.json[0]["error"]
    error = json.loads(result.err.splitlines()[-1])
    assert error["message"] == "1 of 2 contexts failed"
    assert "try: spectronctl lifecycle jobs watch job_1 -c acme" in error["hint"]


def test_an_interrupt_of_several_names_every_job_that_goes_on(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = connect([reach(4)])

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("spectronctl.cli.waiting._report_progress", interrupt)
    result = run("lifecycle reindex acme beta --parallel 1")
    assert (result.code, result.out) == (130, "")
    assert "done in 0 of 2 contexts" in result.err
    assert "spectronctl lifecycle jobs watch job_1 -c acme" in result.err


def test_an_interrupt_of_several_waits_for_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job of acme never ends; the interruption comes while it is waited for."""
    monkeypatch.setattr(_polling, "FIRST_PAUSE", 0.0)
    server, is_watched = JobServer([reach(4)]), Event()

    def answer(request: httpx.Request) -> httpx.Response:
        if "acme/lifecycle/jobs/" in request.url.path:
            is_watched.set()
        elif "beta/lifecycle/jobs/" in request.url.path:
            assert is_watched.wait(10)
            raise KeyboardInterrupt
        return server.answer(request)

    env = {"SPECTRON_MANAGEMENT_API_KEY": "mgmt-1"}
    run = CommandLine(tmp_path, httpx.MockTransport(answer), env)
    result = run("lifecycle reindex acme beta --parallel 2")
    assert (result.code, result.out) == (130, "")
    assert result.err.count("To wait for it: ") == 2


@pytest.mark.parametrize(
    "line",
    [
        "lifecycle reindex --no-wait --wait-timeout 5s",
        "lifecycle reindex --wait-timeout soon",
        "lifecycle reindex acme --all-contexts",
        "lifecycle reindex --all-contexts -c acme",
        "lifecycle reindex acme -c beta",
        "lifecycle reindex acme beta -c acme --parallel 0",
        "lifecycle jobs watch job_1 --wait-timeout soon",
        "lifecycle jobs list --status over",
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_sent(
    line: str, run_alone: CommandLine
) -> None:
    result = run_alone(f"{line} -o json --api-key k", env={"CI": "1"})
    assert (result.code, result.error["kind"]) == (2, "usage")


def test_jobs_are_listed_and_picked(connect: Connect) -> None:
    jobs = [make_job(1, "failed"), make_job(2, "running", kind="export"), make_job(3, "running")]
    run = connect(jobs=jobs)
    assert run("lifecycle jobs list -o name").out.split() == ["job_1", "job_2", "job_3"]
    assert run("lifecycle jobs list --status running -o name").out.split() == ["job_2", "job_3"]
    assert run("lifecycle jobs list --kind export -o name").out.split() == ["job_2"]
    assert run("lifecycle jobs list --columns id,progress --no-header").out.splitlines()[0] == (
        "job_1  0"
    )


def test_an_unknown_job_names_the_command_that_lists_them(connect: Connect) -> None:
    for verb in ("get", "watch", "cancel"):
        result = connect()(f"lifecycle jobs {verb} job_9 -o json")
        assert (result.code, result.error["kind"]) == (5, "not_found")
        assert result.error["command"] == "spectronctl lifecycle jobs list -c acme"


def test_a_queued_job_is_cancelled_at_once_and_again(connect: Connect) -> None:
    for now in ("queued", "cancelled"):
        run = connect([{"status": "cancelled"}], jobs=[make_job(1, now)])
        result = run("lifecycle jobs cancel job_1")
        assert result.code == 0
        assert "Job job_1 is cancelled." in result.err


def test_a_running_job_will_be_cancelled_and_may_be_waited_for(connect: Connect) -> None:
    asked: dict[str, Any] = {"status": "running", "cancel_requested": True}
    told = connect([asked], jobs=[make_job(1)])("lifecycle jobs cancel job_1")
    assert (told.code, "will be cancelled between two batches" in told.err) == (0, True)

    run = connect([asked, asked, {"status": "cancelled"}], jobs=[make_job(1)])
    waited = run("lifecycle jobs cancel job_1 --wait -o json")
    assert (waited.code, waited.json["status"]) == (0, "cancelled")
    assert "to be cancelled" in waited.err

    run = connect([asked, DONE], jobs=[make_job(1)])
    late = run("lifecycle jobs cancel job_1 --wait")
    assert (late.code, "succeeded before that" in late.err) == (6, True)
