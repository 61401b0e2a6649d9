"""A directory of journals: one JSON document per piece of work, on the disk before the work goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from spectronctl.errors import BusyError, ConfigError
from spectronctl.ground.disk import NoLocksError, is_absent, make_directory, replace_file
from spectronctl.ground.documents import decode_document, parse_json
from spectronctl.local.locks import hold_lock

VERSION = 1
_ROOM = 1 << 16  # bytes; documents are replaced, so each takes room twice

KEPT = timedelta(days=30)
"""How long the journal of finished work stays."""


class Journal:
    """
    Documents with an `id`, each in a 0600 file of its own whose name starts with its claim.

    A claim is held by one process at a time; the lock ends with the process. Nothing here is secret.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def prepare(self) -> None:
        """Make the directory; ConfigError when nothing can be written there."""
        try:
            make_directory(self._locks)
            # mkdir succeeds on a full or read-only quota, and an empty file takes no room: only a write of the size of
            # what comes, at the same place, proves that a journal can be kept.
            probe = self.directory / ".probe"
            replace_file(probe, bytes(_ROOM))
            probe.unlink(missing_ok=True)  # another process proves the same, under the same name
        except OSError as exc:
            raise ConfigError(
                f"the journal of rotations cannot be written in {self.directory}: {exc.strerror}",
                hint="Nothing was sent. XDG_STATE_HOME moves it.",
            ) from None

    @contextmanager
    def hold(self, claim: str, id: str = "") -> Iterator[None]:
        """Keep other processes off this piece of work; BusyError names the `id` that holds it."""
        with ExitStack() as stack:
            try:
                # The holder is written to a file beside the lock: on Windows, other processes cannot read a locked
                # file.
                stack.enter_context(hold_lock(self._locks / claim, timeout=0))
                # Of use only while the holder lives, so it need not outlast a loss of power.
                replace_file(self._holder(claim), id.encode(), durable=False)
            except TimeoutError:
                raise self._refuse(claim) from None
            except NoLocksError as exc:
                raise self._refuse_unlocked(exc) from None
            except OSError as exc:
                raise ConfigError(f"cannot lock {self._locks / claim}: {exc.strerror}") from None
            yield

    def write(self, claim: str, document: Mapping[str, Any]) -> None:
        """Put the document on the disk, whole, and return when it is there."""
        # The step that follows is sent only after this: what a killed run has done is at most the step that stands
        # here.
        content = json.dumps({"version": VERSION, **document}).encode()
        try:
            replace_file(self._path(claim, str(document["id"])), content)
        except OSError as exc:
            raise ConfigError(
                f"the journal cannot be written in {self.directory}: {exc.strerror}"
            ) from None

    def remove(self, claim: str, id: str) -> None:
        """Forget a document."""
        self._path(claim, id).unlink(missing_ok=True)

    def find(self, claim: str) -> list[dict[str, Any]]:
        """The documents of a claim, oldest first."""
        return [self.read(path) for path in self._list(start=f"{claim}.")]

    @staticmethod
    def read(path: Path) -> dict[str, Any]:
        """A document as it was written; ConfigError for one that a newer version wrote, or that was damaged."""
        try:
            # Anything may stand in an edited file, a list among it: hence TypeError below.
            document = parse_json(decode_document(path.read_bytes()))
            version = document["version"]
        except OSError as exc:
            raise ConfigError(f"the journal {path} cannot be read: {exc.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ConfigError(
                f"the journal {path} is damaged",
                hint="It was edited outside of spectronctl.",
            ) from None
        # A journal that is not understood is never taken for finished: its old key may still be in use, or must still
        # be deleted.
        if version != VERSION:
            raise ConfigError(
                f"the journal {path} was written by a newer spectronctl (version {version!r})",
                hint="Finish that rotation with the spectronctl that began it, or update this one.",
            )
        return {name: value for name, value in document.items() if name != "version"}

    def list_paths(self) -> list[Path]:
        """Every document's file, oldest first."""
        return self._list()

    def find_path(self, id: str) -> Path | None:
        """The file of the document with that id."""
        # The id comes from the command line and becomes a part of a file name: no dots, no slashes.
        if not id.replace("_", "").isalnum():
            return None
        return next(iter(self._list(end=f".{id}.json")), None)

    def prune(self, now: datetime, is_kept: Mapping[str, bool]) -> None:
        """Drop what is old: documents that `is_kept` by id says are over, and what killed writers left half-done."""
        finished = [path for path in self.list_paths() if not is_kept.get(_id_of(path), True)]
        # A draft of a running process is younger than KEPT, so age alone tells the abandoned ones.
        drafts = [*self.directory.glob(".*.tmp"), *self._locks.glob(".*.tmp")]
        for path in [*finished, *drafts]:
            with suppress(OSError):
                age = now.timestamp() - path.stat().st_mtime
                if age > KEPT.total_seconds():
                    path.unlink()

    @property
    def _locks(self) -> Path:
        return self.directory / "locks"

    def _holder(self, claim: str) -> Path:
        return self._locks / f"{claim}.holder"

    def _path(self, claim: str, id: str) -> Path:
        # An older version may have named its claim differently: a document stays in the file it is in.
        return self.find_path(id) or self.directory / f"{claim}.{id}.json"

    def _list(self, *, start: str = "", end: str = ".json") -> list[Path]:
        # A directory that is not there holds nothing. One that cannot be read may hold the rotation of any key: taken
        # for empty, it would let a key be deleted that is still in use.
        try:
            names = [] if is_absent(self.directory) else os.listdir(self.directory)
        except OSError as exc:
            raise ConfigError(
                f"the journal of rotations in {self.directory} cannot be read: {exc.strerror}",
                hint="It may belong to another user, such as root under sudo.",
            ) from None
        # Picked here, and not by glob(): of a directory that cannot be read, glob() yields nothing.
        found = (name for name in names if name.startswith(start) and name.endswith(end))
        # An id begins with the moment at which its rotation began, so the order of ids is that of time.
        return sorted(map(self.directory.joinpath, found), key=_id_of)

    def _refuse(self, claim: str) -> BusyError:
        written: list[str] = []
        with suppress(ConfigError):
            written += [_id_of(path) for path in self._list(start=f"{claim}.")]
        with suppress(OSError):  # what holds it need not have written its document yet
            written += self._holder(claim).read_text(encoding="utf-8").split()
        return BusyError(
            "the key is being rotated right now by another process"
            + (f": {written[-1]}" if written else ""),
            candidates=written[-1:],
            command="spectronctl keys rotations list",
        )

    def _refuse_unlocked(self, exc: NoLocksError) -> ConfigError:
        # Two processes that rotate one key at once would each delete the other's successor: better none than both.
        return ConfigError(
            f"no file can be locked in {self._locks}: {exc.strerror}; nothing was sent",
            hint="Rotations are kept apart by locks. XDG_STATE_HOME moves the journal to a disk that has them.",
        )


def _id_of(path: Path) -> str:
    return path.name.split(".")[1] if path.name.count(".") > 1 else path.name
