"""Memories in a context's store, and jobs over them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from spectronctl.server.scopes import WHOLE
from spectronctl.server.store import (
    ChunkRow,
    ClaimedJob,
    ContextRow,
    JobRow,
    SessionRow,
    Store,
    TurnRow,
)
from spectronctl.server.store._plane import query_context
from spectronctl.server.store._turns import _make_chunk
from spectronctl.server.store.surreal import SurrealStore
from spectronctl.server.ulids import new_ulid

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
SCOPES = [["org/acme"]]
FINISHED = {"succeeded", "failed", "cancelled"}

_INSERT = """
BEGIN;
INSERT INTO memory_chunk $chunks RETURN NONE;
INSERT INTO search_a (
    SELECT [chunk_id] AS id, chunk_id, scopes, nodes, text FROM $chunks
) RETURN NONE;
COMMIT;
"""


async def remember(
    store: Store,
    context: ContextRow,
    *texts: str,
    vectors: Sequence[list[float]] | None = None,
    category: str | None = None,
    at: datetime = NOW,
    scopes: list[list[str]] | None = None,
) -> list[str]:
    """Keep texts as memories of a new session; their ids. `vectors` are as the built-in embedder makes them."""
    session = SessionRow(id=f"session:{new_ulid()}", scopes=SCOPES if scopes is None else scopes)
    await store.create_session(context, session, receipt=None)
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
        counted = await store.get_session(context, WHOLE, session.id)
        assert counted is not None
        await store.append_turns(context, counted, [turn], is_new=False, chunk=chunk, receipt=None)
        ids.append(chunk.id)
    return ids


async def claim_reindex(store: Store, context: ContextRow) -> ClaimedJob:
    """A reindex that is queued and claimed at once."""
    await store.create_job(context, kind="reindex", embedder="local/hashing")
    claimed = await store.claim_job()
    assert claimed is not None
    return claimed


async def wait_until_finished(store: Store, context_id: str, job_id: str) -> JobRow:
    """The job, once it has ended."""
    while True:
        job = await store.get_job(context_id, job_id)
        assert job is not None
        if job.status in FINISHED:
            return job
        await asyncio.sleep(0.02)


async def remember_many(store: SurrealStore, context: ContextRow, texts: Sequence[str]) -> None:
    """Keep many memories fast, in one session: found by their words, and without vectors."""
    session = SessionRow(id=f"session:{new_ulid()}", scopes=SCOPES)
    await store.create_session(context, session, receipt=None)
    for start in range(0, len(texts), 200):
        turns = [
            TurnRow(id=f"turn:{new_ulid()}", role="user", content=text, created_at=NOW)
            for text in texts[start : start + 200]
        ]
        counted = await store.get_session(context, WHOLE, session.id)
        assert counted is not None
        await store.append_turns(context, counted, turns, is_new=False, chunk=None, receipt=None)
        chunks = [
            _make_chunk(
                session, ChunkRow(id=new, turn_id=turn.id, text=turn.content, created_at=NOW)
            )
            | {"id": [new]}
            for turn in turns
            for new in [f"memory_chunk:{new_ulid()}"]
        ]
        await query_context(store._database, context, _INSERT, {"chunks": chunks})
