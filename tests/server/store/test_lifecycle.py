"""What becomes of a context whose creation or deletion stops half-way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import DatabaseError, TakenError, UnavailableError
from spectronctl.server.database.migrations import MigrationError
from spectronctl.server.database.schema import Migration, Migrations, load_migrations
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]
MakeKey = Callable[..., KeyRow]

SHIPPED = load_migrations()
FAILING = replace(
    SHIPPED, context=(*SHIPPED.context[:1], Migration(2, "broken", "THROW 'broken';"))
)
ACME_PROD = Binding("acme", "acme-prod")


def with_migrations(store: Database, migrations: Migrations) -> Database:
    """The same store, opened by a spectronctl with other migrations."""
    return Database(store._connection, exclusive=store.exclusive, migrations=migrations)


@pytest.fixture
async def failing(store: Database) -> Provisioning:
    """Where every creation fails half-way: the second migration does."""
    return Provisioning(with_migrations(store, FAILING))


async def list_databases(store: Database) -> list[str]:
    (info,) = await store.query("INFO FOR NS STRUCTURE;", at=Binding("acme", None))
    return [each["name"] for each in info["databases"]]


async def list_states(store: Database) -> dict[str, str]:
    rows = await store.select("SELECT context_id, state FROM context;")
    return {row["context_id"]: row["state"] for row in rows}


async def test_a_failed_create_undoes_what_it_made(
    failing: Provisioning, store: Database, make_context: MakeContext
) -> None:
    with pytest.raises(MigrationError, match=r"migration 2 \(broken\) of namespace 'acme'"):
        await failing.create_context(make_context(), providers={})
    assert await list_states(store) == {}
    assert await list_databases(store) == []
    await Provisioning(store).create_context(make_context(), providers={})


async def test_a_failed_create_keeps_a_database_that_was_there(
    failing: Provisioning, store: Database, make_context: MakeContext
) -> None:
    await store.query("CREATE precious:1 SET kept = true;", at=ACME_PROD)
    with pytest.raises(TakenError, match="exists and does not fit"):
        await failing.create_context(make_context(), providers={})
    assert await list_states(store) == {}
    (rows,) = await store.query("SELECT VALUE kept FROM precious;", at=ACME_PROD)
    assert rows == [True]


async def test_a_failed_create_leaves_other_contexts_alone(
    failing: Provisioning, store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context("neighbour"), providers={})
    with pytest.raises(TakenError, match="bound by context 'neighbour'"):
        await failing.create_context(make_context(database="neighbour"), providers={})
    with pytest.raises(TakenError, match="'neighbour' already exists"):
        await failing.create_context(make_context("neighbour", database="x"), providers={})
    assert await list_states(store) == {"neighbour": "active"}
    assert await list_databases(store) == ["neighbour"]


async def test_a_database_with_a_foreign_migration_table_is_refused_untouched(
    store: Database, make_context: MakeContext
) -> None:
    await store.query("CREATE migration:1 SET done = 'mine';", at=ACME_PROD)
    with pytest.raises(TakenError, match="`migration` that is not Spectron's"):
        await Provisioning(store).create_context(make_context(), providers={})
    (rows,) = await store.query("SELECT VALUE done FROM migration;", at=ACME_PROD)
    assert rows == ["mine"]


async def test_a_cancelled_create_is_undone(store: Database, make_context: MakeContext) -> None:
    steps = tuple(Migration(step, "slow", "SLEEP 10ms;") for step in range(1, 100))
    slow = replace(SHIPPED, context=steps)
    creating = asyncio.create_task(
        Provisioning(with_migrations(store, slow)).create_context(make_context(), providers={})
    )
    while await list_states(store) != {"acme-prod": "creating"}:
        await asyncio.sleep(0.01)
    assert await ContextTable(store).get_context("acme-prod") is None
    assert await ContextTable(store).list_contexts(after=None, limit=5) == []
    while not creating.done():  # impatiently: the undoing goes on all the same
        creating.cancel()
        await asyncio.sleep(0)
    assert creating.cancelled()
    async with asyncio.timeout(5):
        while await list_states(store) != {}:
            await asyncio.sleep(0.01)
    assert await list_databases(store) == []


class Breaking(Database):
    """A connection that breaks at the statement that holds `word`."""

    word = "REMOVE DATABASE"

    def __init__(self, inner: Database) -> None:
        super().__init__(inner._connection, exclusive=inner.exclusive)

    async def query(self, text: str, *args: Any, **options: Any) -> list[Any]:
        if self.word and self.word in text:
            raise ConnectionError("broke")
        return await super().query(text, *args, **options)


@pytest.mark.parametrize("word", ["RETURN count(", "REMOVE DATABASE", "DELETE context:"])
async def test_a_delete_that_broke_off_is_out_of_sight_and_can_be_done_again(
    word: str, store: Database, make_context: MakeContext, make_key: MakeKey
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    await KeyTable(store).create_key(make_key())
    database = Breaking(store)
    database.word = word
    with pytest.raises(ConnectionError):
        await Provisioning(database).delete_context("acme-prod")
    assert await ContextTable(store).get_context("acme-prod") is None
    assert await list_states(store) == {"acme-prod": "deleting"}
    assert await Provisioning(store).delete_context("acme-prod") is True
    assert await list_states(store) == {}
    assert await list_databases(store) == []
    assert await KeyTable(store).get_key("acme-prod", "cak_1") is None


async def test_a_create_over_an_abandoned_delete_finishes_it_first(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    await store.query("DEFINE TABLE old;", at=ACME_PROD)
    with pytest.raises(ConnectionError):
        await Provisioning(Breaking(store)).delete_context("acme-prod")
    await Provisioning(store).create_context(make_context(), providers={})
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=ACME_PROD)
    assert "old" not in [table["name"] for table in info["tables"]]


@pytest.fixture
async def two_servers(anyio_backend: str) -> AsyncIterator[tuple[Database, Database]]:
    """Two servers on one database that is not exclusive to either."""
    first = await open_store("mem://")
    first.exclusive = False
    second = Database(first._connection, exclusive=False)
    yield first, second
    await first.close()


async def leave_half_made(store: Database, row: ContextRow, *, age: str) -> None:
    """What a server leaves that is killed after the database was made, `age` ago."""
    database = Breaking(store)
    database.word = "UPDATE context:[$context_id] SET state"  # neither activates nor undoes
    with pytest.raises(ConnectionError):
        await Provisioning(database).create_context(row, providers={})
    await store.query(f"UPDATE context SET state_since = time::now() - {age};")
    assert await list_states(store) == {row.id: "creating"}


async def test_a_young_claim_of_another_server_is_left_alone(
    two_servers: tuple[Database, Database], make_context: MakeContext
) -> None:
    first, second = two_servers
    await leave_half_made(first, make_context(), age="50s")
    await Provisioning(second).prepare()
    with pytest.raises(TakenError, match=r"'acme-prod' already exists \(being created\)"):
        await Provisioning(second).create_context(make_context(), providers={})
    with pytest.raises(TakenError, match=r"bound by context 'acme-prod' \(being created\)"):
        await Provisioning(second).create_context(
            make_context("other", database="acme-prod"), providers={}
        )
    assert await Provisioning(second).delete_context("acme-prod") is False
    assert await list_states(second) == {"acme-prod": "creating"}


@pytest.mark.parametrize("context_id", ["acme-prod", "other"])
async def test_a_create_takes_over_what_a_dead_server_claimed(
    context_id: str, two_servers: tuple[Database, Database], make_context: MakeContext
) -> None:
    first, second = two_servers
    await leave_half_made(first, make_context(), age="61s")
    await first.query("DEFINE TABLE old;", at=ACME_PROD)
    created = await Provisioning(second).create_context(
        make_context(context_id, database="acme-prod"), providers={}
    )
    assert await list_states(second) == {context_id: "active"}
    assert await ContextTable(second).get_context(context_id) == created
    (info,) = await second.query("INFO FOR DB STRUCTURE;", at=ACME_PROD)
    assert "old" not in [table["name"] for table in info["tables"]]


async def test_an_old_claim_is_rolled_back_when_another_server_starts(
    two_servers: tuple[Database, Database], make_context: MakeContext
) -> None:
    first, second = two_servers
    await leave_half_made(first, make_context(), age="61s")
    await Provisioning(second).prepare()
    assert await list_states(second) == {}
    assert await list_databases(second) == []


async def test_a_slow_create_that_was_taken_over_drops_nothing(
    two_servers: tuple[Database, Database], make_context: MakeContext
) -> None:
    first, second = two_servers
    first_slow = replace(SHIPPED.context[0], text="SLEEP 400ms;")
    slow = replace(SHIPPED, context=(first_slow, *SHIPPED.context[1:]))
    creating = asyncio.create_task(
        Provisioning(with_migrations(first, slow)).create_context(make_context(), providers={})
    )
    while await list_databases(second) != ["acme-prod"]:
        await asyncio.sleep(0.01)
    await second.query("UPDATE context SET state_since = time::now() - 2m;")
    taken = await Provisioning(second).create_context(
        make_context(config={"by": "second"}), providers={}
    )
    with pytest.raises((DatabaseError, MigrationError)):
        await creating
    assert await ContextTable(second).get_context("acme-prod") == taken
    assert await list_databases(second) == ["acme-prod"]


async def test_a_create_that_fails_after_it_was_taken_over_undoes_nothing(
    two_servers: tuple[Database, Database], make_context: MakeContext
) -> None:
    first, second = two_servers
    slow = replace(SHIPPED, context=(Migration(1, "slow", "SLEEP 300ms; THROW 'late';"),))
    creating = asyncio.create_task(
        Provisioning(with_migrations(first, slow)).create_context(make_context(), providers={})
    )
    while await list_databases(second) != ["acme-prod"]:
        await asyncio.sleep(0.01)
    await second.query("UPDATE context SET claim = 'of another';")
    with pytest.raises(MigrationError, match="late"):
        await creating
    assert await list_states(second) == {"acme-prod": "creating"}
    assert await list_databases(second) == ["acme-prod"]


CRASHING = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from spectronctl.server.database.schema import Migration, load_migrations
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow

async def work() -> None:
    slow = Migration(2, "slow", "SLEEP 60s;")
    shipped = load_migrations()
    store = await open_store(sys.argv[1], migrations=replace(shipped, context=(*shipped.context, slow)))
    row = ContextRow(id="acme-prod", namespace="acme", database="acme-prod", created_at=datetime.now(UTC))
    asyncio.get_running_loop().create_task(Provisioning(store).create_context(row, providers={}))
    while True:
        done = await store.select("SELECT owns_database FROM context WHERE state = 'creating';")
        if done and (done[0]["owns_database"] or sys.argv[2] == "existed"):
            break
    await asyncio.sleep(0.3)
    print("half-way", flush=True)
    await asyncio.sleep(60)

asyncio.run(work())
"""


