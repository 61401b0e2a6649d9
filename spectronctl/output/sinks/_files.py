"""A secret in a file of its own."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from spectronctl.errors import ConfigError, UsageError
from spectronctl.ground.disk import write_all
from spectronctl.ground.room import check_room
from spectronctl.output.sinks._drafts import ROOM
from spectronctl.output.sinks._targets import Target
from spectronctl.output.sinks.places import Place

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")
_STANDARD = {"stdout": 1, "stderr": 2}


class FileSink:
    """
    A new file has mode 0600; one that is replaced keeps its owner, group and mode.

    A device, a FIFO or a descriptor such as /dev/fd/3 is written to as it stands.
    """

    def __init__(self, place: Place, *, replace: bool, keeps: bool) -> None:
        assert place.path is not None
        self.place = place
        self._path = place.path
        self._replace = replace
        self._keeps = keeps
        self._stream: int | None = None
        self._target: Target | None = None

    @property
    def kept(self) -> Path | None:
        return self._target.kept if self._target else None

    def reserve(self) -> None:
        """
        Make sure that a secret can be written.

        Raises UsageError for a path that cannot be meant (no such directory, a directory, a symbolic
        link, there already without `replace`), ConfigError for a disk that is full or may not be written.
        """
        try:
            # To open a FIFO waits for its reader: now, while nothing is lost by an interrupt.
            self._stream = _open_stream(self._path)
            if self._stream is None:
                check_file(self._path)
                self._check_free()
                self._target = Target(self._path, ROOM, keeps=self._keeps)
            else:
                check_room(self._stream, ROOM)
        except OSError as exc:
            self.discard()
            raise ConfigError(f"cannot write a secret to {self._path}: {exc.strerror}") from None

    def commit(self, secret: str) -> None:
        """Write the secret and a newline, and put the file in its place; ConfigError."""
        assert self._target or self._stream is not None, "not reserved"
        data = secret.encode() + b"\n"
        try:
            if self._target:
                self._target.write(data)
                self._target.place(replace=self._replace)
            elif self._stream is not None:
                write_all(self._stream, data)
        except OSError as exc:
            raise ConfigError(
                f"the secret could not be written to {self._path}: {exc.strerror}"
            ) from None
        finally:
            self.discard()

    def discard(self) -> None:
        if self._target:
            self._target.discard()
        if self._stream is not None:
            with suppress(OSError):
                os.close(self._stream)
            self._stream = None

    def read(self) -> str | None:
        content = read_regular(self._path)
        return content.decode(errors="replace").strip() or None if content else None

    def _check_free(self) -> None:
        # Only for an early message: what comes to stand there later is met by link() when the file is put in its place.
        if self._path.exists() and not self._replace:
            raise UsageError(f"{self._path} already exists", hint="Pass --force to replace it.")


def check_file(target: Path) -> None:
    """UsageError unless a regular file is there, or could be."""
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent} to write {target.name} in")
    if target.is_symlink():
        # Replacing the link breaks its owner's setup, following it surprises: so neither.
        raise UsageError(
            f"{target} is a symbolic link", hint=f"Name the file itself: {os.path.realpath(target)}"
        )
    if target.is_dir():
        raise UsageError(f"{target} is a directory")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is not a regular file")
    # /dev is a disk in memory: a misspelled /dev/stdout would become a file there, gone at the next start.
    if not target.exists() and target.parent.resolve() == Path("/dev"):
        raise UsageError(f"there is no device {target}")


def read_regular(path: Path) -> bytes | None:
    """The content of a regular file; None where there is none to be read."""
    with suppress(OSError):
        if path.is_file():
            return path.read_bytes()
    return None


def _open_stream(target: Path) -> int | None:
    """A descriptor for what is not a file on disk; None for what is, or is not there at all."""
    if match := _DESCRIPTOR.fullmatch(str(target)):
        # Opened anew, a redirected file would be written from its start, and a socket not at all.
        standard, number = match.groups()
        descriptor = os.dup(_STANDARD[standard] if standard else int(number))
    elif target.exists() and _is_stream(target.stat().st_mode):
        # Without O_NOCTTY the leader of a session without a terminal would get this one as its own, and its signals.
        descriptor = os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    else:
        return None
    if os.isatty(descriptor):
        os.close(descriptor)
        raise UsageError(f"{target} is a terminal", hint="To show the secret there, pass --reveal.")
    return descriptor


def _is_stream(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)
