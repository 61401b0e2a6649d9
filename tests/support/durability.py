"""What a loss of power could do: a reading of a trace that trusts nothing that was not synced."""

from __future__ import annotations

import os.path
from collections import defaultdict
from collections.abc import Collection, Iterable

from tests.support.syscalls import Call

_WRITES = {"write", "pwrite64", "writev", "ftruncate", "fallocate"}
_SYNCS = {"fsync", "fdatasync"}
_MOVES = {"rename", "renameat", "renameat2", "link", "linkat"}
_REMOVALS = {"unlink", "unlinkat"}


def find_gaps(calls: Iterable[Call], targets: Collection[str]) -> list[str]:
    """
    Where the files at `targets` could be lost or half-written, in words; none when they are old or new at any time.

    A file must be written beside its place, synced, moved there, and its directory synced before anything else in it
    is removed, and before the end.
    """
    disk = _Disk(targets)
    for call in calls:
        if call.succeeded and call.paths:
            disk.take(call)
    return disk.gaps + [f"{path} is in its place, but not for good" for path in disk.list_pending()]


class _Disk:
    """What is not on the disk yet: contents by their path, names by their directory."""

    def __init__(self, targets: Collection[str]) -> None:
        self.gaps: list[str] = []
        self._targets = targets
        self._unsynced: set[str] = set()
        self._pending: defaultdict[str, set[str]] = defaultdict(set)

    def take(self, call: Call) -> None:
        path = call.paths[0]
        if call.name in _WRITES or "O_TRUNC" in call.text:
            self._write(path)
        elif call.name in _SYNCS:
            self._unsynced.discard(path)
            self._pending.pop(path, None)
        elif call.name in _MOVES:
            self._move(path, call.paths[1], keeps="link" in call.name)
        elif call.name in _REMOVALS:
            self._remove(path)

    def list_pending(self) -> list[str]:
        return sorted(path for paths in self._pending.values() for path in paths)

    def _write(self, path: str) -> None:
        self._unsynced.add(path)
        if path in self._targets:
            self.gaps.append(f"{path} is written where it stands")

    def _move(self, path: str, to: str, *, keeps: bool) -> None:
        if path in self._unsynced and to in self._targets:
            self.gaps.append(f"{to} gets its name before its content is on the disk")
        if path in self._unsynced:
            self._unsynced.add(to)
        if not keeps:
            self._unsynced.discard(path)
        if to in self._targets:
            self._pending[os.path.dirname(to)].add(to)

    def _remove(self, path: str) -> None:
        pending = self._pending[os.path.dirname(path)]
        pending.discard(path)
        self.gaps += [
            f"{path} is removed before {new} is in its place for good" for new in sorted(pending)
        ]
