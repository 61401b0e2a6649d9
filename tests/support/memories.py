"""Memories in a context's store, and jobs over them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Database
from spectronctl.server.database.transaction import transaction
from spectronctl.server.index.rows import ChunkRow
from spectronctl.server.jobs.rows import ClaimedJob, JobRow
from spectronctl.server.jobs.table import JobTable
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.rows import SessionRow, TurnRow
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable, _make_chunk

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
SCOPES = [["org/acme"]]
FINISHED = {"succeeded", "failed", "cancelled"}

_INSERT = transaction(
    """
INSERT INTO memory_chunk $chunks RETURN NONE;
INSERT INTO search_a (
    SELECT [chunk_id] AS id, chunk_id, scopes, nodes, text FROM $chunks
) RETURN NONE;
"""
)


async def remember(
    store: Database,
    context: ContextRow,
    *texts: str,
    vectors: Sequence[list[float]] | None = None,
    category: str | None = None,
    at: datetime = NOW,
    scopes: list[list[str]] | None = None,
) -> list[str]:
    """Keep texts as memories of a new session; their ids. `vectors` are as the built-in embedder makes them."""
    session = SessionRow(id=f"session:{new_ulid()}", scopes=SCOPES if scopes is None else scopes)
    await SessionTable(store).create_session(context, session, receipt=None)
    ids = []
    for number, text in enumerate(texts):
        turn = TurnRow(id=f"turn:{new_ulid()}", role="user", content=text, created_at=at)
        chunk = ChunkRow(
            id=f"memory_chunk:{new_ulid()}",
            turn_id=turn.id,
            text=text,
            memory_category=category,
            created_at=at,
            embedder="local/hashing" if vectors else None,
            vector=vectors[number] if vectors else None,
        )
        counted = await SessionTable(store).get_session(context, WHOLE, session.id)
        assert counted is not None
        await TurnTable(store).append_turns(
            context, counted, [turn], is_new=False, chunk=chunk, receipt=None
        )
        ids.append(chunk.id)
    return ids


async def claim_reindex(store: Database, context: ContextRow) -> ClaimedJob:
    """A reindex that is queued and claimed at once."""
    await JobTable(store).create_job(context, kind="reindex", payload={"embedder": "local/hashing"})
    claimed = await JobTable(store).claim_job()
    assert claimed is not None
    return claimed


async def wait_until_finished(store: Database, context_id: str, job_id: str) -> JobRow:
    """The job, once it has ended."""
    while True:
        job = await JobTable(store).get_job(context_id, job_id)
        assert job is not None
        if job.status in FINISHED:
            return job
        await asyncio.sleep(0.02)


async def remember_many(store: Database, context: ContextRow, texts: Sequence[str]) -> None:
    """Keep many memories fast, in one session: found by their words, and without vectors."""
    session = SessionRow(id=f"session:{new_ulid()}", scopes=SCOPES)
    await SessionTable(store).create_session(context, session, receipt=None)
    for start in range(0, len(texts), 200):
        turns = [
            TurnRow(id=f"turn:{new_ulid()}", role="user", content=text, created_at=NOW)
            for text in texts[start : start + 200]
        ]
        counted = await SessionTable(store).get_session(context, WHOLE, session.id)
        assert counted is not None
        await TurnTable(store).append_turns(
            context, counted, turns, is_new=False, chunk=None, receipt=None
        )
        chunks = [
            _make_chunk(
                session, ChunkRow(id=new, turn_id=turn.id, text=turn.content, created_at=NOW)
            )
            | {"id": [new]}
            for turn in turns
            for new in [f"memory_chunk:{new_ulid()}"]
        ]
        await query_context(store, context, _INSERT, {"chunks": chunks})
