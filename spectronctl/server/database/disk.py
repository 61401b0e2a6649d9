"""A disk that takes no writes: how the engine says so, and what the log tells of it."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
import time
from pathlib import Path

from spectronctl.server.database.errors import DiskError, FullError

_log = logging.getLogger(__name__)

_IO_ERROR = re.compile(r"IO error: .*\(os error (\d+)\)")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_QUIET_SECONDS = 60.0


def parse_disk_error(text: str) -> DiskError | None:
    """The failure of the disk in the engine's words; None when it is another one."""
    found = _IO_ERROR.search(text)
    if found is None:
        return None
    number = int(found.group(1))
    kind = FullError if number in _FULL else DiskError
    state = "is full" if number == errno.ENOSPC else f"takes no writes ({os.strerror(number)})"
    # Not "nothing was changed": what the engine could not write may wait in its buffer, and be replayed after a crash.
    return kind(f"the disk of the database {state}: changes are not confirmed, reads continue")


def has_room_to_open(store: Path) -> bool:
    """Whether the disk takes what the engine writes when it opens the store: its log, once more, as tables."""
    try:
        log = sum(each.stat().st_size for each in (store / "wal").iterdir())
        return shutil.disk_usage(store).free >= 2 * log
    except OSError:
        return False


class DiskLog:
    """Tells the log which disk takes no writes, once a minute at most: every request may run into it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._told_at: float | None = None

    def note_failure(self, text: str) -> None:
        """A write failed with this error of the engine's."""
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= _QUIET_SECONDS:
            self._told_at = now
            _log.error("the store takes no writes: %s: %s", self._describe(), text)

    def note_write(self) -> None:
        """A write succeeded."""
        if self._told_at is not None:
            self._told_at = None
            _log.warning("the store takes writes again: %s", self._describe())

    def _describe(self) -> str:
        return describe_disk(self._path) if self._path else "its disk is not of this machine"


def describe_disk(path: Path) -> str:
    """Which disk holds the path, and how full it is."""
    try:
        usage = shutil.disk_usage(path)
        mount = next(each for each in (path, *path.parents) if each.is_mount())
    except OSError as error:
        return f"the disk of {path} cannot be looked at ({error.strerror})"
    return f"the disk {mount} of {path} has {usage.free:,} of {usage.total:,} bytes free"
