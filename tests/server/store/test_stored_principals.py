"""Principals in the store: who has which name, what becomes of grants, what an older store is brought to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spectronctl.ground.ulids import new_ulid
from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import GoneError, TakenError
from spectronctl.server.database.schema import Migrations, load_migrations
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.principals import (
    ADMIN,
    EVERYTHING,
    SYSTEM,
    PrincipalTable,
    grant_kind,
    new_principal_id,
    parse_principal_id,
)
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow, PrincipalRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]
MakeKey = Callable[..., KeyRow]
NOW = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
HERE = "acme-prod"


@pytest.fixture
async def store(store: Database, make_context: MakeContext) -> Database:
    await Provisioning(store).create_context(make_context(), providers={})
    return store


def make_principal(name: str = "alice", external_id: str | None = None) -> PrincipalRow:
    return PrincipalRow(
        id=new_principal_id(),
        context_id=HERE,
        kind="human",
        display_name=name,
        external_id=external_id,
        grants={"memory:read": ["org/acme/*"]},
        created_at=NOW,
    )


async def list_all(store: Database, context_id: str = HERE) -> dict[str, PrincipalRow]:
    rows = await PrincipalTable(store).list_principals(context_id, after="", limit=500)
    return {row.display_name: row for row in rows}


async def find_owner(store: Database, key: KeyRow) -> PrincipalRow:
    made = await KeyTable(store).create_key(key)
    holder = await KeyTable(store).get_holder(HERE, key.id)
    assert holder is not None
    assert holder.key == made
    assert holder.principal.id == made.principal_id
    return holder.principal


@pytest.mark.parametrize(
    ("named", "name"), [(None, "admin"), ("Ada", "Ada"), ("system", "system (2)")]
)
async def test_a_context_has_its_two_principals(
    store: Database, make_context: MakeContext, named: str | None, name: str
) -> None:
    context = make_context("other", admin_display_name=named, admin_external_id="u-1")
    await Provisioning(store).create_context(context, providers={})
    found = await list_all(store, "other")
    assert {each.id: each.display_name for each in found.values()} == {ADMIN: name, SYSTEM: SYSTEM}
    assert found[name].external_id == "u-1"
    assert all(each.grants == EVERYTHING for each in found.values())
    assert await PrincipalTable(store).find_external("other", "u-1") == found[name]
    assert await PrincipalTable(store).find_external(HERE, "u-1") is None


@pytest.mark.parametrize("kind", ["agent", "supervisor"])
async def test_a_flat_key_gets_a_principal_named_like_it(
    store: Database, make_key: MakeKey, kind: str
) -> None:
    owner = await find_owner(store, make_key(principal=kind, scope_floor="org"))
    assert (owner.display_name, owner.of_key) == ("cak_1", True)
    assert owner.grants == grant_kind(kind)


async def test_a_name_that_another_principal_has_is_numbered(
    store: Database, make_key: MakeKey
) -> None:
    await PrincipalTable(store).create_principal(make_principal("app"))
    assert (await find_owner(store, make_key("cak_1", name="app"))).display_name == "app (2)"
    assert (await find_owner(store, make_key("cak_2", name=SYSTEM))).display_name == "system (2)"
    assert (await find_owner(store, make_key("cak_3", name="app (2)"))).display_name == (
        "app (2) (2)"
    )


async def test_the_next_key_of_a_name_has_its_principal_with_the_rights_of_its_own_kind(
    store: Database, make_key: MakeKey
) -> None:
    first = await find_owner(store, make_key("cak_1", name="app"))
    table = PrincipalTable(store)
    await table.change_principal(HERE, first.id, lambda row: replace(row, grants=EVERYTHING))
    before = datetime.now(UTC)
    await KeyTable(store).create_key(make_key("cak_2", name="spare", principal_id=first.id))
    await KeyTable(store).delete_key(HERE, "cak_1")
    # While it has another key it is in use, whatever that key is called.
    second = await find_owner(store, make_key("cak_3", name="app"))
    assert second.display_name == "app (2)"
    await KeyTable(store).delete_key(HERE, "cak_2")
    await KeyTable(store).delete_key(HERE, "cak_3")
    third = await find_owner(store, make_key("cak_4", name="app", principal="supervisor"))
    assert (third.id, third.grants) == (first.id, grant_kind("supervisor"))
    assert (third.kind, third.revision) == ("service", 3)
    assert await table.load_grants(HERE, first.id, before) == EVERYTHING
    assert await table.load_grants(HERE, first.id, datetime.now(UTC)) == third.grants


async def test_keys_of_one_principal_are_several(store: Database, make_key: MakeKey) -> None:
    owner = make_principal()
    await PrincipalTable(store).create_principal(owner)
    for name in ("cak_1", "cak_2"):
        assert await find_owner(store, make_key(name, principal_id=owner.id)) == owner
    with pytest.raises(GoneError, match=r"^principal_id: no principal"):
        await KeyTable(store).create_key(make_key("cak_3", principal_id=new_principal_id()))
    assert await PrincipalTable(store).delete_principal(HERE, owner.id)
    assert await KeyTable(store).list_keys(HERE, after=None, limit=5) == []
    assert await PrincipalTable(store).load_grants(HERE, owner.id, datetime.now(UTC)) == {}
    assert not await PrincipalTable(store).delete_principal(HERE, owner.id)


async def test_many_keys_at_once_get_principals_of_different_names(
    store: Database, make_key: MakeKey
) -> None:
    await PrincipalTable(store).create_principal(make_principal("app"))
    names = ["app", *(f"app ({number})" for number in range(2, 8))]
    await asyncio.gather(
        *(
            KeyTable(store).create_key(make_key(f"cak_{at}", name=name))
            for at, name in enumerate(names)
        )
    )
    assert len(await list_all(store)) == 2 + 1 + len(names)


async def test_names_and_external_ids_are_unique_in_a_context(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context("other"), providers={})
    table = PrincipalTable(store)
    await table.create_principal(make_principal("alice", "u-1"))
    with pytest.raises(TakenError, match=r"^display_name: "):
        await table.create_principal(make_principal("alice"))
    with pytest.raises(TakenError, match=r"^external_id: "):
        await table.create_principal(make_principal("bo", "u-1"))
    bo = make_principal("bo")
    await table.create_principal(bo)
    with pytest.raises(TakenError, match=r"^display_name: "):
        await table.change_principal(HERE, bo.id, lambda row: replace(row, display_name="alice"))
    await table.create_principal(replace(make_principal("alice", "u-1"), context_id="other"))
    with pytest.raises(GoneError):
        await table.create_principal(replace(make_principal(), context_id="gone"))


async def test_fifty_changes_at_once_are_all_kept(store: Database) -> None:
    owner = make_principal()
    table = PrincipalTable(store)
    await table.create_principal(owner)

    def add(number: int) -> Callable[[PrincipalRow], PrincipalRow]:
        def change(row: PrincipalRow) -> PrincipalRow:
            held = [*row.grants["memory:read"], f"team/{number}"]
            return replace(row, grants={"memory:read": held})

        return change

    await asyncio.gather(*(table.change_principal(HERE, owner.id, add(at)) for at in range(50)))
    found = await table.get_principal(HERE, owner.id)
    assert found is not None
    assert len(found.grants["memory:read"]) == found.revision == 51


async def test_what_was_granted_at_a_time_can_be_told(store: Database) -> None:
    owner = make_principal()
    table = PrincipalTable(store)
    before = datetime.now(UTC)
    await table.create_principal(owner)
    moments = []

    def give(number: int) -> Callable[[PrincipalRow], PrincipalRow]:
        return lambda row: replace(row, grants={"memory:write": [f"team/{number}"]})

    for number in range(3):
        moments.append(datetime.now(UTC))
        await table.change_principal(HERE, owner.id, give(number))
    assert await table.load_grants(HERE, owner.id, before) == {}
    assert await table.load_grants(HERE, owner.id, moments[0]) == owner.grants
    for number in (0, 1):
        wanted = {"memory:write": [f"team/{number}"]}
        assert await table.load_grants(HERE, owner.id, moments[number + 1]) == wanted
    later = datetime.now(UTC) + timedelta(days=1)
    assert await table.load_grants(HERE, owner.id, later) == {"memory:write": ["team/2"]}


async def test_a_context_takes_its_principals_with_it(
    store: Database, make_context: MakeContext, make_key: MakeKey
) -> None:
    await KeyTable(store).create_key(make_key())
    await Provisioning(store).delete_context(HERE)
    for name in ("principal", "principal_version", "context_key"):
        assert await store.select(f"SELECT * FROM {name};") == []
    await Provisioning(store).create_context(make_context(), providers={})
    assert set(await list_all(store)) == {ADMIN, SYSTEM}


async def test_keys_from_before_get_principals_with_the_rights_they_had(
    file_url: str, make_context: MakeContext
) -> None:
    shipped = load_migrations()
    at = [migration.name for migration in shipped.metadata].index("principals")
    older = await open_store(
        file_url, migrations=Migrations(shipped.metadata[:at], shipped.context)
    )
    await older.query(
        "CREATE context:[$id] CONTENT { context_id: $id, namespace: 'n', database: 'd', config: {}, state: 'active',"
        "provider_secrets: {}, enforcement_blocked: false, schema_version: 0, created_at: $now,"
        "admin_display_name: 'Ada', admin_external_id: 'u-1' } RETURN NONE;",
        {"id": HERE, "now": NOW},
    )
    kinds = {"app": "agent", "Ada": "supervisor", "Ada (2)": "agent", "system": "agent"}
    for name, kind in kinds.items():
        await older.query(
            "CREATE context_key:[$id, $key] CONTENT { context_id: $id, key_id: $key, name: $name, principal: $kind,"
            "scope_floor: NULL, digest: <bytes> 'x', created_at: $now } RETURN NONE;",
            {"id": HERE, "key": f"cak_{new_ulid()}", "name": name, "kind": kind, "now": NOW},
        )
    await older.close()
    newer = await open_store(file_url)
    found = await list_all(newer)
    assert set(found) == {"Ada", "system", "app", "Ada (2)", "Ada (2) (2)", "system (2)"}
    assert (found["Ada"].id, found["Ada"].external_id) == (ADMIN, "u-1")
    owners = {}
    for key in await KeyTable(newer).list_keys(HERE, after=None, limit=9):
        holder = await KeyTable(newer).get_holder(HERE, key.id)
        assert holder is not None
        owners[key.name] = holder.principal
        assert parse_principal_id(holder.principal.id) == holder.principal.id
        assert holder.principal.grants == grant_kind(kinds[key.name])
        assert (
            await PrincipalTable(newer).load_grants(HERE, holder.principal.id, NOW)
            == holder.principal.grants
        )
    assert {name: each.display_name for name, each in owners.items()} == {
        "app": "app",
        "Ada": "Ada (2)",
        "Ada (2)": "Ada (2) (2)",
        "system": "system (2)",
    }
    assert await PrincipalTable(newer).load_grants(HERE, ADMIN, NOW) == EVERYTHING
    await newer.close()


async def test_an_id_is_read_with_and_without_its_prefix() -> None:
    ulid = new_ulid()
    for text in (ulid, f"principal:{ulid}"):
        assert parse_principal_id(text) == f"principal:{ulid}"
    for text in ("admin", "principal:admin"):
        assert parse_principal_id(text) == ADMIN
    for text in ("", "principal:", "Admin", f"principal:principal:{ulid}", f"{ulid}\n", ulid[1:]):
        assert parse_principal_id(text) is None
