"""What one scope remembers changes nothing that a key of another scope can see: by no route, and not by a score."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from spectronctl.server.access.scopes import WHOLE, Region
from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from spectronctl.server.index.table import SearchTable
from spectronctl.server.providers.hashing import HashingEmbedder
from spectronctl.server.registry.bootstrap import ensure_management_key
from spectronctl.server.registry.context_database import query_context
from spectronctl.server.registry.contexts import ContextTable
from spectronctl.server.registry.opening import open_store
from spectronctl.server.registry.rows import ContextRow
from spectronctl.server.sessions import routes as sessions
from tests.support.memories import remember
from tests.support.worlds import list_operations

pytestmark = pytest.mark.anyio

PLANE = "/api/v1/{context_id}"
OLD = datetime.now(UTC) - timedelta(days=30)
OWN, OTHER = [["org/a"]], [["org/b"]]
OURS = (
    "the zebra sleeps in the green house",
    "the lion sleeps in the red house",
    "tea with milk, and nothing else",
    "a zebra and a lion had tea",
)
SECRET = ("meridian", "falcon", "obsidian", "cascade", "ember", "juniper")
"""The words of what org/b remembers, which a key of org/a tries to guess."""

THEIRS = (
    *OURS,
    " ".join(SECRET),
    *(f"zebra number {number} of the zebra farm drinks tea" for number in range(30)),
    *(f"the zebra sleeps in the green house, {number}" for number in range(260)),
)
DICTIONARY = (*SECRET, *(f"word{number}" for number in range(114)))

_CHANGING = re.compile(
    r'(memory_chunk|session|turn|trace|principal):[0-9A-Z]{26}|(?:cak|req)_[0-9A-Z]{26}|"\d{4}-\d\d-\d\dT[^"]*"'
    r'|"(queryMs|latencyMs|query_ms|latency_ms)":\d+'
)


@dataclass
class Place:
    """A server whose context holds what org/a remembers, and perhaps what org/b does."""

    store: Database
    context: ContextRow
    client: httpx.AsyncClient
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    manager: str = ""
    member: str = ""

    async def see(self, kind: str, method: str, path: str, **given: Any) -> str:
        """An answer to a key of org/a; ids are numbered as they first appear, times are left out."""
        answer = await self.clients[kind].request(method, path.format(context_id="acme"), **given)
        assert answer.status_code != 500, answer.text
        return f"{answer.status_code} {_CHANGING.sub(self._name, answer.text)}"

    def _name(self, found: re.Match[str]) -> str:
        kind = found[1] or found[2] or "changing"
        if kind not in ("memory_chunk", "session", "turn"):
            return kind
        number = sum(name.startswith(kind) for name in self.names.values())
        return self.names.setdefault(found[0], f"{kind} {number}")

    async def list_own_sessions(self) -> list[str]:
        text = "SELECT VALUE session_id FROM session WHERE scopes = [['org/a']] ORDER BY session_id"
        (found,) = await query_context(self.store, self.context, text, {})
        return list(found)


@dataclass
class Pair:
    """The same place twice: where org/a is alone, and where org/b has a twin of everything."""

    alone: Place
    beside: Place

    async def compare(self, kind: str, method: str, path: str, **given: Any) -> str:
        """The answer, which must be the same in both."""
        alone = await self.alone.see(kind, method, path, **given)
        assert await self.beside.see(kind, method, path, **given) == alone, f"{method} {path}"
        return alone


async def fill(place: Place, texts: tuple[str, ...], scopes: list[list[str]]) -> None:
    vectors = await HashingEmbedder().embed(texts)
    await remember(place.store, place.context, *texts, vectors=vectors, scopes=scopes)
    for text in ("old zebra", "old tea"):
        await remember(place.store, place.context, text, category="context", at=OLD, scopes=scopes)
    region = Region(tuple(scopes[0]))
    for number in range(3):
        vector = [float(number), 1.0]
        await SearchTable(place.store).cache_vector(
            place.context, region, "acme/small", f"{scopes} {number}", vector
        )
    await query_context(
        place.store,
        place.context,
        "UPDATE query_cache SET expires_at = time::now() - 1s RETURN NONE",
        {},
    )


async def make_members(place: Place, *, is_shared: bool) -> None:
    """Who manages the grants of org/a, and another one, who holds something in org/b where that is there."""
    theirs = (
        {"memory:read": ["org/b/*", "org/a/x"], "memory:forget": ["org/b"]} if is_shared else {}
    )
    for name, grants in (
        ("manager", {verb: ["org/a/*"] for verb in ("grant:manage", "memory:read")}),
        ("member", {"memory:read": ["org/a/x"], "memory:write": ["org/a/*"], **theirs}),
    ):
        body = {"display_name": name, "grants": grants}
        made = await place.client.post("/api/v1/contexts/acme/principals", json=body)
        setattr(place, name, made.json()["id"])


async def make_place(app: FastAPI, store: Database, *, is_shared: bool) -> Place:
    secret = await ensure_management_key(store)
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(
        transport=transport, base_url="http://spectron.test", headers={"API-KEY": secret or ""}
    )
    made = await client.post(
        "/api/v1/contexts/acme", json={"namespace": "acme", "database": "acme"}
    )
    assert made.is_success, made.text
    row = await ContextTable(store).get_context("acme")
    assert row is not None
    place = Place(store, row, client)
    # Before what is ours, and after it: neither the oldest nor the newest are ours alone.
    if is_shared:
        await fill(place, THEIRS, OTHER)
    await fill(place, OURS, OWN)
    if is_shared:
        await remember(place.store, row, *OURS, scopes=[])
        await fill(place, THEIRS, OTHER)
    await make_members(place, is_shared=is_shared)
    for kind in ("agent", "supervisor", "manager"):
        body = {"name": kind, "scope_floor": "org/a"}
        body |= {"principal_id": place.manager} if kind == "manager" else {"principal": kind}
        key = (await client.post("/api/v1/contexts/acme/keys", json=body)).json()
        place.clients[kind] = httpx.AsyncClient(
            transport=transport,
            base_url="http://spectron.test",
            headers={"API-KEY": key["secret"]},
        )
    return place


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    monkeypatch.setattr(sessions, "NEWEST", 50)
    stores = [await open_store("mem://") for _ in range(2)]
    apps = [create_app(store) for store in stores]
    async with apps[0].state.embedders, apps[1].state.embedders:
        yield Pair(
            await make_place(apps[0], stores[0], is_shared=False),
            await make_place(apps[1], stores[1], is_shared=True),
        )
    for store in stores:
        await store.close()


async def look_at_identity(pair: Pair) -> None:
    await pair.compare("agent", "GET", f"{PLANE}/me")


async def look_at_principals(pair: Pair) -> None:
    """Grants of org/b are not seen, granted or revoked by who manages org/a; nor is it told that they are there."""
    for kind in ("agent", "manager"):
        seen = await pair.compare(kind, "GET", f"{PLANE}/principals")
        assert "org/b" not in seen
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/effective?path=org/a/x", None),
        ("GET", "/effective?path=org/b", None),
        ("GET", "/effective?path=/", None),
        ("DELETE", "/grants", {"path": "org/b", "verbs": ["memory:forget"]}),
        ("DELETE", "/grants", {"path": "org/a/*", "verbs": ["memory:read", "memory:forget"]}),
        ("POST", "/grants", {"path": "org/b/x", "verbs": ["memory:read"]}),
        ("POST", "/grants", {"path": "org/a/y", "verbs": ["memory:read"]}),
        ("GET", "", None),
    ):
        both = [
            await place.see(
                "manager", method, f"{PLANE}/principals/{place.member}{path}", json=body
            )
            for place in (pair.alone, pair.beside)
        ]
        told = [
            text.replace(place.member.removeprefix("principal:"), "")
            for text, place in zip(both, (pair.alone, pair.beside), strict=True)
        ]
        assert told[0] == told[1], (method, path)
        assert "org/b" not in told[0] or '"detail":' in told[0]


async def look_at_sessions(pair: Pair) -> None:
    for params in (
        {},
        {"limit": 1},
        {"scope": "org"},
        {"scope": "org/b"},
        {"since": "2020-01-01T00:00:00Z"},
    ):
        seen = await pair.compare("agent", "GET", f"{PLANE}/sessions", params=params)
        assert "org/b" not in seen
    await pair.compare("agent", "POST", f"{PLANE}/sessions", json={})


async def look_into_a_session(pair: Pair) -> None:
    both = []
    for place in (pair.alone, pair.beside):
        (session, *_) = await place.list_own_sessions()
        seen = [
            await place.see("agent", "GET", f"{PLANE}/sessions/{session}"),
            await place.see("agent", "GET", f"{PLANE}/sessions/{session}/turns"),
        ]
        assert "zebra sleeps in the green" in seen[1]
        both.append(seen)
    assert both[0] == both[1]


async def ask_a_session(pair: Pair) -> None:
    both = []
    for place in (pair.alone, pair.beside):
        session = (await place.list_own_sessions())[-1]
        url, word = f"{PLANE}/sessions/{session}/context", "zebra falcon"
        posted = await place.see("agent", "POST", url, json={"query": word})
        assert posted == await place.see("agent", "GET", url, params={"query": word})
        assert "zebra" in posted, "the newest memories are those of the region"
        both.append(posted)
    assert both[0] == both[1]


async def look_for_sessions_of_others(pair: Pair) -> None:
    """A session of org/b is as if it were not there."""
    (found,) = await query_context(
        pair.beside.store,
        pair.beside.context,
        "SELECT VALUE session_id FROM session WHERE scopes != [['org/a']]",
        {},
    )
    for session in (found[0], found[-1]):
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/turns")):
            url = f"{PLANE}/sessions/{session}{path}"
            await pair.compare("supervisor", method, url)


async def remember_something(pair: Pair) -> None:
    text = {"infer": "none", "text": "a giraffe"}
    await pair.compare("agent", "POST", f"{PLANE}/facts", json=text)


async def remember_much(pair: Pair) -> None:
    messages = [{"role": "user", "content": "a giraffe"}]
    batch = {"infer": "none", "messages": messages}
    await pair.compare("agent", "POST", f"{PLANE}/facts/batch", json=batch)


async def recall(pair: Pair) -> None:
    for mode in ("hybrid", "vector", "bm25", "graph"):
        for query in (
            "zebra",
            "zebra tea",
            "zebra lion house",
            "the green house",
            " ".join(SECRET),
        ):
            for more in ({}, {"lens": "org/a"}, {"lens": "org/b"}, {"k": 50}):
                body = {"query": query, "mode": mode, **more}
                seen = await pair.compare("agent", "POST", f"{PLANE}/query", json=body)
                assert "falcon" not in seen
        if mode != "graph":
            body = {"query": "zebra", "mode": mode}
            assert OURS[0] in await pair.compare("agent", "POST", f"{PLANE}/query", json=body)


async def check(pair: Pair) -> None:
    for threshold in (1, 0.9, 0.5, 0.2, 1e-9):
        for most in (1, 100, 10_000):
            body = {"duplicateThreshold": threshold, "maxResults": most}
            await pair.compare("agent", "POST", f"{PLANE}/fsck", json=body)
    await guess_words(pair)


async def guess_words(pair: Pair) -> None:
    """A dictionary, kept as one's own memories, beside which the words of others would stand out."""
    for place in (pair.alone, pair.beside):
        vectors = await HashingEmbedder().embed(DICTIONARY)
        await remember(place.store, place.context, *DICTIONARY, vectors=vectors, scopes=OWN)
    for threshold in (0.9, 0.3, 1e-9):
        body = {"check": "duplicates", "duplicateThreshold": threshold, "maxResults": 10_000}
        await pair.compare("agent", "POST", f"{PLANE}/fsck", json=body)


