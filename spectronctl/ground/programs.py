"""Programs that are run as children, and how each has ended: known for certain, or an error."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from spectronctl.ground.exit_codes import allow_exit_codes

NOWHERE = subprocess.DEVNULL

Child = subprocess.Popen[bytes]

_PAUSES = 0.001, 0.05
"""Seconds between two looks at a child: at first, and after a while."""

_CHUNK = 1 << 16


def start_program(argv: Sequence[str], **options: Any) -> Child:
    """Start a program, with the options of `subprocess.Popen`; OSError, and ValueError for a NUL byte."""
    allow_exit_codes()
    return subprocess.Popen(argv, **options)  # noqa: S603 - the user's own program, without a shell


def poll_exit(child: Child) -> int | None:
    """The exit code of a child, -N for signal N, None while it runs; ChildProcessError when it cannot be known."""
    return _reap(child, os.WNOHANG)


def wait_for_exit(child: Child, seconds: float | None = None) -> int:
    """The exit code of a child once it has ended; TimeoutError, and ChildProcessError when it cannot be known."""
    if seconds is None:
        while (code := _reap(child, 0)) is None:
            pass
        return code
    # Looked at again and again, as subprocess itself does: there is no waitpid() with a time limit.
    deadline = time.monotonic() + seconds
    pause, longest = _PAUSES
    while (code := poll_exit(child)) is None:
        if time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(pause)
        pause = min(2 * pause, longest)
    return code


def run_program(argv: Sequence[str], *, seconds: float | None = None, **options: Any) -> int:
    """Run a program and return its exit code; it is killed when that takes longer (TimeoutError)."""
    child = start_program(argv, **options)
    try:
        return wait_for_exit(child, seconds)
    finally:
        _end(child)


def read_output(
    argv: Sequence[str], *, seconds: float, limit: int, **options: Any
) -> tuple[int, bytes]:
    """
    The exit code of a program and the first `limit` bytes that it has written to stdout until it ended.

    What it has left running is not waited for. TimeoutError when the program itself takes longer: it is killed.
    """
    child = start_program(argv, stdout=subprocess.PIPE, **options)
    assert child.stdout
    # The pipe is closed at the end even if what the program left running still holds its other side.
    with child.stdout as pipe:
        try:
            return _read_until_exit(child, pipe, time.monotonic() + seconds, limit)
        finally:
            _end(child)


@contextmanager
def leave_interrupts_to_child() -> Iterator[None]:
    """Ctrl-C means something to an editor or a pager: while it runs, it does not end us."""
    try:
        # A handler, not SIG_IGN: a program starts with the default where we have a handler, and inherits what is
        # ignored.
        before = signal.signal(signal.SIGINT, lambda *_: None)
    except ValueError:  # not the main thread, which is the one that is interrupted
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def describe_exit(code: int) -> str:
    """What a program did that ended with this code, not 0."""
    return f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"


def _read_until_exit(
    child: Child, pipe: IO[bytes], deadline: float, limit: int
) -> tuple[int, bytes]:
    # Not until the end of the pipe: a program that stays in the background keeps it open.
    os.set_blocking(pipe.fileno(), False)
    content, (pause, longest) = b"", _PAUSES
    while True:
        code = poll_exit(child)  # first, so that what is read afterwards is all that it wrote
        content = (content + _read_ready(pipe))[:limit]
        if code is not None:
            return code, content
        if time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(pause)
        pause = min(2 * pause, longest)


def _read_ready(pipe: IO[bytes]) -> bytes:
    """What is in a pipe by now; what its writer adds meanwhile is for the next time, if it is that fast."""
    chunks = []
    with suppress(BlockingIOError):
        for _ in range(16):  # the most that a pipe can be made to hold, by default
            chunk = os.read(pipe.fileno(), _CHUNK)
            if not chunk:
                break
            chunks.append(chunk)
    return b"".join(chunks)


def _reap(child: Child, flags: int) -> int | None:
    # Not Popen.wait() or poll(): they say 0 of a child whose exit code is lost.
    if child.returncode is None:
        try:
            pid, status = os.waitpid(child.pid, flags)
        except ChildProcessError:
            # It has gone, and its number may be another process's: with a code, Popen sends no signal any more.
            child.returncode = 255
            raise
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode


def _end(child: Child) -> None:
    if child.returncode is None:
        child.kill()
        with suppress(ChildProcessError):
            wait_for_exit(child)
