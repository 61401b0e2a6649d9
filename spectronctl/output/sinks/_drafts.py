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
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

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

_ACL = "system.posix_acl_access"


class Draft:
    """A new file of mode 0600 beside `target`, locked, with `room` bytes set aside; OSError."""

    def __init__(self, target: Path, room: int) -> None:
        self.kept: Path | None = None
        self._target = target
        # First, since the room that is needed may be what abandoned drafts take.
        _remove_abandoned(target)
        self._descriptor, self._path = _open_locked(target)
        self._is_open = True
        try:
            self._path.chmod(0o600)  # whatever the umask
            _make_room(self._descriptor, room)
        except BaseException:
            self.discard()
            raise

    def adopt(self, file: Path | None, status: os.stat_result | None) -> None:
        """
        Become as private as a file whose status this is, or of mode 0600 where there is none.

        OSError when owner, group or access list cannot be kept.
        """
        if status is None or file is None:
            self._path.chmod(0o600)
            return
        mine = os.fstat(self._descriptor)
        if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
            _give_to(self._descriptor, status)
        # After the owner, whose change clears the set-id bits. Before the access list: under one, the group's bits of
        # the mode are its mask, and a later chmod would change that.
        os.fchmod(self._descriptor, stat.S_IMODE(status.st_mode))
        _copy_attributes(file, self._descriptor)

    def try_placing(self) -> None:
        """Replace another new file in the same directory, as the target will be; OSError."""
        # A rule against replacing files (a security module, a quota of names, an odd network disk) shows only when one
        # is replaced: so it is tried with a file of our own. Its name is that of a draft too.
        # It is locked until it is replaced: taken for abandoned, its name would be removed, and by then it is ours.
        descriptor, path = _open_locked(self._target)
        try:
            os.replace(self._path, path)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise
        finally:
            os.close(descriptor)
        self._path = path

    def write(self, data: bytes) -> None:
        """Make these the whole content, on the disk; OSError."""
        # Over the room set aside, and cut to length only then: so a full disk cannot come between.
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        write_all(self._descriptor, data)
        os.ftruncate(self._descriptor, len(data))
        os.fsync(self._descriptor)

    def place(self, *, replace: bool) -> None:
        """Become the target; OSError."""
        if not CAN_LOCK:  # no lock to lose, and a system that does not rename an open file
            self._close()
        # Open and locked until it has its new name: without the lock, another process would take it for abandoned.
        if replace:
            self._path.replace(self._target)
        else:
            _move_to_new(self._path, self._target)
        self._close()
        sync_directory(self._target.parent)

    def keep(self) -> Path:
        """Stay, under a name that the next write to the target does not remove; FileNotFoundError."""
        # Without the leading dot the name is no draft any more.
        kept = self._path.with_name(self._path.name[1:])
        try:
            self._path.rename(kept)
        except FileNotFoundError:
            raise
        except OSError:
            kept = self._path
        finally:
            self._close()
        self.kept = kept
        return kept

    def discard(self) -> None:
        """Leave nothing behind, unless it was placed or kept; the next draft removes what cannot be removed now."""
        if self._is_open:
            self._close()  # first, for a system that does not remove an open file
            with suppress(OSError):
                self._path.unlink()

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
            # The name may be another file's by now: a draft takes that of a second one when it is tried.
            if lock_descriptor(descriptor) and os.path.samestat(
                os.fstat(descriptor), draft.lstat()
            ):
                draft.unlink()
        finally:
            os.close(descriptor)


def _make_room(descriptor: int, room: int) -> None:
    """Fail now rather than when a secret is in hand."""
    try:
        # glibc writes the bytes itself where the disk has no such call; musl reports EOPNOTSUPP, and macOS has no
        # function.
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
    except FileExistsError:
        raise
    except OSError:
        # A disk without hard links, such as FAT, or a rule against them, each with an error of its own: claim the name
        # exclusively, then replace our own empty file.
        # A kill between the two lines leaves an empty target, which the next run reports as one that already exists.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(target)
    else:
        sync_directory(target.parent)  # or a loss of power might keep neither name
        with suppress(OSError):  # the target is there, whatever becomes of its draft
            draft.unlink()


def _give_to(descriptor: int, status: os.stat_result) -> None:
    try:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    except OSError as exc:
        raise OSError(exc.errno, "its owner and group would be lost") from None


def _copy_attributes(source: Path, descriptor: int) -> None:
    """Extended attributes, the access list among them; OSError when that one cannot be kept."""
    if not hasattr(os, "listxattr"):
        return
    names = set()
    with suppress(OSError):  # not every disk has them
        names = set(os.listxattr(source, follow_symlinks=False))
    for name in names:
        try:
            os.setxattr(descriptor, name, os.getxattr(source, name, follow_symlinks=False))
        except OSError as exc:
            if name == _ACL:
                raise OSError(exc.errno, "its access list would be lost") from None
    if _ACL not in names:
        with suppress(OSError):  # one that the directory gives to new files
            os.removexattr(descriptor, _ACL)
