"""Locks between processes: a file beside what they guard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK_SECONDS = 30.0


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold the lock beside `path` against other processes; TimeoutError after 30 s."""
    from filelock import FileLock

    with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS, mode=0o600):
        yield
