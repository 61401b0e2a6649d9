"""The tree of scopes: registered, tombstoned, revived, and seen by those who hold a verb there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from spectronctl.ground.times import parse_time
from spectronctl.server.scopes import registering
from tests.support.conversations import (
    FACTS,
    PLANE,
    SESSIONS,
    Admit,
    Connect,
    open_session,
    say,
)

pytestmark = pytest.mark.anyio

SCOPES = f"{PLANE}/scopes"
FACT = {"infer": "none", "text": "Bo prefers green tea"}


@pytest.fixture
async def supervisor(operator: httpx.AsyncClient, connect: Connect, acme: str) -> httpx.AsyncClient:
    """A client whose key may forget in `org/acme`, and register scopes there."""
    body = {"name": "boss", "principal": "supervisor", "scope_floor": {"org": "acme"}}
    made = await operator.post(f"/api/v1/contexts/{acme}/keys", json=body)
    return connect(made.json()["secret"])


async def register(client: httpx.AsyncClient, path: str, **names: Any) -> Any:
    answer = await client.post(SCOPES, json={"path": path, **names})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def bury(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.delete(SCOPES, params={"path": path})
    assert (answer.status_code, answer.content) == (204, b""), answer.text


async def list_scopes(client: httpx.AsyncClient) -> Any:
    answer = await client.get(SCOPES)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_paths(client: httpx.AsyncClient, *, live: bool = False) -> list[str]:
    return [
        node["path"] for node in await list_scopes(client) if not live or "tombstonedAt" not in node
    ]


async def test_there_is_no_scope_before_the_first(operator: httpx.AsyncClient, acme: str) -> None:
    assert await list_scopes(operator) == []


async def test_a_scope_comes_with_all_above_it(operator: httpx.AsyncClient, acme: str) -> None:
    before = datetime.now(UTC)
    node = await register(operator, "/org/acme/team/", displayName="The team", description="Theirs")
    assert node.keys() == {"path", "createdAt", "displayName", "description"}
    assert (node["path"], node["displayName"]) == ("org/acme/team/", "The team")
    assert before <= (parse_time(node["createdAt"]) or before) <= datetime.now(UTC)
    listed = await list_scopes(operator)
    assert [each["path"] for each in listed] == ["org/", "org/acme/", "org/acme/team/"]
    assert parse_time(listed[2]["createdAt"]) == parse_time(node["createdAt"])
    assert {**listed[2], "createdAt": ""} == {**node, "createdAt": ""}
    assert listed[0].keys() == {"path", "createdAt"}


async def test_registered_again_a_scope_is_the_same_with_the_names_it_is_given(
    operator: httpx.AsyncClient, acme: str
) -> None:
    first = await register(operator, "org/acme", displayName="Acme", description="A customer")
    assert await register(operator, "org/acme/", displayName=None) == first
    renamed = await register(operator, "org/acme", display_name="Acme Inc")
    assert renamed == first | {"displayName": "Acme Inc"}
    assert await list_paths(operator) == ["org/", "org/acme/"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "path: must be given"),
        ({"path": None}, "path: must be a path such as"),
        ({"path": ""}, "path: must be a path such as"),
        ({"path": "org/*"}, "path: must be a path such as"),
        ({"path": "a//b"}, "path: must be a path such as"),
        ({"path": "x" * 129}, "path: must be a path such as"),
        ({"path": "/".join("a" * 33)}, "path: must be a path such as"),
        ({"path": "/"}, "path: is the whole context"),
        ({"path": "a", "displayName": "x" * 257}, "displayName: must be at most 256 characters"),
        ({"path": "a", "description": 7}, "description: must be a string"),
    ],
)
async def test_what_is_no_scope_is_not_registered(
    body: Any, told: str, operator: httpx.AsyncClient, acme: str
) -> None:
    answer = await operator.post(SCOPES, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(told)
    assert await list_scopes(operator) == []


async def test_a_write_registers_its_scopes(
    operator: httpx.AsyncClient, acme: str, admit: Admit
) -> None:
    agent = await admit("agent", {"org": "acme"})
    assert (await agent.post(FACTS, json={**FACT, "scopes": ["org/acme/user/bo"]})).is_success
    await open_session(agent, scopes=[["org/acme/team/a", "org/acme/eu"]])
    assert await list_paths(operator) == [
        *("org/", "org/acme/", "org/acme/eu/", "org/acme/team/", "org/acme/team/a/"),
        *("org/acme/user/", "org/acme/user/bo/"),
    ]


async def test_a_write_that_is_refused_registers_nothing(
    operator: httpx.AsyncClient, acme: str, admit: Admit
) -> None:
    agent = await admit("agent", {"org": "acme"})
    assert (await agent.post(FACTS, json={**FACT, "scopes": ["org/beta"]})).status_code == 403
    assert (
        await agent.post(SESSIONS, json={"scopes": ["org/acme"], "metadata": {"a": 2**70}})
    ).status_code == 400
    assert await list_scopes(operator) == []


async def test_a_scope_that_is_known_is_not_written_again(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await operator.post(FACTS, json={**FACT, "scopes": ["org/acme"]})
    before = await list_scopes(operator)
    await operator.post(FACTS, json={**FACT, "scopes": ["org/acme"]})
    assert await list_scopes(operator) == before


async def test_writers_at_once_register_each_scope_once(
    operator: httpx.AsyncClient, acme: str
) -> None:
    paths = [f"org/acme/user/{number % 10}" for number in range(40)]
    answers = await asyncio.gather(
        *(operator.post(FACTS, json={**FACT, "scopes": [path]}) for path in paths)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await list_paths(operator)) == 13


async def test_nothing_is_written_at_or_below_a_tombstone(
    operator: httpx.AsyncClient, acme: str
) -> None:
    kept = await say(operator, (await open_session(operator, scopes=["org/acme/bo"]))["id"], "tea")
    await register(operator, "org/acmetwo")
    await bury(operator, "org/acme")
    listed = {node["path"]: node.get("tombstonedAt") for node in await list_scopes(operator)}
    assert [path for path, since in listed.items() if since] == ["org/acme/", "org/acme/bo/"]
    for scopes in ("org/acme", "org/acme/bo", "org/acme/new", ["org/acmetwo", "org/acme"]):
        for where in (FACTS, SESSIONS):
            answer = await operator.post(where, json={**FACT, "scopes": scopes})
            assert answer.status_code == 400
            assert answer.json()["detail"].startswith("scopes: org/acme is tombstoned")
    append = await operator.post(FACTS, json={**FACT, "session_id": kept["sessionId"]})
    assert append.status_code == 400
    # What was written stays, and is read as before.
    turns = await operator.get(f"{SESSIONS}/{kept['sessionId']}/turns")
    assert [turn["content"] for turn in turns.json()["turns"]] == ["tea"]
    assert (await operator.post(FACTS, json={**FACT, "scopes": "org/acmetwo"})).is_success


async def test_a_tombstone_keeps_its_time_and_is_revived_by_its_registration_alone(
    operator: httpx.AsyncClient, acme: str
) -> None:
    await register(operator, "org/acme/bo", displayName="Bo")
    await bury(operator, "org/acme")
    before = await list_scopes(operator)
    await bury(operator, "org/acme")
    assert await list_scopes(operator) == before
    below = await operator.post(SCOPES, json={"path": "org/acme/bo"})
    assert below.status_code == 400
    assert "org/acme is tombstoned" in below.json()["detail"]
    assert await list_scopes(operator) == before
    assert "tombstonedAt" not in await register(operator, "org/acme")
    assert await list_paths(operator, live=True) == ["org/", "org/acme/"]
    assert (await register(operator, "org/acme/bo"))["displayName"] == "Bo"
    assert (await operator.post(FACTS, json={**FACT, "scopes": "org/acme/bo"})).is_success


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({}, 400, "path: "),
        ({"path": "/"}, 400, "path: is the whole context"),
        ({"path": "a b"}, 400, "path: must be a path"),
        ({"path": "org/nope"}, 404, "no such scope"),
    ],
)
async def test_what_cannot_be_tombstoned(
    query: dict[str, str], status: int, told: str, operator: httpx.AsyncClient, acme: str
) -> None:
    await register(operator, "org/acme")
    answer = await operator.delete(SCOPES, params=query)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(told)


async def test_a_key_sees_the_scopes_of_its_region_and_registers_there(
    operator: httpx.AsyncClient, acme: str, admit: Admit, supervisor: httpx.AsyncClient
) -> None:
    for path in ("org/acme/bo", "org/acmetwo", "user/bo"):
        await register(operator, path)
    boss, agent = supervisor, await admit("agent", {"org": "acme"})
    assert await list_paths(boss) == await list_paths(agent) == ["org/acme/", "org/acme/bo/"]
    assert (await register(boss, "org/acme/ann"))["path"] == "org/acme/ann/"
    outside = await boss.post(SCOPES, json={"path": "org/beta"})
    without = await agent.post(SCOPES, json={"path": "org/acme/x"})
    buried = await boss.delete(SCOPES, params={"path": "org/acme/bo"})
    assert (outside.status_code, without.status_code, buried.status_code) == (403, 403, 403)
    assert "scope:create" in without.json()["detail"]
    stranger = await admit("stranger", {"org": "nobody"})
    assert await list_scopes(stranger) == []


async def test_the_list_is_whole_however_long_it_is(
    operator: httpx.AsyncClient, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectronctl.server.scopes import table

    monkeypatch.setattr(table, "_LIST", table._LIST.replace(str(table._PAGE), "2"))
    names = [f"user/{number}" for number in range(7)]
    for name in names:
        await register(operator, name)
    assert await list_paths(operator) == ["user/", *(f"{name}/" for name in names)]


async def test_a_context_has_no_more_scopes_than_it_may(
    operator: httpx.AsyncClient, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "MAX_SCOPE_NODES", 3)
    await register(operator, "org/acme/bo")
    refused = await operator.post(SCOPES, json={"path": "user"})
    written = await operator.post(FACTS, json={**FACT, "scopes": "org/acme/ann"})
    assert (refused.status_code, written.status_code) == (400, 400)
    assert "3 scopes, the most" in refused.json()["detail"]
    await register(operator, "org/acme")
    assert (await operator.post(FACTS, json={**FACT, "scopes": "org/acme/bo"})).is_success
    assert len(await list_paths(operator)) == 3


async def test_scope_grants_are_refused_after_the_key(
    operator: httpx.AsyncClient, stranger: httpx.AsyncClient, acme: str
) -> None:
    assert (await operator.post(f"{PLANE}/scope-grants", json={})).status_code == 501
    assert (await stranger.post(f"{PLANE}/scope-grants", json={})).status_code == 401
