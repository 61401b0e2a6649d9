"""Files that are whole or untouched, what makes them outlast a loss of power, and locks on open files."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

CAN_LOCK = fcntl is not None
"""Whether this system has `lock_descriptor`: without it, no file can be told to be in use."""


def replace_file(
    path: Path,
    content: bytes,
    *,
    draft: Path | None = None,
    mode: int = 0o600,
    durable: bool = True,
) -> None:
    """
    Put `content` at `path` in one step; any OSError leaves what was there.

    It is written to `draft` first, a name that only one process uses at a time: what a killed one left there is
    removed. Without it the draft has a name of its own. The umask applies to `mode`, as to any new file. Where it is
    `durable`, content and name outlast a loss of power once this returns.
    """
    if draft is None:
        draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        draft.unlink(missing_ok=True)
        _write_new(draft, content, mode, durable)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    # os.replace changes the directory: without this, a loss of power may bring the old file back.
    if durable:
        sync_directory(path.parent)


def remove_drafts(path: Path) -> None:
    """Remove the drafts that killed writers of `path` left beside it; only for the process that holds its lock."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 12}.tmp"):
        with suppress(OSError):
            draft.unlink()


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; OSError."""
    left = memoryview(data)
    while left:
        # os.write may write less than it is given, for example at a quota or on a pipe.
        left = left[os.write(descriptor, left) :]


def sync_directory(directory: Path) -> None:
    """Put the names in a directory on the disk, where the system lets a directory be opened."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def close_synced(descriptor: int) -> None:
    """Close what is on the disk already, or need not be: a failure would say nothing of it."""
    with suppress(OSError):
        os.close(descriptor)


def lock_descriptor(descriptor: int, *, wait: bool = False) -> bool:
    """
    Keep an open file or directory to this process until it is closed; False when another process has it.

    `wait` until it is free. Where the system has no such locks this is True; where the disk has none, OSError.
    """
    if fcntl is None:
        return True
    try:
        # flock and not lockf: the latter is lost as soon as any descriptor of the same file is closed.
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _write_new(path: Path, content: bytes, mode: int, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        write_all(descriptor, content)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
