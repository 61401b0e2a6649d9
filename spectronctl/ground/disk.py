"""Files that are whole or untouched, what makes them outlast a loss of power, and locks on open files."""

from __future__ import annotations

import errno
import glob
import os
import stat
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

CAN_LOCK = fcntl is not None
"""Whether this system has `lock_descriptor`: without it, no file can be told to be in use."""

# NFS without a lock service, FUSE and object-store mounts, kernels and sandboxes without the call.
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS}


class NoLocksError(OSError):
    """The disk that a file is on has no locks, so no process can keep it to itself."""


def is_absent(path: Path) -> bool:
    """
    Whether there certainly is nothing at `path`; OSError where that cannot be known.

    A link that leads nowhere is something: what it should lead to may be on a disk that is not there right now.
    """
    try:
        path.stat()
    except FileNotFoundError:
        # A directory above may be the broken link: then the system reports ENOENT as well.
        if broken := next(filter(_leads_nowhere, (path, *path.parents)), None):
            raise OSError(errno.ELOOP, f"{broken} is a link that leads nowhere") from None
        return True
    return False


def _leads_nowhere(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def make_directory(path: Path) -> None:
    """Make a directory for its owner alone, and those above it that are missing; OSError."""
    # One by one, since `mkdir(parents=True)` gives the mode to the last directory only, and the umask decides on the
    # others.
    missing = [path]
    while not missing[-1].parent.is_dir() and missing[-1] != missing[-1].parent:
        missing.append(missing[-1].parent)
    for each in reversed(missing):
        # Another process may make the same directory at this moment. What is there may also be a file: looked at below.
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)
            _give_away(each)
    if not stat.S_ISDIR(path.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _give_away(path: Path, descriptor: int | None = None) -> None:
    """
    What root makes in a user's directory is that user's, as under `sudo` with the user's HOME: else they lose it.

    `descriptor` is the open file, where there is one.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    owner = path.parent.stat()
    if owner.st_uid != 0:
        # Never through a link: the user may have put one there meanwhile.
        target, options = (
            (path, {"follow_symlinks": False}) if descriptor is None else (descriptor, {})
        )
        os.chown(target, owner.st_uid, owner.st_gid, **options)


def _keep_access(descriptor: int, like: os.stat_result) -> None:
    """Owner, group and mode of another file, as far as we may: what others could read they can still read."""
    # Only root can give a file away, but a user can choose any group that they are in: -1 leaves the owner as it is. It
    # comes before the mode, since a change of owner clears the set-id bits.
    for owner in (like.st_uid, -1):
        with suppress(OSError):
            os.fchown(descriptor, owner, like.st_gid)
            break
    mode = stat.S_IMODE(like.st_mode)
    # In another group, these rights would be given to people who never had them.
    kept = mode if os.fstat(descriptor).st_gid == like.st_gid else mode & ~stat.S_IRWXG
    os.fchmod(descriptor, kept)


def replace_file(
    path: Path,
    content: bytes,
    *,
    draft: Path | None = None,
    mode: int = 0o600,
    like: os.stat_result | None = None,
    durable: bool = True,
) -> None:
    """
    Put `content` at `path` in one step; any OSError leaves what was there.

    It is written to `draft` first, a name that only one process uses at a time: what a killed one left there is
    removed. Without it the draft has a name of its own. The umask applies to `mode`, as to any new file; with `like`,
    owner, group and mode are those of that file. Where it is `durable`, content and name outlast a loss of power once
    this returns.
    """
    if draft is None:
        draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        draft.unlink(missing_ok=True)
        _write_new(draft, content, mode, like, durable)
        os.replace(draft, path)
    # An interrupt too must leave no draft: it may hold a secret.
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    # os.replace changes the directory: without this, a loss of power may bring the old file back.
    if durable:
        sync_directory(path.parent)


# A draft's name is random, so that no two writers share one. Nothing else would ever find what a killed one left.
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
        # Windows opens no directories, and some network disks refuse to sync one: then the system's own order has to
        # do.
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def close_synced(descriptor: int) -> None:
    """Close what is on the disk already, or need not be: a failure would say nothing of it."""
    # After fsync() nothing is left to be written, so what close() might report of it is of no use.
    with suppress(OSError):
        os.close(descriptor)


def lock_descriptor(descriptor: int, *, wait: bool = False) -> bool:
    """
    Keep an open file or directory to this process until it is closed; False when another process has it.

    `wait` until it is free. Where the system has no such locks this is True; where the disk has none, NoLocksError.
    """
    if fcntl is None:
        return True
    try:
        # flock and not lockf: the latter is lost as soon as any descriptor of the same file is closed.
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno in _NO_LOCKS:
            raise NoLocksError(exc.errno, exc.strerror) from None
        raise
    return True


def open_lock(path: Path) -> int:
    """A descriptor of the lock file `path`, made with mode 0600 where it is missing; OSError."""
    # flock needs no more than reading, but over NFS it becomes a lock that only a writer may have.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.fstat(descriptor).st_uid == 0:
        _give_away(path, descriptor)
    return descriptor


def close_lock(descriptor: int) -> None:
    """Let go of a lock and its file."""
    with suppress(OSError):
        # A program that another thread is starting has a copy of the descriptor for a moment, and closing ours alone
        # would leave the lock with it.
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _write_new(
    path: Path, content: bytes, mode: int, like: os.stat_result | None, durable: bool
) -> None:
    # O_EXCL follows no link: one that stands at the draft's name is an error, and not a way to another file.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        if like is None:
            _give_away(path, descriptor)
        else:
            _keep_access(descriptor, like)
        write_all(descriptor, content)
        # Before the name changes: in the other order a loss of power may leave the new name on an empty file.
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
