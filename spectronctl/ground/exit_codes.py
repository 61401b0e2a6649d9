"""How children end is told to this process; apart from `programs`, since every run begins with it."""

from __future__ import annotations

import signal
from contextlib import suppress


def allow_exit_codes() -> None:
    """Undo an ignored SIGCHLD that this process was started with; in the main thread only."""
    # Daemons and some supervisors hand it on. Under it the system forgets how a child has ended: waitpid() fails with
    # ECHILD, and `subprocess` takes that for success.
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # ValueError in another thread: the exit code of each child is missed, and said to be.
        with suppress(ValueError):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
