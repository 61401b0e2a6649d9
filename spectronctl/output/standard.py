"""The stdin, stdout and stderr of this process, made so that a read waits and a write is whole."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

RESERVED_BYTES = 2048
"""What is tried to fit on stdout before there is a secret: more than a key as JSON takes."""


class WriteError(OSError):
    """A standard stream does not take what is written: no file of the user's, and no defect."""


_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of <linux/falloc.h>


def prepare_standard_streams() -> None:
    """
    Replace the standard streams of `sys` by ones that can be relied on; for the start of a process.

    A write that the system cuts short or puts off is continued until every byte is written. What the shell closed
    stays unreadable, fails as soon as it is written to, and leaves its number to no other file.
    """
    if os.name != "posix":
        return
    _occupy_closed()
    if sys.stdin is not None:
        sys.stdin = _open_reader(sys.stdin)
    sys.stdout = open_writer(None if sys.stdout is None else 1, sys.stdout)
    if sys.stderr is not None:
        sys.stderr = open_writer(2, sys.stderr)


def _occupy_closed() -> None:
    # The next file that is opened gets the lowest free number: a message for a closed stderr would be written into
    # a database that was opened as 2.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _open_reader(stream: object) -> io.TextIOWrapper:
    reader = io.BufferedReader(_Descriptor(0))
    return io.TextIOWrapper(
        reader,
        encoding=getattr(stream, "encoding", "utf-8"),
        errors=getattr(stream, "errors", "strict"),
    )


def open_writer(descriptor: int | None, like: object = None) -> io.TextIOWrapper:
    """Text to a descriptor (None: one that is closed) in the encoding of another stream; it is not closed."""
    raw = _Closed() if descriptor is None else _Descriptor(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", "utf-8"),
        errors=getattr(like, "errors", "backslashreplace"),
        line_buffering=descriptor == 2 or raw.isatty(),
    )


class _Descriptor(io.RawIOBase):
    """
    An open descriptor, always below a buffer.

    With PYTHONUNBUFFERED Python puts no buffer above stdout, and nothing continues a write of which the system took
    a part (a full disk, a limit). On a pipe that another process has made non-blocking, Python's own streams give up.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while True:
            try:
                return os.readv(self._descriptor, [buffer])
            except BlockingIOError:
                _wait(self._descriptor, is_write=False)

    def write(self, data: ReadableBuffer) -> int:
        # The count and not all of it: the buffer above continues, and knows after an interrupt what is written.
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                _wait(self._descriptor, is_write=True)
            except BrokenPipeError:
                raise
            except OSError as exc:
                raise WriteError(exc.errno, exc.strerror) from None


class _Closed(io.RawIOBase):
    """What the shell closed: `print` to None would be a success."""

    def fileno(self) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        raise WriteError(errno.EBADF, os.strerror(errno.EBADF))


def _wait(descriptor: int, *, is_write: bool) -> None:
    import select

    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT if is_write else select.POLLIN)
    waiting.poll()


def try_write(descriptor: int) -> None:
    """
    OSError where a descriptor would not take some text now; nothing is written.

    A file gets room for it, so that its disk cannot be full a moment later; a pipe must have a reader.
    """
    import stat

    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        _reserve(descriptor)
    elif stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        _check_reader(descriptor)
    else:
        os.write(descriptor, b"")  # /dev/full refuses even nothing


def _check_reader(descriptor: int) -> None:
    import select

    if not hasattr(select, "poll"):  # Windows
        return
    watch = select.poll()
    watch.register(descriptor, 0)  # errors are reported unasked
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0)):
        raise BrokenPipeError(errno.EPIPE, "nothing reads it")


def _reserve(descriptor: int) -> None:
    """Ask for the blocks of a file's next bytes; it does not get longer, so that other writers see nothing."""
    import fcntl
    import resource

    appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    start = os.lseek(descriptor, 0, os.SEEK_END if appends else os.SEEK_CUR)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and start + RESERVED_BYTES > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    problem = _fallocate(descriptor, start)
    if problem in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
        raise OSError(problem, os.strerror(problem))
    # Anything else says that this disk cannot reserve, not that it is full.


def _fallocate(descriptor: int, start: int) -> int:
    """The `errno` of the system's call, 0 where it succeeds or does not exist."""
    import ctypes

    # Python has posix_fallocate only, which makes the file longer. macOS has neither; on 32 bits, off_t has two sizes.
    call = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if call is None or sys.maxsize < 1 << 32:
        return 0
    offset = ctypes.c_int64
    done = call(descriptor, _KEEP_SIZE, offset(start), offset(RESERVED_BYTES))
    return ctypes.get_errno() if done else 0
