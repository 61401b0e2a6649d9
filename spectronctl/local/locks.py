"""Locks between processes: a file beside what it guards. They end with the process that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_lock(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock file `path`, made with mode 0600; TimeoutError after `timeout` seconds, OSError."""
    from filelock import FileLock  # here: a command that writes nothing does not pay for it

    with FileLock(path, timeout=timeout, mode=0o600):
        yield
