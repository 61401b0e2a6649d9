"""Schema migrations: numbered, applied once, recorded, checked."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spectronctl.server.database.database import METADATA, Binding, Database
from spectronctl.server.database.migrations import MigrationError, StoreVersionError, migrate
from spectronctl.server.database.schema import Migration, load_migrations, order_migrations
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]

SHIPPED = load_migrations()
SECOND = Migration(2, "things", "DEFINE TABLE thing SCHEMAFULL;")
FIRST = replace(SHIPPED, context=SHIPPED.context[:1])
NEWER = replace(FIRST, context=(*FIRST.context, SECOND))
AT = Binding("some", "where")


async def list_tables(store: Database, at: Binding) -> list[str]:
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=at)
    return sorted(table["name"] for table in info["tables"])


def test_migrations_are_ordered_by_number() -> None:
    named = [("0002_b.surql", "B"), ("README.md", "x"), ("0001_a_long_name.surql", "A")]
    assert order_migrations(named) == (Migration(1, "a_long_name", "A"), Migration(2, "b", "B"))


@pytest.mark.parametrize("names", [["0002_b"], ["0001_a", "0003_c"], ["0001_a", "0001_b"]])
def test_numbers_with_a_gap_or_twice_are_an_error(names: list[str]) -> None:
    with pytest.raises(ValueError, match="not numbered 1, 2, 3"):
        order_migrations((f"{name}.surql", "") for name in names)


async def test_each_migration_is_recorded_where_it_was_applied(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    for at, shipped in (
        (METADATA, SHIPPED.metadata),
        (Binding("acme", "acme-prod"), SHIPPED.context),
    ):
        rows = await store.select("SELECT * OMIT id FROM migration;", at=at)
        for row, migration in zip(rows, shipped, strict=True):
            applied_at = row.pop("applied_at")
            assert abs(datetime.now(UTC) - applied_at) < timedelta(minutes=1)
            checksum = hashlib.sha256(migration.text.encode()).hexdigest()
            assert row == {
                "version": migration.version,
                "name": migration.name,
                "checksum": checksum,
            }


async def test_what_was_applied_is_not_applied_again(store: Database) -> None:
    known = (SHIPPED.context[0], Migration(2, "count", "CREATE counted SET at = time::now();"))
    for _ in range(3):
        assert await migrate(store, AT, known) == 2
    (counted,) = await store.query("SELECT * FROM counted;", at=AT)
    assert len(counted) == 1


async def test_a_migration_that_fails_leaves_nothing_of_itself(store: Database) -> None:
    broken = Migration(2, "broken", "DEFINE TABLE half; DEFINE TABLE half;")
    with pytest.raises(MigrationError, match=r"migration 2 \(broken\) of namespace 'some'"):
        await migrate(store, AT, (*FIRST.context, broken))
    assert await list_tables(store, AT) == ["migration"]
    assert await migrate(store, AT, NEWER.context) == 2


async def test_a_migration_changed_afterwards_is_an_error(store: Database) -> None:
    await migrate(store, AT, NEWER.context)
    changed = (*FIRST.context, replace(SECOND, text="DEFINE TABLE other;"))
    with pytest.raises(MigrationError, match="another migration 2 than 'things'"):
        await migrate(store, AT, changed)
    assert await list_tables(store, AT) == ["migration", "thing"]


async def test_servers_that_migrate_at_once_apply_each_migration_once(store: Database) -> None:
    known = (*NEWER.context, Migration(3, "count", "CREATE counted SET at = time::now();"))
    versions = await asyncio.gather(*(migrate(store, AT, known) for _ in range(6)))
    assert versions == [3] * 6
    (counted,) = await store.query("SELECT * FROM counted;", at=AT)
    assert len(counted) == 1


async def test_a_newer_store_is_refused_untouched(file_url: str) -> None:
    known = len(SHIPPED.metadata)
    newer = replace(SHIPPED, metadata=(*SHIPPED.metadata, replace(SECOND, version=known + 1)))
    await (await open_store(file_url, migrations=newer)).close()
    with pytest.raises(
        StoreVersionError, match=rf"the store is at schema version {known + 1}; .* knows {known}$"
    ) as e:
        await open_store(file_url)
    assert e.value.hint == "Upgrade spectronctl."
    again = await open_store(file_url, migrations=newer)
    assert "thing" in await list_tables(again, METADATA)
    await again.close()


async def test_a_store_with_a_newer_context_is_refused_untouched(
    file_url: str, make_context: MakeContext
) -> None:
    newer = await open_store(file_url, migrations=NEWER)
    await Provisioning(newer).create_context(make_context(), providers={})
    await newer.query("UPDATE context:['acme-prod'] SET state = 'deleting', claim = 'of the dead';")
    await newer.close()
    with pytest.raises(StoreVersionError, match=r"'acme-prod' is at schema version 2; .* knows 1$"):
        await open_store(file_url, migrations=FIRST)
    again = await open_store(file_url, migrations=NEWER)
    await again.close()


async def test_contexts_that_are_behind_are_brought_up_at_open(
    file_url: str, make_context: MakeContext
) -> None:
    older = await open_store(file_url, migrations=FIRST)
    for context_id in ("a", "b"):
        await Provisioning(older).create_context(make_context(context_id), providers={})
    await older.close()
    newer = await open_store(file_url, migrations=NEWER)
    assert Provisioning(newer).schema_version == 2
    assert await ContextTable(newer).list_schema_versions() == {"a": 2, "b": 2}
    assert await list_tables(newer, Binding("acme", "b")) == ["migration", "thing"]
    await newer.close()


async def test_a_context_that_cannot_be_upgraded_does_not_stop_the_others(
    file_url: str, make_context: MakeContext, caplog: pytest.LogCaptureFixture
) -> None:
    older = await open_store(file_url, migrations=FIRST)
    for context_id in ("a", "b"):
        await Provisioning(older).create_context(make_context(context_id), providers={})
    await older.query("DEFINE TABLE thing;", at=Binding("acme", "a"))
    await older.close()
    with caplog.at_level(logging.ERROR):
        newer = await open_store(file_url, migrations=NEWER)
    assert await ContextTable(newer).list_schema_versions() == {"a": 1, "b": 2}
    assert "context a stays at schema version 1" in caplog.text
    await newer.close()
