"""
The file that a secret goes to: replaced in one step, or written in place where it cannot be replaced.

Which of the two is found out before there is a secret, in the way it will be done. A file that is there keeps its
owner, group, mode and access lists: who could read the old secret can read the new one.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import close_synced
from spectronctl.ground.replacing import check_replaceable
from spectronctl.ground.room import FULL, set_room_aside
from spectronctl.output.sinks._drafts import Draft


class Target:
    """
    `path`, with room for `size` bytes; OSError when it can neither be replaced nor written in place.

    With `keeps`, a secret that could not be put there stays in a file beside it, `kept`.
    """

    def __init__(self, path: Path, size: int, *, keeps: bool) -> None:
        self._path = path
        self._keeps = keeps
        self._draft: Draft | None = None
        self._file, status = _open_there(path)
        try:
            self._draft = _make_draft(path, size, status)
        except OSError as exc:
            # Only what forbids a replacement leads to writing in place; a full disk is reported as it is.
            if self._file is None or exc.errno in FULL:
                self.discard()
                raise
        try:
            if self._file is not None and self._draft is None:
                set_room_aside(self._file, 0, size)
        except OSError:
            self.discard()
            raise

    @property
    def kept(self) -> Path | None:
        """Where the secret was left, if it was."""
        return self._draft.kept if self._draft else None

    def adopt(self, status: os.stat_result | None) -> None:
        """Take on owner, group and mode of the file that is there now; OSError."""
        if self._draft:
            self._draft.adopt(self._path if status else None, status)

    def write(self, data: bytes) -> None:
        """Have the content ready, on the disk where that is possible; OSError."""
        self._data = data
        if self._draft:
            self._draft.write(data)

    def place(self, *, replace: bool) -> None:
        """Make what was written the content; OSError, or ConfigError that names the file where it was kept."""
        if self._draft is None:
            self._write_in_place()
            return
        try:
            self._draft.place(replace=replace)
        except OSError as exc:
            self._place_otherwise(exc, replace=replace)

    def discard(self) -> None:
        """Leave nothing behind, unless it was placed or kept."""
        if self._draft:
            self._draft.discard()
        if self._file is not None:
            close_synced(self._file)
            self._file = None

    def _place_otherwise(self, error: OSError, *, replace: bool) -> None:
        # A mount that came meanwhile, or a rule that nothing tells beforehand, such as a security module's.
        # Without `replace` a file that has come to stand there is not ours to replace.
        if replace and self._file is not None:
            with suppress(OSError):
                self._write_in_place()
                return
        if not self._keeps or self._draft is None:
            raise error
        kept = self._draft.keep()
        raise ConfigError(
            f"the secret is in {kept}, since {self._path} could not be made: {error.strerror}",
            hint=f"Move {kept} to where you want it; it is the only copy.",
        ) from None

    def _write_in_place(self) -> None:
        assert self._file is not None
        there = os.stat(self._path, follow_symlinks=False)
        if not os.path.samestat(os.fstat(self._file), there):  # an editor has replaced it
            close_synced(self._file)
            self._file = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW)
        _overwrite(self._file, self._data)


def _overwrite(descriptor: int, data: bytes) -> None:
    # In one call, and padded with line ends to the length that is there: neither a reader at that moment nor a kill
    # leaves some of the old text behind the new one.
    padded = data.ljust(os.fstat(descriptor).st_size, b"\n")
    done = 0
    while done < len(padded):
        done += os.pwrite(descriptor, padded[done:], done)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _open_there(path: Path) -> tuple[int | None, os.stat_result | None]:
    """
    The file that is there, open for writing, and its status; None where there is none, or we may only replace it.

    OSError for one that is immutable, or on a disk that is mounted read-only.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None, None
    except PermissionError as exc:
        if exc.errno == errno.EPERM:  # not a matter of modes: root is told so as well
            raise OSError(exc.errno, "it is immutable or append-only, as lsattr shows") from None
        return None, os.stat(path, follow_symlinks=False)
    return descriptor, os.fstat(descriptor)


def _make_draft(path: Path, size: int, status: os.stat_result | None) -> Draft:
    """A draft that can take the file's place, tried with another file; OSError."""
    if status is not None:
        # rename() would give the new secret to this name alone. In place, all names get it.
        if status.st_nlink > 1:
            raise OSError(errno.EMLINK, "it has other names, which would keep the old secret")
        check_replaceable(path, status)
    draft = Draft(path, size)
    try:
        draft.adopt(path if status else None, status)
        draft.try_placing()
    except BaseException:
        draft.discard()
        raise
    return draft
