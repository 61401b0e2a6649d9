"""A deleted context leaves no database behind, whatever is under way in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import DatabaseError
from spectronctl.server.registry.context_database import GUARD, query_context, query_one
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow
from tests.support.soak import SOAK

pytestmark = pytest.mark.anyio

CONTEXTS = 200 if SOAK else 30

WORK: tuple[str, ...] = (
    "SELECT * FROM session;",
    "RETURN encoding::json::encode((SELECT * FROM ontology:only));",
    "RETURN { LET $found = (SELECT * FROM session); RETURN $found };",
    f"BEGIN;{GUARD}CREATE session CONTENT {{ }} RETURN NONE;COMMIT;",
    "DELETE session RETURN NONE;",
    "UPDATE session SET n = 1 RETURN NONE;",
)
"""The kinds of statements that rooms send: reads, writes behind the guard, and changes of what must exist."""


async def list_databases(store: Database, namespace: str) -> list[str]:
    (info,) = await store.query("INFO FOR NS STRUCTURE;", at=Binding(namespace, None))
    return [each["name"] for each in info["databases"]]


async def _work_on(store: Database, context: ContextRow, deleted: asyncio.Event) -> None:
    while not deleted.is_set():
        await asyncio.gather(
            *(query_context(store, context, text, {}) for text in WORK), return_exceptions=True
        )


async def test_deletes_under_load_leave_no_database(
    store: Database, make_context: Callable[..., ContextRow]
) -> None:
    provisioning = Provisioning(store)

    async def live(number: int) -> None:
        context = make_context(f"context-{number}")
        await provisioning.create_context(context, providers={})
        deleted = asyncio.Event()
        working = asyncio.create_task(_work_on(store, context, deleted))
        await asyncio.sleep(0.02)
        assert await provisioning.delete_context(context.id)
        deleted.set()
        await working

    for start in range(0, CONTEXTS, 10):
        await asyncio.gather(*(live(start + number) for number in range(10)))
    assert await list_databases(store, "acme") == []


@pytest.mark.parametrize("text", WORK)
async def test_a_statement_defines_no_database_that_was_dropped(
    store: Database, make_context: Callable[..., ContextRow], text: str
) -> None:
    context = make_context()
    provisioning = Provisioning(store)
    await provisioning.create_context(context, providers={})
    await provisioning.delete_context(context.id)
    with pytest.raises(DatabaseError, match="is being deleted"):
        await query_one(store, context, text)
    assert await list_databases(store, "acme") == []


async def test_what_an_older_server_left_is_swept_up_at_the_next_start(
    file_url: str, make_context: Callable[..., ContextRow]
) -> None:
    store = await open_store(file_url)
    await Provisioning(store).create_context(make_context("kept"), providers={})
    for name in ("left-1", "left-2"):
        await store.query("RETURN 1;", at=Binding("acme", name))
    await store.query("DEFINE TABLE mine;", at=Binding("acme", "full"))
    assert await list_databases(store, "acme") == ["full", "kept", "left-1", "left-2"]
    await store.close()
    store = await open_store(file_url)
    assert await list_databases(store, "acme") == ["full", "kept"]
    await store.close()
