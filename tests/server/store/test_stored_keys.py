"""Keys in the store: of contexts, of the control plane, and the key that hashes them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spectronctl.server.database.database import Database
from spectronctl.server.database.errors import GoneError, TakenError
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.keys import _LIST, KeyTable, ManagementKeyTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.provisioning import Provisioning
from spectronctl.server.registry.rows import ContextRow, KeyRow, ManagementKeyRow

pytestmark = pytest.mark.anyio
MakeContext = Callable[..., ContextRow]
MakeKey = Callable[..., KeyRow]
NOW = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
async def store(store: Database, make_context: MakeContext) -> Database:
    """With two contexts in it."""
    for context_id in ("acme-prod", "acme-test"):
        await Provisioning(store).create_context(make_context(context_id), providers={})
    return store


async def test_a_key_reads_back_as_it_was_given(store: Database, make_key: MakeKey) -> None:
    scope_floor = {"org": "acme", "teams": ["a", None], "none": None}
    given = make_key(scope_floor=scope_floor, expires_at=NOW, principal="supervisor")
    made = await KeyTable(store).create_key(given)
    assert made == replace(given, principal_id=made.principal_id)
    assert await KeyTable(store).get_key("acme-prod", "cak_1") == made
    assert await KeyTable(store).list_keys("acme-prod", after=None, limit=5) == [made]


async def test_a_key_belongs_to_one_context(store: Database, make_key: MakeKey) -> None:
    made = await KeyTable(store).create_key(make_key())
    assert await KeyTable(store).get_key("acme-test", "cak_1") is None
    assert await KeyTable(store).list_keys("acme-test", after=None, limit=5) == []
    assert await KeyTable(store).rotate_key("acme-test", "cak_1", b"x") is None
    assert await KeyTable(store).delete_key("acme-test", "cak_1") is False
    await KeyTable(store).touch_key("acme-test", "cak_1")
    assert await KeyTable(store).get_key("acme-prod", "cak_1") == made


async def test_a_taken_name_is_a_conflict_that_names_the_key(
    store: Database, make_key: MakeKey
) -> None:
    await KeyTable(store).create_key(make_key(name="app"))
    with pytest.raises(TakenError, match=r"^name: key 'cak_1' .* 'app'$"):
        await KeyTable(store).create_key(make_key("cak_2", name="app"))
    await KeyTable(store).create_key(make_key("cak_2", name="app", context_id="acme-test"))
    await KeyTable(store).delete_key("acme-prod", "cak_1")
    await KeyTable(store).create_key(make_key("cak_3", name="app"))


async def test_of_many_keys_with_one_name_exactly_one_is_made(
    store: Database, make_key: MakeKey
) -> None:
    made = await asyncio.gather(
        *(KeyTable(store).create_key(make_key(f"cak_{n}", name="app")) for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, KeyRow) for each in made) == 1
    assert sum(isinstance(each, TakenError) for each in made) == 9
    assert len(await KeyTable(store).list_keys("acme-prod", after=None, limit=50)) == 1


async def test_a_taken_key_id_is_a_conflict(store: Database, make_key: MakeKey) -> None:
    await KeyTable(store).create_key(make_key())
    with pytest.raises(TakenError, match=r"^id: key 'cak_1' already exists$"):
        await KeyTable(store).create_key(make_key(name="other"))


async def test_no_key_without_its_context(store: Database, make_key: MakeKey) -> None:
    with pytest.raises(GoneError, match="no context 'gone'"):
        await KeyTable(store).create_key(make_key(context_id="gone"))
    assert await KeyTable(store).get_key("gone", "cak_1") is None


async def test_rotation_replaces_the_digest_and_nothing_else(
    store: Database, make_key: MakeKey
) -> None:
    made = await KeyTable(store).create_key(make_key(expires_at=NOW))
    rotated = await KeyTable(store).rotate_key("acme-prod", "cak_1", b"new")
    assert rotated == replace(made, digest=b"new")
    assert await KeyTable(store).get_key("acme-prod", "cak_1") == rotated


async def test_concurrent_rotations_all_answer_and_one_stays(
    store: Database, make_key: MakeKey
) -> None:
    await KeyTable(store).create_key(make_key())
    digests = [bytes([n]) * 32 for n in range(16)]
    rotated = await asyncio.gather(
        *(KeyTable(store).rotate_key("acme-prod", "cak_1", digest) for digest in digests)
    )
    assert [row.digest for row in rotated if row is not None] == digests
    kept = await KeyTable(store).get_key("acme-prod", "cak_1")
    assert kept is not None
    assert kept.digest in digests


async def test_a_deleted_key_is_gone_at_once(store: Database, make_key: MakeKey) -> None:
    await KeyTable(store).create_key(make_key())
    assert await KeyTable(store).delete_key("acme-prod", "cak_1") is True
    assert await KeyTable(store).get_key("acme-prod", "cak_1") is None
    assert await KeyTable(store).delete_key("acme-prod", "cak_1") is False
    await KeyTable(store).touch_key("acme-prod", "cak_1")
    assert await KeyTable(store).list_keys("acme-prod", after=None, limit=5) == []


async def test_use_is_noted_at_most_once_a_minute(store: Database, make_key: MakeKey) -> None:
    async def touch(last_used_at: datetime | None) -> datetime | None:
        await store.query("UPDATE context_key SET last_used_at = $at;", {"at": last_used_at})
        await KeyTable(store).touch_key("acme-prod", "cak_1")
        found = await KeyTable(store).get_key("acme-prod", "cak_1")
        assert found is not None
        return found.last_used_at

    await KeyTable(store).create_key(make_key())
    now = datetime.now(UTC)
    first = await touch(None)
    assert first is not None
    assert abs(first - now) < timedelta(seconds=10)
    recent, old = now - timedelta(seconds=40), now - timedelta(seconds=61)
    assert await touch(recent) == recent
    again = await touch(old)
    assert again is not None
    assert again > now - timedelta(seconds=1)


async def test_many_uses_at_once_are_one_note(store: Database, make_key: MakeKey) -> None:
    await KeyTable(store).create_key(make_key())
    await asyncio.gather(*(KeyTable(store).touch_key("acme-prod", "cak_1") for _ in range(20)))
    noted = await KeyTable(store).get_key("acme-prod", "cak_1")
    await asyncio.gather(*(KeyTable(store).touch_key("acme-prod", "cak_1") for _ in range(20)))
    assert noted is not None
    assert noted.last_used_at is not None
    assert await KeyTable(store).get_key("acme-prod", "cak_1") == noted


async def test_pages_follow_the_ids_while_keys_come_and_go(
    store: Database, make_key: MakeKey
) -> None:
    for n in range(20):
        await KeyTable(store).create_key(make_key(f"cak_{n:02}"))
        await KeyTable(store).create_key(make_key(f"cak_{n:02}", context_id="acme-test"))
    seen: list[str] = []
    while page := await KeyTable(store).list_keys(
        "acme-prod", after=seen[-1] if seen else None, limit=3
    ):
        seen += [row.id for row in page]
        await KeyTable(store).delete_key("acme-prod", page[-1].id)  # the cursor itself
        await KeyTable(store).delete_key("acme-prod", "cak_16")
        if len(seen) == 6:
            await KeyTable(store).create_key(make_key("cak_04-new"))
            await KeyTable(store).create_key(make_key("cak_11-new"))
    expected = sorted({f"cak_{n:02}" for n in range(20)} - {"cak_16"} | {"cak_11-new"})
    assert seen == expected


async def test_a_page_is_read_from_the_index_and_stops_at_its_limit(store: Database) -> None:
    # The engine materializes a range of record ids before LIMIT: page 1 of 100,000 would cost them all.
    page = {"context_id": "acme-prod", "after": "cak_1", "limit": 50}
    text = _LIST.replace(";", " EXPLAIN;")
    (plan,) = await store.query(text, page)
    (scan,) = plan["children"]
    assert scan["operator"] == "IndexScan"
    assert scan["attributes"]["limit"] == "$limit"


async def test_management_keys_are_kept_apart(store: Database) -> None:
    rows = [
        ManagementKeyRow(id=f"mk_{n}", name=f"ops {n}", digest=bytes([n]), created_at=NOW)
        for n in (2, 1)
    ]
    for row in rows:
        await ManagementKeyTable(store).create_management_key(row)
    assert await ManagementKeyTable(store).list_management_keys() == [rows[1], rows[0]]
    assert await ManagementKeyTable(store).get_management_key("mk_2") == rows[0]
    assert await ManagementKeyTable(store).get_management_key("mk_3") is None
    with pytest.raises(TakenError, match="'ops 1' already exists"):
        await ManagementKeyTable(store).create_management_key(rows[1])
    assert await ManagementKeyTable(store).delete_management_key("mk_2") is True
    assert await ManagementKeyTable(store).delete_management_key("mk_2") is False
    assert await ManagementKeyTable(store).list_management_keys() == [rows[1]]


async def test_use_of_a_management_key_is_noted_once(store: Database) -> None:
    row = ManagementKeyRow(id="mk_1", name="ops", digest=b"d", created_at=NOW)
    await ManagementKeyTable(store).create_management_key(row)
    await ManagementKeyTable(store).touch_management_key("mk_1")
    noted = await ManagementKeyTable(store).get_management_key("mk_1")
    await ManagementKeyTable(store).touch_management_key("mk_1")
    assert noted is not None
    assert noted.last_used_at is not None
    assert noted == replace(row, last_used_at=noted.last_used_at)
    assert await ManagementKeyTable(store).get_management_key("mk_1") == noted


async def test_the_hash_key_is_made_once(store: Database) -> None:
    keys = await asyncio.gather(*(ManagementKeyTable(store).load_hash_key() for _ in range(8)))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


async def test_the_hash_key_and_the_keys_survive_a_restart(
    file_url: str, make_context: MakeContext, make_key: MakeKey
) -> None:
    first = await open_store(file_url)
    hash_key = await ManagementKeyTable(first).load_hash_key()
    context = await Provisioning(first).create_context(make_context(), providers={})
    made = await KeyTable(first).create_key(make_key())
    await first.close()
    second = await open_store(file_url)
    assert await ManagementKeyTable(second).load_hash_key() == hash_key
    assert await ContextTable(second).get_context("acme-prod") == context
    assert await KeyTable(second).get_key("acme-prod", "cak_1") == made
    await second.close()


def test_digests_stay_out_of_reprs(make_key: MakeKey) -> None:
    assert "digest" not in repr(make_key(digest=b"digest-bytes"))


async def test_a_management_key_is_read_once_and_gone_at_once(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ManagementKeyRow(id="mgk_1", name="ci", digest=b"d", created_at=NOW)
    await ManagementKeyTable(store).create_management_key(row)
    asked: list[str] = []
    select = store.select

    async def note(text: str, *words: Any, **options: Any) -> list[Any]:
        asked.append(text)
        return await select(text, *words, **options)

    monkeypatch.setattr(store, "select", note)
    assert await ManagementKeyTable(store).get_management_key("mgk_1") == await ManagementKeyTable(
        store
    ).get_management_key("mgk_1")
    assert len(asked) == 1

    assert await ManagementKeyTable(store).delete_management_key("mgk_1")
    assert await ManagementKeyTable(store).get_management_key("mgk_1") is None


async def test_a_read_under_way_never_revives_a_revoked_management_key(store: Database) -> None:
    for number in range(20):
        key_id = f"mgk_{number}"
        row = ManagementKeyRow(id=key_id, name="ci", digest=b"d", created_at=NOW)
        await ManagementKeyTable(store).create_management_key(row)
        reads = [ManagementKeyTable(store).get_management_key(key_id) for _ in range(5)]
        await asyncio.gather(
            *reads[:3], ManagementKeyTable(store).delete_management_key(key_id), *reads[3:]
        )
        assert await ManagementKeyTable(store).get_management_key(key_id) is None


async def test_keys_on_a_shared_database_are_always_read_anew(store: Database) -> None:
    row = ManagementKeyRow(id="mgk_1", name="ci", digest=b"d", created_at=NOW)
    await ManagementKeyTable(store).create_management_key(row)
    store.exclusive = False  # as over ws://, where another server may revoke it
    assert await ManagementKeyTable(store).get_management_key("mgk_1") is not None
    await store.query("DELETE management_key:['mgk_1'];")
    assert await ManagementKeyTable(store).get_management_key("mgk_1") is None