async def preview_expiry(pair: Pair) -> None:
    seen = await pair.compare("supervisor", "GET", f"{PLANE}/lifecycle/expire")
    assert seen == '200 {"affected":2}'


async def expire(pair: Pair) -> None:
    seen = await pair.compare("supervisor", "POST", f"{PLANE}/lifecycle/expire")
    assert seen == '200 {"affected":2}'
    assert await SearchTable(pair.beside.store).count_chunks(pair.beside.context, WHOLE) > len(
        THEIRS
    )


async def decay(pair: Pair) -> None:
    seen = await pair.compare("supervisor", "POST", f"{PLANE}/lifecycle/decay")
    assert seen == '200 {"affected":5}', "two memories and three vectors of our own queries"


async def delete_a_session(pair: Pair) -> None:
    for place in (pair.alone, pair.beside):
        for session in await place.list_own_sessions():
            url = f"{PLANE}/sessions/{session}"
            assert (await place.see("agent", "DELETE", url)).startswith("403 ")
            assert await place.see("supervisor", "DELETE", url) == "204 "
    await pair.compare("agent", "GET", f"{PLANE}/sessions")
    (left,) = await query_context(
        pair.beside.store,
        pair.beside.context,
        "SELECT VALUE scopes FROM memory_chunk",
        {},
    )
    assert len(left) == 2 * (len(THEIRS) + 2) + len(OURS), "those of others are all there"


