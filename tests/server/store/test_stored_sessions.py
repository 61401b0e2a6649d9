"""Conversations in the store, on both embedded engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from spectronctl.ground.ulids import make_ulid_bound, new_ulid, parse_ulid_time
from spectronctl.server.access.scopes import WHOLE
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import GoneError, UnavailableError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.index.rows import ChunkRow
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions.rows import SessionRow, TurnRow
from spectronctl.server.sessions.table import SessionTable
from spectronctl.server.sessions.turns import TurnTable

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def make_session() -> SessionRow:
    return SessionRow(id=f"session:{new_ulid()}", scopes=[["org/acme"]])


def make_turns(count: int, text: str = "hello") -> list[TurnRow]:
    return [
        TurnRow(id=f"turn:{new_ulid()}", role="user", content=text, created_at=NOW)
        for _ in range(count)
    ]


async def append(
    store: Database, context: ContextRow, row: SessionRow, count: int, **more: Any
) -> None:
    settings = {"is_new": False, "chunk": None, "receipt": None} | more
    await TurnTable(store).append_turns(context, row, make_turns(count), **settings)


async def count_rows(store: Database, context: ContextRow, table: str) -> int:
    at = Binding(context.namespace, context.database)
    (rows,) = await store.query(f"SELECT VALUE session_id FROM {table};", at=at)
    return len(rows)


@pytest.fixture
async def context(store: Database, make_context: MakeContext) -> ContextRow:
    return await Provisioning(store).create_context(make_context(), providers={})


async def test_appends_at_once_count_on_without_gaps(store: Database, context: ContextRow) -> None:
    row = make_session()
    await SessionTable(store).create_session(context, row, receipt=None)
    # Each of them believes that it is the first.
    await asyncio.gather(*(append(store, context, row, 20) for _ in range(12)))
    read = await SessionTable(store).get_session(context, WHOLE, row.id)
    assert read is not None
    assert read.turn_count == 240
    _, page = await TurnTable(store).load_turns(context, WHOLE, row.id, offset=0, limit=500)
    assert isinstance(page, str)
    assert page.count('"seq":') == 240
    assert all(f'"seq":{seq},' in page for seq in range(240))


async def test_one_process_writes_a_session_once_at_a_time(
    store: Database, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The embedded engines do not always notice that two transactions change the same row.
    one, other = make_session(), make_session()
    for row in (one, other):
        await SessionTable(store).create_session(context, row, receipt=None)
    query = store.query
    inside: list[str] = []
    together: set[tuple[str, ...]] = set()

    async def note(text: str, variables: Any = None, **settings: Any) -> Any:
        session_id = (variables or {}).get("row", {}).get("session_id")
        if session_id:
            inside.append(session_id)
            together.add(tuple(sorted(inside)))
            await asyncio.sleep(0.01)
        try:
            return await query(text, variables, **settings)
        finally:
            if session_id:
                inside.remove(session_id)

    monkeypatch.setattr(store, "query", note)
    rows = [one, other] * 4
    await asyncio.gather(*(append(store, context, row, 2) for row in rows))
    assert together - {(one.id,), (other.id,)} == {tuple(sorted((one.id, other.id)))}


async def test_an_append_is_all_or_nothing(store: Database, context: ContextRow) -> None:
    row = make_session()
    await append(store, context, row, 2, is_new=True)
    turns = make_turns(3)
    twice = [*turns, turns[0]]
    with pytest.raises(Exception, match="already"):
        await TurnTable(store).append_turns(
            context, row, twice, is_new=False, chunk=None, receipt=None
        )
    read = await SessionTable(store).get_session(context, WHOLE, row.id)
    assert read is not None
    assert read.turn_count == 2
    assert await count_rows(store, context, "turn") == 2


async def test_an_append_to_a_session_that_is_gone_is_404(
    store: Database, context: ContextRow
) -> None:
    with pytest.raises(GoneError, match="no session"):
        await append(store, context, make_session(), 1)
    assert await count_rows(store, context, "turn") == 0


async def test_a_deletion_that_a_crash_cut_short_is_finished_by_the_next(
    store: Database, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, kept = make_session(), make_session(), make_session()
    for row in (first, second, kept):
        chunk = ChunkRow(id=f"memory_chunk:{new_ulid()}", turn_id="t", text="x", created_at=NOW)
        await append(store, context, row, 3, is_new=True, chunk=chunk)
    with monkeypatch.context() as patch:

        async def die(*words: Any) -> None:
            raise OSError("killed")

        patch.setattr(SessionTable, "_remove_session", staticmethod(die))
        with pytest.raises(OSError, match="killed"):
            await SessionTable(store).delete_session(context, first.id, with_memories=True)
    halfway = await SessionTable(store).get_session(context, WHOLE, first.id)
    assert halfway is not None
    assert halfway.deleting
    assert [
        row.id
        for row in await SessionTable(store).list_sessions(
            context, WHOLE, after="", before=None, limit=9
        )
    ] == sorted([second.id, kept.id])
    with pytest.raises(GoneError, match="no session"):
        await append(store, context, first, 1)
    await SessionTable(store).delete_session(context, second.id, with_memories=True)
    for table, left in (("turn", 3), ("memory_chunk", 1), ("session", 1)):
        assert await count_rows(store, context, table) == left
    assert await SessionTable(store).get_session(context, WHOLE, kept.id) is not None


async def test_a_long_session_is_deleted_whole(store: Database, context: ContextRow) -> None:
    row = make_session()
    await append(store, context, row, 2_500, is_new=True)
    await SessionTable(store).delete_session(context, row.id, with_memories=True)
    assert await count_rows(store, context, "turn") == 0


async def test_a_write_does_not_bring_a_deleted_context_back(
    store: Database, context: ContextRow, make_context: MakeContext
) -> None:
    await Provisioning(store).delete_context(context.id)
    row = make_session()
    writes: list[Callable[[], Awaitable[object]]] = [
        lambda: SessionTable(store).create_session(context, row, receipt=None),
        lambda: append(store, context, row, 1, is_new=True),
        lambda: append(store, context, row, 1),
        lambda: SessionTable(store).get_session(context, WHOLE, row.id),
        lambda: SessionTable(store).delete_session(context, row.id, with_memories=True),
    ]
    for write in writes:
        with pytest.raises(UnavailableError, match="its database is being deleted"):
            await write()
    at = Binding(context.namespace, context.database)
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=at)
    assert info["tables"] == []
    again = await Provisioning(store).create_context(make_context(), providers={})
    assert (
        await SessionTable(store).list_sessions(again, WHOLE, after="", before=None, limit=9) == []
    )


async def test_contexts_of_the_first_release_are_brought_up_when_the_store_is_opened(
    file_url: str, make_context: MakeContext, anyio_backend: str
) -> None:
    shipped = load_migrations()
    first = Migrations(shipped.metadata, shipped.context[:1])
    older = await open_store(file_url, migrations=first)
    context = await Provisioning(older).create_context(make_context(), providers={})
    with pytest.raises(UnavailableError, match="its schema is behind"):
        await SessionTable(older).create_session(context, make_session(), receipt=None)
    await older.close()
    newer = await open_store(file_url)
    assert await ContextTable(newer).list_schema_versions() == {context.id: len(shipped.context)}
    row = make_session()
    await SessionTable(newer).create_session(context, row, receipt=None)
    assert await SessionTable(newer).get_session(context, WHOLE, row.id) == row
    await newer.close()


def test_a_bound_sorts_between_the_ulids_of_two_milliseconds() -> None:
    ulid = new_ulid()
    made = round(parse_ulid_time(ulid).timestamp() * 1000)
    assert make_ulid_bound(made) < ulid < make_ulid_bound(made + 1)
    assert ulid.startswith(make_ulid_bound(made))
    assert make_ulid_bound(-5) == "0" * 10
