"""Ontologies in the store, on both embedded engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from spectronctl.server.database.database import Binding, Database, RetryableError
from spectronctl.server.database.errors import ChangedError, UnavailableError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.ontology.rows import make_ontology
from spectronctl.server.ontology.table import OntologyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]

PEOPLE = make_ontology(["Person", "Company"], {"Person": ["name"], "Company": []}, ["knows"])


@pytest.fixture
async def context(store: Database, make_context: MakeContext) -> ContextRow:
    return await Provisioning(store).create_context(make_context(), providers={})


async def test_it_survives_the_store_being_closed(
    file_url: str, make_context: MakeContext, anyio_backend: str
) -> None:
    first = await open_store(file_url)
    context = await Provisioning(first).create_context(make_context(), providers={})
    await OntologyTable(first).set_ontology(context, PEOPLE, expected=None)
    await first.close()
    second = await open_store(file_url)
    read = await OntologyTable(second).get_ontology(context)
    await second.close()
    assert read == PEOPLE
    assert list(read.attribute_keys) == ["Person", "Company"]


async def test_it_is_kept_in_fields_that_a_query_can_use(
    store: Database, context: ContextRow
) -> None:
    await OntologyTable(store).set_ontology(context, PEOPLE, expected=None)
    at = Binding(context.namespace, context.database)
    query = "SELECT VALUE attribute_keys[WHERE entity_type = 'Person'][0].names FROM ontology;"
    assert await store.query(query, at=at) == [[["name"]]]


async def test_writers_that_look_first_lose_nothing(store: Database, context: ContextRow) -> None:
    async def add(name: str) -> None:
        while True:
            now = await OntologyTable(store).get_ontology(context)
            wanted = make_ontology([*now.entity_types, name])
            try:
                return await OntologyTable(store).set_ontology(context, wanted, expected=[now.etag])
            except ChangedError:
                continue

    names = [f"T{n}" for n in range(20)]
    await asyncio.gather(*map(add, names))
    assert sorted((await OntologyTable(store).get_ontology(context)).entity_types) == sorted(names)


async def test_one_process_writes_a_context_once_at_a_time(
    store: Database, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The embedded engines do not always notice that two transactions change the same row.
    contexts = [
        await Provisioning(store).create_context(make_context(name), providers={})
        for name in ("one", "other")
    ]
    query = store.query
    inside: list[str] = []
    together: set[tuple[str, ...]] = set()

    async def note(text: str, variables: Any = None, **settings: Any) -> Any:
        inside.append(settings["at"].database)
        together.add(tuple(sorted(inside)))
        await asyncio.sleep(0.01)
        try:
            return await query(text, variables, **settings)
        finally:
            inside.remove(settings["at"].database)

    monkeypatch.setattr(store, "query", note)
    await asyncio.gather(
        *(
            write
            for context in contexts * 3
            for write in (
                OntologyTable(store).set_ontology(context, PEOPLE, expected=None),
                OntologyTable(store).delete_ontology(context, expected=None),
            )
        )
    )
    assert together - {("one",), ("other",)} == {("one", "other")}


async def test_a_conflict_in_the_database_is_tried_again(
    store: Database, context: ContextRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = store._send
    failures = [RetryableError("Transaction conflict")] * 3

    async def fail_first(text: str, variables: dict[str, Any]) -> list[Any]:
        if failures:
            raise failures.pop()
        return await send(text, variables)

    monkeypatch.setattr(store, "_send", fail_first)
    await OntologyTable(store).set_ontology(context, PEOPLE, expected=[make_ontology().etag])
    assert await OntologyTable(store).get_ontology(context) == PEOPLE


async def test_a_write_does_not_bring_a_deleted_context_back(
    store: Database, context: ContextRow
) -> None:
    await Provisioning(store).delete_context(context.id)
    await refuse_all(store, context)
    at = Binding(context.namespace, context.database)
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=at)
    assert info["tables"] == []


async def test_a_context_without_the_table_is_refused_until_it_is_brought_up(
    file_url: str, make_context: MakeContext, anyio_backend: str
) -> None:
    shipped = load_migrations()
    older = await open_store(file_url, migrations=Migrations(shipped.metadata, shipped.context[:3]))
    context = await Provisioning(older).create_context(make_context(), providers={})
    await refuse_all(older, context)
    # A table of that name alone is not the migration.
    at = Binding(context.namespace, context.database)
    await older.query("DEFINE TABLE ontology;", at=at)
    with pytest.raises(UnavailableError, match="its schema is behind"):
        await OntologyTable(older).set_ontology(context, PEOPLE, expected=None)
    await older.query("REMOVE TABLE ontology;", at=at)
    await older.close()
    newer = await open_store(file_url)
    await OntologyTable(newer).set_ontology(context, PEOPLE, expected=None)
    assert await OntologyTable(newer).get_ontology(context) == PEOPLE
    await newer.close()


async def refuse_all(store: Database, context: ContextRow) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: OntologyTable(store).get_ontology(context),
        lambda: OntologyTable(store).set_ontology(context, PEOPLE, expected=None),
        lambda: OntologyTable(store).delete_ontology(context, expected=None),
    ]
    for call in calls:
        with pytest.raises(UnavailableError, match="its schema is behind"):
            await call()