async def look_at_scopes(pair: Pair) -> None:
    """Nodes of org/b are not listed, registered, counted or forgotten by those confined to org/a."""
    for kind in ("agent", "supervisor"):
        for path in ("org/a", "org/b", "org/a/new"):
            ask = {"path": path}
            await pair.compare(kind, "GET", f"{PLANE}/scopes/forget?path={path}")
            await pair.compare(kind, "DELETE", f"{PLANE}/scopes?path={path}")
            if path != "org/a/new":  # when a node was made is not the same in both
                await pair.compare(kind, "POST", f"{PLANE}/scopes/forget", json=ask)
        for place in (pair.alone, pair.beside):
            assert "org/b" not in await place.see(kind, "GET", f"{PLANE}/scopes")
    for place in (pair.alone, pair.beside):
        made = await place.see("supervisor", "POST", f"{PLANE}/scopes", json={"path": "org/b/x"})
        assert made.startswith("403 ")


async def look_at_traces(pair: Pair) -> None:
    """What others asked, and how often, is not told."""
    for place in (pair.alone, pair.beside):
        await place.client.post("/api/v1/acme/query", json={"query": "falcon"})
    for path in ("traces", "traces/stats", "audit", "traces/trace:01JZZZZZZZZZZZZZZZZZZZZZZZ"):
        assert "falcon" not in await pair.compare("agent", "GET", f"{PLANE}/{path}")


