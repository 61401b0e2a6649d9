"""Principals over HTTP: who may see and change grants, and that a change counts from the next request on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from spectronctl.ground.ulids import new_ulid
from spectronctl.ground.vocabulary import VERBS
from spectronctl.server.app import create_app
from spectronctl.server.database.database import Database
from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

PRINCIPALS = "/api/v1/acme-prod/principals"
MANAGED = "/api/v1/contexts/acme-prod/principals"
KEYS = "/api/v1/contexts/acme-prod/keys"
QUERY = "/api/v1/acme-prod/query"
ALL = {verb: ["/*"] for verb in VERBS}


async def change(
    client: httpx.AsyncClient, method: str, principal: str, path: Any, *verbs: Any
) -> httpx.Response:
    url = f"{PRINCIPALS}/{quote(principal, safe='')}/grants"
    return await client.request(method, url, json={"path": path, "verbs": verbs})


async def make(
    operator: httpx.AsyncClient, connect: Connect, name: str, **grants: list[str]
) -> tuple[str, httpx.AsyncClient]:
    """A principal with these grants, and a client with a key of it."""
    named = {verb.replace("_", ":"): patterns for verb, patterns in grants.items()}
    made = await operator.post(MANAGED, json={"display_name": name, "grants": named})
    assert made.status_code == 201, made.text
    body = {"name": f"key of {name}", "principal_id": made.json()["id"]}
    key = await operator.post(KEYS, json=body)
    assert key.status_code == 201, key.text
    return made.json()["id"], connect(key.json()["secret"])


async def test_those_who_manage_grants_see_all_principals(
    operator: httpx.AsyncClient, connect: Connect, agent: dict[str, Any]
) -> None:
    own, manager = await make(operator, connect, "boss", grant_manage=["/*"])
    listed = await manager.get(PRINCIPALS)
    assert listed.status_code == 200
    assert {each["id"]: each["displayName"] for each in listed.json()} == {
        "admin": "admin",
        "system": "system",
        agent["principal_id"]: "app-agent",
        own: "boss",
    }
    for row in listed.json():
        for name in (row["id"], row["id"].removeprefix("principal:")):
            shown = await manager.get(f"{PRINCIPALS}/{quote(name, safe='')}")
            assert shown.json() == row
    assert listed.json()[0] == {
        "id": "admin",
        "kind": "human",
        "displayName": "admin",
        "grants": ALL,
    }
    for name in (new_ulid(), "x", "x" * 3000):
        assert (await manager.get(f"{PRINCIPALS}/{name}")).status_code == 404
    assert (await connect(agent["secret"]).get(PRINCIPALS)).status_code == 403


async def test_a_manager_of_a_part_sees_no_grants_elsewhere(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    _, manager = await make(operator, connect, "boss", grant_manage=["org/acme/*", "org/shared"])
    other, _ = await make(
        operator,
        connect,
        "other",
        memory_read=["/*"],
        memory_write=["org/beta/*", "org/acme/team"],
        scope_read=["org/shared/*"],
        memory_forget=["org/beta/*"],
    )
    seen = {
        "memory:read": ["org/acme/*", "org/shared"],
        "memory:write": ["org/acme/team"],
        "scope:read": ["org/shared"],
    }
    assert (await manager.get(f"{PRINCIPALS}/{other}")).json()["grants"] == seen
    listed = {each["id"]: each["grants"] for each in (await manager.get(PRINCIPALS)).json()}
    assert listed[other] == seen
    assert "beta" not in (await manager.get(PRINCIPALS)).text
    # What is left of a wider grant cannot be written down, and the wider one is not told.
    refused = await change(manager, "DELETE", other, "org/acme/*", "memory:read")
    assert refused.status_code == 409
    assert "held through a wider pattern; revoke" in refused.json()["detail"]
    told = await change(operator, "DELETE", other, "org/acme/*", "memory:read")
    assert "held through a wider pattern, /*; revoke" in told.json()["detail"]


async def test_a_grant_and_its_end_count_from_the_next_request_on(
    store: Database, operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, client = await make(operator, connect, "reader", scope_read=["/*"])
    # Another server on the same store.
    other_app = create_app(store)
    async with (
        other_app.state.embedders,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(other_app),
            base_url="http://other.test",
            headers=client.headers,
        ) as other,
    ):
        for _ in range(2):
            for server in (client, other):
                assert (await server.post(QUERY, json={"query": "tea"})).status_code == 403
            granted = await change(operator, "POST", own, "org/acme/*", "memory:read")
            assert granted.status_code == 200, granted.text
            assert granted.json()["grants"] == {
                "memory:read": ["org/acme/*"],
                "scope:read": ["/*"],
            }
            for server in (other, client):
                assert (await server.post(QUERY, json={"query": "tea"})).status_code == 200
            revoked = await change(operator, "DELETE", own, "/org/acme/*", "memory:read")
            assert revoked.json()["grants"] == {"scope:read": ["/*"]}


async def test_a_node_alone_is_read_without_what_is_below_it(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    _, client = await make(
        operator, connect, "node", memory_read=["org/acme"], memory_write=["org/acme"]
    )
    facts = "/api/v1/acme-prod/facts"
    for scope in ("org/acme", "org/acme/team", "org"):
        body = {"infer": "none", "text": f"tea of {scope}", "scopes": scope}
        assert (await operator.post(facts, json=body)).status_code == 200
    found = (await client.post(QUERY, json={"query": "tea"})).json()
    assert [each["text"] for each in found["hits"]] == ["tea of org/acme"]
    tagged = await client.post(facts, json={"infer": "none", "text": "mine"})
    assert tagged.status_code == 200
    assert len((await client.post(QUERY, json={"query": "mine"})).json()["hits"]) == 2
    refused = await client.post(
        facts, json={"infer": "none", "text": "x", "scopes": "org/acme/team"}
    )
    assert refused.status_code == 403


async def test_patterns_that_lie_in_one_another_are_one(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, _ = await make(operator, connect, "one")
    for path in ("org/acme", "org/acme/team/*", "org/beta", "/org/acme/*", "org/acme/x"):
        granted = await change(operator, "POST", own, path, "memory:read", "memory:write")
    assert granted.json()["grants"]["memory:read"] == ["org/acme/*", "org/beta"]
    again = await change(operator, "DELETE", own, "org/none/*", "memory:read")
    assert again.json() == granted.json()
    left = await change(operator, "DELETE", own, "org/*", "memory:read")
    assert left.json()["grants"] == {"memory:write": ["org/acme/*", "org/beta"]}
    whole = await change(operator, "POST", own, "*", "memory:read")
    assert whole.json()["grants"]["memory:read"] == ["/*"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("path", "verbs", "field"),
    [
        *((path, ["memory:read"], "path") for path in ("", "/", "//", "a//b", "a/*/b", "a*", "**")),
        *(
            (path, ["memory:read"], "path")
            for path in ("*/", "/*/*", "a /b", 7, None, ["a"], "a\n")
        ),
        *(("a", verbs, "verbs") for verbs in (["read"], ["write"], ["manage"], [], None, "x", [7])),
        ("a", ["memory:read", "document:read"], "verbs"),
        ("a/" * 32 + "a", ["memory:read"], "path"),
    ],
)
async def test_what_is_no_grant_is_refused_and_named(
    operator: httpx.AsyncClient, acme: str, method: str, path: Any, verbs: Any, field: str
) -> None:
    url = f"{PRINCIPALS}/admin/grants"
    refused = await operator.request(method, url, json={"path": path, "verbs": verbs})
    assert refused.status_code == 400, refused.text
    assert refused.json()["detail"].startswith(field)
    assert (await operator.get(f"{PRINCIPALS}/admin")).json()["grants"] == ALL


async def test_granting_conveys_at_most_what_is_held_where_it_is_managed(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, manager = await make(
        operator,
        connect,
        "boss",
        grant_manage=["org/acme/*"],
        memory_read=["org/acme/team/*", "org/beta/*"],
    )
    other, _ = await make(operator, connect, "other")
    for path, verb, status in (
        ("org/acme/team/x", "memory:read", 200),
        ("org/acme/team/*", "memory:read", 200),
        ("org/acme/team/*", "grant:manage", 200),
        ("org/acme/*", "memory:read", 403),
        ("org/beta/*", "memory:read", 403),
        ("org/acme/team", "memory:write", 403),
        ("/*", "grant:manage", 403),
    ):
        for target in (other, own):
            granted = await change(manager, "POST", target, path, verb)
            assert granted.status_code == status, (path, verb, granted.text)
    assert (await change(manager, "DELETE", other, "org/beta", "memory:read")).status_code == 403
    assert (await change(manager, "DELETE", other, "/*", "memory:read")).status_code == 403
    assert (
        await change(manager, "POST", new_ulid(), "org/acme", "grant:manage")
    ).status_code == 404


async def test_system_is_not_changed_and_admin_is(operator: httpx.AsyncClient, acme: str) -> None:
    for method in ("POST", "DELETE"):
        for name in ("system", "principal:system"):
            assert (await change(operator, method, name, "/*", "memory:read")).status_code == 403
    left = (await change(operator, "DELETE", "admin", "/*", "grant:manage")).json()
    assert "grant:manage" not in left["grants"]


async def test_what_is_held_at_a_path_now_and_before(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    before = datetime.now(UTC)
    own, _ = await make(
        operator, connect, "one", memory_read=["org/acme/*"], memory_write=["org/acme"]
    )
    url = f"{PRINCIPALS}/{own}/effective"

    async def ask(path: str, **more: Any) -> Any:
        answer = await operator.get(url, params={"path": path, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert await ask("org/acme") == {"path": "org/acme/", "verbs": ["memory:read", "memory:write"]}
    assert await ask("/org/acme/x/") == {"path": "org/acme/x/", "verbs": ["memory:read"]}
    assert await ask("/") == {"path": "/", "verbs": []}
    granted = datetime.now(UTC)
    await change(operator, "POST", own, "/*", *VERBS)
    assert (await ask("/"))["verbs"] == list(VERBS)
    now = await ask("org/acme/x", asOf=granted.isoformat())
    assert now["verbs"] == ["memory:read"]
    assert datetime.fromisoformat(now["asOf"]) == granted
    assert (await ask("org/acme", asOf=before.isoformat()))["verbs"] == []
    for params in ({}, {"path": "a/*"}, {"path": ""}, {"path": "a", "asOf": "yesterday"}):
        refused = await operator.get(url, params=params)
        assert refused.status_code == 400, params


async def test_what_is_held_is_told_where_grants_are_managed(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, manager = await make(operator, connect, "boss", grant_manage=["org/acme/*"])
    for path, status in (("org/acme", 200), ("org/acme/x", 200), ("org", 403), ("/", 403)):
        url = f"{PRINCIPALS}/{own}/effective"
        assert (await manager.get(url, params={"path": path})).status_code == status
    url = f"{PRINCIPALS}/{new_ulid()}/effective"
    assert (await manager.get(url, params={"path": "org/acme"})).status_code == 404


async def test_fifty_grants_and_revokes_at_once_lose_none(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    there = [f"team/t{number:02}/*" for number in range(25)]
    own, _ = await make(operator, connect, "busy", memory_read=there)
    changes = [change(operator, "DELETE", own, path, "memory:read") for path in there]
    changes += [
        change(operator, "POST", own, f"org/o{number:02}/*", "memory:read") for number in range(25)
    ]
    done = await asyncio.gather(*changes)
    assert {each.status_code for each in done} == {200}
    left = (await operator.get(f"{PRINCIPALS}/{own}")).json()["grants"]
    assert left == {"memory:read": [f"org/o{number:02}/*" for number in range(25)]}


async def test_a_verb_has_a_bounded_number_of_patterns(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, _ = await make(operator, connect, "many", memory_read=[f"o{n}" for n in range(64)])
    refused = await change(operator, "POST", own, "one/more", "memory:read")
    assert (refused.status_code, refused.json()["detail"][:5]) == (409, "path:")


async def test_a_principal_is_made_once_for_an_external_id(
    operator: httpx.AsyncClient, acme: str
) -> None:
    body = {"display_name": "Ada", "kind": "human", "external_id": "u-1", "grants": {}}
    made = await asyncio.gather(*(operator.post(MANAGED, json=body) for _ in range(6)))
    assert sorted(each.status_code for each in made) == [200] * 5 + [201]
    assert len({each.text for each in made}) == 1
    row = made[0].json()
    assert row["id"].startswith("principal:")
    assert {name: row[name] for name in body} == body
    other = await operator.post(MANAGED, json={"display_name": "Ada"})
    assert (other.status_code, other.json()["detail"][:13]) == (409, "display_name:")
    same = await operator.post(MANAGED, json={"display_name": "x", "external_id": "u-1"})
    assert (same.status_code, same.json()) == (200, row)


async def test_an_operator_changes_what_a_principal_is_and_may_do(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, client = await make(operator, connect, "one", memory_read=["/*"])
    url = f"{MANAGED}/{own.removeprefix('principal:')}"
    change = {"display_name": "two", "kind": "service", "external_id": "u-2"}
    changed = (await operator.patch(url, json=change)).json()
    assert {name: changed[name] for name in change} == change
    assert changed["grants"] == {"memory:read": ["/*"]}
    assert (await operator.patch(url, json={"externalId": None})).json()["external_id"] is None
    again = await operator.post(MANAGED, json={"display_name": "three", "external_id": "u-2"})
    assert again.status_code == 201
    replaced = await operator.put(
        f"{url}/grants", json={"grants": {"memory:write": ["/a/*", "a/b"], "memory:read": []}}
    )
    assert replaced.json()["grants"] == {"memory:write": ["a/*"]}
    assert (await operator.get(url)).json() == replaced.json()
    assert (await client.post(QUERY, json={"query": "x"})).status_code == 403
    for body in ({"display_name": None}, {"kind": "robot"}, {"external_id": ""}):
        assert (await operator.patch(url, json=body)).status_code == 400
    bad: tuple[Any, ...] = (
        None,
        [],
        {"read": ["/*"]},
        {"memory:read": "/*"},
        {"memory:read": ["a/*/b"]},
    )
    for grants in bad:
        refused = await operator.put(f"{url}/grants", json={"grants": grants})
        assert (refused.status_code, refused.json()["detail"][:6]) == (400, "grants")
    taken = await operator.patch(url, json={"display_name": "three"})
    assert taken.status_code == 409


async def test_a_deleted_principal_takes_its_keys_with_it(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, client = await make(operator, connect, "one", memory_read=["/*"])
    assert (await operator.delete(f"{MANAGED}/{own}")).status_code == 204
    assert (await client.get("/api/v1/acme-prod/me")).status_code == 401
    assert (await operator.get(KEYS)).json()["keys"] == []
    assert (await operator.delete(f"{MANAGED}/{own}")).status_code == 404
    for name in ("system", "admin"):
        assert (await operator.delete(f"{MANAGED}/{name}")).status_code == 403
        assert (await operator.get(f"{MANAGED}/{name}")).status_code == 200
    refusals = [
        await operator.patch(f"{MANAGED}/system", json={"display_name": "x"}),
        await operator.put(f"{MANAGED}/system/grants", json={"grants": {}}),
    ]
    assert [each.status_code for each in refusals] == [403, 403]
    renamed = await operator.patch(f"{MANAGED}/admin", json={"display_name": "Ada"})
    assert renamed.json()["display_name"] == "Ada"


async def test_pages_of_principals(operator: httpx.AsyncClient, acme: str) -> None:
    for number in range(5):
        await operator.post(MANAGED, json={"display_name": f"p{number}"})
    seen: list[str] = []
    cursor = None
    while True:
        page = (
            await operator.get(
                MANAGED, params={"limit": 2} | ({"cursor": cursor} if cursor else {})
            )
        ).json()
        seen += [each["id"] for each in page["principals"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert len(seen) == 7
    assert seen == sorted(seen)
    assert (await operator.get(MANAGED, params={"cursor": "x"})).status_code == 400


async def test_a_key_is_bound_to_a_principal_that_exists(
    operator: httpx.AsyncClient, connect: Connect, acme: str
) -> None:
    own, _ = await make(operator, connect, "one", memory_read=["org/*"])
    for name in (own, own.removeprefix("principal:")):
        body = {"name": f"k{len(name)}", "principal_id": name, "scope_floor": "org/acme"}
        made = (await operator.post(KEYS, json=body)).json()
        assert made["principal_id"] == own
        me = (await connect(made["secret"]).get("/api/v1/acme-prod/me")).json()
        assert (me["principalId"], me["displayName"], me["keyName"]) == (own, "one", made["name"])
        assert me["grants"] == {"memory:read": ["org/*"]}
        assert me["tokenGrants"] == me["effectiveGrants"] == {"memory:read": ["org/acme/*"]}
    for name, status in ((new_ulid(), 404), ("x", 400), ("system", 400), ("", 400)):
        refused = await operator.post(KEYS, json={"name": "bad", "principal_id": name})
        assert refused.status_code == status
        assert refused.json()["detail"].startswith("principal_id: ")
