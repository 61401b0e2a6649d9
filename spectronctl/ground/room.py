"""Whether an open file takes what is about to be written to it: found out without a byte written."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys

try:
    import fcntl
    import resource
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a disk says that has no room, or gives this user or process no more of it."""

_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of Linux
_CANNOT_TELL = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV, errno.ESPIPE}


def check_room(descriptor: int, size: int) -> None:
    """OSError unless `size` bytes more can be written where the descriptor stands, as far as that can be told."""
    flags = _get_flags(descriptor)
    if flags & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "it is open for reading only")
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        # Under O_APPEND the position says nothing: the kernel goes to the end at each write.
        is_appended = flags & os.O_APPEND
        set_room_aside(
            descriptor, _find_end(descriptor) if is_appended else _tell(descriptor), size
        )
    elif stat.S_ISCHR(mode):
        os.write(descriptor, b"")  # a device that is full says so
    elif stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        _check_reader(descriptor)


def set_room_aside(descriptor: int, start: int, size: int) -> None:
    """Take room on the disk for `size` bytes from `start` on; the file stays as long as it is; OSError."""
    _check_limit(start + size)
    if sys.platform != "linux":
        return
    # posix_fallocate() would make the file longer, and its readers would meet zeros.
    try:
        import ctypes
    except ImportError:  # a Python that was built without it
        return
    libc = ctypes.CDLL(None, use_errno=True)
    # ctypes passes a plain Python int as a C int of 32 bits: the offsets must be told to be 64 bits long.
    fallocate = getattr(libc, "fallocate64", None) or libc.fallocate  # musl has the one name only
    if fallocate(descriptor, _KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(size)) == 0:
        return
    code = ctypes.get_errno()
    if code not in _CANNOT_TELL:
        raise OSError(code, os.strerror(code))


def _get_flags(descriptor: int) -> int:
    if fcntl is None:
        return os.O_WRONLY
    return fcntl.fcntl(descriptor, fcntl.F_GETFL)


def _tell(descriptor: int) -> int:
    return os.lseek(descriptor, 0, os.SEEK_CUR)


def _find_end(descriptor: int) -> int:
    return os.fstat(descriptor).st_size


# fallocate() does not look at the limit when the file keeps its length, so nothing else says it before the write fails.
def _check_limit(end: int) -> None:
    """Whether `ulimit -f` lets a file become so long."""
    if fcntl is not None:
        limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if limit != resource.RLIM_INFINITY and end > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def _check_reader(descriptor: int) -> None:
    if not hasattr(select, "poll"):
        return
    watch = select.poll()
    watch.register(descriptor, 0)  # errors are reported unasked
    if any(event & select.POLLERR for _, event in watch.poll(0)):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
