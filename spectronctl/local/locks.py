"""Locks between processes: a file beside what it guards. They end with the process that holds them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spectronctl.ground.disk import CAN_LOCK, close_lock, lock_descriptor, open_lock

_PAUSE = 0.05  # seconds between two looks at a lock that another process holds


@contextmanager
def hold_lock(path: Path, *, timeout: float) -> Iterator[None]:
    """
    Hold the lock file `path`, made with mode 0600; TimeoutError after `timeout` seconds, OSError.

    NoLocksError, an OSError, where the disk has no locks: a file without one would stay behind when its holder is
    killed, and keep others out for good.
    """
    if not CAN_LOCK:
        from filelock import FileLock  # it knows how Windows locks

        with FileLock(path, timeout=timeout, mode=0o600):
            yield
        return
    # The file is never removed: a process that waits has it open already, and would get the lock of a removed file,
    # while another process locks the new file of that name.
    descriptor = open_lock(path)
    try:
        _wait_for(descriptor, time.monotonic() + timeout)
        yield
    finally:
        close_lock(descriptor)


def _wait_for(descriptor: int, deadline: float) -> None:
    # flock() waits without a limit of its own, and a timer that breaks it off is a signal for the whole process.
    while not lock_descriptor(descriptor):
        if time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(_PAUSE)
