"""Rows that are read with every request, kept in this process."""

from __future__ import annotations

from typing import Any


class Cache:
    """
    Rows by their ids. Only for a database that no other process can change.

    `version` counts the changes: a row that was read before one of them and arrives after it is not kept.
    """

    def __init__(self) -> None:
        self.version = 0
        self._rows: dict[str, Any] = {}

    def get(self, id: str) -> Any:
        """The row; None when it is not known."""
        return self._rows.get(id)

    def put(self, id: str, row: Any, *, read_at: int) -> None:
        """Keep a row that was read when the cache was at that version."""
        if read_at == self.version:
            self._rows[id] = row

    def drop(self, id: str) -> None:
        """Forget a row that was changed."""
        # One count for all rows: a change of one keeps rows from being cached that were read meanwhile, and they are
        # read once more. A count per row would have to be kept for ids that are gone.
        self.version += 1
        self._rows.pop(id, None)