async def look_at_keys(pair: Pair) -> None:
    """Keys of other principals are not there."""
    for method, path in (
        ("POST", "keys"),
        ("POST", "keys/other/rotate"),
        ("DELETE", "keys/other"),
    ):
        await pair.compare("agent", method, f"{PLANE}/{path}")
    for place in (pair.alone, pair.beside):
        assert (await place.see("agent", "GET", f"{PLANE}/keys")).count('"name"') == 1


ROUTES: dict[str, Callable[[Pair], Awaitable[None]]] = {
    f"GET {PLANE}/me": look_at_identity,
    f"GET {PLANE}/principals": look_at_principals,
    f"GET {PLANE}/principals/{{principal_id}}": look_at_principals,
    f"GET {PLANE}/principals/{{principal_id}}/effective": look_at_principals,
    f"POST {PLANE}/principals/{{principal_id}}/grants": look_at_principals,
    f"DELETE {PLANE}/principals/{{principal_id}}/grants": look_at_principals,
    f"GET {PLANE}/scopes": look_at_scopes,
    f"POST {PLANE}/scopes": look_at_scopes,
    f"DELETE {PLANE}/scopes": look_at_scopes,
    f"GET {PLANE}/scopes/forget": look_at_scopes,
    f"POST {PLANE}/scopes/forget": look_at_scopes,
    f"GET {PLANE}/traces": look_at_traces,
    f"GET {PLANE}/traces/stats": look_at_traces,
    f"GET {PLANE}/traces/{{trace_id}}": look_at_traces,
    f"GET {PLANE}/audit": look_at_traces,
    f"GET {PLANE}/keys": look_at_keys,
    f"POST {PLANE}/keys": look_at_keys,
    f"POST {PLANE}/keys/{{key_name}}/rotate": look_at_keys,
    f"DELETE {PLANE}/keys/{{key_name}}": look_at_keys,
    f"GET {PLANE}/sessions": look_at_sessions,
    f"POST {PLANE}/sessions": look_at_sessions,
    f"GET {PLANE}/sessions/{{session_id}}": look_into_a_session,
    f"GET {PLANE}/sessions/{{session_id}}/turns": look_into_a_session,
    f"GET {PLANE}/sessions/{{session_id}}/context": ask_a_session,
    f"POST {PLANE}/sessions/{{session_id}}/context": ask_a_session,
    f"DELETE {PLANE}/sessions/{{session_id}}": delete_a_session,
    f"POST {PLANE}/facts": remember_something,
    f"POST {PLANE}/facts/batch": remember_much,
    f"POST {PLANE}/query": recall,
    f"POST {PLANE}/fsck": check,
    f"GET {PLANE}/lifecycle/expire": preview_expiry,
    f"POST {PLANE}/lifecycle/expire": expire,
    f"POST {PLANE}/lifecycle/decay": decay,
}
"""How each route of the data plane is looked through for what another scope remembers."""


def test_every_route_of_the_data_plane_is_looked_through() -> None:
    app = create_app(None)  # type: ignore[arg-type]
    found = {each for each in list_operations(app) if each.split()[1].startswith(f"{PLANE}/")}
    assert found == set(ROUTES)


@pytest.mark.parametrize("look", dict.fromkeys([*ROUTES.values(), look_for_sessions_of_others]))
async def test_a_twin_in_another_scope_changes_no_answer(
    look: Callable[[Pair], Awaitable[None]], pair: Pair
) -> None:
    await look(pair)
