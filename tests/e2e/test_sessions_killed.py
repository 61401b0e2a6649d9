"""Exports and imports killed at random instants, and started again: no byte and no turn is lost or doubled."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import Serve, Served, Shell
from tests.support.soak import SOAK

ROUNDS = 100 if SOAK else 1
FORMATS = ("jsonl", "html", "text", "json", "markdown", "csv")
EXPORTED = 10_000
IMPORTED = 3_000


@pytest.fixture
def served(serve: Serve, shell: Shell) -> Served:
    """A server with a context, for command lines without options."""
    served = serve()
    shell.env.update(served.env, SPECTRON_CONTEXT_ID="acme-prod", SPECTRONCTL_QUIET="0")
    made = shell("contexts create acme-prod --namespace acme --database prod")
    assert made.returncode == 0, made.stderr
    return served


def write_talk(path: Path, count: int, title: str = "") -> list[str]:
    words = [f"{title}wörds number {n}, " + "and more " * (n % 9) for n in range(count)]
    path.write_text("".join(f'{{"role": "user", "content": "{text}"}}\n' for text in words))
    return words


def run_and_kill(
    shell: Shell, line: str, has_begun: Callable[[], bool], log: Path, attempt: int
) -> bool:
    """Kill a command at a random instant of its work, later with each attempt; whether it was done before."""
    with log.open("w") as stderr:
        process = shell.start(line, stdout=subprocess.DEVNULL, stderr=stderr)
        while process.poll() is None and not has_begun():
            time.sleep(0.001)
        time.sleep(random.random() * (0.05, 0.3, 1.0)[attempt % 3])
        process.kill()
        return process.wait(timeout=60) == 0


@pytest.mark.timeout(3600)
def test_exports_that_are_killed_are_resumed_to_the_same_bytes(
    served: Served, shell: Shell, tmp_path: Path
) -> None:
    write_talk(tmp_path / "talk.jsonl", EXPORTED)
    session = shell(f"sessions import {tmp_path}/talk.jsonl -o name").stdout.strip()
    kills = 0
    for number in range(ROUNDS):
        form = FORMATS[number % len(FORMATS)]
        whole, path = tmp_path / f"whole.{form}", tmp_path / f"part-{number}"
        line = f"sessions transcript {session} --format {form}"
        if not whole.exists():
            assert shell(f"{line} --output-file {whole}").returncode == 0
        part = Path(f"{path}.part")
        for attempt in range(5):
            command = f"{line} --output-file {path} --resume"
            if run_and_kill(shell, command, part.exists, tmp_path / "log", attempt):
                break
            kills += 1
        done = shell(f"{line} --output-file {path} --resume")
        assert done.returncode == 0, done.stderr
        assert path.read_bytes() == whole.read_bytes()
        assert not part.exists()
        path.unlink()
    assert kills * 2 >= ROUNDS, "most runs were over before they were killed"


@pytest.mark.timeout(3600)
def test_imports_that_are_killed_are_repeated_to_the_same_turns(
    served: Served, shell: Shell, tmp_path: Path
) -> None:
    log, talk = tmp_path / "log", tmp_path / "talk.jsonl"
    kills = 0
    for number in range(ROUNDS):
        words = write_talk(talk, IMPORTED, f"round {number}: ")
        for attempt in range(3):
            if run_and_kill(
                shell,
                f"sessions import {talk}",
                lambda: log.exists() and "turns:" in log.read_text(),
                log,
                attempt,
            ):
                break
            kills += 1
        done = shell(f"sessions import {talk} -o json")
        assert done.returncode == 0, done.stderr
        session = json.loads(done.stdout)["session"]
        told = shell(f"sessions transcript {session} -o jsonl").stdout.splitlines()
        assert [json.loads(turn)["content"] for turn in told] == words
        assert len(shell("sessions list -o name").stdout.splitlines()) == number + 1
    assert kills * 2 >= ROUNDS, "most runs were over before they were killed"


def test_a_session_is_followed_until_its_reader_has_seen_enough(
    served: Served, shell: Shell, tmp_path: Path
) -> None:
    write_talk(tmp_path / "talk.jsonl", 3)
    session = shell(f"sessions import {tmp_path}/talk.jsonl -o name").stdout.strip()
    follow = f"spectronctl sessions transcript {session} --follow -o jsonl"
    done = subprocess.run(
        ["bash", "-c", f"{follow} | head -3; exit ${{PIPESTATUS[0]}}"],
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [0, 1, 2]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("shape", ["text", "jsonl"])
def test_following_shows_what_is_said_meanwhile_and_ends_with_130(
    served: Served, shell: Shell, tmp_path: Path, shape: str
) -> None:
    talk = tmp_path / "talk.jsonl"
    write_talk(talk, 3)
    session = shell(f"sessions import {talk} -o name").stdout.strip()
    process = shell.start(
        f"sessions transcript {session} --follow --format {shape} --tail 1",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    first = process.stdout.readline()
    assert "2" in first
    write_talk(talk, 4)
    assert shell(f"sessions import {talk} --session {session}").returncode == 0
    seen = ""
    while "wörds number 3" not in seen:
        seen += process.stdout.readline()
    process.send_signal(2)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "interrupted\n")


def test_a_full_disk_keeps_what_can_be_resumed(
    served: Served, shell: Shell, tmp_path: Path
) -> None:
    write_talk(tmp_path / "talk.jsonl", IMPORTED)
    session = shell(f"sessions import {tmp_path}/talk.jsonl -o name").stdout.strip()
    path = tmp_path / "talk.out"
    line = f"sessions transcript {session} --format jsonl"
    for how in ("", "--follow"):
        # A limit on the size of files stands for a disk that has no more room.
        cut = subprocess.run(
            [
                "bash",
                "-c",
                f"ulimit -f 300; trap '' XFSZ; spectronctl {line} {how} --output-file {path} --resume",
            ],
            env=shell.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (cut.returncode, cut.stdout, path.exists()) == (11, "", False)
        assert f"{path}.part: --resume goes on from there" in cut.stderr
    assert shell(f"{line} --output-file {path} --resume").returncode == 0
    assert path.read_text() == shell(f"{line}").stdout
