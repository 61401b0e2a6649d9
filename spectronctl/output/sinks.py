"""Where a minted secret goes: a guard in front of stdout, and files that only their owner reads."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from spectronctl.errors import ConfigError, UsageError
from spectronctl.output.streams import Streams

ROOM = 4096
"""Bytes set aside for a secret."""

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr)|(?:/dev|/proc/self)/fd/(\d+)")
_STANDARD = {"stdout": 1, "stderr": 2}

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def check_secret_output(streams: Streams, *, reveal: bool, has_file: bool) -> None:
    """Before a secret is minted: refuse to show it on a terminal unasked (UsageError)."""
    if streams.stdout_is_terminal and not reveal and not has_file:
        raise UsageError(
            "the secret would be shown on this terminal",
            hint="Write it to a file with --secret-file PATH, or show it with --reveal.",
        )


class SecretFile:
    """
    A place made ready for a secret before the secret exists.

    A regular file is written beside its path and moved there whole, mode 0600. A device, a FIFO or a
    descriptor such as /dev/fd/3 is written to as it stands.
    """

    def __init__(self, path: Path, descriptor: int, draft: Path | None, *, force: bool) -> None:
        self.path = path
        self.kept: Path | None = None
        self._descriptor: int | None = descriptor
        self._draft = draft
        self._force = force

    @classmethod
    def reserve(cls, path: str | os.PathLike[str], force: bool = False) -> SecretFile:
        """
        Make sure that a secret can be written to `path`.

        Raises UsageError for a path that cannot be meant (no such directory, a directory, a symbolic
        link, there already without `force`), ConfigError for a disk that is full or may not be written.
        """
        target = Path(path)
        try:
            descriptor = _open_stream(target)
            if descriptor is not None:
                return cls(target, descriptor, None, force=force)
            _check_file(target, force=force)
            return cls(target, *_open_draft(target), force=force)
        except OSError as exc:
            raise ConfigError(f"cannot write a secret to {target}: {exc.strerror}") from None

    def commit(self, secret: str) -> None:
        """
        Write the secret and a newline, and put the file in its place.

        Raises ConfigError when that fails. A secret that was written but could not be put in place
        stays where it is, `kept`, since it exists nowhere else.
        """
        assert self._descriptor is not None, "committed or discarded already"
        try:
            _write_whole(self._descriptor, secret.encode() + b"\n", is_file=self._draft is not None)
        except OSError as exc:
            self.discard()
            raise ConfigError(
                f"the secret could not be written to {self.path}: {exc.strerror}"
            ) from None
        self._close()
        if self._draft is not None:
            self._place(self._draft)

    def discard(self) -> None:
        """Leave nothing behind. Does nothing after a commit."""
        self._close()
        if self._draft is not None and self._draft != self.kept:
            self._draft.unlink(missing_ok=True)
            self._draft = None

    def __enter__(self) -> SecretFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def _place(self, draft: Path) -> None:
        try:
            if self._force:
                draft.replace(self.path)
            else:
                _move_to_new(draft, self.path)
        except OSError as exc:
            self.kept = draft
            raise ConfigError(
                f"the secret is in {draft}, since {self.path} could not be made: {exc.strerror}",
                hint=f"Move {draft} to where you want it; it is the only copy.",
            ) from None
        self._draft = None
        _sync_directory(self.path.parent)

    def _close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _open_stream(target: Path) -> int | None:
    """A descriptor for what is not a file on disk; None for what is, or is not there at all."""
    if match := _DESCRIPTOR.fullmatch(str(target)):
        # Opened anew, a redirected file would be written from its start, and a socket not at all.
        standard, number = match.groups()
        descriptor = os.dup(_STANDARD[standard] if standard else int(number))
    elif target.exists() and _is_stream(target.stat().st_mode):
        descriptor = os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    else:
        return None
    if os.isatty(descriptor):
        os.close(descriptor)
        raise UsageError(f"{target} is a terminal", hint="To show the secret there, pass --reveal.")
    return descriptor


def _is_stream(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _check_file(target: Path, *, force: bool) -> None:
    if str(target) == "-":
        raise UsageError(
            "--secret-file takes a path, not -",
            hint="Without it, the secret goes to stdout when that is piped or redirected.",
        )
    if not target.parent.is_dir():
        raise UsageError(f"there is no directory {target.parent} to write {target.name} in")
    if target.is_symlink():
        # Replacing the link breaks its owner's setup, following it surprises: so neither.
        raise UsageError(
            f"{target} is a symbolic link", hint=f"Name the file itself: {os.path.realpath(target)}"
        )
    if target.exists():
        _check_existing(target, force=force)
    elif target.parent.resolve() == Path("/dev"):
        raise UsageError(f"there is no device {target}")


def _check_existing(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a directory")
    if not target.is_file():
        raise UsageError(f"{target} is not a regular file")
    if not force:
        raise UsageError(f"{target} exists already", hint="Pass --force to replace it.")


def _open_draft(target: Path) -> tuple[int, Path]:
    """A new file of mode 0600 beside the target, with room for a secret."""
    descriptor, name = tempfile.mkstemp(prefix=".spectronctl-", dir=target.parent)
    draft = Path(name)
    try:
        draft.chmod(0o600)
        _make_room(descriptor)
    except BaseException:
        os.close(descriptor)
        draft.unlink()
        raise
    return descriptor, draft


def _make_room(descriptor: int) -> None:
    """Fail now rather than when a secret is in hand."""
    try:
        os.posix_fallocate(descriptor, 0, ROOM)
    except (AttributeError, OSError) as exc:
        if getattr(exc, "errno", errno.EOPNOTSUPP) not in {errno.EOPNOTSUPP, errno.EINVAL}:
            raise
        _write_all(descriptor, bytes(ROOM))
        os.fsync(descriptor)


def _write_whole(descriptor: int, data: bytes, *, is_file: bool) -> None:
    if not is_file:
        _write_all(descriptor, data)
        return
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write_all(descriptor, data)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _move_to_new(draft: Path, target: Path) -> None:
    """Move in one step, unless something has come to stand there meanwhile."""
    try:
        os.link(draft, target)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        draft.replace(target)
    else:
        draft.unlink()


def _sync_directory(directory: Path) -> None:
    with suppress(OSError):  # not every system lets a directory be opened
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
