"""Time is the server's: a clock of this machine that is wrong, or that is set meanwhile, destroys and hides nothing."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spectronctl.ground.times import format_time, read_uptime
from tests.support.clocks import Dated, move_clock
from tests.support.commandline import CommandLine
from tests.support.server import Server

STEPS = [timedelta(days=2), timedelta(days=-2), timedelta(days=900), timedelta(days=-20_000)]


@pytest.fixture
def dated(acme: CommandLine, server: Server) -> Dated:
    dated = Dated(server)
    acme.transport = dated
    acme.env["PATH"] = os.environ["PATH"]
    return dated


@pytest.fixture
def agent(acme: CommandLine, dated: Dated, tmp_path: Path) -> CommandLine:
    assert acme(f"keys create agent --secret-file {tmp_path}/agent.key").code == 0
    assert acme("contexts list").code == 0  # what a run imports is there before a clock is moved
    assert acme("keys rotations resume").code == 0
    return acme


def names(run: CommandLine) -> list[str]:
    return run("keys list -o name").out.split()


def rotate(run: CommandLine, options: str) -> Any:
    result = run(f"keys rotate agent {options} --yes --secret-file {run.home}/agent.key -o json")
    assert result.code == 0, result.err
    return result.json


@pytest.mark.parametrize("drain", ["", "--drain 0s"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_clock_ends_no_overlap(
    agent: CommandLine, step: timedelta, drain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(agent, f"--overlap 24h {drain}")
    with monkeypatch.context() as patch:
        move_clock(patch, step)
        (row,) = agent("keys rotations resume -o json").json
        assert row["step"] == "waiting"
        one = agent(f"keys rotations resume {row['id']} -o json").json
        assert one["step"] == "waiting"
        (check,) = (c for c in agent("doctor -o json").json["checks"] if c["check"] == "rotations")
        assert check["status"] == "ok", check
    assert names(agent) == ["agent", "agent.g2"]
    assert agent("keys rotations resume -o json").json[0]["step"] == "waiting"


@pytest.mark.parametrize("step", STEPS)
def test_an_overlap_that_was_begun_under_a_wrong_clock_ends_by_the_servers(
    agent: CommandLine, step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        move_clock(patch, step)
        due = rotate(agent, "--overlap 24h")["rotation"]["due_at"]
    left = datetime.fromisoformat(due) - datetime.now(UTC)
    assert left.total_seconds() == pytest.approx(24 * 3600, abs=5)


@pytest.mark.parametrize("step", STEPS)
def test_an_overlap_that_is_over_ends_under_a_wrong_clock(
    agent: CommandLine, step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(agent, "--overlap 1s --drain 0s")
    move_clock(monkeypatch, step)
    (row,) = agent("keys rotations resume --wait -o json").json
    assert row["step"] == "done"
    assert names(agent) == ["agent.g2"]


@pytest.mark.skipif(read_uptime() is None, reason="the system does not tell when it was started")
@pytest.mark.parametrize("drain", ["", "--drain 0s"])
def test_a_step_of_the_one_clock_of_both_ends_no_overlap(
    agent: CommandLine, dated: Dated, drain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(agent, f"--overlap 24h {drain}")
    step = dated.ahead = timedelta(days=2)
    move_clock(monkeypatch, step)
    (row,) = agent("keys rotations resume -o json").json
    assert row["step"] == "waiting"
    assert names(agent) == ["agent", "agent.g2"]


def test_after_a_start_of_the_machine_the_servers_time_counts_alone(
    agent: CommandLine, dated: Dated, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(agent, "--overlap 24h --drain 0s")
    (path,) = (agent.home / ".local/state/spectronctl/rotations").glob("*.json")
    entry = json.loads(path.read_text())
    path.write_text(json.dumps({**entry, "due_uptime": {**entry["due_uptime"], "boot": "last"}}))
    dated.ahead = timedelta(days=2)
    (row,) = agent("keys rotations resume -o json").json
    assert row["step"] == "done"


def test_while_the_server_is_away_no_clock_ends_an_overlap(
    agent: CommandLine, dated: Dated, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate(agent, "--overlap 24h --drain 0s")
    move_clock(monkeypatch, timedelta(days=2))
    result = agent("keys rotations resume -o json --url http://127.0.0.1:9 --retries 0")
    assert result.json == []
    assert names(agent) == ["agent", "agent.g2"]


@pytest.mark.parametrize("step", STEPS)
def test_ages_and_expiries_are_the_servers(
    agent: CommandLine, step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = agent("sessions create -o name").out.strip()
    soon = format_time(datetime.now(UTC) + timedelta(hours=1))
    agent("keys create brief --expires-in 1h --secret-file " + str(agent.home / "brief.key"))
    move_clock(monkeypatch, step)
    assert names(agent) == ["agent", "brief"]
    assert agent("keys list --older-than 1d -o name").out == ""
    assert agent("keys list --older-than 0s -o name").out.split() == ["agent", "brief"]
    assert agent("keys list --expiring 2h -o name").out.split() == ["brief"]
    assert agent("keys orphans -o name").out == ""
    assert agent("keys rotate --unused-for 1d --dry-run --overlap 1h -o name").out == ""
    assert agent("sessions list --since 1h -o name").out.split() == [session]
    assert agent("sessions list --until 1h -o name").out == ""
    assert agent(f"keys create late --expires-at {soon} --secret-file {agent.home}/l.key").code == 0
    past = format_time(datetime.now(UTC) - timedelta(hours=1))
    assert agent(f"keys create gone --expires-at {past} --secret-file {agent.home}/g.key").code in {
        2,
        7,
    }
    assert names(agent) == ["agent", "brief", "late"]


@pytest.mark.parametrize(
    "line", ["keys list", "keys get agent", "contexts list", "contexts get acme-prod"]
)
@pytest.mark.parametrize("step", STEPS)
def test_what_a_terminal_shows_as_an_age_is_the_servers(
    agent: CommandLine, line: str, step: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_clock(monkeypatch, step)
    shown = agent(f"{line} -o wide", terminal=True).out
    assert re.search(r"\b([0-9]+ ?s(econds?)?|now)\b", shown), shown
    assert not re.search(r"\b[0-9]+( ?[hdwy]|mo| (hour|day|week|month|year)s?)\b", shown), shown


def test_an_expiry_in_the_past_is_refused(agent: CommandLine, server: Server) -> None:
    result = agent("keys create app --expires-at 2001-01-01T00:00:00Z")
    assert (result.code, "is in the past" in result.err) == (2, True)
