"""A secret in one line of a dotenv file."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from spectronctl.errors import ConfigError, UsageError
from spectronctl.ground.disk import close_synced, lock_descriptor
from spectronctl.output.sinks._dotenv import get_variable, set_variable
from spectronctl.output.sinks._drafts import ROOM
from spectronctl.output.sinks._files import check_file, read_regular
from spectronctl.output.sinks._targets import Target
from spectronctl.output.sinks.places import Place

LOCK_SECONDS = 30.0


class VariableSink:
    """
    One variable of a dotenv file.

    The file is read again when the secret is there, so that an edit made meanwhile is kept. It keeps its owner, group
    and mode; a new one has the mode 0600.
    """

    def __init__(self, place: Place, *, replace: bool, keeps: bool) -> None:
        assert place.path is not None
        self.place = place
        self._path = place.path
        self._replace = replace
        self._keeps = keeps
        self._target: Target | None = None

    @property
    def kept(self) -> Path | None:
        return self._target.kept if self._target else None

    def reserve(self) -> None:
        """UsageError for a file that cannot be meant or edited, ConfigError for one that may not be written."""
        check_file(self._path)
        try:
            content, _ = self._load()
            # For its errors only: the place is tried without a secret, since there is none yet.
            self._edit(content, "")
            self._target = Target(self._path, len(content) + ROOM, keeps=self._keeps)
        except OSError as exc:
            self.discard()
            raise ConfigError(f"cannot write a secret to {self._path}: {exc.strerror}") from None

    def commit(self, secret: str) -> None:
        """Set the variable; ConfigError."""
        assert self._target, "not reserved"
        try:
            with _hold(self._path.parent):
                self._set(self._target, secret)
        except OSError as exc:
            raise ConfigError(
                f"the secret could not be written to {self._path}: {exc.strerror}"
            ) from None
        except UsageError as exc:  # the file has changed since it was checked
            raise ConfigError(exc.message) from None
        finally:
            self.discard()

    def discard(self) -> None:
        if self._target:
            self._target.discard()

    def read(self) -> str | None:
        content = read_regular(self._path)
        return get_variable(content, self.place.name) if content else None

    def _set(self, target: Target, secret: str) -> None:
        seen = None
        content, status = self._load()
        # The left side is read first: what was seen a round ago is compared with what is there now. An editor knows
        # nothing of our lock, so the file may have changed while it was edited here.
        while seen != (seen := (content, _describe_access(status))):
            target.adopt(status)
            target.write(self._edit(content, secret))
            content, status = self._load()  # until it was not changed while it was edited
        target.place(replace=status is not None)

    def _edit(self, content: bytes, secret: str) -> bytes:
        name = self.place.name
        try:
            edited = set_variable(content, name, secret)
        except ValueError as exc:
            raise UsageError(f"{self._path}: {exc}", hint="Fix the file first.") from None
        if not self._replace and get_variable(content, name):
            raise UsageError(
                f"{name} is already set in {self._path}", hint="Pass --force to replace it."
            )
        return edited

    def _load(self) -> tuple[bytes, os.stat_result | None]:
        """What is there, and whose it is; nothing and None where there is no file yet."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return b"", None
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            # The file is replaced by rename, which needs only the directory: a read-only file would be replaced
            # silently.
            if not os.access(self._path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return file.read(), status


def _describe_access(status: os.stat_result | None) -> tuple[int, int, int] | None:
    return status and (status.st_uid, status.st_gid, status.st_mode)


@contextmanager
def _hold(directory: Path) -> Iterator[None]:
    """
    Keep other spectronctls from the dotenv files of a directory; ConfigError after 30 s.

    The lock is on the directory, since the file itself is another one after every change.
    """
    with ExitStack() as stack:
        # ConfigError passes: it is no OSError, and means that another process has the lock.
        with suppress(OSError):  # not every system and disk can lock a directory
            descriptor = os.open(directory, os.O_RDONLY)
            stack.callback(close_synced, descriptor)
            _lock(descriptor, directory)
        yield


def _lock(descriptor: int, directory: Path) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while not lock_descriptor(descriptor):
        if time.monotonic() > deadline:
            raise ConfigError(
                f"{directory} has been locked by another process for {LOCK_SECONDS:g} s"
            )
        time.sleep(0.01)
