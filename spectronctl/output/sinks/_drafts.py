"""
A private file beside its target, which becomes the target in one step.

A process that is killed leaves its draft behind. So that they neither pile up nor hold a secret for long, a draft
carries its target's name and is locked while its process lives: the next write to the same target removes those
that are not locked. A secret that could not be put in place is renamed, and so left alone.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import (
    CAN_LOCK,
    close_synced,
    lock_descriptor,
    sync_directory,
    write_all,
)

ROOM = 4096
"""Bytes set aside for a secret."""

_NAMED = 50
"""Characters of the target's name that a draft carries: the whole must fit in 255 bytes."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Ownership(NamedTuple):
    """Whose a file is, and what others may do with it."""

    user: int
    group: int
    mode: int


class Draft:
    """A new file of mode 0600 beside `target`, locked, with `room` bytes set aside; OSError."""

    def __init__(self, target: Path, room: int) -> None:
        self.kept: Path | None = None
        self._target = target
        _remove_abandoned(target)
        self._descriptor, self._path = _open_locked(target)
        self._is_open = True
        try:
            self._path.chmod(0o600)  # whatever the umask
            _make_room(self._descriptor, room)
        except BaseException:
            self.discard()
            raise

    def adopt(self, ownership: Ownership | None) -> None:
        """Become as private as another file, or of mode 0600 where there is none; OSError."""
        if ownership is None:
            self._path.chmod(0o600)
            return
        mine = os.fstat(self._descriptor)
        if (mine.st_uid, mine.st_gid) != ownership[:2]:
            os.chown(self._descriptor, ownership.user, ownership.group)
        self._path.chmod(ownership.mode)

    def write(self, data: bytes) -> None:
        """Make these the whole content, on the disk; OSError."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        write_all(self._descriptor, data)
        os.ftruncate(self._descriptor, len(data))
        os.fsync(self._descriptor)

    def place(self, *, replace: bool) -> None:
        """
        Become the target.

        When that fails the draft stays, `kept`, since it holds the only copy of a secret; ConfigError.
        """
        if not CAN_LOCK:  # no lock to lose, and a system that does not rename an open file
            self._close()
        try:
            if replace:
                self._path.replace(self._target)
            else:
                _move_to_new(self._path, self._target)
        except OSError as exc:
            self._keep(exc)
        self._close()
        sync_directory(self._target.parent)

    def discard(self) -> None:
        """Leave nothing behind, unless it was placed or kept; the next draft removes what cannot be removed now."""
        if self._is_open:
            self._close()  # first, for a system that does not remove an open file
            with suppress(OSError):
                self._path.unlink()

    def _keep(self, error: OSError) -> None:
        # Without the leading dot the name is no draft any more, so the next write does not remove the only copy.
        self.kept = self._path.with_name(self._path.name[1:])
        try:
            self._path.rename(self.kept)
        except FileNotFoundError:
            self.kept = None
            raise ConfigError(
                f"the secret could not be written to {self._target}: {error.strerror}"
            ) from None
        except OSError:
            self.kept = self._path
        finally:
            self._close()
        raise ConfigError(
            f"the secret is in {self.kept}, since {self._target} could not be made: {error.strerror}",
            hint=f"Move {self.kept} to where you want it; it is the only copy.",
        ) from None

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            close_synced(self._descriptor)


def _prefix(target: Path) -> str:
    return f".{target.name[:_NAMED]}.spectronctl-"


def _open_locked(target: Path) -> tuple[int, Path]:
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
        path = Path(name)
        with suppress(OSError):  # not every disk has locks; then no draft is taken for abandoned
            lock_descriptor(descriptor, wait=True)
        if path.exists():  # otherwise it was taken for abandoned before it was locked
            return descriptor, path
        os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    if not CAN_LOCK:
        return
    # Exactly what mkstemp appends: a file of the user that only begins like a draft is not touched.
    pattern = re.compile(re.escape(_prefix(target)) + "[a-z0-9_]{8}")
    with suppress(OSError):  # a directory that may be written need not be readable
        for entry in os.listdir(target.parent):
            if pattern.fullmatch(entry):
                _remove_unlocked(target.with_name(entry))


def _remove_unlocked(draft: Path) -> None:
    with suppress(OSError):  # another user's, gone, or on a disk without locks
        # A link or a named pipe may have been put under this name: do not follow the one, do not block on the other.
        descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if lock_descriptor(descriptor):
                draft.unlink()
        finally:
            os.close(descriptor)


def _make_room(descriptor: int, room: int) -> None:
    """Fail now rather than when a secret is in hand."""
    try:
        os.posix_fallocate(descriptor, 0, room)
    except (AttributeError, OSError) as exc:
        if getattr(exc, "errno", errno.EOPNOTSUPP) not in {errno.EOPNOTSUPP, errno.EINVAL}:
            raise
        write_all(descriptor, bytes(room))
        os.fsync(descriptor)


def _move_to_new(draft: Path, target: Path) -> None:
    """Move in one step, unless something has come to stand there meanwhile."""
    try:
        # link() fails if the target exists; rename() would replace it without a word.
        os.link(draft, target)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        # A disk without hard links, such as FAT: claim the name exclusively, then replace our own empty file.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(target)
    else:
        sync_directory(target.parent)  # or a loss of power might keep neither name
        with suppress(OSError):  # the target is there, whatever becomes of its draft
            draft.unlink()
