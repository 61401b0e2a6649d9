"""The stdin, stdout and stderr of this process, made so that a read waits and a write is whole."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class WriteError(OSError):
    """A standard stream does not take what is written: no file of the user's, and no defect."""


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
        # None is kept for a closed stdin: a read of it must be an error and not an end of input.
        sys.stdin = _open_reader(sys.stdin)
    sys.stdout = open_writer(None if sys.stdout is None else 1, sys.stdout)
    if sys.stderr is not None:
        sys.stderr = open_writer(2, sys.stderr)


def _occupy_closed() -> None:
    # The next file that is opened gets the lowest free number: a message for a closed stderr would be written into
    # a database that was opened as 2.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        # Python's own descriptors are closed in children, where the number would be free again.
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
    # An object that does not own its descriptor: its close() leaves the number taken, so a late message or the
    # interpreter's last flush cannot reach another file.
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
            # As it is: that the reader has gone is decided upon elsewhere, mostly as no failure at all.
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

    # poll() and not select(): that fails with descriptors from 1024 on.
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT if is_write else select.POLLIN)
    waiting.poll()
