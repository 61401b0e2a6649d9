"""When keys were last used: noted at most once a minute each, since it is a write."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from time import monotonic

from spectronctl.server.database.database import Database
from spectronctl.server.registry.keys import KeyTable, ManagementKeyTable
from spectronctl.server.registry.rows import KeyRow, ManagementKeyRow

_log = logging.getLogger(__name__)

_TOUCH_EVERY = timedelta(minutes=1)
_NOTE_SECONDS = 1.0
_MAX_FAILED = 10_000


class KeyUses:
    """Notes on keys. A request neither fails nor waits for more than a second because its note is not taken."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failed: dict[str, float] = {}

    async def note(self, row: ManagementKeyRow | KeyRow | None) -> None:
        """Note that the key is in use now; None is no key."""
        if row is None or not self._is_due(row):
            return
        try:
            # Reads go on when a disk is full or a write is stuck, and each of them would wait here.
            async with asyncio.timeout(_NOTE_SECONDS):
                await self._touch(row)
        except Exception as error:  # noqa: BLE001 - a good request gets its response whatever becomes of the note
            _log.warning("the use of key %s was not noted: %s", row.id, type(error).__name__)
            # Bounded, since ids of keys come from outside; forgetting them all costs one more attempt each.
            if len(self._failed) >= _MAX_FAILED:
                self._failed.clear()
            self._failed[row.id] = monotonic()
        else:
            self._failed.pop(row.id, None)

    def _is_due(self, row: ManagementKeyRow | KeyRow) -> bool:
        # With a database that takes no writes, only one request a minute and key finds that out, not every read.
        failed_at = self._failed.get(row.id)
        if failed_at is not None and monotonic() - failed_at < _TOUCH_EVERY.total_seconds():
            return False
        return row.last_used_at is None or datetime.now(UTC) - row.last_used_at >= _TOUCH_EVERY

    async def _touch(self, row: ManagementKeyRow | KeyRow) -> None:
        if isinstance(row, KeyRow):
            await KeyTable(self._database).touch_key(row.context_id, row.id)
        else:
            await ManagementKeyTable(self._database).touch_management_key(row.id)
