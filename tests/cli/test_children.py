"""Programs that are run as children: exit codes, signals, streams, as a process of their own and at a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pexpect
import pytest

from spectronctl.cli import children
from spectronctl.cli.children import ProgramError, SignalRelay, check_program

RUNNER = """
import os, sys
from spectronctl.cli.children import SignalRelay
with SignalRelay() as relay:
    code = relay.run(sys.argv[1:], os.environ)
print("ended with", code, flush=True)
sys.exit(code)
"""

LISTENER = """
import os, signal, sys, time
got = []
def note(number, frame):
    got.append(signal.Signals(number).name)
    os.write(1, got[-1].encode() + b"\\n")
for name in "HUP", "INT", "TERM", "USR1", "USR2", "WINCH", "CONT":
    signal.signal(signal.Signals["SIG" + name], note)
os.write(1, b"ready\\n")
deadline = time.monotonic() + 30
while time.monotonic() < deadline and "SIGTERM" not in got:
    time.sleep(0.01)
time.sleep(0.1)
print(*got, flush=True)
sys.exit(7)
"""
"""Notes the signals that reach it, until it is terminated; then it ends with 7."""

LISTENING = [sys.executable, "-c", LISTENER]


def run_child(argv: Sequence[str], env: Mapping[str, str]) -> int:
    with SignalRelay() as relay:
        return relay.run(argv, env)


@contextlib.contextmanager
def runner(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the program, in a group that no terminal sends anything to."""
    words = [sys.executable, "-c", RUNNER, *argv]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    return path


def test_the_exit_code_is_the_programs(script: Path) -> None:
    env = {"PATH": f"{script.parent}:/usr/bin:/bin"}
    assert run_child(["true"], env) == 0
    assert run_child(["script"], env) == 3
    assert run_child(["sh", "-c", "kill -9 $$"], env) == 128 + 9


