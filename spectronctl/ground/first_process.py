"""Process 1, as in a container without an init: what the system expects of it, and does for every other one itself."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

_ENDING = ("SIGHUP", "SIGTERM", "SIGQUIT")


# Not an Exception: no `except Exception` on the way out may take it for a failure and go on.
class Terminated(KeyboardInterrupt):
    """A signal that ends a process: what handles an interrupt handles it, and the exit code tells them apart."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


def is_first_process() -> bool:
    """Whether this process has the number 1."""
    return os.getpid() == 1


def end_on_signals() -> None:
    """End on the signals that end a process: without a handler the system keeps them from process 1."""
    for name in _ENDING:
        number = getattr(signal, name, None)
        # One that is ignored, as `nohup` does with SIGHUP, was ignored on purpose.
        if number and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)


def reap_orphans(child: int) -> None:
    """
    Let go of processes that have ended and that no one waits for, except `child`, whose exit code its owner takes.

    Process 1 inherits them from whatever ended before its own children, and they stay as zombies until it looks.
    """
    if not is_first_process():
        return
    with suppress(ChildProcessError):
        # Looked at first, without being taken: a plain waitpid(-1) might take the exit code of `child`.
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            # It would be found again at every look, so the orphans behind it wait until its owner has taken it.
            if found.si_pid == child:
                return
            os.waitpid(found.si_pid, os.WNOHANG)