def kill_half_way(url: str, case: str) -> None:
    command = [sys.executable, "-c", CRASHING, url, case]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


async def test_a_create_killed_half_way_is_rolled_back_at_the_next_open(
    file_url: str, make_context: MakeContext
) -> None:
    kill_half_way(file_url, "new")
    store = await open_store(file_url)
    assert await list_states(store) == {}
    assert await list_databases(store) == []
    await Provisioning(store).create_context(make_context(), providers={})
    await store.close()


async def test_a_killed_create_does_not_take_a_database_with_it_that_was_there(
    file_url: str, tmp_path: Path
) -> None:
    before = await open_store(file_url)
    await before.query("CREATE precious:1 SET kept = true;", at=ACME_PROD)
    await before.close()
    kill_half_way(file_url, "existed")
    after = await open_store(file_url)
    assert await list_states(after) == {}
    (rows,) = await after.query("SELECT VALUE kept FROM precious;", at=ACME_PROD)
    assert rows == [True]
    await after.close()


async def test_an_interrupted_delete_is_finished_at_the_next_open(
    file_url: str, make_context: MakeContext, make_key: MakeKey
) -> None:
    before = await open_store(file_url)
    await Provisioning(before).create_context(make_context(), providers={})
    await KeyTable(before).create_key(make_key())
    await before.query("UPDATE context SET state = 'deleting', claim = 'of the dead';")
    with pytest.raises(UnavailableError, match="is being deleted"):
        await Provisioning(before).delete_context("acme-prod")
    await before.close()
    after = await open_store(file_url)
    assert await list_states(after) == {}
    assert await list_databases(after) == []
    assert await KeyTable(after).get_key("acme-prod", "cak_1") is None
    await after.close()
