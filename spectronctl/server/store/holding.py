"""Who has an embedded store open: a lock beside it, and a note that says who holds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from spectronctl.errors import ConfigError
from spectronctl.ground.disk import replace_file
from spectronctl.ground.times import format_time
from spectronctl.server.store.directories import make_private_directory
from spectronctl.server.store.errors import StoreLockedError
from spectronctl.server.store.urls import parse_store_url

PAUSE_SECONDS = 0.05
"""Between two looks at a store that another process has open."""

_SETTLE_SECONDS = 0.3
_SILENT_SECONDS = 1.0
_WORKER = "spectronctl serve worker"


@dataclass(frozen=True)
class _Holder:
    """The note. `url` is where a server that holds the store listens, `since` RFC 3339."""

    pid: int
    command: str
    since: str
    url: str | None = None

    @property
    def stays(self) -> bool:
        """Whether it holds the store until it is stopped, so that waiting is of no use."""
        return self.url is not None or self.command == _WORKER


class Held:
    """The store is ours until the `with` block ends."""

    def __init__(self, note: Path | None, holder: _Holder) -> None:
        self._note = note
        self._holder = holder

    def announce(self, url: str) -> None:
        """Tell those who find the store in use where it is served."""
        self._holder = replace(self._holder, url=url)
        self.write()

    def withdraw(self) -> None:
        """Tell them that it is free soon: the server is being stopped."""
        self._holder = replace(self._holder, url=None)
        with suppress(ConfigError):  # on a full disk, say: they do not wait for us, then
            self.write()

    def write(self) -> None:
        """Leave the note, 0600, never seen half-written; ConfigError."""
        if self._note is None:
            return
        draft = self._note.with_name(f"{self._note.name}.new")  # ours alone: we have the lock
        try:
            content = json.dumps(asdict(self._holder)).encode()
            replace_file(self._note, content, draft=draft, durable=False)
        except OSError as error:
            raise ConfigError(f"cannot write {self._note}: {error.strerror}") from error


class Wait:
    """
    How long to wait for a store: `timeout` seconds, and not at all for a server, which does not end by itself.

    `say` gets a line that says what is waited for, once that has taken a second.
    """

    def __init__(self, timeout: float, say: Callable[[str], None] | None = None) -> None:
        self._began = time.monotonic()
        self._timeout = timeout
        self._say = say
        self._stays_since: float | None = None

    def go_on(self, error: StoreLockedError) -> None:
        """Return to wait on; raise the error to give up."""
        now = time.monotonic()
        if now - self._began >= self._timeout or self._has_settled(error, now):
            raise error
        if self._say is not None and now - self._began >= _SILENT_SECONDS:
            self._say(f"Waiting, {self._timeout:g} s at most: {error.message}.")
            self._say = None

    def _has_settled(self, error: StoreLockedError, now: float) -> bool:
        # A moment of patience: a server that was told to stop may not have said so yet.
        if not error.stays:
            self._stays_since = None
        elif self._stays_since is None:
            self._stays_since = now
        return self._stays_since is not None and now - self._stays_since >= _SETTLE_SECONDS


def hold_store(
    url: str, *, timeout: float, command: str, say: Callable[[str], None] | None = None
) -> AbstractContextManager[Held]:
    """
    Keep an embedded store to this process, waiting for its holder as `Wait` says.

    `command` is what others are told of us, `StoreLockedError` what they get. Stores of which
    each process has its own (`mem://`), or that are made for many (`ws://`), are not held.
    """
    path = parse_store_url(url).path
    holder = _Holder(os.getpid(), command, format_time(datetime.now(UTC), "seconds"))
    return _hold_nothing(holder) if path is None else _hold_path(path, Wait(timeout, say), holder)


def find_path(url: str) -> Path | None:
    """Where an embedded store lies; None for one that is on no disk of ours."""
    return parse_store_url(url).path


def find_holder(url: str) -> StoreLockedError | None:
    """What a process that wants the store now is told; None when it is free. Nothing is made where there is none."""
    path = find_path(url)
    if path is None or not _lock_path(path).exists():
        return None
    try:
        with hold_store(url, timeout=0, command="spectronctl doctor"):
            return None
    except StoreLockedError as exc:
        return exc


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


@contextmanager
def _hold_nothing(holder: _Holder) -> Iterator[Held]:
    yield Held(None, holder)


@contextmanager
def _hold_path(path: Path, wait: Wait, holder: _Holder) -> Iterator[Held]:
    make_private_directory(path.parent)
    note = path.with_name(f"{path.name}.holder.json")
    # Not per thread: a lock that was waited for in one worker thread may be released in another.
    # Beside the engine's own lock and not in its place: that one cannot be waited for, and does not say who holds the
    # store.
    lock = FileLock(_lock_path(path), timeout=0, mode=0o600, thread_local=False)
    while not _try_lock(lock, path):
        wait.go_on(_explain_timeout(path, note))
        time.sleep(PAUSE_SECONDS)
    try:
        held = Held(note, holder)
        held.write()
        yield held
    finally:
        # In this order: after the release the note could be the next holder's already.
        note.unlink(missing_ok=True)
        lock.release()


def _try_lock(lock: FileLock, path: Path) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    except OSError as error:
        raise ConfigError(f"the store {path} cannot be locked: {error.strerror}") from error
    return True


def _explain_timeout(path: Path, note: Path) -> StoreLockedError:
    # The note may be that of a holder that was killed, or be half a second late: only the lock decides, the note
    # explains.
    holder = _load_live_holder(note)
    if holder is None:
        return StoreLockedError(f"the store {path} is in use by another process")
    hint = None
    if holder.url is not None:
        hint = f"spectronctl serve holds it: use --url {holder.url}"
    elif holder.stays:
        hint = "It holds the store until it is stopped."
    return StoreLockedError(
        f"the store {path} is in use by {holder.command} (pid {holder.pid}) since {holder.since}",
        hint=hint,
        stays=holder.stays,
    )


def _load_live_holder(note: Path) -> _Holder | None:
    # Whatever lies there: the note only explains a lock that is held, so a broken one is none.
    with suppress(OSError, ValueError, TypeError, RecursionError):
        holder = _Holder(**json.loads(note.read_text(encoding="utf-8")))
        if _is_alive(holder.pid):
            return holder
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    # Another user's process: it cannot be signalled, and so it exists.
    except PermissionError:
        return True
    except OSError:
        return False
    return True
