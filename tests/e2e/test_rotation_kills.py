"""
A rotation that is killed anywhere loses no secret, cuts no agent off, and is finished by `rotations resume`.

`make test` kills a sample; `make soak` kills at every point there is, and then at random instants.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.rotation_processes import NEVER, Agent, Method, Outside, Round
from tests.support.soak import SOAK

Act = Callable[[Round], Any]

SEED = 20
AT_A_TIME = 3
RESUME = "keys rotations resume"

ROUNDS: dict[Method, int] = {"overlap": 200, "leaked": 60, "in place": 60}

SAMPLE = (
    "after request POST keys",
    "after request POST rotate",
    "amid writing the secret",
    "after placing the secret",
    "after request DELETE key",
)
"""The points that `make test` takes: where something is lost, or half done."""


class Deaths:
    """Rounds of rotations that are killed, several at a time, each with an agent that lives on its sink."""

    def __init__(self, outside: Outside, directory: Path, method: Method) -> None:
        self.outside, self.directory, self.method = outside, directory, method
        self.kinds: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.resumes = self.requests = 0

    def play(self, kind: str, act: Act) -> Any:
        """One round: what `act` does to it, and then whatever it takes to finish."""
        played = Round(self.outside, self.directory, self.method)
        with Agent(self.outside, played.context, played.sink) as agent:
            outcome = act(played)
            played.finish()
        assert self.method != "overlap" or not agent.refused
        self.kinds[kind] += 1
        self.kills.update(played.kills)
        self.resumes += played.resumes
        self.requests += agent.requests
        return outcome

    def play_all(self, kind: str, acts: list[Act]) -> None:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda act: self.play(kind, act), acts))

    def describe(self) -> str:
        kills = ", ".join(f"{step} {number}" for step, number in self.kills.most_common())
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.kinds.items())
        return (
            f"{self.method}: {self.kinds.total()} rounds ({kinds}); {self.kills.total()} kills,"
            f" by what the journal then said: {kills}; {self.resumes} resumes,"
            f" {self.requests} requests of agents"
        )


def whole_line(played: Round) -> str:
    return f"{played.rotate} --wait" if played.method == "overlap" else played.rotate


def list_points(played: Round) -> list[str]:
    code, points = played.run_killable(whole_line(played), NEVER)
    assert code == 0
    return points


def kill_at(number: int) -> Act:
    def act(played: Round) -> None:
        assert played.run_killable(whole_line(played), number)[0] == -signal.SIGKILL

    return act


def kill_resume_at(number: int, *, first: int) -> Act:
    """A rotation that is killed at its point `first`, or only waits, and then the run that resumes it."""

    def act(played: Round) -> list[str]:
        played.run_killable(played.rotate, first)
        played.wait_until_due()
        code, points = played.run_killable(RESUME, number)
        assert code == (0 if number == NEVER else -signal.SIGKILL)
        return points

    return act


def kill_at_random(dice: random.Random) -> Act:
    from_journal = dice.random() < 0.8
    seconds = dice.uniform(0, 0.2 if from_journal else 1.0)
    again = dice.uniform(0, 1.5) if dice.random() < 0.5 else None

    def act(played: Round) -> None:
        played.run_until(played.rotate, seconds, from_journal=from_journal)
        if again is not None:
            played.wait_until_due()
            played.run_until(RESUME, again, from_journal=False)

    return act


@pytest.mark.sampled(1)
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("method", ROUNDS)
def test_a_rotation_may_be_killed_anywhere(
    outside: Outside,
    tmp_path: Path,
    method: Method,
    request: pytest.FixtureRequest,
) -> None:
    deaths, dice = Deaths(outside, tmp_path, method), random.Random(SEED)
    points: list[str] = deaths.play("not killed", list_points)
    if not SOAK:
        chosen = [number for number, point in enumerate(points) if point in SAMPLE]
        deaths.play_all("at a boundary", [kill_at(number) for number in chosen])
        deaths.play_all("at random", [kill_at_random(dice)])
        return
    deaths.play_all("at a boundary", [kill_at(number) for number in range(len(points))])
    if method == "overlap":
        for first in (points.index("after request POST keys"), NEVER):
            resumed = deaths.play("not killed", kill_resume_at(NEVER, first=first))
            acts = [kill_resume_at(number, first=first) for number in range(len(resumed))]
            deaths.play_all("at a boundary of a resume", acts)
    left = ROUNDS[method] - deaths.kinds.total()
    deaths.play_all("at random", [kill_at_random(dice) for _ in range(left)])
    request.node.user_properties.append(("figures", deaths.describe()))


@pytest.fixture
def played(outside: Outside, tmp_path: Path) -> Round:
    return Round(outside, tmp_path, "overlap")


def start(played: Round, line: str) -> subprocess.Popen[str]:
    return played.shell.start(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def rotate_slowly(played: Round) -> tuple[subprocess.Popen[str], Path]:
    """A rotation that stays at its delivery, to a command, until the file that is returned is there."""
    go_on, command = played.directory / "go-on", played.directory / "deliver"
    command.write_text(
        f"#!/bin/sh\ncat >/dev/null\ntouch {played.directory}/begun\n"
        f"while [ ! -e {go_on} ]; do sleep 0.05; done\n"
    )
    command.chmod(0o700)
    process = start(played, f"{played.rotate} --secret-command {command}")
    wait_for((played.directory / "begun").exists)
    return process, go_on


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_a_rotation_leaves_it_to_resume(
    played: Round, number: signal.Signals
) -> None:
    process, go_on = rotate_slowly(played)
    (rotation,) = played.open
    process.send_signal(number)
    go_on.touch()
    out, err = process.communicate(timeout=30)
    assert out == ""
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert f"spectronctl keys rotations resume {rotation['id']}" in err
    else:
        assert process.returncode == -signal.SIGTERM
    played.check()
    played.finish()


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_wait_leaves_the_deletion_to_resume(
    played: Round, number: signal.Signals
) -> None:
    process = start(played, f"{played.rotate.replace('1s', '4s')} --wait")
    assert process.stderr
    while "Waiting until" not in process.stderr.readline():  # what it says as it begins to wait
        assert process.poll() is None
    (rotation,) = played.open
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130 if number == signal.SIGINT else -number, ""), err
    if number == signal.SIGINT:
        assert f"spectronctl keys rotations resume {rotation['id']}" in err
    assert played.step == "waiting"
    played.check()
    played.finish()


def test_a_key_that_is_being_rotated_is_refused_to_others(played: Round) -> None:
    process, go_on = rotate_slowly(played)
    (rotation,) = played.open
    refused = played.run(f"{played.rotate} -o json")
    assert (refused.returncode, refused.stdout) == (6, "")
    error = json.loads(refused.stderr)
    assert (error["kind"], error["candidates"]) == ("conflict", [rotation["id"]])
    go_on.touch()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [one["id"] for one in played.read_journal()] == [rotation["id"]]
    played.finish()


def test_so_it_is_while_the_old_key_is_only_waited_for(played: Round) -> None:
    assert played.run(played.rotate.replace("1s", "30s")).returncode == 0
    (rotation,) = played.open
    refused = played.run(f"{played.rotate} -o json")
    assert refused.returncode == 6
    assert json.loads(refused.stderr)["candidates"] == [rotation["id"]]
    assert [key["name"] for key in played.outside.list_keys(played.context)] == [
        "agent",
        "other",
        "agent.g2",
    ]


def test_of_two_that_start_at_once_one_rotates(played: Round) -> None:
    both = [start(played, f"{played.rotate} -o json") for _ in range(2)]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in both]
    assert sorted(code for *_, code in ends) == [0, 6]
    (rotation,) = played.read_journal()
    (error,) = (json.loads(err) for _, err, code in ends if code == 6)
    assert error["candidates"] == [rotation["id"]]
    played.finish()


@pytest.mark.timeout(300)
def test_many_resume_at_once_and_the_key_is_deleted_once(played: Round) -> None:
    assert played.run(played.rotate).returncode == 0
    played.wait_until_due()
    crons = [start(played, RESUME) for _ in range(20 if SOAK else 6)]
    ends = [(*process.communicate(timeout=200), process.returncode) for process in crons]
    assert {code for *_, code in ends} == {0}, ends
    assert played.step == "done"
    played.check_end()
    deletes = f" DELETE /api/v1/contexts/{played.context}/"
    (deletion,) = (line for line in played.outside.log if deletes in line)
    assert " 204 " in deletion