def test_the_environment_is_the_one_that_is_given() -> None:
    program = ["sh", "-c", 'test "$GIVEN" = yes && test -z "$HOME"']
    assert run_child(program, {"PATH": "/usr/bin:/bin", "GIVEN": "yes"}) == 0


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("program", "mode", "code"),
    [
        ("absent", 0o755, 127),
        ("./absent", 0o755, 127),
        ("./script/below", 0o755, 127),
        ("script", 0o644, 126),
        ("./script", 0o644, 126),
        ("./", 0o755, 126),
    ],
)
def test_what_cannot_be_started_ends_as_a_shell_would_say(
    program: str, mode: int, code: int, check: bool, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(script.parent)
    script.chmod(mode)
    env = {"PATH": str(script.parent)}
    with pytest.raises(ProgramError, match=program) as caught:
        check_program(program, env) if check else run_child([program], env)
    assert caught.value.exit_code == code


def test_a_file_that_is_no_program_is_not_executed(script: Path) -> None:
    script.write_bytes(b"\0\1\2")
    check_program(str(script), {})
    with pytest.raises(ProgramError, match="Exec format error") as caught:
        run_child([str(script)], {})
    assert caught.value.exit_code == 126
    with pytest.raises(ProgramError, match="null byte"):
        run_child(["true", "a\0b"], {})


def test_signals_are_passed_on_once_each() -> None:
    sent = ["SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT", "SIGTERM"]
    with runner(*LISTENING) as process:
        assert read_line(process) == "ready"
        for name in sent:
            process.send_signal(signal.Signals[name])
            assert read_line(process) == name
        out, _ = process.communicate(timeout=20)
    assert out.splitlines() == [" ".join(sent), "ended with 7"]
    assert process.returncode == 7


def test_a_signal_that_ends_the_program_does_not_end_us() -> None:
    with runner("sleep", "30") as process:
        deadline = time.monotonic() + 20
        while not list_children(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[0] == f"ended with {128 + signal.SIGTERM}\n"


def list_children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def test_what_was_ignored_before_stays_ignored() -> None:
    tell = "import signal; print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGUSR1))"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with runner(sys.executable, "-c", tell) as process:
            out, _ = process.communicate(timeout=20)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert out.splitlines() == [f"{signal.SIG_IGN!s} {signal.SIG_DFL!s}", "ended with 0"]


IN_ANOTHER_THREAD = """
import os, signal, sys, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
child = "import signal; signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM});" + sys.argv[1]
from spectronctl.cli.children import SignalRelay
with SignalRelay() as relay:
    os._exit(relay.run([sys.executable, "-c", child], os.environ))
"""


def test_a_signal_that_another_thread_is_given_is_passed_on_as_well() -> None:
    words = [sys.executable, "-c", IN_ANOTHER_THREAD, LISTENER]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert read_line(process) == "ready"
        process.terminate()
        assert process.wait(20) == 7


def test_descriptors_that_the_shell_opened_are_handed_on() -> None:
    line = f"{sys.executable} -c '{RUNNER}' cat <(echo through) 4</dev/null"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)
    assert done.stdout == "through\nended with 0\n"


def test_before_the_program_runs_a_signal_interrupts_and_afterwards_ctrl_c_does() -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        with pytest.raises(KeyboardInterrupt), SignalRelay():
            signal.raise_signal(number)
    with SignalRelay():
        signal.raise_signal(signal.SIGUSR1)
    with SignalRelay() as relay:
        assert relay.run(["true"], {"PATH": "/usr/bin:/bin"}) == 0
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before
    assert signal.set_wakeup_fd(-1) == -1


def test_what_puts_signals_off_is_done_before_they_interrupt() -> None:
    done = []

    def work(relay: SignalRelay) -> None:
        with relay.putting_off():
            signal.raise_signal(signal.SIGTERM)
            done.append("all of it")

    with SignalRelay() as relay:
        with pytest.raises(KeyboardInterrupt):
            work(relay)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert done


def test_a_signal_while_the_program_is_started_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(argv: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        signal.raise_signal(signal.SIGTERM)
        return subprocess.Popen(argv, env=env)

    monkeypatch.setattr(children, "_start", start)
    assert run_child(["sleep", "20"], {"PATH": "/usr/bin:/bin"}) == 128 + signal.SIGTERM


def test_ctrl_c_reaches_the_program_once() -> None:
    terminal = pexpect.spawn(
        sys.executable, ["-c", RUNNER, *LISTENING], timeout=20, encoding="utf-8"
    )
    try:
        terminal.expect_exact("ready")
        terminal.sendintr()
        terminal.expect_exact("SIGINT")
        terminal.setwinsize(20, 70)
        terminal.expect_exact("SIGWINCH")
        terminal.kill(signal.SIGTERM)
        terminal.expect_exact("SIGINT SIGWINCH SIGTERM\r\nended with 7")
    finally:
        terminal.close(force=True)


def test_at_a_terminal_too_what_another_sends_us_reaches_the_program() -> None:
    terminal = pexpect.spawn(
        sys.executable, ["-c", RUNNER, *LISTENING], timeout=20, encoding="utf-8"
    )
    try:
        terminal.expect_exact("ready")
        terminal.kill(signal.SIGINT)
        terminal.expect_exact("SIGINT")
        terminal.sendintr()
        terminal.expect_exact("SIGINT")
        terminal.kill(signal.SIGTERM)
        terminal.expect_exact("SIGINT SIGINT SIGTERM\r\nended with 7")
    finally:
        terminal.close(force=True)


def test_ctrl_z_stops_both_and_fg_goes_on_with_both(tmp_path: Path) -> None:
    (tmp_path / "runner.py").write_text(RUNNER)
    (tmp_path / "listener.py").write_text(LISTENER)
    shell = pexpect.spawn(
        "bash",
        ["--norc", "-i"],
        cwd=tmp_path,
        timeout=20,
        encoding="utf-8",
        env={**os.environ, "PS1": "% "},
    )
    try:
        shell.expect_exact("% ")
        shell.sendline(f"{sys.executable} runner.py {sys.executable} listener.py")
        shell.expect_exact("ready")
        shell.sendcontrol("z")
        shell.expect("Stopped")
        shell.sendline("fg")
        shell.expect_exact("SIGCONT")
        shell.sendintr()
        shell.expect_exact("SIGINT")
        assert shell.pid
        os.kill(list_children(shell.pid)[0], signal.SIGTERM)
        shell.expect_exact("ended with 7")
        shell.sendline("echo code $?")
        shell.expect_exact("code 7")
    finally:
        shell.close(force=True)
