"""
One writer of a row at a time, in this process.

The database is to refuse one of two transactions that change the same row. The embedded engines do not always, when a
machine is busy: both are told that they succeeded, and the later one takes the place of the other.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Locks:
    """A lock per name, for as long as it is held or waited for."""

    def __init__(self) -> None:
        # Weak, since names are made of ids of sessions and keys: a dictionary that kept them would grow with
        # everything that was ever written.
        self._locks: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = WeakValueDictionary()

    def get_lock(self, *name: str) -> asyncio.Lock:
        """The lock of that name, to be entered at once."""
        # No await between this and the next lines, so that two callers cannot make a lock each.
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
