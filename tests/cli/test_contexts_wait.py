"""`spectronctl contexts wait` against a server that goes by a script, and a real one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from spectronctl.client import _polling
from tests.support.commandline import CommandLine
from tests.support.server import Server

Outcome = httpx.Response | BaseException | None
"""None is the context itself."""

MISSING = httpx.Response(404, json={"detail": "no context acme"})
AWAY = httpx.ConnectError("Connection refused")
BUSY = httpx.Response(503, json={"detail": "starting"})
CONTEXT: dict[str, Any] = {
    "id": "acme",
    "namespace": "n",
    "database": "d",
    "config": {},
    "created_at": None,
}

Connect = Callable[[Iterable[Outcome]], CommandLine]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """A command line on a server that gives these answers, and the last one for ever."""
    monkeypatch.setattr(_polling, "FIRST_PAUSE", 0.0)

    def connect(answers: Iterable[Outcome]) -> CommandLine:
        left = list(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            assert (request.method, request.url.path) == ("GET", "/api/v1/contexts/acme")
            given = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(given, BaseException):
                raise given
            return httpx.Response(200, json=CONTEXT) if given is None else given

        env = {
            "SPECTRON_URL": "http://spectron.test",
            "SPECTRON_MANAGEMENT_API_KEY": "mgmt-1",
            "SPECTRONCTL_RETRIES": "0",
        }
        return CommandLine(tmp_path, httpx.MockTransport(answer), env)

    return connect


def test_what_is_so_already_is_shown_at_once(connect: Connect) -> None:
    there = connect([None])("contexts wait acme -o json")
    assert (there.code, there.json, there.err) == (0, CONTEXT, "Context acme is there.\n")
    gone = connect([MISSING])("contexts wait acme --for deleted -o json")
    assert (gone.code, gone.json) == (0, {"id": "acme", "deleted": True})
    assert gone.err == "Context acme is gone.\n"


def test_it_looks_until_it_is_so(connect: Connect) -> None:
    result = connect([MISSING, MISSING, None])("contexts wait acme --for exists -o name")
    assert (result.code, result.out) == (0, "acme\n")
    assert result.err.splitlines() == [
        "waiting for acme: 0 of 1: is not there yet",
        "Context acme is there.",
    ]
    assert connect([None, None, MISSING])("contexts wait acme --for deleted").code == 0


def test_a_server_that_goes_away_meanwhile_is_waited_for(connect: Connect) -> None:
    result = connect([MISSING, AWAY, BUSY, AWAY, MISSING, None])("contexts wait acme -o jsonl")
    assert (result.code, result.json) == (0, CONTEXT)
    assert "no response, trying again" in result.err


def test_a_server_that_is_not_up_yet_is_waited_for_as_long_as_was_said(connect: Connect) -> None:
    assert connect([AWAY, BUSY, None])("contexts wait acme --wait-timeout 1m").code == 0
    assert connect([AWAY, None])("contexts wait acme").code == 9
    gave_up = connect([AWAY])("contexts wait acme --wait-timeout 100ms --url http://x.test")
    assert (gave_up.code, gave_up.out) == (10, "")
    assert "context acme is not there yet: no response for" in gave_up.err
    assert "try: spectronctl contexts wait acme --for exists --url http://x.test" in gave_up.err


@pytest.mark.parametrize(
    ("answer", "goal", "state"),
    [(MISSING, "exists", "is not there yet"), (None, "deleted", "is still there")],
)
def test_a_wait_that_gives_up_says_what_is_still_so(
    connect: Connect, answer: Outcome, goal: str, state: str
) -> None:
    result = connect([answer])(f"contexts wait acme --for {goal} --wait-timeout 100ms -o json")
    error = json.loads(result.err.splitlines()[-1])
    assert (result.code, result.out, error["kind"]) == (10, "", "wait_timeout")
    assert error["message"] == f"context acme {state}: it did not finish within 0.1 s"
    assert error["command"] == f"spectronctl contexts wait acme --for {goal}"


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 4), (400, 7), (501, 9)])
@pytest.mark.parametrize("goal", ["exists", "deleted"])
def test_a_refusal_ends_the_wait_at_once(
    connect: Connect, status: int, code: int, goal: str
) -> None:
    refused = httpx.Response(status, json={"detail": "no"})
    line = f"contexts wait acme --for {goal} --wait-timeout 1m"
    assert connect([MISSING if goal == "exists" else None, refused])(line).code == code
    assert connect([refused])(line).code == code


def test_a_page_that_is_not_spectrons_does_not_say_that_a_context_is_gone(connect: Connect) -> None:
    page = httpx.Response(404, html="<h1>Not Found</h1>")
    assert connect([page])("contexts wait acme --for deleted").code == 9


def test_an_interrupt_ends_it(connect: Connect) -> None:
    result = connect([MISSING, KeyboardInterrupt()])("contexts wait acme")
    assert (result.code, result.out) == (130, "")


def test_what_is_no_duration_is_refused(connect: Connect) -> None:
    assert connect([None])("contexts wait acme --wait-timeout soon").code == 2


@pytest.mark.parametrize("goal", ["exists", "deleted"])
@pytest.mark.parametrize("id", ["Bad Id!", "-acme", "a" * 64, "../acme"])
def test_an_id_that_no_context_can_have_is_not_waited_for(
    connect: Connect, id: str, goal: str
) -> None:
    result = connect([KeyboardInterrupt()])(f"contexts wait --for {goal} -- '{id}'")
    assert (result.code, result.out) == (2, "")
    assert "lowercase letters, digits and hyphens" in result.err


def test_a_context_that_another_makes_and_deletes(run: CommandLine, server: Server) -> None:
    url, headers = "http://spectron.test/api/v1/contexts/acme", {"API-KEY": server.key}

    def act_after_a_look(method: str, body: dict[str, str] | None) -> httpx.MockTransport:
        acts = [httpx.Request(method, url, headers=headers, json=body)]

        def answer(look: httpx.Request) -> httpx.Response:
            answer = server.handle_request(look)
            while acts:
                assert server.handle_request(acts.pop()).is_success
            return answer

        return httpx.MockTransport(answer)

    for goal, method, body in (
        ("exists", "POST", {"namespace": "n", "database": "d"}),
        ("deleted", "DELETE", None),
    ):
        run.transport = act_after_a_look(method, body)
        result = run(f"contexts wait acme --for {goal} --wait-timeout 20s -o name")
        assert (result.code, result.out) == (0, "acme\n")
        assert "waiting for acme: 0 of 1" in result.err


def test_nothing_is_waited_for_in_the_local_store(tmp_path: Path) -> None:
    run = CommandLine(
        tmp_path, env={"SPECTRONCTL_LOCAL_STORE": "mem://", "SPECTRONCTL_PROFILE": "local"}
    )
    assert run("contexts wait acme --for deleted").code == 0
    began = time.monotonic()
    result = run("contexts wait acme")
    assert (result.code, time.monotonic() - began < 5) == (10, True)
    assert "has it open" in result.err
