"""How children end, known for certain or an error: also where SIGCHLD is ignored, as some supervisors hand it on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spectronctl.ground.programs import poll_exit, read_output, run_program, start_program


@pytest.fixture
def ignored() -> Iterator[None]:
    """SIGCHLD is ignored, as inherited."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)])
def test_an_exit_code_is_the_childs_where_sigchld_is_ignored(
    ignored: None, script: str, code: int
) -> None:
    assert run_program(["sh", "-c", script]) == code
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    assert run_program(["sh", "-c", script], seconds=20) == code
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    assert read_output(["sh", "-c", script], seconds=20, limit=9) == (code, b"")


@pytest.mark.parametrize("seconds", [None, 20])
def test_an_exit_code_that_is_lost_is_an_error_and_no_success(seconds: float | None) -> None:
    child = start_program(["true"])
    os.waitpid(child.pid, 0)  # another part of the process was faster
    with pytest.raises(ChildProcessError):
        poll_exit(child)
    child.kill()  # reaches no other process of that number


def test_in_a_thread_that_cannot_undo_it_the_loss_is_an_error(ignored: None) -> None:
    caught: list[BaseException] = []

    def work() -> None:
        for run in (
            lambda: run_program(["false"]),
            lambda: run_program(["false"], seconds=20),
            lambda: read_output(["false"], seconds=20, limit=9),
        ):
            try:
                run()
            except ChildProcessError as exc:
                caught.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert len(caught) == 3


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; exec sleep 60"
    for run in (
        lambda: run_program(["sh", "-c", script], seconds=0.3),
        lambda: read_output(["sh", "-c", script], seconds=0.3, limit=9),
    ):
        with pytest.raises(TimeoutError):
            run()
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_a_program_has_left_running_is_not_waited_for() -> None:
    begun = time.monotonic()
    script = "echo key; sleep 60 & echo $! >&2; exit 0"
    assert read_output(["sh", "-c", script], seconds=30, limit=100) == (0, b"key\n")
    assert time.monotonic() - begun < 20


def test_a_program_may_write_more_than_is_wanted() -> None:
    write = "import sys; sys.stdout.write('x' * 3_000_000)"
    code, content = read_output([sys.executable, "-c", write], seconds=60, limit=100_000)
    assert (code, content) == (0, b"x" * 100_000)
