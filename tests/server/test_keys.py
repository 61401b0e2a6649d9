from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.conversations import Connect

pytestmark = pytest.mark.anyio

UNKNOWN = f"cak_{'0' * 26}"
KEYS = "/api/v1/contexts/acme-prod/keys"


async def create(operator: httpx.AsyncClient, name: str, **body: Any) -> httpx.Response:
    return await operator.post(KEYS, json={"name": name, "principal": "agent", **body})


async def status_of(connect: Connect, secret: str) -> int:
    return (await connect(secret).get("/api/v1/acme-prod/me")).status_code


async def test_a_created_key_is_shown_as_documented(agent: dict[str, Any]) -> None:
    assert agent["id"].startswith("cak_")
    assert agent["secret"].startswith(f"sk-acme-prod-{agent['id'].removeprefix('cak_')}")
    assert agent["created_at"].endswith("Z")
    assert agent["principal_id"].startswith("principal:")
    shown = agent.keys() - {"id", "secret", "created_at", "principal_id"}
    assert {name: agent[name] for name in shown} == {
        "name": "app-agent",
        "principal": "agent",
        "scope_floor": {"org": "acme"},
        "last_used_at": None,
        "expires_at": None,
        "status": "active",
    }


async def test_a_listed_key_is_the_created_one_without_its_secret(
    operator: httpx.AsyncClient, agent: dict[str, Any]
) -> None:
    listed = (await operator.get(KEYS)).json()
    without_secret = {name: value for name, value in agent.items() if name != "secret"}
    assert listed == {"keys": [without_secret], "next_cursor": None, "has_more": False}


@pytest.mark.parametrize("floor", [{"team": "a", "org": "b"}, "org/acme", ["org/a", "org/b"], None])
async def test_a_scope_floor_comes_back_as_it_was_given(
    operator: httpx.AsyncClient, acme: str, floor: Any
) -> None:
    created = await create(operator, "scoped", scope_floor=floor)
    assert created.status_code == 201, created.text
    assert created.json()["scope_floor"] == floor
    assert (await operator.get(KEYS)).json()["keys"][0]["scope_floor"] == floor


@pytest.mark.parametrize(
    ("body", "status", "start"),
    [
        ({"name": "app-agent"}, 409, "name: "),
        ({"name": ""}, 400, "name: "),
        ({"principal": "root"}, 400, "principal: "),
        ({"scope_floor": {"org": ""}}, 400, "scope_floor: "),
        ({"expires_in": 1.5}, 400, "expires_in: "),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at: "),
    ],
)
async def test_a_key_that_cannot_be_is_refused(
    operator: httpx.AsyncClient,
    agent: dict[str, Any],
    body: dict[str, Any],
    status: int,
    start: str,
) -> None:
    answer = await create(operator, body.pop("name", "other"), **body)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(start)
    assert len((await operator.get(KEYS)).json()["keys"]) == 1


async def test_two_contexts_may_use_one_name(
    operator: httpx.AsyncClient, agent: dict[str, Any]
) -> None:
    await operator.post("/api/v1/contexts/beta", json={"namespace": "acme", "database": "beta"})
    answer = await operator.post("/api/v1/contexts/beta/keys", json={"name": "app-agent"})
    assert (answer.status_code, answer.json()["principal"]) == (201, "agent")


async def test_a_rotated_keys_old_secret_stops_at_once(
    operator: httpx.AsyncClient, agent: dict[str, Any], connect: Connect
) -> None:
    assert await status_of(connect, agent["secret"]) == 200
    answer = await operator.post(f"{KEYS}/{agent['id']}/rotate")
    assert answer.status_code == 200
    rotated = answer.json()
    assert rotated["secret"] != agent["secret"]
    assert rotated.keys() == agent.keys()
    assert (rotated["id"], rotated["name"]) == (agent["id"], agent["name"])
    assert await status_of(connect, agent["secret"]) == 401
    assert await status_of(connect, rotated["secret"]) == 200


async def test_a_revoked_key_stops_at_once_and_its_name_is_free(
    operator: httpx.AsyncClient, agent: dict[str, Any], connect: Connect
) -> None:
    deleted = await operator.delete(f"{KEYS}/{agent['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert await status_of(connect, agent["secret"]) == 401
    assert (await operator.delete(f"{KEYS}/{agent['id']}")).status_code == 404
    assert (await create(operator, agent["name"])).status_code == 201


async def test_an_expired_key_stops_and_says_so(
    operator: httpx.AsyncClient, acme: str, connect: Connect
) -> None:
    key = (await create(operator, "brief", expires_in=1)).json()
    assert key["status"] == "active"
    assert await status_of(connect, key["secret"]) == 200
    await asyncio.sleep(1.1)
    assert await status_of(connect, key["secret"]) == 401
    (listed,) = (await operator.get(KEYS)).json()["keys"]
    assert (listed["status"], listed["expires_at"]) == ("expired", key["expires_at"])


async def test_an_expiry_comes_back_in_utc(operator: httpx.AsyncClient, acme: str) -> None:
    moment = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    there = moment.astimezone(datetime.strptime("+0530", "%z").tzinfo).isoformat()
    key = (await create(operator, "dated", expires_at=there)).json()
    assert key["expires_at"] == moment.isoformat().replace("+00:00", "Z")


async def test_a_use_is_noted(
    operator: httpx.AsyncClient, agent: dict[str, Any], connect: Connect
) -> None:
    await status_of(connect, agent["secret"])
    (listed,) = (await operator.get(KEYS)).json()["keys"]
    used = datetime.fromisoformat(listed["last_used_at"])
    assert abs((datetime.now(UTC) - used).total_seconds()) < 60


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/contexts/missing/keys"),
        ("POST", "/api/v1/contexts/missing/keys"),
        ("POST", f"/api/v1/contexts/missing/keys/{UNKNOWN}/rotate"),
        ("DELETE", f"/api/v1/contexts/missing/keys/{UNKNOWN}"),
        ("POST", f"{KEYS}/{UNKNOWN}/rotate"),
        ("POST", f"{KEYS}/nonsense/rotate"),
        ("DELETE", f"{KEYS}/{UNKNOWN}"),
        ("DELETE", f"{KEYS}/nonsense"),
    ],
)
async def test_an_unknown_context_or_key_is_not_found(
    operator: httpx.AsyncClient, agent: dict[str, Any], method: str, path: str
) -> None:
    body = {"name": "other"} if method == "POST" else None
    assert (await operator.request(method, path, json=body)).status_code == 404


async def test_pages_hold_every_key_once_in_the_order_they_were_made(
    operator: httpx.AsyncClient, acme: str
) -> None:
    made = [(await create(operator, f"k{number}")).json()["id"] for number in range(5)]
    first = (await operator.get(KEYS, params={"limit": 3})).json()
    assert (first["has_more"], first["next_cursor"]) == (True, made[2])
    await operator.delete(f"{KEYS}/{made[0]}")
    rest = (await operator.get(KEYS, params={"limit": 3, "cursor": made[2]})).json()
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)
    assert [key["id"] for key in first["keys"] + rest["keys"]] == made


@pytest.mark.parametrize("cursor", ["acme-prod", "cak_1", "", "cak_" + "z" * 26])
async def test_a_cursor_that_no_one_gave_out_is_refused(
    operator: httpx.AsyncClient, acme: str, cursor: str
) -> None:
    answer = await operator.get(KEYS, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["detail"][:7]) == (400, "cursor:")
