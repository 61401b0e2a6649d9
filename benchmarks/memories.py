"""
A server process with memories in its store: `python -m benchmarks.memories MEMORIES`.

They are written into the engine without vectors. Before it serves, it measures what the engine alone needs to write as
many rows as a reindex writes: the same texts and vectors, in tables with the same indexes, as many at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from benchmarks.seeded import create_context, make_server
from spectronctl.ground.ulids import new_ulid
from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.handlers import work_on_jobs
from spectronctl.server.http.logs import configure_logs
from spectronctl.server.index.reindex import BATCH
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.registry.bootstrap import create_management_key
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.serving.listening import bind_address

_FILLED = 200
_WORDS = 4_000
_WORDS_IN_A_TEXT = 20

_UPDATE = """
FOR $row IN $rows {
    UPDATE search_a:[$row.chunk_id] SET text = $row.text, vector = $row.vector RETURN NONE
};
"""


async def main(memories: int) -> None:
    """Fill the store, say where it is served, serve until the process is told to stop."""
    store = await open_store("mem://")
    try:
        _, secret = await create_management_key(store, "benchmarks")
        context = await create_context(store)
        rows = list(_make_rows(memories))
        for first in range(0, memories, _FILLED):
            await _insert(store, context, "memory_chunk", rows[first : first + _FILLED])
        rate = await _measure_engine(store, context, rows)
        configure_logs("text")
        listener = bind_address("127.0.0.1", 0, open_to_network=False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"url": url, "key": secret, "rate": rate}), flush=True)
        async with work_on_jobs(store):
            await make_server(create_app(store)).serve(sockets=[listener])
    finally:
        await store.close()


def _make_rows(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    words = [f"word{number}" for number in range(_WORDS)]
    now = datetime.now(UTC)
    for _ in range(count):
        ulid = new_ulid()
        yield {
            "id": [f"memory_chunk:{ulid}"],
            "chunk_id": f"memory_chunk:{ulid}",
            "session_id": "session:missing",
            "turn_id": f"turn:{ulid}",
            "scopes": [["org/acme"]],
            "nodes": ["org", "org/acme"],
            "text": " ".join(chance.choices(words, k=_WORDS_IN_A_TEXT)),
            "created_at": now,
        }


async def _insert(
    store: Database, context: ContextRow, table: str, rows: list[dict[str, Any]]
) -> None:
    text = f"INSERT INTO {table} $rows RETURN NONE;"
    await query_context(store, context, text, {"rows": rows})


async def _measure_engine(
    store: Database, context: ContextRow, rows: list[dict[str, Any]]
) -> float:
    """Rows per second of bare updates that give each memory another text and another vector."""
    indexed = [
        {"id": row["id"], **{name: row[name] for name in ("chunk_id", "scopes", "nodes", "text")}}
        for row in rows
    ]
    for first in range(0, len(rows), _FILLED):
        await _insert(store, context, "search_a", indexed[first : first + _FILLED])
    texts = [f"{row['text']} again" for row in rows]
    vectors = await HashingEmbedder().embed(texts)
    changes = [
        {"chunk_id": row["chunk_id"], "text": text, "vector": vector}
        for row, text, vector in zip(rows, texts, vectors, strict=True)
    ]
    started = perf_counter()
    for first in range(0, len(rows), BATCH):
        part = {"rows": changes[first : first + BATCH]}
        await query_context(store, context, _UPDATE, part)
    return len(rows) / (perf_counter() - started)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
