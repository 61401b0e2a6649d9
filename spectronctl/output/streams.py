"""The three standard streams of one run, and what may be done with each."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from spectronctl.errors import SpectronctlError
from spectronctl.ground.redaction import MASK, hide_keys
from spectronctl.ground.vocabulary import Color

if TYPE_CHECKING:
    from _typeshed import SupportsRead


DEFAULT_WIDTH = 80


class UnwrittenError(SpectronctlError):
    """A result that stdout did not take."""


@dataclass(frozen=True)
class Streams:
    """Where a run reads and writes; tests pass their own."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    env: Mapping[str, str]
    secrets: set[str] = field(default_factory=set, repr=False)
    """What `write_message` never shows, beside all that looks like a key."""

    @property
    def stdout_is_terminal(self) -> bool:
        """Whether a person looks at stdout."""
        return _is_terminal(self.stdout)

    @property
    def stderr_is_terminal(self) -> bool:
        """Whether a person looks at stderr."""
        return _is_terminal(self.stderr)

    @property
    def in_ci(self) -> bool:
        """Whether `CI` says that no person is there."""
        return self.env.get("CI", "").strip().lower() not in {"", "0", "false"}

    def can_ask(self, *, no_input: bool) -> bool:
        """Whether a person can answer a question."""
        if no_input or self.in_ci:
            return False
        return _is_terminal(self.stdin) and self.stderr_is_terminal

    @property
    def width(self) -> int:
        """Cells in a line of the terminal: `COLUMNS`, the terminal's own word, or 80."""
        columns = self.env.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) > 0:
            return int(columns)
        with suppress(OSError, ValueError, AttributeError):
            # 0 columns is what a pseudo-terminal says that was never told its size by the program that made it.
            return os.get_terminal_size(self.stdout.fileno()).columns or DEFAULT_WIDTH
        return DEFAULT_WIDTH

    def colors_stdout(self, color: Color) -> bool:
        """Whether stdout takes colour under `--color`."""
        return self._takes_color(color, is_terminal=self.stdout_is_terminal)

    def colors_stderr(self, color: Color) -> bool:
        """Whether stderr takes colour under `--color`."""
        return self._takes_color(color, is_terminal=self.stderr_is_terminal)

    def _takes_color(self, color: Color, *, is_terminal: bool) -> bool:
        # Flag over environment; both variables count when set to anything but nothing
        # (no-color.org, force-color.org).
        if color != "auto":
            return color == "always"
        if self.env.get("NO_COLOR"):
            return False
        if self.env.get("FORCE_COLOR"):
            return True
        return is_terminal and not self.in_ci and self.env.get("TERM") != "dumb"

    def write_output(self, source: SupportsRead[bytes], *, needs_reader: bool = False) -> None:
        """
        Copy UTF-8 bytes to stdout, whatever the locale; fails as `flush_output` does.

        What `needs_reader`, such as a secret, also fails (SpectronctlError) when the reader has gone.
        """
        try:
            self._copy(source)
        except BrokenPipeError:
            if needs_reader:
                raise UnwrittenError(
                    "cannot write the result to stdout: nothing reads it any more"
                ) from None

    def _copy(self, source: SupportsRead[bytes]) -> None:
        with self._guard_stdout():
            while chunk := source.read(1 << 16):
                _write(self.stdout, chunk)
            self.stdout.flush()

    def write_piece(self, text: str) -> None:
        """Send a piece of a result that has no end; fails as `write_output` does, and with BrokenPipeError."""
        with self._guard_stdout():
            _write(self.stdout, text.encode("utf-8", "backslashreplace"))
            self.stdout.flush()

    def wait_for_reader(self, seconds: float) -> None:
        """Let time pass while stdout has a reader: BrokenPipeError once it has none."""
        import select
        import time

        poll = getattr(select, "poll", None)
        try:
            descriptor = self.stdout.fileno()
        except (OSError, ValueError, AttributeError):
            poll = None
        if poll is None:
            time.sleep(seconds)
            return
        watch = poll()
        # A pipe whose reader has gone reports POLLERR, a terminal that was closed POLLHUP. Without this, a follow with
        # nothing to show would never end.
        watch.register(descriptor, 0)  # errors are reported unasked
        if any(
            event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(seconds * 1000)
        ):
            raise BrokenPipeError

    def check_room(self, size: int) -> None:
        """OSError when stdout certainly does not take `size` bytes more; nothing is written."""
        from spectronctl.ground.room import check_room  # few commands need to know

        if getattr(self.stdout, "closed", True):  # None for a stream that the shell closed
            raise OSError(errno.EBADF, "it is closed")
        try:
            descriptor = self.stdout.fileno()
        except (io.UnsupportedOperation, AttributeError):  # no file at all: memory
            return
        self.stdout.flush()
        check_room(descriptor, size)

    def flush_output(self) -> None:
        """
        Send on what was written to stdout.

        A reader who has gone away has what it wanted: that is no failure. Raises SpectronctlError when
        stdout takes no more.
        """
        with suppress(BrokenPipeError), self._guard_stdout():
            self.stdout.flush()

    @contextmanager
    def _guard_stdout(self) -> Iterator[None]:
        try:
            if getattr(self.stdout, "closed", True):  # None for a stream that the shell closed
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            yield
        except BrokenPipeError:
            self.close_quietly()
            raise
        except OSError as exc:
            self.close_quietly()
            raise UnwrittenError(f"cannot write the result to stdout: {exc.strerror}") from None

    def write_message(self, text: str) -> None:
        """Write to stderr, without any key; nothing is left to complain to when that fails, so it never does."""
        with suppress(OSError, ValueError, AttributeError):
            _write(self.stderr, self.hide(text).encode("utf-8", "backslashreplace"))

    def hide(self, text: str) -> str:
        """The text without the keys in it: one typed where an id belongs is in the path, the hint and the question."""
        # The longest first: one that is a part of another would leave the other's rest.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return hide_keys(text)

    def close_quietly(self) -> None:
        """
        End the use of stdout, so that the interpreter has nothing to say when it flushes at exit.

        For the end of every run, and for a BrokenPipeError on the way there.
        """
        try:
            self.stdout.flush()
        except (OSError, ValueError, AttributeError):
            with suppress(OSError, ValueError, AttributeError):
                # What is left in the buffer is written once more at exit. If that fails again, the interpreter prints a
                # traceback and changes the exit code to 120.
                _point_at_nothing(self.stdout.fileno())


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no stream at all, or a closed one
        return False


def _write(stream: TextIO, data: bytes) -> None:
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        # A stream of a test, in memory.
        stream.write(data.decode("utf-8", "ignore"))
    else:
        stream.flush()  # what was written as text comes first
        buffer.write(data)
        buffer.flush()


def _point_at_nothing(descriptor: int) -> None:
    # dup2() onto the same number: to close it would leave it free for the next file that is opened.
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, descriptor)
    finally:
        os.close(nothing)
