"""
A server process with conversations in its store: `python -m benchmarks.conversations TURNS…`, a session for each.

It serves the product's application twice: as it is, and with a delay before every request, as a network has. Before
that it measures how many turns a second the engine takes in by itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from benchmarks.seeded import create_context, make_server
from spectronctl.ground.ulids import new_ulid
from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.http.logs import configure_logs
from spectronctl.server.registry.bootstrap import create_management_key
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.serving.listening import bind_address
from spectronctl.server.sessions.rows import SessionRow
from spectronctl.server.sessions.table import SessionTable

DELAY_SECONDS = 0.02
CHUNK = 500
"""Turns in one request of an import."""

CONTENT = "What an agent said, and said again, so that it is as long as such things are: {}. "

_FILLED = 100  # more at once take longer for each
_INSERT = "INSERT INTO turn $turns RETURN NONE;"
_FILL = """
INSERT INTO turn (array::range($first, $first + $count).map(|$seq: int| {
    id: $prefix + <string>$seq, turn_id: 'turn:' + $prefix + <string>$seq, session_id: $owner, seq: $seq,
    role: 'user', content: $content + <string>$seq, created_at: $now
})) RETURN NONE;
"""


async def main(sizes: list[int], measured: int) -> None:
    """Fill the store, say where it is served, serve until the process is told to stop."""
    store = await open_store("mem://")
    try:
        _, secret = await create_management_key(store, "benchmarks")
        context = await create_context(store)
        rate = await _measure_engine(store, context, measured)
        sessions = [await _fill(store, context, size) for size in sizes]
        configure_logs("text")
        await _serve(create_app(store), {"key": secret, "rate": rate, "sessions": sessions})
    finally:
        await store.close()


async def _measure_engine(store: Database, context: ContextRow, turns: int) -> float:
    """Turns per second of bare inserts, as many at once as an import sends."""
    started = perf_counter()
    for first in range(0, turns, CHUNK):
        rows = list(_make_rows(range(first, first + CHUNK)))
        await query_context(store, context, _INSERT, {"turns": rows})
    return turns / (perf_counter() - started)


def _make_rows(seqs: range) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for seq in seqs:
        ulid = new_ulid()
        yield {
            "id": ulid,
            "turn_id": f"turn:{ulid}",
            "session_id": "session:missing",
            "seq": seq,
            "role": "user",
            "content": CONTENT.format(seq) * 2,
            "created_at": now,
        }


async def _fill(store: Database, context: ContextRow, turns: int) -> str:
    """A session of that many turns, made inside the engine: its id."""
    row = SessionRow(id=f"session:{new_ulid()}", scopes=[], metadata=None, turn_count=turns)
    await SessionTable(store).create_session(context, row, receipt=None)
    for first in range(0, turns, _FILLED):
        variables = {
            "first": first,
            "count": min(_FILLED, turns - first),
            "prefix": new_ulid()[:16],
            "owner": row.id,
            "content": CONTENT * 2,
            "now": datetime.now(UTC),
        }
        await query_context(store, context, _FILL, variables)
    return row.id


async def _serve(app: Any, found: dict[str, Any]) -> None:
    async def delayed(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(DELAY_SECONDS)
        await app(scope, receive, send)

    listeners = [bind_address("127.0.0.1", 0, open_to_network=False) for _ in range(2)]
    near, far = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in listeners)
    print(json.dumps({"url": near, "far_url": far, **found}), flush=True)
    await asyncio.gather(
        *(
            make_server(each).serve(sockets=[listener])
            for each, listener in zip((app, delayed), listeners, strict=True)
        )
    )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(numbers, min(numbers)))
