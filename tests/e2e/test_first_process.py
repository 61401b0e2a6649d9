"""spectronctl as process 1 of a container: signals end it, orphans are let go, and a program gets its signals."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import SPECTRONCTL, Shell, start_servers

FIRST = ["unshare", "--pid", "--fork", "--mount-proc"]


def can_unshare() -> bool:
    try:
        return subprocess.run([*FIRST, "true"], check=False).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not can_unshare(), reason="namespaces need root")

ORPHANS = """
for i in 1 2 3 4 5; do sh -c 'sleep 0.1 & exit 0'; done
sleep 1.5
grep -l '^State:.Z' /proc/[0-9]*/status | wc -l
exit 7
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    path = tmp_path_factory.mktemp("first")
    shell = Shell(path)
    with start_servers(shell, path) as serve:
        shell.env |= serve().env
        for line in (
            "contexts create acme --namespace n --database d",
            f"keys create app -c acme --secret-file {path}/app.key",
            "sessions create -c acme -q",
        ):
            assert shell(line).returncode == 0, line
        yield shell


def start(shell: Shell, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*FIRST, SPECTRONCTL, *words],
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def find_first(process: subprocess.Popen[str]) -> int:
    """The number, out here, of the process that is number 1 in there."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 20
    while not (found := path.read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(found[0])


def wait_for_text(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"it never said {text!r}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_a_wait(acme: Shell, number: signal.Signals) -> None:
    with start(acme, "contexts", "wait", "nope") as process:
        first = find_first(process)
        wait_for_text(process, "is not there yet")
        subprocess.run(["kill", f"-{number.value}", str(first)], check=True)
        assert process.wait(20) == 128 + number


def test_a_signal_ends_following(acme: Shell) -> None:
    session = acme("sessions list -c acme -o name").stdout.strip()
    words = ("sessions", "transcript", session, "-c", "acme", "--follow", "--debug")
    with start(acme, *words) as process:
        first = find_first(process)
        wait_for_text(process, "GET ")
        subprocess.run(["kill", "-TERM", str(first)], check=True)
        assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("command", [("exec", "--key", "app", "-c", "acme"), ("serve", "exec")])
def test_orphans_of_a_program_are_let_go_and_its_exit_code_is_kept(
    acme: Shell, command: tuple[str, ...]
) -> None:
    with start(acme, *command, "--", "sh", "-c", ORPHANS) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (7, "0"), err


@pytest.mark.parametrize("command", [("exec", "--key", "app", "-c", "acme"), ("serve", "exec")])
def test_a_program_gets_the_signals_of_process_1(acme: Shell, command: tuple[str, ...]) -> None:
    listen = "trap 'echo told; exit 9' TERM; echo ready >&2; while :; do sleep 0.1; done"
    with start(acme, *command, "--", "sh", "-c", listen) as process:
        first = find_first(process)
        wait_for_text(process, "ready")
        subprocess.run(["kill", "-TERM", str(first)], check=True)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (9, "told\n")
