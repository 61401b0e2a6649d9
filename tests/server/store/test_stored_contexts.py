"""Contexts in the store: created, read, changed, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from spectronctl.server.database.database import Binding, Database
from spectronctl.server.database.errors import (
    ReservedError,
    TakenError,
    UnavailableError,
    UnstorableError,
)
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import KeyTable
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]
MakeKey = Callable[..., KeyRow]
SECRET = "sk-sentinel-provider-secret"


async def update(
    store: Database,
    context_id: str = "acme-prod",
    config: dict[str, Any] | None = None,
    providers: dict[str, str | None] | None = None,
    settings: dict[str, Any] | None = None,
) -> ContextRow | None:
    return await ContextTable(store).update_context(
        context_id,
        config=config or {},
        providers=providers or {},
        settings=settings or {},
    )


async def list_databases(store: Database, namespace: str) -> list[str]:
    (info,) = await store.query("INFO FOR NS STRUCTURE;", at=Binding(namespace, None))
    return [each["name"] for each in info["databases"]]


async def test_a_created_context_reads_back_as_it_was_given(
    store: Database, make_context: MakeContext
) -> None:
    config = {"token_limit": 10**9, "models": {"extraction": "openai/x"}, "odd.name": [1.5, None]}
    given = make_context(
        config=config, admin_external_id="u1", admin_display_name="Ann", enforcement_blocked=True
    )
    created = await Provisioning(store).create_context(given, providers={"openai": SECRET})
    assert created == replace(
        given, providers=("openai",), schema_version=Provisioning(store).schema_version
    )
    assert await ContextTable(store).get_context("acme-prod") == created
    assert await ContextTable(store).list_contexts(after=None, limit=10) == [created]
    assert await ContextTable(store).list_schema_versions() == {
        "acme-prod": Provisioning(store).schema_version
    }


async def test_create_makes_the_database_and_drops_nulls(
    store: Database, make_context: MakeContext
) -> None:
    created = await Provisioning(store).create_context(
        make_context(config={"a": None, "b": {"c": None, "d": 1}}), providers={}
    )
    assert created.config == {"b": {"d": 1}}
    assert await list_databases(store, "acme") == ["acme-prod"]


async def test_an_unknown_context_is_none(store: Database) -> None:
    assert await ContextTable(store).get_context("missing") is None
    assert await update(store, "missing", {"a": 1}) is None
    assert await Provisioning(store).delete_context("missing") is False


async def test_a_taken_id_is_a_conflict_that_names_it(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(config={"a": 1}), providers={})
    with pytest.raises(TakenError, match=r"^id: context 'acme-prod' already exists$"):
        await Provisioning(store).create_context(make_context(database="other"), providers={})
    kept = await ContextTable(store).get_context("acme-prod")
    assert kept is not None
    assert (kept.database, kept.config) == ("acme-prod", {"a": 1})
    assert await list_databases(store, "acme") == ["acme-prod"]


async def test_a_bound_database_is_a_conflict_that_names_its_context(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    with pytest.raises(TakenError, match=r"'acme', 'acme-prod' is bound by context 'acme-prod'"):
        await Provisioning(store).create_context(
            make_context("other", database="acme-prod"), providers={}
        )
    await Provisioning(store).create_context(
        make_context("two", namespace="two", database="acme-prod"), providers={}
    )
    assert await ContextTable(store).get_context("other") is None
    assert await list_databases(store, "acme") == ["acme-prod"]


async def test_spectrons_own_namespace_is_reserved(
    store: Database, make_context: MakeContext
) -> None:
    with pytest.raises(ReservedError, match=r"^namespace: 'spectron'"):
        await Provisioning(store).create_context(make_context(namespace="spectron"), providers={})


async def test_of_many_creates_of_one_id_exactly_one_wins(
    store: Database, make_context: MakeContext
) -> None:
    made = await asyncio.gather(
        *(
            Provisioning(store).create_context(make_context(database=f"d{n}"), providers={})
            for n in range(12)
        ),
        return_exceptions=True,
    )
    (winner,) = [each for each in made if isinstance(each, ContextRow)]
    lost = [each for each in made if isinstance(each, TakenError)]
    assert len(lost) == 11
    assert await ContextTable(store).get_context("acme-prod") == winner
    assert await list_databases(store, "acme") == [winner.database]


async def test_many_contexts_can_be_created_at_once(
    store: Database, make_context: MakeContext
) -> None:
    names = [f"c{n:02}" for n in range(20)]
    await asyncio.gather(
        *(Provisioning(store).create_context(make_context(n), providers={}) for n in names)
    )
    assert [
        row.id for row in await ContextTable(store).list_contexts(after=None, limit=50)
    ] == names
    assert sorted(await list_databases(store, "acme")) == names


HOSTILE = [
    "back`tick",
    "a`; REMOVE NAMESPACE acme; --",
    "$content",
    "⟨angle⟩",
    "quote'\"\\\\`⟩",
    "日本語 😀",
    "new\nline\ttab\x00nul",
    " ",
    "a/b:c.d[0]{}",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_any_text_is_a_namespace_and_a_database(
    name: str, store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context("bystander"), providers={})
    hostile = make_context("hostile", namespace=name, database=name, admin_display_name=name)
    created = await Provisioning(store).create_context(hostile, providers={name: name})
    assert (created.namespace, created.database, created.providers) == (name, name, (name,))
    assert created.admin_display_name == name
    assert await list_databases(store, name) == [name]
    with pytest.raises(TakenError, match="is bound by context 'hostile'"):
        await Provisioning(store).create_context(replace(hostile, id="second"), providers={})
    assert await Provisioning(store).delete_context("hostile") is True
    assert await list_databases(store, name) == []
    assert await list_databases(store, "acme") == ["bystander"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_any_text_is_a_config_name_and_value(
    name: str, store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(
        make_context(config={name: {name: name}}), providers={}
    )
    updated = await update(store, config={name: {"more": [name, {"x": None}]}})
    assert updated is not None
    assert updated.config == {name: {name: name, "more": [name, {"x": None}]}}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"a": {"b": 2**63}}, r"config\.a\.b"),
        ({"a": [float("nan")]}, r"config\.a\[0\]"),
        ({"a": "\ud800"}, r"config\.a"),
        ({"\ud800": 1}, "a name in config"),
    ],
)
async def test_what_cannot_be_stored_is_invalid_and_names_the_field(
    config: dict[str, Any], field: str, store: Database, make_context: MakeContext
) -> None:
    with pytest.raises(UnstorableError, match=field):
        await Provisioning(store).create_context(make_context(config=config), providers={})
    await Provisioning(store).create_context(make_context(), providers={})
    with pytest.raises(UnstorableError, match=field):
        await update(store, config=config)


async def test_a_config_nested_too_deep_is_invalid(
    store: Database, make_context: MakeContext
) -> None:
    config: dict[str, Any] = {}
    for _ in range(64):
        config = {"a": config}
    created = await Provisioning(store).create_context(make_context(config=config), providers={})
    assert created.config == config
    with pytest.raises(UnstorableError, match="nested deeper than 64"):
        await update(store, config={"a": config})


async def test_a_secret_that_is_no_text_is_refused_without_showing_it(
    store: Database, make_context: MakeContext
) -> None:
    with pytest.raises(UnstorableError, match=r"config\.providers: not valid Unicode") as refused:
        await Provisioning(store).create_context(
            make_context(), providers={"openai": SECRET + "\ud800"}
        )
    assert SECRET not in str(refused.value)


async def test_a_patch_merges_and_null_clears(store: Database, make_context: MakeContext) -> None:
    config = {"token_limit": 1, "models": {"response": "a/b"}, "retention_days": 9}
    await Provisioning(store).create_context(make_context(config=config), providers={})
    updated = await update(store, config={"models": {"reflection": "c/d"}, "retention_days": None})
    assert updated is not None
    assert updated.config == {
        "token_limit": 1,
        "models": {"response": "a/b", "reflection": "c/d"},
    }
    assert await ContextTable(store).get_context("acme-prod") == updated


async def test_enforcement_is_changed_only_when_asked(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    states = []
    for asked in ({"enforcement_blocked": True}, {}, {"enforcement_blocked": False}, {}):
        updated = await update(store, settings=asked)
        assert updated is not None
        states.append(updated.enforcement_blocked)
    assert states == [True, True, False, False]


async def test_provider_secrets_are_kept_and_never_read_back(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(
        make_context(), providers={"openai": SECRET, "cohere": "old"}
    )
    updated = await update(store, providers={"cohere": None, "anthropic": SECRET, "absent": None})
    assert updated is not None
    assert updated.providers == ("anthropic", "openai")
    assert SECRET not in repr(
        [updated, await ContextTable(store).list_contexts(after=None, limit=5)]
    )
    (kept,) = await store.select("SELECT VALUE provider_secrets FROM context;")
    assert kept.keys() == {"anthropic", "openai"}
    assert SECRET.encode() not in b"".join(kept.values())
    for name in kept:
        assert await ContextTable(store).find_secret("acme-prod", name) == SECRET


async def test_concurrent_patches_of_different_fields_all_take_effect(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    await asyncio.gather(
        *(update(store, config={"models": {f"s{n}": f"p/{n}"}}) for n in range(25)),
        *(update(store, providers={f"p{n:02}": SECRET}) for n in range(10)),
    )
    found = await ContextTable(store).get_context("acme-prod")
    assert found is not None
    assert found.config == {"models": {f"s{n}": f"p/{n}" for n in range(25)}}
    assert found.providers == tuple(f"p{n:02}" for n in range(10))


async def test_delete_drops_the_database_and_the_keys_but_not_the_namespace(
    store: Database, make_context: MakeContext, make_key: MakeKey
) -> None:
    for context_id in ("acme-prod", "acme-test"):
        await Provisioning(store).create_context(make_context(context_id), providers={})
        await KeyTable(store).create_key(make_key(context_id=context_id))
    at = Binding("acme", "acme-prod")
    await store.query("CREATE thing:1 SET a = 1;", at=at)
    assert await Provisioning(store).delete_context("acme-prod") is True
    assert await ContextTable(store).get_context("acme-prod") is None
    assert await KeyTable(store).list_keys("acme-prod", after=None, limit=5) == []
    assert len(await KeyTable(store).list_keys("acme-test", after=None, limit=5)) == 1
    assert await list_databases(store, "acme") == ["acme-test"]
    (root,) = await store.query("INFO FOR ROOT STRUCTURE;")
    assert "acme" in [each["name"] for each in root["namespaces"]]


async def test_delete_drops_a_database_that_was_there_before(
    store: Database, make_context: MakeContext
) -> None:
    at = Binding("acme", "acme-prod")
    await store.query("CREATE thing:1 SET a = 1;", at=at)
    await Provisioning(store).create_context(make_context(), providers={})
    (rows,) = await store.query("SELECT VALUE a FROM thing;", at=at)
    assert rows == [1]
    await Provisioning(store).delete_context("acme-prod")
    assert await list_databases(store, "acme") == []


async def test_no_key_is_left_over_for_a_new_context(
    store: Database, make_context: MakeContext, make_key: MakeKey
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    await KeyTable(store).create_key(make_key())
    await store.query("DELETE context;")
    await Provisioning(store).create_context(make_context(), providers={})
    assert await KeyTable(store).get_key("acme-prod", "cak_1") is None


async def test_a_context_created_again_starts_empty(
    store: Database, make_context: MakeContext, make_key: MakeKey
) -> None:
    await Provisioning(store).create_context(
        make_context(config={"a": 1}), providers={"openai": SECRET}
    )
    await KeyTable(store).create_key(make_key())
    at = Binding("acme", "acme-prod")
    await store.query("DEFINE TABLE thing; CREATE thing:1;", at=at)
    await Provisioning(store).delete_context("acme-prod")
    again = await Provisioning(store).create_context(make_context(), providers={})
    assert (again.config, again.providers) == ({}, ())
    assert await KeyTable(store).get_key("acme-prod", "cak_1") is None
    (info,) = await store.query("INFO FOR DB STRUCTURE;", at=at)
    assert "thing" not in [table["name"] for table in info["tables"]]


async def test_of_many_deletes_at_once_none_fails_but_to_try_again(
    store: Database, make_context: MakeContext
) -> None:
    await Provisioning(store).create_context(make_context(), providers={})
    done = await asyncio.gather(
        *(Provisioning(store).delete_context("acme-prod") for _ in range(8)), return_exceptions=True
    )
    assert done.count(True) == 1
    assert all(each in (True, False) or (isinstance(each, UnavailableError)) for each in done)
    assert await Provisioning(store).delete_context("acme-prod") is False
    assert await list_databases(store, "acme") == []


async def test_pages_follow_the_ids_while_rows_come_and_go(
    store: Database, make_context: MakeContext
) -> None:
    for n in range(6):
        await Provisioning(store).create_context(make_context(f"c{n}"), providers={})
    first = await ContextTable(store).list_contexts(after=None, limit=2)
    await Provisioning(store).delete_context("c1")
    await Provisioning(store).delete_context("c4")
    await Provisioning(store).create_context(make_context("c2-new"), providers={})
    await Provisioning(store).create_context(make_context("a-new"), providers={})
    rest = await ContextTable(store).list_contexts(after=first[-1].id, limit=10)
    assert [row.id for row in (*first, *rest)] == ["c0", "c1", "c2", "c2-new", "c3", "c5"]
