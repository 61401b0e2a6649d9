"""
Traces on their way to the database.

A retrieval changes nothing, so its trace may be lost where the process dies within a moment of the response; in return
no response waits for it, and none fails because it cannot be written. A denial is written before its response.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Annotated, Self, cast

from fastapi import Depends, Request

from spectronctl.server.database.database import Database
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.traces.rows import TraceRow
from spectronctl.server.traces.table import TraceTable

_log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Traces that are held in memory, of about a kilobyte each; what comes while there are as many is lost."""
_LINGER_SECONDS = 1.0
_BATCH = 500


class TraceLog:
    """Writes traces soon after they are kept, many at once; leaving it writes what is left."""

    def __init__(self, database: Database) -> None:
        self._table = TraceTable(database)
        self._waiting: deque[tuple[ContextRow, TraceRow]] = deque()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._lost = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # In this order: a batch that is on its way is waited for, and not given up.
        await self.flush()
        if self._task is not None:
            self._task.cancel()

    def keep(self, context: ContextRow, row: TraceRow) -> None:
        """Write it soon."""
        if len(self._waiting) >= MAX_WAITING:
            self._lost += 1
            return
        self._waiting.append((context, row))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def flush(self) -> None:
        """Write all that was kept before this: who asks for a trace finds that of every response it has seen."""
        async with self._writing:
            for _ in range(len(self._waiting) // _BATCH + 1):
                await self._write_batch()
            if self._lost:
                _log.warning("%d traces were lost: more came than could be written", self._lost)
                self._lost = 0

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(_LINGER_SECONDS)
            await self.flush()

    async def _write_batch(self) -> None:
        groups: dict[str, tuple[ContextRow, list[TraceRow]]] = {}
        for _ in range(min(len(self._waiting), _BATCH)):
            context, row = self._waiting.popleft()
            groups.setdefault(context.id, (context, []))[1].append(row)
        for context, rows in groups.values():
            try:
                await self._table.add_traces(context, rows)
            except Exception as error:  # noqa: BLE001 - reads go on when a disk is full, and no response waits
                name = type(error).__name__
                _log.warning("%d traces of %s were not kept: %s", len(rows), context.id, name)


async def get_trace_log(request: Request) -> TraceLog:
    """The application's traces on their way."""
    return cast("TraceLog", request.app.state.traces)


Traces = Annotated[TraceLog, Depends(get_trace_log)]
