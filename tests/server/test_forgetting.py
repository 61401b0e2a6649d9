"""A scope forgotten: all that is tagged there is hidden at once and gone for good, and nothing else is."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from spectronctl.server.access.scopes import Region
from spectronctl.server.database.database import Binding, Database
from spectronctl.server.index.table import SearchTable
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.scopes import erasing
from tests.support.conversations import FACTS, PLANE, SESSIONS, Connect, open_session, say
from tests.support.soak import SOAK
from tests.support.worlds import dump_store

from .test_query import find, keep

pytestmark = pytest.mark.anyio

FORGET = f"{PLANE}/scopes/forget"
NONE = {"sessions": 0, "turns": 0, "memories": 0, "queries": 0}
MARK = "xylophone"


async def forget(client: httpx.AsyncClient, path: str, **more: Any) -> Any:
    answer = await client.post(FORGET, json={"path": path, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_ids(client: httpx.AsyncClient) -> list[str]:
    return [each["id"] for each in (await client.get(SESSIONS)).json()["sessions"]]


async def find_mark(store: Database, *, where: str = MARK) -> list[str]:
    """The tables in which the word is."""
    found = await dump_store(store)
    return [name for name, rows in found.items() if isinstance(rows, list) and where in str(rows)]


async def count_cached(store: Database) -> int:
    return len((await dump_store(store))["acme/prod/query_cache"])


async def fill(
    operator: httpx.AsyncClient, member: httpx.AsyncClient, store: Database, context: ContextRow
) -> str:
    """Something of every kind at `org/acme`, at `org/other`, and one session that both own."""
    await keep(member, f"Bo plays the {MARK}", f"Ann plays the {MARK}", scopes=["org/acme/bo"])
    region = Region(("org/acme",))
    await SearchTable(store).cache_vector(context, region, "some/model", MARK, [0.5])
    opened = await member.post(
        SESSIONS,
        json={"scopes": ["org/acme"], "metadata": {"note": MARK}},
        headers={"Idempotency-Key": "one"},
    )
    await say(member, opened.json()["id"], MARK, "and a drum", **{"Idempotency-Key": "two"})
    both = await open_session(operator, scopes=["org/acme/ann", "org/other"])
    await say(operator, both["id"], MARK)
    await keep(operator, "Cy likes the drum", scopes=["org/other"])
    await keep(operator, "Di likes the flute")
    return str(opened.json()["id"])


async def test_the_list_of_tables_holds_every_one_that_has_nodes(
    store: Database, context: ContextRow
) -> None:
    binding = Binding(context.namespace, context.database)
    (info,) = await store.query("INFO FOR DB;", at=binding)
    tagged = set()
    for table in info["tables"]:
        (described,) = await store.query(f"INFO FOR TABLE {table};", at=binding)
        tagged |= {table} if "nodes.*" in described["fields"] else set()
    assert set(erasing.TAGGED) == tagged


async def test_everything_below_a_scope_is_erased_and_nothing_else(
    operator: httpx.AsyncClient,
    member: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
) -> None:
    session_id = await fill(operator, member, store, context)
    places = {name.rpartition("/")[2] for name in await find_mark(store)}
    assert places == {"session", "turn", "memory_chunk", "search_a", "reservation"}
    assert await count_cached(store) == 1
    counted = await forget(operator, "org/acme", dryRun=True)
    assert counted == {
        "forgotten": 12,
        "dryRun": True,
        "rows": {"sessions": 4, "turns": 5, "memories": 2, "queries": 1},
        "coOwned": {"sessions": 1, "turns": 1, "memories": 0, "queries": 0},
    }
    preview = await operator.get(FORGET, params={"path": "org/acme"})
    assert (preview.status_code, preview.json()) == (200, counted)
    assert len(await find(member, MARK)) == 2
    assert await forget(operator, "/org/acme/") == counted | {"dryRun": False}
    assert await find_mark(store) == []
    assert await count_cached(store) == 0
    assert await find(member, MARK) == [] == await list_ids(member)
    assert (await member.get(f"{SESSIONS}/{session_id}")).status_code == 404
    assert set(await find(operator, "who likes what?")) == {
        "Cy likes the drum",
        "Di likes the flute",
    }
    assert len(await list_ids(operator)) == 2
    assert await forget(operator, "org/acme") == {
        "forgotten": 0,
        "dryRun": False,
        "rows": NONE,
        "coOwned": NONE,
    }


async def test_a_name_that_begins_alike_is_another_scope(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await keep(operator, "Bo plays the drum", scopes=["org/acmetwo"])
    await keep(operator, "Bo plays the flute", scopes=["org"])
    assert (await forget(operator, "org/acme"))["forgotten"] == 0
    assert len(await find(operator, "Bo plays")) == 2


async def test_a_scope_can_be_written_to_after_it_was_forgotten(
    operator: httpx.AsyncClient, member: httpx.AsyncClient, acme: str
) -> None:
    await keep(member, "Bo plays the drum")
    await forget(operator, "org/acme")
    await keep(member, "Bo plays the flute")
    assert await find(member, "Bo plays") == ["Bo plays the flute"]


@pytest.mark.parametrize(
    "body", [None, b"", b"null", b"{}", b'{"path": null}', b'{"path": "/"}', b'{"path": "a b"}']
)
async def test_nothing_is_forgotten_without_a_scope(
    body: bytes | None, operator: httpx.AsyncClient, acme: str
) -> None:
    await keep(operator, "Bo plays the drum", scopes=["org/acme"])
    headers = {"Content-Type": "application/json"} if body else {}
    answer = await operator.post(FORGET, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(("path: ", "the body must be"))
    assert len(await find(operator, "drum")) == 1


async def test_a_key_forgets_in_its_region_only(
    operator: httpx.AsyncClient,
    connect: Connect,
    member: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
) -> None:
    body = {"name": "boss", "principal": "supervisor", "scope_floor": {"org": "acme"}}
    made = await operator.post(f"/api/v1/contexts/{context.id}/keys", json=body)
    boss = connect(made.json()["secret"])
    await fill(operator, member, store, context)
    for client, path in ((boss, "org"), (boss, "org/other"), (member, "org/acme")):
        for dry_run in (True, False):
            answer = await client.post(FORGET, json={"path": path, "dryRun": dry_run})
            assert answer.status_code == 403
        assert (await client.get(FORGET, params={"path": path})).status_code == 403
    assert len(await list_ids(operator)) == 6
    assert (await forget(boss, "org/acme"))["coOwned"]["sessions"] == 1


class CutOffError(Exception):
    """The server dies here."""


def die_at(patch: pytest.MonkeyPatch, last: int) -> None:
    """Let the erasure fail before its statement of that number."""
    steps = count(1)
    query = erasing._Eraser._query

    async def cut(self: Any, *given: Any, **variables: Any) -> Any:
        if next(steps) == last:
            raise CutOffError
        return await query(self, *given, **variables)

    patch.setattr(erasing._Eraser, "_query", cut)


async def test_a_reader_sees_all_of_a_scope_or_nothing_whenever_the_erasure_is_cut_off(
    operator: httpx.AsyncClient,
    member: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasing, "_BATCH", 1)
    cuts = 0
    for last in range(1, 60, 1 if SOAK else 8):
        await fill(operator, member, store, context)
        assert (len(await list_ids(member)), len(await find(member, MARK))) == (4, 2)
        with monkeypatch.context() as patch:
            die_at(patch, last)
            try:
                await erasing.erase_subtree(store, context, "org/acme")
            except CutOffError:
                cuts += 1
            else:
                break
        assert await list_ids(member) == [] == await find(member, MARK)
        for mode in ("bm25", "vector"):
            # Not by the word itself: what the operator asks is not tagged, and stays in a trace.
            assert not any(MARK in text for text in await find(operator, "plays the", mode=mode))
        refused = await member.post(FACTS, json={"infer": "none", "text": "no"})
        assert refused.status_code == 503
        assert "org/acme is being forgotten" in refused.json()["detail"]
        await forget(operator, "org/acme")
        assert await find_mark(store) == []
    assert cuts >= 5


async def test_what_was_cut_off_is_finished_by_the_next_of_another_scope(
    operator: httpx.AsyncClient,
    member: httpx.AsyncClient,
    store: Database,
    context: ContextRow,
) -> None:
    await fill(operator, member, store, context)
    await ContextTable(store).hide_scope(context.id, "org/acme")
    assert (await forget(operator, "org/nothing"))["forgotten"] == 0
    assert await find_mark(store) == []
    assert await keep(member, "Bo plays the drum")


async def test_a_reindex_does_not_bring_back_what_is_forgotten_meanwhile() -> None: ...
